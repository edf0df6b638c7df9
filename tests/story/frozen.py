#!/usr/bin/env python3
"""A mount of a moment (-o at=) needs no opens: what the kernel has costs no
request, and what is computed as a whole can still be read in any piece.

    frozen.py BATFS
"""
# Runs under the thread sanitizer too.
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from mounted import Mount, Report                       # noqa: E402

EVENTS = 2000       # their table of entities is longer than one request
SEARCHED = ['events/id', 'range', 'query']      # found, and not listed


def fill(batfs, store):
    """Entities with long names, so that by/entities.tsv is long."""
    with Mount(batfs, store, 'durable=fsync') as at:
        with open(os.path.join(at, 'append'), 'ab', buffering=0) as file:
            for i in range(0, EVENTS, 500):
                file.write(b''.join(
                    b'@entity=player:%05d%s @scope=frozen {"n":%d}\n' %
                    (n, b'x' * 90, n) for n in range(i, i + 500)))
        seqs = os.readlink(os.path.join(at, 'events/last')).split('/')
    return int(seqs[-1])


def read(path):
    """Python's own open asks each time whether it is a terminal."""
    file = os.open(path, os.O_RDONLY)
    pieces = []
    while not pieces or pieces[-1]:
        pieces.append(os.read(file, 1 << 20))
    os.close(file)
    return b''.join(pieces)


def files(point):
    """Of a folder of many, some."""
    return [os.path.join(folder, name)
            for folder, _, names in os.walk(point)
            for name in sorted(names)[::max(1, len(names) // 20)]
            if not os.path.islink(os.path.join(folder, name))]


class Requests:
    """What the kernel asked, from what libfuse says of each request."""

    def __init__(self, mount):
        self.mount = mount
        self.seen = 0

    def since(self):
        found = re.findall(r'opcode: (\w+) ', self.mount.words())
        new, self.seen = found[self.seen:], len(found)
        return new


def same_as_now(report, frozen, now, seq):
    """Every file, against the same moment of a mount that opens."""
    wrong = []
    for path in files(frozen):
        name = os.path.relpath(path, frozen)
        if read(path) != read(os.path.join(now, 'at', str(seq), name)):
            wrong.append(name)
    report.case('each file is that of the moment',
                ', '.join(wrong[:5]) if wrong else None)


def no_requests(report, mount, at):
    requests = Requests(mount)
    folder = os.path.join(at, 'events/00000000')
    names = sorted(os.listdir(folder))[:50]
    for name in names:
        read(os.path.join(folder, name))
    asked = requests.since()
    many = {word for word in asked if asked.count(word) > 1}
    report.case('opens are asked once at the most', ', '.join(sorted(
        many & {'OPEN', 'OPENDIR', 'FLUSH', 'RELEASE', 'RELEASEDIR'})))
    for _ in range(3):
        for name in names:
            read(os.path.join(folder, name))
        os.listdir(folder)
    asked = requests.since()
    report.case('what the kernel has is read without a request',
                ' '.join(asked[:9]) if asked else None)


def in_pieces(report, at):
    """From several sides at once, at any place."""
    wrong = []
    for name in ('by/entities.tsv', 'by/latest', 'README', 'log.jsonl',
                 'by/scopes.tsv', 'log/tail.jsonl'):
        path = os.path.join(at, name)
        if os.path.isdir(path):
            path = os.path.join(path, sorted(os.listdir(path))[7])
        whole = read(path)
        if len(whole) != os.stat(path).st_size or not whole:
            wrong.append('%s: %d bytes' % (name, len(whole)))

        def some(seed):
            chance = random.Random(seed)
            file = os.open(path, os.O_RDONLY | os.O_DIRECT)
            for _ in range(20):
                # Past the page cache, so that it is asked for each time.
                start = chance.randrange(len(whole) + 100)
                length = chance.choice((1, 100, 4096, 300000))
                if os.pread(file, length, start) != whole[start:start +
                                                          length]:
                    wrong.append('%s at %d' % (name, start))
            os.close(file)
        threads = [threading.Thread(target=some, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    report.case('any piece of any file', ', '.join(wrong[:5]))


def refused(what):
    try:
        what()
    except OSError as error:
        return error.strerror
    return None


def refusals(report, at):
    entity = os.path.join(at, 'log/tail.jsonl')
    for name in SEARCHED:
        got = refused(lambda: os.listdir(os.path.join(at, name)))
        report.case('%s is not listed' % name,
                    None if got == 'Permission denied' else str(got))
    for flags in (os.O_WRONLY | os.O_APPEND, os.O_RDWR, os.O_TRUNC):
        got = refused(lambda: os.open(entity, flags))
        report.case('an open with %x' % flags,
                    None if got == 'Read-only file system' else str(got))
    for name in ('.ctl', 'append', 'at', 'backup'):
        report.case('%s is not there' % name, 'it is' if os.path.lexists(
            os.path.join(at, name)) else None)


def blocks(report, frozen, now):
    """A growing file is asked for directly, in large pieces; what the kernel
    keeps is copied from its pages, and a large buffer is new memory."""
    for point, name, wanted in ((frozen, 'log/tail.jsonl', 4096),
                                (now, 'log/tail.jsonl', 1 << 20),
                                (now, 'README', 4096)):
        got = os.stat(os.path.join(point, name)).st_blksize
        report.case('the block of %s is %d' % (name, wanted),
                    None if got == wanted else str(got))


def tools(report, at):
    """tar and cat end well, twice."""
    for again in range(2):
        done = subprocess.run(['tar', '-cf', '/dev/null', '-C', at, 'by',
                               'log', 'entities'], stderr=subprocess.PIPE)
        report.case('tar, %d' % again, done.stderr.decode() or None)


def main():
    batfs = os.path.abspath(sys.argv[1])
    report = Report()
    work = tempfile.mkdtemp(prefix='batfs-frozen-')
    store = os.path.join(work, 'data')
    seq = fill(batfs, store)
    mount = Mount(batfs, store, 'at=%d' % seq, debug=True)
    with mount as at:
        no_requests(report, mount, at)
    with Mount(batfs, store, 'at=%d' % seq) as at:
        refusals(report, at)
        in_pieces(report, at)
        tools(report, at)
        with Mount(batfs, store, 'ro') as now:
            same_as_now(report, at, now, seq)
            blocks(report, at, now)
    point = os.path.join(work, 'one')
    with Mount(batfs, store, 'at=%d,only=log/tail.jsonl' % seq, point=point,
               on_file=True) as at:
        with Mount(batfs, store, 'ro') as now:
            report.case('a file on a file', None if read(at) == read(
                os.path.join(now, 'at', str(seq), 'log/tail.jsonl')) else
                        'other bytes')
    shutil.rmtree(work)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
