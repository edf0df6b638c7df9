"""Reading through a mount: long files by `cat`, and many short ones."""
import os
import shutil
import time

from race import BILLION, FLOOR, OURS, PEER, Figure, Lane, Race
from servers import Server
from stores import CKPT


def streams(bench):
    """`cat` of one long stream, and of the sealed pages of the log."""
    events = min(bench.size, 100_000)
    path = bench.stores.get(events, 1, CKPT)
    copy = bench.scratch('cat')
    names = ['`cat` of an entity, first', '`cat` of an entity, again',
             '`cat log/*.jsonl`, first', '`cat log/*.jsonl`, again']

    def batfs_server():
        return Server([bench.batfs, '-f', '-o', 'ro', path, bench.point()],
                      bench.last_point)

    def files(point):
        log = os.path.join(point, 'log')
        pages = sorted(n for n in os.listdir(log) if n != 'tail.jsonl')
        return ([os.path.join(point, 'entities', 'player:00000000')],
                [os.path.join(log, name) for name in pages])

    def cat(paths, size):
        start = time.monotonic()
        bench.run(['cat', *paths])
        return size / (time.monotonic() - start)

    def four(server):
        with server:
            entity, pages = files(server.point)
            return {name: cat(paths, size) for name, paths, size in zip(
                names, (entity, entity, pages, pages),
                (sizes[0], sizes[0], sizes[1], sizes[1]))}

    with batfs_server() as server:
        entity, pages = files(server.point)
        for folder, paths in (('entities', entity), ('log', pages)):
            os.makedirs(os.path.join(copy, folder))
            for one in paths:
                with open(one, 'rb') as source, open(os.path.join(
                        copy, folder, os.path.basename(one)), 'wb') as out:
                    shutil.copyfileobj(source, out, 1 << 20)
    sizes = [sum(map(os.path.getsize, paths)) for paths in files(copy)]

    def disk():
        entity, pages = files(copy)
        return {name: cat(paths, size) for name, paths, size in zip(
            names, (entity, entity, pages, pages),
            (sizes[0], sizes[0], sizes[1], sizes[1]))}

    def null():
        """One file of that size, of zeros, by a server that does nothing."""
        with Server([bench.null_fs, '-f', bench.point(), 1, sizes[0],
                     bench.cores], bench.last_point) as server:
            zeros = [os.path.join(server.point, 'entities', 'player:00000000')]
            first, again = cat(zeros, sizes[0]), cat(zeros, sizes[0])
        return dict(zip(names, (first, again, first, again)))

    yield Race(bench.stores.describe(events, 1),
               [Figure(name, 'bytes/s') for name in names],
               [Lane('batfs', OURS, lambda: four(batfs_server())),
                Lane('null server', FLOOR, null),
                Lane(bench.disk, PEER, disk)])


def event_files(bench):
    """open + read + close of events/.../N.json."""
    events, count = bench.size, 10_000
    path = bench.stores.get(events, 1000, CKPT)
    seqs = [number * 7919 % events for number in range(count)]
    ours = ['%08d/%012d.json' % (seq // 10_000, seq) for seq in seqs]
    flat = ['%012d.json' % seq for seq in seqs]
    copy = bench.scratch('files')
    size = 0
    with Server([bench.batfs, '-f', '-o', 'ro', path, bench.point()],
                bench.last_point) as server:
        for name, target in zip(ours, flat):
            with open(os.path.join(server.point, 'events', name), 'rb') as one:
                line = one.read()
            with open(os.path.join(copy, target), 'wb') as out:
                out.write(line)
            size = max(size, len(line))
    names = ['open + read + close of an event, first',
             'open + read + close of an event, again']

    def read(folder, paths):
        got = bench.run_json([bench.mount_bench, 'read', folder, 4],
                             '\n'.join(paths))
        return {names[0]: got['first'] / BILLION / count,
                names[1]: got['again'] / BILLION / count / 4}

    def served(command, folder, paths):
        with Server(command, bench.last_point) as server:
            return read(os.path.join(server.point, folder), paths)

    yield Race(bench.stores.describe(events, 1000),
               [Figure(name, 'seconds') for name in names],
               [Lane('batfs', OURS, lambda: served(
                   [bench.batfs, '-f', '-o', 'ro', path, bench.point()],
                   'events', ours)),
                Lane('null server', FLOOR, lambda: served(
                    [bench.null_fs, '-f', bench.point(), count, size,
                     bench.cores], 'entities',
                    ['player:%08x' % n for n in range(count)])),
                Lane(bench.disk, PEER, lambda: read(copy, flat))])
