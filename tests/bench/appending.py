"""Appending: events that are on disk when the append answers."""
import os
import shutil
import sqlite3
import time

from goals import AtLeast
from race import BILLION, FLOOR, OURS, PEER, Figure, Lane, Race, per_second
from stores import CKPT

WAYS = ((1, 1, 2000), (8, 1, 500), (1, 128, 200))   # writers, batch, rounds


def library_name(writers, batch):
    return 'durable appends, library, ' + crew(writers, batch)


def mount_name(writers, batch):
    return 'durable appends, mount, ' + crew(writers, batch)


def crew(writers, batch):
    text = '1 writer' if writers == 1 else '%d writers' % writers
    return text if batch == 1 else '%s, batches of %d' % (text, batch)


def appends(bench):
    """Events that are on disk when the append answers."""
    for writers, batch, rounds in WAYS:
        yield append_race(bench, writers, batch, max(5, bench.scaled(rounds)))


def figures(writers, batch):
    """With the goals of both, library and mount."""
    library, mount = library_name(writers, batch), mount_name(writers, batch)
    if writers > 1:
        return [Figure(library, 'events/s'),
                Figure(mount, 'events/s',
                       AtLeast(4, (mount_name(1, 1), None)))]
    if batch > 1:
        return [Figure(library, 'events/s'),
                Figure(mount, 'events/s', limit=400e3)]
    return [Figure(library, 'events/s', AtLeast(0.9, 'floor'),
                   AtLeast(1.3, 'batpak')),
            Figure(mount, 'events/s', AtLeast(0.65, (library, None)))]


def append_race(bench, writers, batch, rounds):
    frame = bench.stores.frame_bytes(
        bench.stores.get(bench.events[0], 1000, CKPT), bench.events[0])
    names = [library_name(writers, batch), mount_name(writers, batch)]

    def both(rate):
        return {names[0]: rate, names[1]: rate}

    def ours_library():
        got = in_new(bench, lambda path: bench.run_json(
            [bench.library_bench, 'append', path, writers, batch, rounds]))
        return {names[0]: per_second(got)}

    def lines(path):
        with bench.mounted(path, '') as server:
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
    return Race('new', figures(writers, batch), lanes)


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
