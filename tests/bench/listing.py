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
from stores import CKPT, SIDECAR, SIDECAR_LEAST, describe

ENTITIES = 100_000
COMMANDS = ['ls -f', 'find', 'ls -l']
TIMES = ['first', 'again']


def name(command, again):
    """Of a figure: `ls -l`, first; `ls -l` with a sidecar, first."""
    return '`%s%s, %s' % (command, '' if '`' in command else '`', again)


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

LONG, WITH_SIDECAR = 'ls -l', 'ls -l` with a sidecar'


def listings(bench):
    """`ls -f`, `find` and `ls -l` of all entities; of a million no `ls -l`,
    which is `ls` itself for seconds."""
    count = min(ENTITIES, bench.size)
    yield hundred_thousand(bench, bench.size, count)
    if bench.size >= MILLION:
        bench.skip('restic, borg, squashfuse, listing of 1 M names',
                   'they need minutes for each; 100 k are in the table')
        yield million(bench)


def figure(bench, count, command, again):
    """Nobody waits longer for many names than on the disk."""
    wanted = []
    if command == WITH_SIDECAR and again == TIMES[0]:
        wanted = [AtMost(1.5, bench.disk)]
    elif not command.startswith(LONG) and count >= ENTITIES:
        wanted = [AtLeast(1, bench.disk)]
    return Figure(name(command, again), 'seconds', *wanted)


def figures(bench, count, commands):
    return [figure(bench, count, command, again)
            for command in commands for again in TIMES]


def lane(bench, who, role, opened, commands, times=2, most=None):
    return Lane(who, role, lambda: with_sidecar(
        listed(bench, opened, commands, times), role), most)


def with_sidecar(found, role):
    """Others have none, and are as fast as they are."""
    for again in TIMES:
        if role != OURS and name(LONG, again) in found:
            found[name(WITH_SIDECAR, again)] = found[name(LONG, again)]
    return found


def batfs(bench, path):
    return served(bench, [bench.batfs, '-f', '-o', 'ro', path, 'POINT'],
                  'entities')


def common_lanes(bench, path, folder, count, commands):
    @contextlib.contextmanager
    def disk():
        yield folder

    null = served(bench, [bench.null_fs, '-f', 'POINT', count, 0,
                          bench.cores], 'entities')
    return [lane(bench, 'batfs', OURS, batfs(bench, path), commands),
            lane(bench, 'null server', FLOOR, null, commands),
            lane(bench, bench.disk, PEER, disk, commands)]


def hundred_thousand(bench, events, count):
    path = bench.stores.get(events, count, CKPT)
    folder = plain_folder(bench, count)
    lanes = common_lanes(bench, path, folder, count, COMMANDS)
    if events >= SIDECAR_LEAST:
        cached = batfs(bench, bench.stores.get(events, count, SIDECAR))
        lanes.append(Lane('batfs', OURS, lambda: {
            name(WITH_SIDECAR, again): took for again, took in zip(
                TIMES, listed(bench, cached, [LONG]).values())}))
    for who, prepare, programs in OTHERS:
        if not all(map(shutil.which, programs)):
            bench.skip(who, 'not installed')
            continue
        lanes.append(lane(bench, who, PEER, prepare(bench, folder), COMMANDS,
                          times=1, most=1))
    return Race(describe(events, count),
                figures(bench, count, COMMANDS + [WITH_SIDECAR]), lanes)


def million(bench):
    path = bench.stores.get(MILLION, MILLION, CKPT)
    commands = COMMANDS[:2]
    return Race(describe(MILLION, MILLION),
                figures(bench, MILLION, commands),
                common_lanes(bench, path, plain_folder(bench, MILLION),
                             MILLION, commands))
