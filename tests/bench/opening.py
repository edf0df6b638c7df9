"""Opening: from nothing to the first name, and what is kept in memory."""
import os

from goals import AtLeast, AtMost
from race import BILLION, FLOOR, OURS, PEER, Failed, Figure, Lane, Race
from session import MILLION
from stores import (
    CKPT, FBATI, SIDECAR, SIDECAR_LEAST, WAYS, describe, fill_with_copies,
    segments)

NAMES = ['mount to first `ls entities`', 'opened by the library',
         'memory of a mount']


def mount(bench):
    """From the start of the program to the first name of entities/, the same
    through the library, and what each keeps in memory."""
    for events, entities in bench.sizes():
        for way in WAYS:
            if entities > 1000 and way != CKPT:
                continue
            if events > MILLION and way not in (FBATI, CKPT):
                continue
            yield open_race(bench, events, entities, way)


def place(events, entities, way):
    return '%s: %s' % (describe(events, entities), way)


def wanted(events, entities, way):
    """The goals of the first figure."""
    if events == MILLION and entities == 1000:
        return [AtMost(1.5 if way in (FBATI, CKPT) else 2, 'floor'),
                AtLeast(50, 'batpak')]
    if events > MILLION:
        return [AtMost(11, (None, place(MILLION, entities, way)))]
    return []


def mount_lane(bench, path):
    def measure():
        point = bench.point()
        got = bench.run_json([bench.mount_bench, 'start', point, 'entities',
                              bench.batfs, '-o', 'ro', path, point])
        return {NAMES[0]: got['ns'] / BILLION}
    return Lane('batfs', OURS, measure)


def library_lane(bench, path, way):
    def measure():
        got = bench.run_json([bench.library_bench, 'open', path])
        if not got['source'].startswith(way):
            raise Failed('opened from %s' % got['source'])
        return {NAMES[1]: got['ns'] / BILLION}
    return Lane('batfs', OURS, measure)


def memory_lane(bench, path, events):
    def measure():
        with bench.mounted(path) as server:
            next(os.scandir(os.path.join(server.point, 'entities')))
            own = server.anonymous() - bench.empty_mount_bytes()
            return {NAMES[2]: own / events}
    return Lane('batfs', OURS, measure)


def floor_lane(bench, spans):
    """A server that does nothing, once it has decoded those rows."""
    def measure():
        point = bench.point()
        got = bench.run_json([
            bench.mount_bench, 'start', point, 'entities', bench.null_fs,
            point, 1000, 0, bench.cores, *spans])
        return {NAMES[0]: got['ns'] / BILLION}
    return Lane('floor', FLOOR, measure)


def open_race(bench, events, entities, way):
    path = bench.stores.get(events, entities, way)
    spans = bench.stores.floor_spans(path, way)

    def floor_decode():
        got = bench.run_json([bench.floor_bench, 'decode', bench.cores,
                              *spans])
        if got['rows'] < events:
            raise Failed('the floor saw %d rows' % got['rows'])
        return {NAMES[1]: got['ns'] / BILLION}

    def batpak():
        got = bench.run_json([bench.peer, 'open', path])
        took = got['ns'] / BILLION
        return {NAMES[0]: took, NAMES[1]: took,
                NAMES[2]: got['anonymous'] / events}

    lanes = [mount_lane(bench, path), library_lane(bench, path, way),
             memory_lane(bench, path, events), floor_lane(bench, spans),
             Lane('floor', FLOOR, floor_decode)]
    if bench.peer and events <= MILLION:
        lanes.append(Lane('batpak', PEER, batpak,
                          bench.runs if events == MILLION else None))
    elif bench.peer and way == FBATI:
        lanes.append(Lane('batpak', PEER, batpak, 1))   # minutes, 5 GB
    return Race(place(events, entities, way), [
        Figure(NAMES[0], 'seconds', *wanted(events, entities, way)),
        Figure(NAMES[1], 'seconds'),
        Figure(NAMES[2], 'bytes/event',
               limit=80 if events >= MILLION else None)], lanes)


# ---- from the sidecar ------------------------------------------------------

def sidecar(bench):
    """The same after an orderly unmount, which leaves the sidecar."""
    for events, entities in bench.sizes():
        if events >= SIDECAR_LEAST:
            yield sidecar_race(bench, events, entities)
    if bench.size >= SIDECAR_LEAST:
        yield crash_race(bench, bench.size, min(bench.size, 1000))


def sidecar_race(bench, events, entities):
    path = bench.stores.get(events, entities, SIDECAR)
    return Race(place(events, entities, SIDECAR), [
        Figure(NAMES[0], 'seconds', limit=0.003),
        Figure(NAMES[1], 'seconds'),
        Figure(NAMES[2], 'bytes/event',
               limit=16 if events >= MILLION else None)],
        [mount_lane(bench, path), library_lane(bench, path, SIDECAR),
         memory_lane(bench, path, events), floor_lane(bench, [])])


def crash_race(bench, events, entities):
    """The daemon was killed: one scan of the last segment more."""
    name = 'mount to first `ls entities` after a crash'
    path = bench.stores.new()
    fill_with_copies(bench.stores.get(events, entities, CKPT), path)
    bench.stores.write_sidecar(path)
    with bench.mounted(path, '') as server:
        scope = os.path.join(server.point, 'scopes', 'bench')
        os.mkdir(scope)
        bench.run_json([bench.mount_bench, 'append', scope, 1, 100,
                        max(2, bench.scaled(100))])
        server.kill()
    if not bench.stores.opens_from_sidecar(path):
        raise Failed('no sidecar after a crash')
    spans = [segments(path)[-1], 0]

    def renamed(lane):
        return Lane(lane.who, lane.role,
                    lambda: {name: lane.measure()[NAMES[0]]})

    return Race('%s, and up to 10 k behind it' % place(
        events, entities, SIDECAR), [Figure(name, 'seconds')],
        [renamed(mount_lane(bench, path)), renamed(floor_lane(bench, spans))])
