#!/usr/bin/env python3
"""Moments of the past while the store grows, and mounts of a part of it.

    past_live.py BATFS

A store is made by appends. Moments of it are looked at, held against a model of
the events up to there (tests/story/past.py), and again after more was appended:
the same, without a question asked a second time. Then what cannot be done to
the past, what find and tar make of a frozen mount, and mounts of one directory.
"""
# Limit: 120 s
import errno
import os
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
sys.path.insert(0, HERE)
import past                                             # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from tree_model import events_of                        # noqa: E402
from view import read, snapshot                         # noqa: E402


def append(at, path, text):
    with open(os.path.join(at, path), 'ab', buffering=0) as file:
        file.write(text.encode())


def grow(at, start, count):
    """Events of several entities, chains and kinds, some of them new."""
    for i in range(start, start + count):
        scope = 'room:%d' % (i // 15)
        os.makedirs(os.path.join(at, 'scopes', scope), exist_ok=True)
        cause = '@cause=seq:%d ' % (i // 2) if i % 3 and i > 3 else ''
        append(at, 'scopes/%s/thing:%d' % (scope, i % (3 + i // 10)),
               '@kind=f.00%d %s{"i":%d}\n' % (i % 4, cause, i))


def now(at):
    return events_of(read(at, 'log.jsonl'))


def moment(at, seq):
    return os.path.join(at, 'at', str(seq))


# While it grows.

def stays_as_it_was(at):
    grow(at, 1, 40)
    events = now(at)
    seqs = [e.seq for e in events][::8] + [events[-1].seq]
    before = {s: past.picture(moment(at, s)) for s in seqs}
    grow(at, 41, 40)
    for seq in seqs:
        then = past.upto(events, seq)
        why = (past.is_the_tree(moment(at, seq), then)
               or past.later_is_not_there(moment(at, seq), now(at), seq)
               or past.other_pictures(before[seq],
                                      past.picture(moment(at, seq))))
        if why:
            return 'at/%d: %s' % (seq, why)
    return None


def also_after_a_remount(batfs, data, pictures):
    with Mount(batfs, data) as at:
        for seq, wanted in pictures.items():
            why = past.other_pictures(wanted, past.picture(moment(at, seq)))
            if why:
                return 'at/%d: %s' % (seq, why)
    return None


def requests(at):
    return {name: int(value) for name, value in (
        line.split()[:2] for line in
        read(at, '.ctl/stats').decode().splitlines())}


def is_asked_once(at):
    """The kernel keeps all of it: a second walk sends no request."""
    folder = moment(at, now(at)[10].seq)
    links = [p for p, w in past.picture(folder).items() if stat.S_ISLNK(w[0])]
    gone = [os.path.join(folder, n) for n in
            ('entities/nobody', 'events/999999999', 'log/x')]

    def look():
        return past.picture(folder) and any(map(os.path.lexists, gone))
    why = 'what came later is there' if look() or look() else None
    before = requests(at)
    look()
    after = requests(at)
    asked = {n: after['request_' + n] - before['request_' + n] for n in (
        'lookup', 'getattr', 'read', 'readlink', 'readdir', 'readdirplus')}
    # .ctl/stats itself is looked up, measured and read. Reading a link makes
    # the kernel ask for its time again.
    asked['getattr'] -= len(links)
    asked['readlink'] -= len(links)
    if not links:
        why = 'no links there'
    if not why and max(asked.values()) > 4:
        why = 'asked again: %s' % asked
    return why


def a_while_ago(at):
    """-1h is before anything was appended here, -0s behind all of it."""
    last = now(at)[-1].seq
    links = os.path.join(at, 'at')
    if os.path.lexists(os.path.join(links, '-1h')):
        return '-1h -> %s' % os.readlink(os.path.join(links, '-1h'))
    if os.readlink(os.path.join(links, '-0s')) != str(last):
        return '-0s -> %s' % os.readlink(os.path.join(links, '-0s'))
    append(at, 'entities/thing:1', '@scope=room:0 "later"\n')
    if os.readlink(os.path.join(links, '-0s')) != str(last + 1):
        return '-0s did not move on'
    log = read(at, 'at/-0s/log.jsonl')
    return None if log == read(at, 'log.jsonl') else 'at/-0s/log.jsonl'


# What cannot be done.

def refused(do, *names):
    try:
        do()
    except OSError as error:
        name = errno.errorcode[error.errno]
        return None if name in names else name
    return 'done'


def writes(folder):
    """What somebody may try, and whether a name of its own comes of it."""
    def at(*path):
        return os.path.join(folder, *path)

    def opens(flags, *path):
        return lambda: os.close(os.open(at(*path), flags, 0o644))
    append_, write = os.O_WRONLY | os.O_APPEND, os.O_WRONLY
    yield 'append', opens(append_, 'entities', 'thing:1')
    yield 'append in a scope', opens(append_, 'scopes', 'room:0', 'thing:1')
    yield 'overwrite', opens(write, 'entities', 'thing:1')
    yield 'truncate', opens(write | os.O_TRUNC, 'README')
    yield 'create', opens(append_ | os.O_CREAT, 'entities', 'new')
    yield 'touch', opens(write | os.O_CREAT, 'scopes', 'room:0', 'new')
    yield 'create in a view', opens(append_ | os.O_CREAT, 'events', 'new')
    yield 'mkdir', lambda: os.mkdir(at('scopes', 'new'))
    yield 'mkdir elsewhere', lambda: os.mkdir(at('new'))
    yield 'rmdir', lambda: os.rmdir(at('scopes', 'room:0'))
    yield 'unlink', lambda: os.unlink(at('entities', 'thing:1'))
    yield 'rename', lambda: os.rename(at('README'), at('R'))
    yield 'link', lambda: os.link(at('README'), at('R'))
    yield 'symlink', lambda: os.symlink('README', at('R'))
    yield 'chmod', lambda: os.chmod(at('README'), 0o777)
    yield 'utime', lambda: os.utime(at('entities', 'thing:1'))
    yield 'truncate by name', lambda: os.truncate(at('log', 'tail.jsonl'), 0)
    yield 'setxattr', lambda: os.setxattr(at('README'), 'user.x', b'1')


def cannot_be_changed(batfs, data):
    with Mount(batfs, data) as at:
        seq = now(at)[-1].seq
        before = read(at, 'log.jsonl')
        for name, do in writes(moment(at, seq)):
            why = refused(do, 'EROFS')
            if why:
                return '%s: %s' % (name, why)
        # at/ itself is a directory in which names are only found.
        for name, do in (('mkdir', lambda: os.mkdir(moment(at, 'x'))),
                         ('rmdir', lambda: os.rmdir(moment(at, seq))),
                         ('ls', lambda: os.listdir(os.path.join(at, 'at')))):
            why = refused(do, 'EROFS', 'EPERM', 'EACCES')
            if why:
                return '%s in at/: %s' % (name, why)
        if read(at, 'log.jsonl') != before:
            return 'something was appended'
    files = snapshot(data)
    with Mount(batfs, data, 'rw,at=%d' % seq) as at:
        for name, do in writes(at):
            why = refused(do, 'EROFS')
            if why:
                return '%s in a mount: %s' % (name, why)
        if os.path.lexists(os.path.join(at, '.ctl')):
            return '.ctl is there'
    return 'the data directory changed' if snapshot(data) != files else None


# Frozen mounts.

def output(at, script):
    return subprocess.run(['bash', '-euo', 'pipefail', '-c', script], cwd=at,
                          check=True, stdout=subprocess.PIPE).stdout


def tools_see_the_same(batfs, data):
    """find and tar, twice each over one mount, and over the next one."""
    scripts = ('find . -printf "%p %y %i %s %m %n %T@ %C@ %l\\n"',
               'tar -cf - --sort=none .', 'grep -rc . . | head -50',
               'ls -lR --time-style=full-iso')
    seq, seen = None, {}
    for _ in range(2):
        with Mount(batfs, data, 'ro') as at:
            seq = now(at)[30].seq
        with Mount(batfs, data, 'at=%d' % seq) as at:
            for script in scripts * 2:
                got = output(at, script)
                if len(got) < 500:
                    return '%s: %d bytes' % (script, len(got))
                if seen.setdefault(script, got) != got:
                    return '%s: other bytes' % script
    return None


def times_as_options(batfs, data):
    with Mount(batfs, data, 'ro') as at:
        events = now(at)
    when = past.views.time_text(events[-1].wall_ms())
    with Mount(batfs, data, 'at=' + when) as at:
        why = past.is_the_tree(at, events)
    for wrong in ('at=%d' % (events[-1].seq + 1), 'at=-1h', 'at=yesterday',
                  'only=nothing', 'only=events/first', 'only=README/x', 'at=3,only=scopes/room:5',
                  'only=../..', 'at='):
        try:
            with Mount(batfs, data, wrong):
                return '%s: mounted' % wrong
        except MountFailed as error:
            if wrong.split('=')[0].split(',')[0] not in str(error):
                return '%s: %s' % (wrong, error)
    return why


# A part.

PARTS = ('entities', 'scopes', 'scopes/room:1', 'events', 'events/00000000',
         'chains', 'by', 'by/name/thing', 'by/latest', 'log',
         'query/kind=f.001')


def without_links(pictured):
    return {p: w for p, w in pictured.items() if not stat.S_ISLNK(w[0])}


def a_part_is_that_part(batfs, data):
    with Mount(batfs, data, 'ro') as at:
        seq = now(at)[30].seq
        for base, options in (('', 'ro,'), ('at/%d/' % seq, 'at=%d,' % seq)):
            for part in PARTS:
                wanted = without_links(past.picture(
                    os.path.join(at, base + part), ()))
                with Mount(batfs, data, options + 'only=' + part) as other:
                    why = past.other_pictures(
                        wanted, past.picture(other, ()))
                if why:
                    return '%sonly=%s: %s' % (options, part, why)
    return None


def an_entity_on_a_file(batfs, data):
    """A mountpoint that is a file shows one, and takes appends."""
    only = 'only=entities/thing:1'
    with Mount(batfs, data, only, on_file=True) as file:
        before = read(file)
        with open(file, 'ab', buffering=0) as out:
            out.write(b'@scope=room:1 "on a file"\n')
        after = read(file)
        if os.stat(file).st_size != len(after):
            return 'size %d, not %d' % (os.stat(file).st_size, len(after))
        if not after.startswith(before) or b'"on a file"' not in after:
            return 'not appended: %r' % after[-100:]
        why = refused(lambda: os.truncate(file, 0), 'EPERM')
    with Mount(batfs, data, 'ro') as at:
        if read(at, 'entities/thing:1') != after:
            return 'it is another file'
    with Mount(batfs, data, 'at=3,' + only, on_file=True) as file:
        if read(file) != past.joined(
                [e for e in events_of(after) if e.seq <= 3]):
            return 'at 3: %r' % read(file)
    for wrong, on_file in ((only, False), ('only=scopes', True), ('ro', True)):
        try:
            with Mount(batfs, data, wrong, on_file=on_file):
                return '%s: mounted' % wrong
        except MountFailed as error:
            if 'file' not in str(error):
                return '%s: %s' % (wrong, error)
    return why


def a_part_takes_appends(batfs, data):
    with Mount(batfs, data, 'only=scopes/room:1') as at:
        before = read(at, 'thing:1')
        append(at, 'thing:1', '"more"\n')
        append(at, 'fresh', '"first"\n')
        after = read(at, 'thing:1')
        if not after.startswith(before) or b'"more"' not in after:
            return 'nothing was appended'
        if 'fresh' not in os.listdir(at):
            return 'a new entity is not listed'
    with Mount(batfs, data, 'ro') as at:
        if read(at, 'scopes/room:1/thing:1') != after:
            return 'it is not there'
    return None


GROWING = (("stays as it was", stays_as_it_was),
           ("is asked once", is_asked_once),
           ("a while ago", a_while_ago))
GROWN = (("cannot be changed", cannot_be_changed),
         ("tools see the same", tools_see_the_same),
         ("times as options", times_as_options),
         ("a part is that part", a_part_is_that_part),
         ("an entity on a file", an_entity_on_a_file),
         ("a part takes appends", a_part_takes_appends))


def main():
    batfs = os.path.abspath(sys.argv[1])
    report = Report()
    with tempfile.TemporaryDirectory(prefix='batfs-past-') as work:
        data = os.path.join(work, 'data')
        os.mkdir(data)
        try:
            with Mount(batfs, data) as at:
                for name, check in GROWING:
                    report.case(name, check(at))
                pictures = {s: past.picture(moment(at, s)) for s in (3, 17, 60)}
            report.case('also after a remount',
                        also_after_a_remount(batfs, data, pictures))
            for name, check in GROWN:
                report.case(name, check(batfs, data))
        except (MountFailed, OSError, subprocess.SubprocessError) as why:
            report.case('past live', str(why))
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
