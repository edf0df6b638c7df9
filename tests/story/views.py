#!/usr/bin/env python3
"""The views of the tree, over every golden store, against a model of their own.

    views.py BATFS [STORE...]

The model knows the lines of the log (golden.py holds those against batpak) and
what DESIGN.md says of each view; from these it says every listing and every
byte.  What a directory lists is looked up, and has the type, number and size
that it says; walkable views are walked, typed ones are asked for.
"""
# Limit: 600 s
import json
import os
import shutil
import stat
import sys
import tempfile
from datetime import datetime, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from mounted import Mount, MountFailed, Report          # noqa: E402
from tree_names import tree_name                        # noqa: E402
from view import raise_it, read                         # noqa: E402

GOLDEN = os.path.join(HERE, '..', 'data', 'golden')


class Event:
    """A line of the log, and what it is shown as elsewhere."""

    def __init__(self, line):
        self.line = line
        self.__dict__.update(json.loads(line))
        self.known = hasattr(self, 'entity')

    def wall_ms(self):
        if hasattr(self, 'wall'):
            return self.wall
        at = datetime.strptime(self.time, '%Y-%m-%dT%H:%M:%S.%fZ')
        us = at.replace(tzinfo=timezone.utc) - datetime.fromtimestamp(
            0, timezone.utc)
        return (us.days * 86400 + us.seconds) * 1000 + us.microseconds // 1000

    def folder(self):
        return '%08d/%012d' % (self.seq // 10000, self.seq)


class Model:
    def __init__(self, log):
        self.events = [Event(line) for line in log.splitlines(True)]
        self.known = [e for e in self.events if e.known]
        # of two with one id, the later
        self.by_id = {e.id: e for e in self.known}

    def cause_of(self, event):
        found = [e for e in self.known
                 if e.id == event.cause and e.seq < event.seq]
        return found[-1] if found else None

    def lines(self, wanted):
        return b''.join(e.line for e in self.known if wanted(e))


def time_text(ms):
    at = datetime.fromtimestamp(ms // 1000, timezone.utc)
    return at.strftime('%Y-%m-%dT%H:%M:%S') + '.%03dZ' % (ms % 1000)


def differs(at, path, wanted):
    """Bytes and size of a file."""
    size = os.stat(os.path.join(at, path)).st_size
    got = read(at, path)
    if size != len(got):
        return '%s: size %d, %d bytes' % (path, size, len(got))
    if got != wanted:
        return '%s: %r, not %r' % (path, got[:200], wanted[:200])
    return None


def each(pairs, at):
    for path, wanted in pairs:
        why = differs(at, path, wanted)
        if why:
            return why
    return None


# Folders of events.

def brief_cause(model, event):
    if event.cause is None:
        return '-'
    found = model.cause_of(event)
    return str(found.seq) if found else event.cause


def receipt(event):
    out = {m: getattr(event, m) for m in ('seq', 'id', 'hash', 'clock', 'time')}
    if hasattr(event, 'ext'):
        out['ext'] = event.ext
    return (json.dumps(out, separators=(',', ':'), ensure_ascii=False) +
            '\n').encode()


def folders(at, model):
    for event in model.known:
        path = 'events/' + event.folder()
        values = ['entity', 'scope', 'kind', 'id', 'corr', 'hash', 'prev',
                  'time']
        # What the last four say is asked by chains.py.
        names = ['event.json', 'payload', 'receipt', *values,
                 'chain', 'effects', 'causes.jsonl', 'consequences.jsonl']
        pairs = [('%s/%s' % (path, v), (getattr(event, v) + '\n').encode())
                 for v in values]
        pairs.append((path + '/event.json', event.line))
        cause = os.path.join(at, path, 'cause')
        if event.cause is not None:
            names.append('cause')
            found = model.cause_of(event)
            if found is None:
                pairs.append((path + '/cause',
                              b'gone %s\n' % event.cause.encode()))
            elif os.readlink(cause) != '../../' + found.folder():
                return '%s/cause -> %s' % (path, os.readlink(cause))
            elif not os.path.isdir(cause):
                return '%s/cause leads nowhere' % path
        if sorted(os.listdir(os.path.join(at, path))) != sorted(names):
            return '%s lists %s' % (path, os.listdir(os.path.join(at, path)))
        why = each(pairs, at)
        if why:
            return why
        got = read(at, path, 'receipt')
        if json.loads(got) != json.loads(receipt(event)):
            return '%s/receipt: %r' % (path, got)
    return None


def ways_to_events(at, model):
    if not model.events:
        return None
    for name, event in (('first', model.events[0]), ('last', model.events[-1])):
        if os.readlink(os.path.join(at, 'events', name)) != event.folder():
            return 'events/' + name
    for event in model.known:
        for digits in (32, 31, 20, 12, 8, 6):
            prefix = event.id[:digits]
            path = os.path.join(at, 'events/id', prefix)
            ids = {i for i in model.by_id if i.startswith(prefix)}
            if len(ids) > 1:
                if os.path.lexists(path):
                    return 'events/id/%s is ambiguous' % prefix
            elif os.readlink(path) != '../' + model.by_id[ids.pop()].folder():
                return 'events/id/' + prefix
    return None


# Ranges, queries, entities with words.

def ranges(at, model):
    seqs = [e.seq for e in model.events]
    if not seqs:
        return differs(at, 'range/first..head.jsonl', b'')
    low, high = seqs[0], seqs[-1]
    middle = seqs[len(seqs) // 2]
    pairs = []
    for a, b in ((low, high), (low, middle), (middle, high), (middle, middle),
                 (low + 1, high - 1), (0, high + 5)):
        if a > b:
            continue
        pairs.append(('range/%d..%d.jsonl' % (a, b),
                      b''.join(e.line for e in model.events
                               if a <= e.seq <= b)))
    pairs.append(('range/..head.jsonl', b''.join(e.line for e in model.events)))
    pairs.append(('range/%d..head.jsonl' % middle,
                  b''.join(e.line for e in model.events if e.seq >= middle)))
    if len(model.known) == len(model.events):
        walls = [e.wall_ms() for e in model.events]

        def first_later(ms):
            later = [e.seq for e, w in zip(model.events, walls) if w > ms]
            return later[0] if later else high + 1
        for ms in sorted(set(walls))[::max(1, len(walls) // 7)]:
            upto = first_later(ms)
            since = first_later(ms - 1)
            pairs.append(('range/first..%s.jsonl' % time_text(ms),
                          b''.join(e.line for e in model.events
                                   if e.seq < upto)))
            pairs.append(('range/%s..head.jsonl' % time_text(ms),
                          b''.join(e.line for e in model.events
                                   if e.seq >= since)))
    return each(pairs, at)


def within(name, space):
    return name == space or name.startswith(space + ':')


def queries(at, model):
    pairs = []
    known = model.known
    for kind in {e.kind for e in known}:
        pairs.append(('kind=' + kind, lambda e, k=kind: e.kind == k))
        pairs.append(('kind=' + kind[0], lambda e, k=kind: e.kind[0] == k[0]))
    for scope in {e.scope for e in known}:
        pairs.append(('scope=' + tree_name(scope),
                      lambda e, s=scope: e.scope == s))
    for name in {e.entity for e in known}:
        spaces = {name, name.split(':')[0]} if '~' not in tree_name(name) \
            else {name}
        for space in spaces - {''}:
            pairs.append(('entity=' + tree_name(space),
                          lambda e, s=space: within(e.entity, s)))
    for clock in {e.clock for e in known if e.clock < 5}:
        pairs.append(('clock=%d' % clock, lambda e, c=clock: e.clock == c))
        pairs.append(('clock=1-%d' % (clock + 1),
                      lambda e, c=clock: 1 <= e.clock <= c + 1))
    for event in known[::max(1, len(known) // 5)]:
        ms = event.wall_ms()
        pairs.append(('since=' + time_text(ms),
                      lambda e, m=ms: e.wall_ms() >= m))
        pairs.append(('kind=%s,until=%s' % (event.kind, time_text(ms)),
                      lambda e, m=ms, k=event.kind:
                      e.kind == k and e.wall_ms() <= m))
        pairs.append(('scope=%s,kind=%s,entity=%s' % (
            tree_name(event.scope), event.kind[0], tree_name(event.entity)),
            lambda e, o=event: e.scope == o.scope and e.kind[0] == o.kind[0]
            and within(e.entity, o.entity)))
    for words, wanted in pairs:
        if len(words.encode()) > 240:
            continue
        why = differs(at, 'query/%s/log.jsonl' % words, model.lines(wanted))
        if why:
            return why
    return None


def entity_views(at, model):
    for name in {e.entity for e in model.known}:
        mine = [e for e in model.known if e.entity == name]
        path = 'entities/' + tree_name(name)
        for clock in {mine[0].clock, mine[-1].clock, 0, 4294967295}:
            why = differs(at, '%s,clock=%d' % (path, clock), b''.join(
                e.line for e in mine if e.clock <= clock))
            if why:
                return why
        brief = read(at, path + ',as=brief').decode()
        if os.stat(os.path.join(at, path + ',as=brief')).st_size != len(
                brief.encode()):
            return '%s,as=brief: size' % path
        rows = [row.split('\t') for row in brief.split('\n')[:-1]]
        if len(rows) != len(mine):
            return '%s,as=brief: %d rows' % (path, len(rows))
        for row, event in zip(rows, mine):
            wanted = [str(event.seq), event.time, event.kind,
                      brief_cause(model, event)]
            if len(row) != 5 or row[:4] != wanted:
                return '%s,as=brief: %s, not %s' % (path, row, wanted)
            if hasattr(event, 'data'):
                if ('"data":%s,"id"' % row[4]).encode() not in event.line:
                    return '%s,as=brief: data %s' % (path, row[4])
            elif hasattr(event, 'data_b64'):
                if row[4] != 'base64:' + event.data_b64:
                    return '%s,as=brief: bytes %s' % (path, row[4])
            elif row[4] != 'damaged ' + event.damaged:
                return '%s,as=brief: damage %s' % (path, row[4])
    return None


# What is listed is there.

def listed(at, model):
    inodes = {}
    for folder, folders_of, files in os.walk(at, onerror=raise_it):
        with os.scandir(folder) as entries:
            for entry in entries:
                path = os.path.join(folder, entry.name)
                info = os.lstat(path)
                if info.st_ino != entry.inode():
                    return '%s: number %d, listed as %d' % (
                        path, info.st_ino, entry.inode())
                if stat.S_ISDIR(info.st_mode) != entry.is_dir(
                        follow_symlinks=False) or stat.S_ISLNK(
                        info.st_mode) != entry.is_symlink():
                    return '%s: type' % path
                if inodes.setdefault(info.st_ino, path) != path:
                    return '%s and %s have one number' % (
                        path, inodes[info.st_ino])
                if stat.S_ISREG(info.st_mode):
                    if info.st_size != len(read(path)):
                        return '%s: size' % path
                elif stat.S_ISLNK(info.st_mode):
                    if info.st_size != len(os.fsencode(os.readlink(path))):
                        return '%s: size of the link' % path
                    if not os.path.exists(path):
                        return '%s leads nowhere' % path
    return None


def unlisted(at, model):
    for name in ('range', 'query', 'events/id'):
        path = os.path.join(at, name)
        if os.stat(path).st_mode & 0o444:
            return '%s: mode %o' % (name, os.stat(path).st_mode)
        try:
            os.listdir(path)
            return '%s is listed' % name
        except PermissionError:
            pass
    return None


CHECKS = (listed, unlisted, folders, ways_to_events, ranges, queries,
          entity_views)


def run(batfs, name, report):
    with tempfile.TemporaryDirectory(prefix='batfs-views-') as work:
        data = os.path.join(work, 'data')
        shutil.copytree(os.path.join(GOLDEN, name, 'store'), data)
        try:
            with Mount(batfs, data, 'ro') as at:
                model = Model(read(at, 'log.jsonl'))
                for check in CHECKS:
                    why = check(at, model)
                    report.case('%s: %s' % (
                        name, check.__name__.replace('_', ' ')), why)
        except (MountFailed, OSError) as why:
            report.case(name, str(why))


def main():
    names = sys.argv[2:] or sorted(
        n for n in os.listdir(GOLDEN)
        if os.path.isdir(os.path.join(GOLDEN, n, 'store')))
    report = Report()
    for name in names:
        run(os.path.abspath(sys.argv[1]), name, report)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
