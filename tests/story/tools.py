#!/usr/bin/env python3
"""Real tools over a live mount: twice, then after remounts, requests counted.

    tools.py BATFS

The second run of what compares (find, du, ls, tar --listed-incremental, rsync,
cp -au, restic, borg, mc) finds nothing to do and asks for no file's bytes,
also after a remount, read-only or not; after an append each finds something.
borg makes an exception itself: it forgets the files with the newest time of
all, and reads those again; and grep has to read.  Then the names of
golden/coordinates go through bash, find -print0, tar, rsync, restic and borg,
and jq reads every line that the mount can show.  The table of requests is
printed as comments.
"""
# Limit: 300 s
import glob
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
from mounted import Mount, MountFailed, Report          # noqa: E402
from view import read                                   # noqa: E402

GOLDEN = os.path.join(HERE, '..', 'data', 'golden')
ENVIRONMENT = dict(os.environ, LC_ALL='C.UTF-8', TZ='UTC',
                   RESTIC_PASSWORD='x',
                   BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK='yes')


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=ENVIRONMENT, **options)
    text = done.stdout.decode('utf-8', 'surrogateescape')
    if done.returncode != 0:
        raise AssertionError('%s: %d: %s' % (
            ' '.join(command[:4]), done.returncode, text[-800:]))
    return text


# Requests.

SHORT = [('lookup', 'lookup'), ('getattr', 'getattr'), ('open', 'open'),
         ('read', 'read'), ('readlink', 'readlink'), ('opendir', 'opendir'),
         ('readdir', 'readdir'), ('readdirplus', 'readdir+')]


def stats(at):
    text = read(at, '.ctl/stats').decode()
    return {k: int(v) for k, v in (line.split() for line in text.splitlines())}


def difference(before, after):
    return {k: after[k] - before[k] for k in after}


class Counted:
    """What the mount was asked meanwhile, without this question itself."""

    def __init__(self, at):
        self.at = at

    def __enter__(self):
        first = stats(self.at)
        self.before = stats(self.at)
        self.own = difference(first, self.before)
        return self

    def __exit__(self, *_):
        asked = difference(self.before, stats(self.at))
        self.asked = {k: v - self.own[k] for k, v in asked.items()}
        self.reads = self.asked['request_read']
        self.bytes = self.asked['read_bytes']

    def text(self):
        named = [(short, self.asked['request_' + name])
                 for name, short in SHORT if self.asked['request_' + name]]
        return ', '.join('%d %s' % (n, short) for short, n in named) or 'none'


# The tools.  Each is run in a folder of its own, and says what it saw; the
# first run may say anything, later ones must say that nothing changed.

def find(at, work):
    text = run('find', at, '-printf', '%P %i %s %T@ %C@ %y %m %l\\n')
    return changed_since(work, text)


def du(at, work):
    return changed_since(work, run('du', '-ab', at))


def ls_latest(at, work):
    return changed_since(work, run('ls', '-ltn', '--time-style=full-iso',
                                   os.path.join(at, 'by/latest')))


def grep(at, work):
    return changed_since(work, run('grep', '-rc', '"kind"', at))


def changed_since(work, text):
    old = os.path.join(work, 'old')
    if os.path.exists(old):
        with open(old, errors='surrogateescape') as file:
            if file.read() == text:
                return None
    with open(old, 'w', errors='surrogateescape') as file:
        file.write(text)
    return 'its output differs'


def tar(at, work):
    out = os.path.join(work, 'out.tar')
    # A mount has another device number each time, and no tool can know.
    run('tar', '--create', '--file', out, '--no-check-device',
        '--listed-incremental', os.path.join(work, 'snapshot'), '-C', at, '.')
    files = [line for line in run('tar', '-tf', out).splitlines()
             if not line.endswith('/')]
    return 'it has %s' % files[:3] if files else None


def rsync(at, work):
    told = run('rsync', '-a', '--delete', '--itemize-changes', at + '/',
               os.path.join(work, 'copy'))
    return 'it says ' + told[:200] if told.strip() else None


def cp(at, work):
    told = run('cp', '-au', '--verbose', at + '/.', os.path.join(work, 'copy'))
    return 'it says ' + told[:200] if told.strip() else None


