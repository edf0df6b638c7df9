"""Reading without a mount: by id, in order, by pages, along chains, all."""
import os
import time

from goals import AtLeast, AtMost
from race import BILLION, FLOOR, OURS, PEER, Figure, Lane, Race, per_second
from session import MILLION
from stores import CKPT, FRAMES, describe

BY_ID = 'an event by id, library, at random'
SCAN = 'every event in order, library, one thread'
CHAIN = 'chains of entities, each hash and link checked'
VERIFY = 'verify of everything'
LINES = 4096            # of a page
CHAINS = 20             # entities whose chains are walked
PLACES = ['start', 'middle', 'end']


def page_name(place):
    return '%d lines as text, from the %s' % (LINES, place)


def mounted_page_name(place):
    return page_name(place) + ', through the mount'


def goals_of(events):
    if events < MILLION:
        return {}
    pages = {name(place): [AtMost(1.5, (name(PLACES[0]), None))]
             for name in (page_name, mounted_page_name)
             for place in PLACES[1:]}
    return {BY_ID: [AtLeast(5, 'batpak')], SCAN: [AtLeast(20, 'batpak')],
            CHAIN: [AtLeast(50, 'batpak')], **pages}


def batpak_lane(bench, path, count, places):
    """Opening takes so long that all of it shares one."""
    def measure():
        got = bench.run_json([bench.peer, 'read', path, count, CHAINS, LINES,
                              *places.values()])
        found = {BY_ID: got['get'], SCAN: got['scan'], CHAIN: got['chains']}
        for place, ns in zip(places, got['pages_ns']):
            found[page_name(place)] = ns / BILLION
            found[mounted_page_name(place)] = ns / BILLION
        return found
    return Lane('batpak', PEER, measure,
                bench.runs if bench.size == MILLION else None)


def library(bench):
    """Events by id, all of them in order, a page from anywhere in a view that
    knows nothing yet, the chains of entities.  batpak's pages are rows and no
    text."""
    events, count = bench.size, bench.scaled(100_000)
    lines = min(LINES, events)
    entities = min(events, 1000)
    path = bench.stores.get(events, entities, CKPT)
    spans = bench.stores.floor_spans(path, FRAMES)
    frame = bench.stores.frame_bytes(path, events)
    places = dict(zip(PLACES, (0, (events - lines) // 2, events - lines)))

    def ours():
        got = {BY_ID: per_second(bench.run_json(
                   [bench.library_bench, 'get', path, count])),
               SCAN: per_second(bench.run_json(
                   [bench.library_bench, 'scan', path])),
               CHAIN: per_second(bench.run_json(
                   [bench.view_bench, 'chains', path, CHAINS]))}
        for place, seq in places.items():
            got[page_name(place)] = bench.run_json(
                [bench.view_bench, 'page', path, seq, lines])['ns'] / BILLION
        return got

    def ours_mounted():
        with bench.mounted(path) as server:
            return {mounted_page_name(place): timed_read(os.path.join(
                        server.point, 'range', '%d..%d.jsonl' % (
                            seq, seq + lines - 1)), lines)
                    for place, seq in places.items()}

    def floor():
        every = bench.run_json([bench.floor_bench, 'read', 1, *spans])
        some = bench.run_json([bench.floor_bench, 'random', spans[0], frame,
                               count])
        page = bench.run_json([bench.floor_bench, 'random', spans[0],
                               lines * frame, 1])['ns'] / BILLION
        found = {BY_ID: count * BILLION / some['ns'],
                 SCAN: events * BILLION / every['ns'],
                 CHAIN: count * BILLION / some['ns']}
        for place in places:
            found[page_name(place)] = found[mounted_page_name(place)] = page
        return found

    lanes = [Lane('batfs', OURS, ours), Lane('batfs', OURS, ours_mounted),
             Lane('floor', FLOOR, floor)]
    if bench.peer:
        lanes.append(batpak_lane(bench, path, count, places))
    wanted = goals_of(events)
    rates = [Figure(name, 'events/s', *wanted.get(name, ()))
             for name in (BY_ID, SCAN, CHAIN)]
    pages = [Figure(name(place), 'seconds', *wanted.get(name(place), ()),
                    limit=0.010 if wanted else None)
             for name in (page_name, mounted_page_name) for place in places]
    yield Race(describe(events, entities), rates + pages, lanes)


def timed_read(path, lines):
    start = time.monotonic()
    with open(path, 'rb') as file:
        text = file.read()
    took = time.monotonic() - start
    assert text.count(b'\n') == lines, path
    return took


def verify(bench):
    """The second opinion on a whole directory: everything is read."""
    events, entities = bench.size, min(bench.size, 1000)
    path = bench.stores.get(events, entities, CKPT)
    spans = (bench.stores.floor_spans(path, FRAMES) +
             bench.stores.floor_spans(path, CKPT))

    def floor():
        got = bench.run_json([bench.floor_bench, 'read', bench.cores, *spans])
        return events * BILLION / got['ns']

    yield Race(describe(events, entities), [
        Figure(VERIFY, 'events/s',
               limit=10e6 if events >= MILLION else None)],
        [Lane('batfs', OURS, lambda: per_second(bench.run_json(
            [bench.library_bench, 'verify', path]))),
         Lane('floor', FLOOR, floor)])
