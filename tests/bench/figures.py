"""What is measured.  To add a figure, write a function that yields races and
put it into ALL at the end; its name is what `--only` takes."""
import os
import shutil
import sqlite3
import time

import listing
from race import FLOOR, OURS, PEER, Failed, Figure, Lane, Race
from servers import Server
from stores import CKPT, FRAMES, WAYS

BILLION = 1e9


def per_second(got):
    return got['events'] * BILLION / got['ns']


# ---- opening ---------------------------------------------------------------

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


# ---- listing: see listing.py -----------------------------------------------

def listings(bench):
    """`ls -f`, `find` and `ls -l` of all entities."""
    yield from listing.races(bench)


# ---- reading ---------------------------------------------------------------

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


def library(bench):
    """Events by id, and all of them in order, through the library."""
    events, count = bench.size, 100_000
    path = bench.stores.get(events, 1000, CKPT)
    spans = bench.stores.floor_spans(path, FRAMES)
    names = ['an event by id, library, at random',
             'every event in order, library, one thread']
    one_frame = bench.stores.frame_bytes(path, events)

    def ours():
        return {names[0]: per_second(bench.run_json(
                    [bench.library_bench, 'get', path, count])),
                names[1]: per_second(bench.run_json(
                    [bench.library_bench, 'scan', path]))}

    def floor():
        got = bench.run_json([bench.floor_bench, 'read', 1, *spans])
        some = bench.run_json([bench.floor_bench, 'random', spans[0],
                               one_frame, count])
        return {names[0]: count * BILLION / some['ns'],
                names[1]: events * BILLION / got['ns']}

    def batpak():
        got = bench.run_json([bench.peer, 'read', path, count])
        return {names[0]: got['get'], names[1]: got['scan']}

    lanes = [Lane('batfs', OURS, ours), Lane('floor', FLOOR, floor)]
    if bench.peer:
        lanes.append(Lane('batpak', PEER, batpak))
    yield Race(bench.stores.describe(events, 1000),
               [Figure(name, 'events/s') for name in names], lanes)