def restic(at, work):
    repo = ['restic', '--cache-dir', os.path.join(work, 'cache'), '-r',
            os.path.join(work, 'repo')]
    if not os.path.exists(os.path.join(work, 'repo')):
        run(*repo, 'init')
    told = run(*repo, 'backup', at)
    files = re.search(r'Files: +(\d+) new, +(\d+) changed', told)
    folders = re.search(r'Dirs: +(\d+) new, +(\d+) changed', told)
    if any(int(n) for n in files.groups() + folders.groups()[:1]):
        return 'it says %s, %s' % (files.group(), folders.group())
    return None


def borg(at, work):
    repo = os.path.join(work, 'repo')
    ENVIRONMENT['BORG_BASE_DIR'] = work
    if not os.path.exists(repo):
        run('borg', 'init', '--encryption', 'none', repo)
    told = run('borg', 'create', '--list', '--filter', 'AMCE',
               repo + '::{now:%H%M%S%f}', at)
    return [line for line in told.splitlines() if re.match(r'^[AMCE] ', line)]


def newest(at):
    """The files with the newest time of all, and their sizes."""
    found, time_ = {}, 0
    for folder, _, names in os.walk(at):
        for name in names:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            if info.st_ctime_ns > time_:
                found, time_ = {}, info.st_ctime_ns
            if info.st_ctime_ns == time_:
                found[path] = info.st_size
    return found


# mc wants a terminal; it is given one, and keys.

