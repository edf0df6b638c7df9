"""Two runs beside each other, from the lines of JSON that they left."""
import json

from race import FLOOR, OURS, Figure
from units import text_of, three_digits


class Unreadable(Exception):
    """Not what `--json` writes; the text says why."""


def load(path):
    """What the run said of itself, and its lines by (figure, store, who)."""
    try:
        with open(path) as file:
            about, *lines = [json.loads(line) for line in file]
        if about['bench'] != 1:
            raise Unreadable('%s: of another version of the bench' % path)
        return about, {(line['figure'], line['store'], line['who']): line
                       for line in lines}
    except (OSError, ValueError, KeyError, TypeError) as why:
        raise Unreadable('%s: not a file of scripts/bench --json: %s' % (
            path, why)) from None


def change(a, b):
    """Of batfs in two runs; the machine's noise is no change."""
    if a['min'] <= b['max'] and b['min'] <= a['max']:
        return 'same'
    return 'better' if (b['median'] > a['median']) == (
        Figure('', a['unit']).is_rate) else 'worse'


def goal_changes(a, b):
    """Those that were met in one run only."""
    before = {one['goal']: one['met'] for one in a.get('goals', [])}
    for one in b.get('goals', []):
        was = before.get(one['goal'])
        if None not in (was, one['met']) and was != one['met']:
            yield '%s: %s' % (one['goal'],
                              'reached' if one['met'] else 'lost')


def floor_of(lines, key):
    """How many times the (first) floor batfs needed in that run."""
    return next((line.get('ratio') for place, line in lines.items()
                 if place[:2] == key[:2] and line['role'] == FLOOR), None)


def costs(a, b):
    figure = Figure('', a['unit'])
    before = figure.cost(a['median'])
    return '%s x' % three_digits(
        figure.cost(b['median']) / before) if before else ''


def row(key, a, b):
    """a and b: the lines of both runs."""
    one, two = a.get(key), b.get(key)
    if one is None or two is None:
        there = one or two
        text = text_of(there['median'], there['unit'])
        return [*key[:2], text if one else '-', text if two else '-', '', '',
                'gone' if one else 'new']
    floors = [floor_of(a, key), floor_of(b, key)]
    return [*key[:2], text_of(one['median'], one['unit']),
            text_of(two['median'], two['unit']), costs(one, two),
            '' if None in floors else '%s x, %s x' % tuple(
                map(three_digits, floors)),
            '<br>'.join([change(one, two), *goal_changes(one, two)])]


def compare(path_a, path_b):
    """A table of batfs's figures in two runs.  The ratios to the floor of the
    same run take out what the machine did meanwhile."""
    about_a, a = load(path_a)
    about_b, b = load(path_b)
    keys = [key for key, line in a.items() if line['role'] == OURS]
    keys += [key for key, line in b.items()
             if line['role'] == OURS and key not in a]
    lines = [['what', 'store', 'A', 'B', 'cost of B / A', 'beside the floor',
              'change'], ['---'] * 7]
    lines += [row(key, a, b) for key in keys]
    return 'A is %s, B is %s.\n\n%s' % (
        about_a['commit'], about_b['commit'],
        ''.join('| %s |\n' % ' | '.join(line) for line in lines))
