"""Figures that are measured side by side.

A race has lanes: batfs, floors, peers.  Every round measures each lane once,
in turn, every second round backwards, so that what else the machine does
falls on all of them.  The first round of all only warms up.

Numbers are kept in base units (units.py).
"""
import statistics
import sys
import time

import goals
from units import RATES

OURS, FLOOR, PEER = 'batfs', 'floor', 'peer'
BILLION = 1e9


class Failed(Exception):
    """A lane could not be measured; the text says why."""


def per_second(got):
    """Of what a program of the bench said."""
    return got['events'] * BILLION / got['ns']


class Figure:
    """One number that every lane of a race has, or may have, and the goals
    that batfs has there (goals.py)."""

    def __init__(self, name, unit, *wanted, limit=None):
        self.name, self.unit = name, unit
        self.goals = list(wanted)
        if limit is not None:
            self.goals.append(goals.Bound(limit, self))

    @property
    def is_rate(self):
        return self.unit in RATES

    def cost(self, value):
        """Less is better, whatever the unit; ratios are of costs."""
        if not self.is_rate:
            return value
        return 1 / value if value else float('inf')


class Lane:
    """Who takes part, and how: measure() answers {figure name: number}, or
    just the number of a race that has one figure."""

    def __init__(self, who, role, measure, most=None):
        self.who, self.role, self.measure = who, role, measure
        self.most = most    # of a slow one: so often, and no warming up


class Race:
    def __init__(self, store, figures, lanes):
        self.store, self.figures, self.lanes = store, figures, lanes


class Result:
    """What one lane had of one figure."""

    def __init__(self, figure, store, who, role, runs):
        self.figure, self.store = figure, store
        self.who, self.role, self.runs = who, role, runs

    @property
    def is_ours(self):
        return self.role == OURS

    @property
    def median(self):
        return statistics.median(self.runs)

    def as_json(self):
        return {'figure': self.figure.name, 'store': self.store,
                'who': self.who, 'role': self.role, 'unit': self.figure.unit,
                'n': len(self.runs), 'min': min(self.runs),
                'median': self.median, 'max': max(self.runs),
                'runs': self.runs}


def once(race, lane, before):
    before()
    got = lane.measure()
    if not isinstance(got, dict):
        got = {race.figures[0].name: got}
    return got


def run(race, rounds, before=lambda: None, say=lambda text: None):
    """Results in the order of figures and lanes, and the lanes that failed.

    before() is called ahead of each measurement."""
    runs, failures = {}, []
    lanes = list(race.lanes)
    for number in range(rounds + 1):
        for lane in list(lanes if number % 2 == 0 else reversed(lanes)):
            if lane.most is not None and not 0 < number <= lane.most:
                continue
            try:
                got = once(race, lane, before)
            except (Failed, OSError) as why:
                failures.append('%s, %s, %s: %s' % (
                    race.figures[0].name, race.store, lane.who, why))
                lanes.remove(lane)
                continue
            if number > 0:
                for name, value in got.items():
                    runs.setdefault((name, lane), []).append(value)
        say('.')
    results = [Result(figure, race.store, lane.who, lane.role,
                      runs[figure.name, lane])
               for figure in race.figures for lane in race.lanes
               if (figure.name, lane) in runs]
    return results, failures


def run_all(figures, bench, rounds, before):
    """Every race of the figures, with a line of progress for each."""
    results, failures = [], []
    for figure in figures:
        races = figure(bench)
        try:
            for race in races:
                start = time.monotonic()
                say('%s, %s ' % (race.figures[0].name, race.store))
                some, bad = run(race, rounds, before, say)
                results += some
                failures += bad
                say(' %.1f s\n' % (time.monotonic() - start))
                for why in bad:
                    say('    failed: %s\n' % why)
        except (Failed, OSError) as why:
            failures.append('%s: %s' % (figure.__name__, why))
            say('    failed: %s\n' % failures[-1])
        finally:
            races.close()
    return results, failures


def say(text):
    sys.stderr.write(text)
    sys.stderr.flush()