def mc_keys(at, target, keys, work):
    """Type keys into mc with its panels on both; all that it drew."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(ENVIRONMENT, TERM='xterm', HOME=work,
                          COLUMNS='120', LINES='40')
        os.execvp('mc', ['mc', '-u', '-d', '-b', at, target])
    drawn = b''

    def settle(quiet, patience):
        nonlocal drawn
        end = time.monotonic() + patience
        while time.monotonic() < end:
            ready, _, _ = select.select([terminal], [], [], quiet)
            if not ready:
                return
            try:
                more = os.read(terminal, 65536)
            except OSError:
                return
            if not more:
                return
            drawn += more

    settle(0.7, 10)
    for key in keys:
        os.write(terminal, key)
        settle(0.4, 30)
    try:
        os.close(terminal)
    finally:
        os.waitpid(pid, 0)
    return drawn.decode('utf-8', 'replace')


ESCAPE, ENTER, CTRL_X = b'\033', b'\r', b'\030'


def mc(at, work):
    """Copies entities/ with F5; later compares both panels by size and time."""
    source, target = at + '/entities', os.path.join(work, 'copy')
    quit_ = [ESCAPE + b'0', ENTER]
    if not os.path.exists(target):
        os.mkdir(target)
        mc_keys(source, target, [b'*', ESCAPE + b'5', ENTER] + quit_, work)
        return 'it copied' if os.listdir(target) else 'it copied nothing'
    drawn = mc_keys(source, target, [CTRL_X + b'd', ENTER] + quit_, work)
    marked = re.findall(r'[\d,.]+ ?[kKMG]?B in \d+ file', drawn)
    if sorted(os.listdir(source)) != sorted(os.listdir(target)):
        return 'other names'
    return 'it marks %s' % marked[:2] if marked else None


TOOLS = [find, du, ls_latest, grep, tar, rsync, cp, restic, borg, mc]


# A store for them: names of every sort, chains, and times that differ.

def prepare(data, batfs):
    shutil.copytree(os.path.join(GOLDEN, 'coordinates', 'store'), data)
    with Mount(batfs, data) as at:
        os.makedirs(os.path.join(at, 'scopes/tools'), exist_ok=True)
        for i in range(40):
            with open(os.path.join(at, 'scopes/tools/e%d' % (i % 7)), 'a') as f:
                f.write('%s{"n":%d}\n' % (
                    '' if i % 4 == 0 else '@cause=last ' if i > 7 else '', i))
            time.sleep(0.002)


def judge(tool, said, counted, at):
    if tool is borg:
        forgotten = newest(at)
        other = [s for s in said if s[0] != 'A' or s[2:] not in forgotten]
        most = sum(forgotten.values())
        if other:
            return 'it says %s' % other[:3]
        return None if counted.bytes <= most else (
            'it read %d bytes, %d are newest' % (counted.bytes, most))
    if said:
        return said
    if tool is grep:
        return None
    return '%d reads' % counted.reads if counted.reads else None


def matrix(report, batfs, work):
    data, point = os.path.join(work, 'data'), os.path.join(work, 'mnt')
    prepare(data, batfs)
    table = {tool: [] for tool in TOOLS}
    for tool in TOOLS:
        os.mkdir(os.path.join(work, tool.__name__))
    for title, options, rounds in (('writable', '', 2),
                                   ('remounted', '', 1),
                                   ('remounted read-only', 'ro', 1)):
        with Mount(batfs, data, options, point=point) as at:
            for tool in TOOLS:
                for i in range(rounds):
                    first = title == 'writable' and i == 0
                    with Counted(at) as counted:
                        said = tool(at, os.path.join(work, tool.__name__))
                    table[tool].append(counted.text())
                    if not first:
                        report.case('%s, %s: nothing changed' % (
                            tool.__name__, title if i == 0 else 'again'),
                            judge(tool, said, counted, at))
    with Mount(batfs, data, point=point) as at:
        with open(os.path.join(at, 'scopes/tools/e0'), 'a') as file:
            file.write('"one more"\n')
        for tool in TOOLS:
            said = tool(at, os.path.join(work, tool.__name__))
            if tool is borg:
                said = [line for line in said if line[0] == 'M']
            report.case('%s, after an append: sees it' % tool.__name__,
                        None if said else 'it saw nothing')
    for tool in TOOLS:
        for title, text in zip(('first', 'second', 'remount', 'remount ro'),
                               table[tool]):
            print('# %s | %s | %s' % (tool.__name__, title, text))


# Names and bytes, there and back.

def picture(folder):
    """Every name below, as bytes, with type, bytes or target."""
    found = {}
    for at, folders, names in os.walk(os.fsencode(folder)):
        for name in folders + names:
            path = os.path.join(at, name)
            short = os.path.relpath(path, os.fsencode(folder))
            if os.path.islink(path):
                found[short] = os.readlink(path)
            elif os.path.isdir(path):
                found[short] = None
            else:
                with open(path, 'rb') as file:
                    found[short] = file.read()
    return found


SHOWN = ['entities', 'scopes', 'by']


def by_bash(at, to):
    """Each name that a glob gives is passed on quoted, and is that file."""
    run('bash', '-c', '''
        shopt -s nullglob dotglob globstar
        for folder in "${@:2}"; do
            for name in "$folder" "$folder"/**; do
                if [ -d "$name" ] && [ ! -L "$name" ]; then
                    mkdir -p -- "$1/$name"
                else
                    cp -P -- "$name" "$1/$name"
                fi || exit
            done
        done''', 'bash', to, *SHOWN, cwd=at)


def by_find(at, to):
    run('bash', '-c', 'find "${@:2}" -print0 | tar -cf - --null '
        '--no-recursion -T - | tar -xf - -C "$1"', 'bash', to, *SHOWN, cwd=at)


def by_tar(at, to):
    run('bash', '-c', 'tar -cf - "${@:2}" | tar -xf - -C "$1"', 'bash', to,
        *SHOWN, cwd=at)


def by_rsync(at, to):
    run('rsync', '-a', *SHOWN, to, cwd=at)


def by_restic(at, to):
    repo = ['restic', '--no-cache', '-r', to + '.repo']
    run(*repo, 'init')
    run(*repo, 'backup', *SHOWN, cwd=at)
    run(*repo, 'restore', 'latest', '--target', to)


def by_borg(at, to):
    ENVIRONMENT['BORG_BASE_DIR'] = to + '.base'
    run('borg', 'init', '--encryption', 'none', to + '.repo')
    run('borg', 'create', to + '.repo::a', *SHOWN, cwd=at)
    run('borg', 'extract', to + '.repo::a', cwd=to)


def names_survive(report, batfs, work):
    data = os.path.join(work, 'names')
    shutil.copytree(os.path.join(GOLDEN, 'coordinates', 'store'), data)
    with Mount(batfs, data, 'ro') as at:
        wanted = {}
        for folder in SHOWN:
            wanted[os.fsencode(folder)] = None
            for name, what in picture(os.path.join(at, folder)).items():
                wanted[os.path.join(os.fsencode(folder), name)] = what
        for way in by_bash, by_find, by_tar, by_rsync, by_restic, by_borg:
            to = os.path.join(work, way.__name__)
            os.mkdir(to)
            way(at, to)
            got = picture(to)
            other = [name for name in sorted(set(wanted) | set(got))
                     if name not in got or name not in wanted
                     or got[name] != wanted[name]]
            report.case('%d names there and back %s' % (
                len(wanted), way.__name__), repr(other[0]) if other else None)


# jq reads every line.

def lines_of(at):
    """Every listed file of lines, and some of each sort that is not."""
    for folder, folders, names in os.walk(at):
        below = os.path.relpath(folder, at)
        if below == '.':
            folders.remove('backup')
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(('.json', '.jsonl')) or below.split('/')[0] in (
                    'entities', 'scopes'):
                if not os.path.islink(path):
                    yield path
    yield from unlisted(at)
    for path in glob.glob(at + '/events/*/*.json'):
        for name in 'event.json', 'causes.jsonl', 'consequences.jsonl':
            yield os.path.join(path[:-len('.json')], name)


def unlisted(at):
    """Streams that answer to their names."""
    yield at + '/log.jsonl'
    yield at + '/range/first..head.jsonl'
    for kind in 'f', '0':
        path = at + '/query/kind=%s/log.jsonl' % kind
        if os.path.exists(path):
            yield path
    for folder, folders, _ in os.walk(at + '/by/name'):
        yield from (os.path.join(folder, name, '=log.jsonl') for name in folders)
    last = json.loads(read(at, 'log.jsonl').splitlines()[-1])['seq']
    for seq in {last // 2, last}:
        for name in 'log.jsonl', 'log/tail.jsonl':
            path = at + '/at/%d/%s' % (seq, name)
            if os.path.exists(path):
                yield path
        for folder in 'entities', 'by/kind':
            yield from glob.glob(at + '/at/%d/%s/*' % (seq, folder))


def jq_reads(report, batfs, work):
    for store in sorted(os.listdir(GOLDEN)):
        if not os.path.isdir(os.path.join(GOLDEN, store, 'store')):
            continue
        # Of the large ones not each event's file: no other lines.
        large = len(read(GOLDEN, store, 'expected.jsonl').splitlines()) > 100
        data = os.path.join(work, 'jq-' + store)
        shutil.copytree(os.path.join(GOLDEN, store, 'store'), data)
        with Mount(batfs, data, 'ro') as at:
            paths = list(unlisted(at) if large else lines_of(at))
            if large:
                paths += glob.glob(at + '/entities/*') + glob.glob(
                    at + '/scopes/*/*') + glob.glob(at + '/by/*/*.jsonl')
            why, count = jq_differs(paths)
            report.case('jq: %d lines of %s in %d files' % (
                count, store, len(paths)), why)
    with Mount(batfs, data) as at:
        refused = [b'hello\n', b'"\xff\xfe"\n', b'{"a":\0}\n',
                   b'@x=\x1b[1m 1\n', b'"' + bytes(range(1, 10)) + b'"\n']
        for line in refused:
            try:
                with open(at + '/append', 'ab', 0) as file:
                    file.write(line)
            except OSError:
                pass
        why, count = jq_differs([at + '/.ctl/rejects.jsonl'])
        report.case('jq: refused lines', why or (
            None if count == len(refused) else '%d of them' % count))


def jq_differs(paths):
    """What is wrong with these files of lines, and how many they have."""
    count = sum(read(path).count(b'\n') for path in paths)
    done = subprocess.run(
        ['xargs', '-0', 'jq', '-c', 'type'],
        input=b'\0'.join(os.fsencode(p) for p in paths),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    kinds = done.stdout.split()
    if done.returncode != 0 or done.stderr:
        return done.stderr.decode()[-300:], count
    if len(kinds) != count or set(kinds) - {b'"object"'}:
        return '%d values of %d lines' % (len(kinds), count), count
    return None, count


def main(argv):
    batfs = os.path.realpath(argv[1])
    report = Report()
    work = tempfile.mkdtemp(prefix='batfs-tools-')
    try:
        for part in matrix, names_survive, jq_reads:
            start = time.monotonic()
            part(report, batfs, work)
            print('# %s: %.1f s' % (part.__name__, time.monotonic() - start))
    except (AssertionError, MountFailed, OSError) as error:
        report.case('tools', repr(error))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return report.status()


if __name__ == '__main__':
    sys.exit(main(sys.argv))