def paging(bench):
    """A page of lines as text from anywhere, in a view that knows nothing."""
    events, lines = bench.size, 4096
    path = bench.stores.get(events, 1000, CKPT)
    spans = bench.stores.floor_spans(path, FRAMES)
    bytes_read = lines * bench.stores.frame_bytes(path, events)
    places = {'start': 0, 'middle': events // 2, 'end': events - lines}

    def name(place):
        return '%d lines as text, from the %s' % (lines, place)

    def ours():
        return {name(place): bench.run_json(
                    [bench.view_bench, 'page', path, seq, lines]
                )['ns'] / BILLION for place, seq in places.items()}

    def floor():
        got = bench.run_json([bench.floor_bench, 'random', spans[0],
                              bytes_read, 1])
        return {name(place): got['ns'] / BILLION for place in places}

    yield Race(bench.stores.describe(events, 1000),
               [Figure(name(place), 'seconds') for place in places],
               [Lane('batfs', OURS, ours), Lane('floor', FLOOR, floor)])


def verify(bench):
    """The second opinion on a whole directory: everything is read."""
    events = bench.size
    path = bench.stores.get(events, 1000, CKPT)
    spans = (bench.stores.floor_spans(path, FRAMES) +
             bench.stores.floor_spans(path, CKPT))

    def floor():
        got = bench.run_json([bench.floor_bench, 'read', bench.cores, *spans])
        return events * BILLION / got['ns']

    lanes = [Lane('batfs', OURS, lambda: per_second(bench.run_json(
                 [bench.library_bench, 'verify', path]))),
             Lane('floor', FLOOR, floor)]
    if bench.peer:
        lanes.append(Lane('batpak', PEER, lambda: per_second(bench.run_json(
            [bench.peer, 'verify', path, 20]))))
    yield Race(bench.stores.describe(events, 1000),
               [Figure('verify (batpak: chains only, of 20 entities)',
                       'events/s')], lanes)


# ---- appending -------------------------------------------------------------

def appends(bench):
    """Events that are on disk when the append answers."""
    for writers, batch, rounds in ((1, 1, 2000), (8, 1, 500), (1, 128, 200)):
        if bench.quick:
            rounds //= 4
        yield append_race(bench, writers, batch, rounds)


def append_race(bench, writers, batch, rounds):
    frame = bench.stores.frame_bytes(bench.stores.get(10_000, 1000, CKPT),
                                     10_000)
    what = '1 writer' if writers == 1 else '%d writers' % writers
    if batch > 1:
        what += ', batches of %d' % batch
    names = ['durable appends, library, %s' % what,
             'durable appends, mount, %s' % what]

    def both(rate):
        return {names[0]: rate, names[1]: rate}

    def ours_library():
        got = in_new(bench, lambda path: bench.run_json(
            [bench.library_bench, 'append', path, writers, batch, rounds]))
        return {names[0]: per_second(got)}

    def lines(path):
        with Server([bench.batfs, '-f', path, bench.point()],
                    bench.last_point) as server:
            scope = os.path.join(server.point, 'scopes', 'bench')
            os.mkdir(scope)
            return bench.run_json([bench.mount_bench, 'append', scope,
                                   writers, batch, rounds])

    def floor(how):
        # What goes at once: all that wait for the same sync.
        together = writers * batch
        got = in_new(bench, lambda path: bench.run_json(
            [bench.floor_bench, 'sync', path, frame * together, rounds, how]))
        return both(together * rounds * BILLION / got['ns'])

    def batpak(*more):
        return both(per_second(in_new(bench, lambda path: bench.run_json(
            [bench.peer, 'append', path, writers, batch, rounds, *more]))))

    lanes = [Lane('batfs', OURS, ours_library),
             Lane('batfs', OURS, lambda: {names[1]: per_second(
                 in_new(bench, lines))}),
             Lane('floor', FLOOR, lambda: floor('growing')),
             Lane('written ahead', FLOOR, lambda: floor('ahead'))]
    if bench.peer:
        lanes.append(Lane('batpak', PEER, batpak))
        if writers > 1:
            lanes.append(Lane('batpak draining', PEER,
                              lambda: batpak('drain')))
    if writers == 1:
        lanes.append(Lane('SQLite', PEER, lambda: both(
            in_new(bench, lambda path: sqlite(path, batch, rounds)))))
    return Race('new', [Figure(name, 'events/s') for name in names], lanes)


def in_new(bench, measure):
    path = bench.stores.new()
    try:
        return measure(path)
    finally:
        if os.path.isdir(path):
            shutil.rmtree(path)


def sqlite(folder, batch, rounds):
    """WAL, synchronous=FULL, one transaction to a batch."""
    os.mkdir(folder)
    base = sqlite3.connect(os.path.join(folder, 'db'), isolation_level=None)
    base.execute('PRAGMA journal_mode=WAL')
    base.execute('PRAGMA synchronous=FULL')
    base.execute('CREATE TABLE event (seq INTEGER PRIMARY KEY, entity TEXT, '
                 'scope TEXT, kind INTEGER, payload BLOB)')
    rows = [('player:00000011', 'room:0', 4096, bytes(100))] * batch
    for number in range(rounds + 50):
        if number == 50:
            start = time.monotonic()
        base.execute('BEGIN')
        base.executemany('INSERT INTO event (entity, scope, kind, payload) '
                         'VALUES (?, ?, ?, ?)', rows)
        base.execute('COMMIT')
    took = time.monotonic() - start
    base.close()
    return batch * rounds / took


# ---- ending ----------------------------------------------------------------

def unmount(bench):
    """From `fusermount3 -u` to the end of the daemon."""
    events = bench.size
    path = bench.stores.get(events, 1000, CKPT)

    def ours(appends):
        copy = bench.stores.copy(path)
        try:
            with Server([bench.batfs, '-f', copy, bench.point()],
                        bench.last_point) as server:
                scope = os.path.join(server.point, 'scopes', 'bench')
                os.mkdir(scope)
                # 10,000: half of them are mount_bench's warming up
                how = (1, 1, 1) if appends == 1 else (1, 100, 50)
                bench.run_json([bench.mount_bench, 'append', scope, *how])
                got = per_append(server)
                if got != appends:
                    raise Failed('%d appends' % got)
                return server.stop()
        finally:
            shutil.rmtree(copy)

    def per_append(server):
        folder = os.path.join(server.point, 'scopes', 'bench')
        with open(os.path.join(folder, 'bench:0'), 'rb') as file:
            return sum(1 for _ in file)

    def null():
        with Server([bench.null_fs, '-f', bench.point(), 1000, 0,
                     bench.cores], bench.last_point) as server:
            return server.stop()

    def batpak(appends):
        copy = bench.stores.copy(path)
        try:
            return bench.run_json(
                [bench.peer, 'close', copy, appends])['ns'] / BILLION
        finally:
            shutil.rmtree(copy)

    for appends in (1, 10_000):
        lanes = [Lane('batfs', OURS, lambda n=appends: ours(n)),
                 Lane('null server', FLOOR, null)]
        if bench.peer:
            lanes.append(Lane('batpak', PEER, lambda n=appends: batpak(n)))
        yield Race(bench.stores.describe(events, 1000),
                   [Figure('unmount after %s' % (
                       '1 append' if appends == 1 else '10 000 appends'),
                       'seconds')], lanes)


ALL = [mount, listings, streams, event_files, library, paging, verify, appends,
       unmount]
