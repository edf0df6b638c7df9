"""Appending: events that are on disk when the append answers."""
import os
import shutil
import sqlite3
import time

from race import BILLION, FLOOR, OURS, PEER, Figure, Lane, Race, per_second
from servers import Server
from stores import CKPT


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
