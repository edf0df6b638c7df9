"""Opening: from nothing to the first name, and what is kept in memory."""
import os

from race import BILLION, FLOOR, OURS, PEER, Failed, Figure, Lane, Race
from servers import Server
from stores import CKPT, WAYS


def mount(bench):
    """From the start of the program to the first name of entities/, the same
    through the library, and what each keeps in memory."""
    for events, entities in bench.sizes():
        for way in WAYS:
            if entities > 1000 and way != CKPT:
                continue
            yield open_race(bench, events, entities, way)


def open_race(bench, events, entities, way):
    path = bench.stores.get(events, entities, way)
    spans = bench.stores.floor_spans(path, way)
    names = ['mount to first `ls entities`', 'opened by the library',
             'memory of a mount']

    def batfs_mount():
        point = bench.point()
        got = bench.run_json([bench.mount_bench, 'start', point, 'entities',
                              bench.batfs, '-o', 'ro', path, point])
        return {names[0]: got['ns'] / BILLION}

    def batfs_library():
        got = bench.run_json([bench.library_bench, 'open', path])
        if not got['source'].startswith(way):
            raise Failed('opened from %s' % got['source'])
        return {names[1]: got['ns'] / BILLION}

    def batfs_memory():
        with Server([bench.batfs, '-f', '-o', 'ro', path, bench.point()],
                    bench.last_point) as server:
            next(os.scandir(os.path.join(server.point, 'entities')))
            own = server.anonymous() - bench.empty_mount_bytes()
            return {names[2]: own / events}

    def floor_mount():
        point = bench.point()
        got = bench.run_json([
            bench.mount_bench, 'start', point, 'entities', bench.null_fs,
            point, 1000, 0, bench.cores, *spans])
        return {names[0]: got['ns'] / BILLION}

    def floor_read():
        got = bench.run_json([bench.floor_bench, 'read', bench.cores, *spans])
        return {names[1]: got['ns'] / BILLION}

    def batpak():
        got = bench.run_json([bench.peer, 'open', path])
        took = got['ns'] / BILLION
        return {names[0]: took, names[1]: took,
                names[2]: got['anonymous'] / events}

    figures = [Figure(names[0], 'seconds'), Figure(names[1], 'seconds'),
               Figure(names[2], 'bytes/event')]
    lanes = [Lane('batfs', OURS, batfs_mount),
             Lane('batfs', OURS, batfs_library),
             Lane('batfs', OURS, batfs_memory),
             Lane('floor', FLOOR, floor_mount),
             Lane('floor', FLOOR, floor_read)]
    if bench.peer:
        lanes.append(Lane('batpak', PEER, batpak,
                          1 if events > 1_000_000 else None))
    return Race('%s: %s' % (bench.stores.describe(events, entities), way),
                figures, lanes)
