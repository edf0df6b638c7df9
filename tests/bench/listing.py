"""Listing many names: batfs beside the disk, a server that does nothing, and
what else serves archives through FUSE, where it is installed (those need
minutes: only the first time of each is measured)."""
import contextlib
import os
import shutil
import time

from race import FLOOR, OURS, PEER, Figure, Lane, Race
from servers import Server
from stores import CKPT

ENTITIES = 100_000
FIGURES = ['`ls -f`, first', '`ls -f`, again', '`find`, first',
           '`find`, again', '`ls -l`, first', '`ls -l`, again']


def names_of(count):
    return ['player:%08x' % number for number in range(count)]


def plain_folder(bench, count):
    """The same names as empty files."""
    folder = bench.scratch('names')
    for name in names_of(count):
        os.close(os.open(os.path.join(folder, name),
                         os.O_CREAT | os.O_WRONLY, 0o644))
    os.sync()
    return folder


def timed(bench, *command):
    start = time.monotonic()
    bench.run(command)
    return time.monotonic() - start


def six(bench, opened, times=2):
    """opened() is a context that gives the folder: a new mount each time, so
    that the first really is."""
    found = {}
    for place, command in enumerate((['ls', '-f'], ['find'], ['ls', '-l'])):
        with opened() as folder:
            more = ['-name', 'zzz'] if command == ['find'] else []
            for again in range(times):
                found[FIGURES[2 * place + again]] = timed(
                    bench, *command, folder, *more)
    return found


def served(bench, command, inside, env=None):
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


# ---- the race --------------------------------------------------------------

def listings(bench):
    """`ls -f`, `find` and `ls -l` of all entities."""
    count = min(ENTITIES, bench.size)
    path = bench.stores.get(bench.size, count, CKPT)
    folder = plain_folder(bench, count)

    @contextlib.contextmanager
    def disk():
        yield folder

    batfs = served(bench, [bench.batfs, '-f', '-o', 'ro', path, 'POINT'],
                   'entities')
    null = served(bench, [bench.null_fs, '-f', 'POINT', count, 0,
                          bench.cores], 'entities')
    lanes = [Lane('batfs', OURS, lambda: six(bench, batfs)),
             Lane('null server', FLOOR, lambda: six(bench, null)),
             Lane(bench.disk, PEER, lambda: six(bench, disk))]
    for name, prepare, programs in OTHERS:
        if not all(map(shutil.which, programs)):
            bench.skip(name, 'not installed')
            continue
        opened = prepare(bench, folder)
        lanes.append(Lane(name, PEER,
                          lambda opened=opened: six(bench, opened, 1),
                          1 if bench.quick else bench.runs))
    yield Race(bench.stores.describe(bench.size, count),
               [Figure(name, 'seconds') for name in FIGURES], lanes)
