"""Listing many names: batfs beside the disk, a server that does nothing, and
what else serves archives through FUSE, where it is installed (those need
minutes: only the first time of each is measured, and not of a million)."""
import contextlib
import os
import shutil
import time

from goals import AtLeast, AtMost
from race import FLOOR, OURS, PEER, Figure, Lane, Race
from servers import Server
from session import MILLION
from stores import CKPT, SIDECAR, describe

ENTITIES = 100_000
COMMANDS = ['ls -f', 'find', 'ls -l']
TIMES = ['first', 'again']


def name(command, again):
    return '`%s`, %s' % (command, again)


def names_of(count):
    return ['player:%08x' % number for number in range(count)]


def plain_folder(bench, count):
    """The same names as empty files."""
    def make(path):
        os.mkdir(path)
        folder = os.open(path, os.O_PATH)
        for name in names_of(count):
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o644,
                             dir_fd=folder))
        os.close(folder)
    return bench.stores.keep('names-%d' % count, make)


def timed(bench, *command):
    start = time.monotonic()
    bench.run(command)
    return time.monotonic() - start


def listed(bench, opened, commands, times=2):
    """opened() is a context that gives the folder: a new mount each time, so
    that the first really is."""
    found = {}
    for command in commands:
        with opened() as folder:
            more = ['-name', 'zzz'] if command == 'find' else []
            for again in TIMES[:times]:
                found[name(command, again)] = timed(
                    bench, *command.split(), folder, *more)
    return found


def served(bench, command, inside, env=None):
    """For listed(); POINT stands for the mountpoint."""
    @contextlib.contextmanager
    def opened():
        point = bench.point()
        with Server([word.replace('POINT', point) for word in
                     map(str, command)], point, env) as server:
            yield os.path.join(server.point, inside)
    return opened


# ---- others ----------------------------------------------------------------

def restic(bench, folder):
    repo = bench.scratch('restic')
    env = dict(os.environ, RESTIC_PASSWORD='bench', RESTIC_REPOSITORY=repo,
               XDG_CACHE_HOME=bench.scratch('restic-cache'))
    bench.run(['restic', 'init'], env)
    bench.run(['restic', 'backup', folder], env)
    return served(bench, ['restic', 'mount', 'POINT'],
                  'snapshots/latest' + folder, env)


def borg(bench, folder):
    repo = bench.scratch('borg')
    env = dict(os.environ, BORG_BASE_DIR=bench.scratch('borg-base'),
               BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK='yes')
    bench.run(['borg', 'init', '-e', 'none', repo], env)
    bench.run(['borg', 'create', repo + '::names', folder], env)
    return served(bench, ['borg', 'mount', '-f', repo + '::names', 'POINT'],
                  folder.lstrip('/'), env)


def squashfuse(bench, folder):
    image = bench.scratch('squashfs') + '/image'
    bench.run(['mksquashfs', folder, image, '-quiet', '-no-progress'])
    return served(bench, ['squashfuse', '-f', image, 'POINT'], '')


OTHERS = [('restic', restic, ['restic']), ('borg', borg, ['borg']),
          ('squashfuse', squashfuse, ['squashfuse', 'mksquashfs'])]


# ---- the races -------------------------------------------------------------

def listings(bench):
    """`ls -f`, `find` and `ls -l` of all entities; of a million no `ls -l`,
    which is `ls` itself for seconds."""
    count = min(ENTITIES, bench.size)
    yield many_names(bench, bench.size, count, COMMANDS, True)
    yield with_sidecar(bench, bench.size, count)
    if bench.size >= MILLION:
        bench.skip('restic, borg, squashfuse, listing of 1 M names',
                   'they need minutes for each; 100 k are in the table')
        yield many_names(bench, MILLION, MILLION, COMMANDS[:2], False)


def batfs_lane(bench, path, commands):
    opened = served(bench, [bench.batfs, '-f', '-o', 'ro', path, 'POINT'],
                    'entities')
    return Lane('batfs', OURS, lambda: listed(bench, opened, commands))


def common_lanes(bench, folder, count, commands):
    @contextlib.contextmanager
    def disk():
        yield folder

    null = served(bench, [bench.null_fs, '-f', 'POINT', count, 0,
                          bench.cores], 'entities')
    return [Lane('null server', FLOOR, lambda: listed(bench, null, commands)),
            Lane(bench.disk, PEER, lambda: listed(bench, disk, commands))]


def figures(bench, commands, *wanted_of_long):
    """Nobody waits longer for the names than on the disk."""
    return [Figure(name(command, again), 'seconds',
                   *(wanted_of_long if command == 'ls -l'
                     else [AtLeast(1, bench.disk)]))
            for command in commands for again in TIMES]


def many_names(bench, events, count, commands, with_others):
    path = bench.stores.get(events, count, CKPT)
    folder = plain_folder(bench, count)
    lanes = [batfs_lane(bench, path, commands),
             *common_lanes(bench, folder, count, commands)]
    for who, prepare, programs in OTHERS if with_others else ():
        if not all(map(shutil.which, programs)):
            bench.skip(who, 'not installed')
            continue
        opened = prepare(bench, folder)
        lanes.append(Lane(who, PEER,
                          lambda opened=opened: listed(
                              bench, opened, commands, 1), 1))
    return Race(describe(events, count), figures(bench, commands), lanes)


def with_sidecar(bench, events, count):
    path = bench.stores.get(events, count, SIDECAR)
    folder, commands = plain_folder(bench, count), ['ls -l']
    wanted = figures(bench, commands, AtMost(1.5, bench.disk))
    wanted[1].goals.clear()     # only the first time has one
    return Race('%s: sidecar' % describe(events, count), wanted,
                [batfs_lane(bench, path, commands),
                 *common_lanes(bench, folder, count, commands)])
