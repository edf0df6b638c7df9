"""Reading through a mount: long files by `cat`, and many short ones."""
import os
import shutil
import time

from goals import AtLeast, AtMost
from race import BILLION, FLOOR, OURS, PEER, Figure, Lane, Race
from stores import CKPT, describe

# ---- long files ------------------------------------------------------------

CAT = ['`cat` of an entity, first', '`cat` of an entity, again',
       '`cat log/*.jsonl`, first', '`cat log/*.jsonl`, again']


def files(point):
    log = os.path.join(point, 'log')
    pages = sorted(n for n in os.listdir(log) if n != 'tail.jsonl')
    return ([os.path.join(point, 'entities', 'player:00000000')],
            [os.path.join(log, name) for name in pages])


def copied(bench, path):
    """The same as plain files."""
    copy = bench.scratch('cat')
    with bench.mounted(path) as server:
        for folder, paths in zip(('entities', 'log'), files(server.point)):
            os.makedirs(os.path.join(copy, folder))
            for one in paths:
                with open(one, 'rb') as source, open(os.path.join(
                        copy, folder, os.path.basename(one)), 'wb') as out:
                    shutil.copyfileobj(source, out, 1 << 20)
    return copy


def streams(bench):
    """`cat` of one long stream, and of the sealed pages of the log."""
    # Pages are of 10 k sequences; the last one is never sealed.
    events = max(20_000, min(bench.size, 100_000))
    path = bench.stores.get(events, 1, CKPT)
    copy = copied(bench, path)
    sizes = [sum(map(os.path.getsize, paths)) for paths in files(copy)]

    def cat(paths, size):
        start = time.monotonic()
        bench.run(['cat', *paths])
        return size / (time.monotonic() - start)

    def four(point):
        entity, pages = files(point)
        return {name: cat(paths, size) for name, paths, size in zip(
            CAT, (entity, entity, pages, pages),
            (sizes[0], sizes[0], sizes[1], sizes[1]))}

    def ours():
        with bench.mounted(path) as server:
            return four(server.point)

    def null():
        """One file of that size, of zeros, by a server that does nothing."""
        with bench.null_server(1, sizes[0]) as server:
            zeros = [os.path.join(server.point, 'entities', 'player:00000000')]
            first, again = cat(zeros, sizes[0]), cat(zeros, sizes[0])
        return dict(zip(CAT, (first, again, first, again)))

    limits = dict(zip(CAT, (1e9, None, None, 4e9)))
    yield Race(describe(events, 1),
               [Figure(name, 'bytes/s', limit=limits[name]) for name in CAT],
               [Lane('batfs', OURS, ours), Lane('null server', FLOOR, null),
                Lane(bench.disk, PEER, lambda: four(copy))])


# ---- short files -----------------------------------------------------------

ROUNDS = 4      # how often they are read again
ORC = 'open + read + close of an event'
FIRST, AGAIN, AT_FIRST, AT_AGAIN = (
    ORC + ', first', ORC + ', again',
    ORC + ', `-o at=`, first', ORC + ', `-o at=`, again')
ASKED = ['lookup', 'open', 'read', 'release']


def requests_of(kind):
    return 'requests for %s, first: %s' % (ORC, kind.upper())


def read_times(bench, folder, paths):
    got = bench.run_json([bench.mount_bench, 'read', folder, ROUNDS],
                         '\n'.join(paths))
    return (got['first'] / BILLION / len(paths),
            got['again'] / BILLION / len(paths) / ROUNDS)


def copied_events(bench, path, names, flat):
    """The same as plain files; and how long the longest is."""
    copy, size = bench.scratch('files'), 0
    with bench.mounted(path) as server:
        for name, target in zip(names, flat):
            with open(os.path.join(server.point, 'events', name), 'rb') as one:
                line = one.read()
            with open(os.path.join(copy, target), 'wb') as out:
                out.write(line)
            size = max(size, len(line))
    return copy, size


def event_files(bench):
    """open + read + close of events/.../N.json, live and at a moment, and what
    the kernel asks for the first time."""
    events, count = bench.size, bench.scaled(10_000)
    path = bench.stores.get(events, min(events, 1000), CKPT)
    seqs = [number * 7919 % events for number in range(count)]
    names = ['%08d/%012d.json' % (seq // 10_000, seq) for seq in seqs]
    flat = ['%012d.json' % seq for seq in seqs]
    copy, size = copied_events(bench, path, names, flat)

    def ours(options, *figures):
        with bench.mounted(path, options) as server:
            folder = os.path.join(server.point, 'events')
            return dict(zip(figures, read_times(bench, folder, names)))

    def both(first, again):
        return {FIRST: first, AGAIN: again, AT_FIRST: first, AT_AGAIN: again}

    def null():
        with bench.null_server(count, size) as server:
            return both(*read_times(
                bench, os.path.join(server.point, 'entities'),
                ['player:%08x' % n for n in range(count)]))

    store = describe(events, min(events, 1000))
    yield Race(store, [
        Figure(FIRST, 'seconds'),
        Figure(AGAIN, 'seconds', AtMost(5, bench.disk)),
        Figure(AT_FIRST, 'seconds'),
        Figure(AT_AGAIN, 'seconds', AtLeast(0.6, bench.disk))],
        [Lane('batfs', OURS, lambda: ours('ro', FIRST, AGAIN)),
         Lane('batfs', OURS, lambda: ours('at=%d' % (events - 1),
                                          AT_FIRST, AT_AGAIN)),
         Lane('null server', FLOOR, null),
         Lane(bench.disk, PEER,
              lambda: both(*read_times(bench, copy, flat)))])
    yield requests_race(bench, path, names, store)


def requests_race(bench, path, names, store):
    """Not a time: one of each for each file, and nothing else."""
    def ours():
        with bench.mounted(path) as server:
            for folder in {os.path.dirname(name) for name in names}:
                os.stat(os.path.join(server.point, 'events', folder))
            none = server.requests()
            before = server.requests()
            for name in names:
                with open(os.path.join(server.point, 'events', name),
                          'rb', 0) as one:
                    one.read(65536)
            after = server.requests()
        # The counts are a file themselves, which asks as much each time.
        # What a cache forgot meanwhile is no matter of each file.
        got = {kind: round((after[kind] - 2 * before[kind] + none[kind]) /
                           len(names), 2) for kind in after}
        found = {requests_of(kind): got.pop(kind) for kind in ASKED}
        found[requests_of('all others')] = sum(got.values())
        return found

    return Race(store, [
        Figure(requests_of(kind), 'requests/file', limit=limit)
        for kind, limit in [(kind, 1) for kind in ASKED] +
        [('all others', 0)]], [Lane('batfs', OURS, ours, 1)])
