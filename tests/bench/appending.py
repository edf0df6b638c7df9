"""Appending: events that are on disk when the append answers."""
import os
import shutil
import sqlite3
import threading
import time

from goals import AtLeast
from race import (BILLION, FLOOR, OURS, PEER, Failed, Figure, Lane, Race,
                  per_second)
from stores import CKPT

WAYS = ((1, 1, 2000), (8, 1, 500), (1, 128, 200))   # writers, batch, rounds


AHEAD = ', space ahead'     # rows of -o ahead=4M


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
        return [Figure(library, 'events/s',
                       AtLeast(4, (library_name(1, 1), None))),
                Figure(mount, 'events/s',
                       AtLeast(4, (mount_name(1, 1), None)))]
    if batch > 1:
        return [Figure(library, 'events/s'),
                Figure(mount, 'events/s', limit=400e3),
                Figure(library + AHEAD, 'events/s'),
                Figure(mount + AHEAD, 'events/s', limit=400e3)]
    return [Figure(library, 'events/s', AtLeast(0.9, 'floor'),
                   AtLeast(1.3, 'batpak')),
            Figure(mount, 'events/s', AtLeast(0.65, (library, None))),
            Figure(library + AHEAD, 'events/s', AtLeast(0.9, 'written ahead'),
                   AtLeast(1, 'SQLite'), AtLeast(1.7, 'batpak')),
            Figure(mount + AHEAD, 'events/s',
                   AtLeast(0.65, (library + AHEAD, None)))]


def append_race(bench, writers, batch, rounds):
    frame = bench.stores.frame_bytes(
        bench.stores.get(bench.events[0], 1000, CKPT), bench.events[0])
    names = [library_name(writers, batch), mount_name(writers, batch)]
    wanted = figures(writers, batch)

    def both(rate):
        return {figure.name: rate for figure in wanted}

    def ours_library(*more):
        return per_second(in_new(bench, lambda path: bench.run_json(
            [bench.library_bench, 'append', path, writers, batch, rounds,
             *more])))

    def ours_mount(options=''):
        return per_second(in_new(bench, lambda path: lines(path, options)))

    def lines(path, options):
        with bench.mounted(path, options) as server:
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

    lanes = [Lane('batfs', OURS, lambda: {names[0]: ours_library()}),
             Lane('batfs', OURS, lambda: {names[1]: ours_mount()}),
             Lane('floor', FLOOR, lambda: floor('growing')),
             Lane('written ahead', FLOOR, lambda: floor('ahead'))]
    if writers == 1:
        lanes[2:2] = [
            Lane('batfs', OURS,
                 lambda: {names[0] + AHEAD: ours_library('ahead')}),
            Lane('batfs', OURS,
                 lambda: {names[1] + AHEAD: ours_mount('ahead=4M')})]
    if bench.peer:
        lanes.append(Lane('batpak', PEER, batpak))
        if writers > 1:
            lanes.append(Lane('batpak draining', PEER,
                              lambda: batpak('drain')))
    lanes.append(Lane('SQLite', PEER, lambda: both(
        in_new(bench, lambda path: sqlite(path, writers, batch, rounds)))))
    return Race('new', wanted, lanes)


def in_new(bench, measure):
    path = bench.stores.new()
    try:
        return measure(path)
    finally:
        if os.path.isdir(path):
            shutil.rmtree(path)


INSERT = ('INSERT INTO event (entity, scope, kind, payload) '
          'VALUES (?, ?, ?, ?)')


def sqlite(folder, writers, batch, rounds):
    """WAL, synchronous=FULL, one transaction to a batch; each writer has a
    connection of its own and waits for its turn."""
    os.mkdir(folder)
    path = os.path.join(folder, 'db')
    base = connection(path)
    base.execute('PRAGMA journal_mode=WAL')
    base.execute('CREATE TABLE event (seq INTEGER PRIMARY KEY, entity TEXT, '
                 'scope TEXT, kind INTEGER, payload BLOB)')
    insert(base, batch, 50)
    bases = [connection(path) for _ in range(writers)]
    crew = [threading.Thread(target=insert, args=(each, batch, rounds))
            for each in bases]
    start = time.monotonic()
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    took = time.monotonic() - start
    there = base.execute('SELECT count(*) FROM event').fetchone()[0]
    for each in [base, *bases]:
        each.close()
    if there != batch * (writers * rounds + 50):
        raise Failed('SQLite has %d events' % there)
    return writers * batch * rounds / took


def connection(path):
    base = sqlite3.connect(path, isolation_level=None, timeout=600,
                           check_same_thread=False)
    base.execute('PRAGMA synchronous=FULL')
    return base


def insert(base, batch, rounds):
    rows = [('player:00000011', 'room:0', 4096, bytes(100))] * batch
    for _ in range(rounds):
        base.execute('BEGIN IMMEDIATE')
        base.executemany(INSERT, rows)
        base.execute('COMMIT')
