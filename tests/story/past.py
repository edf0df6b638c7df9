#!/usr/bin/env python3
"""Moments of the past, over every golden store, against a model of their own.

    past.py [--every] BATFS [STORE...]

What a store holds is known from batpak's own words (golden.py: expected.jsonl
and the reader of our own); the log of now is held against that. The tree after
a sequence is then said by the model of now over the events up to there
(support/tree_model.py, views.py, chains.py): nothing of it comes from at/. For
some sequences, gaps, the first and the last among them, at/<seq> is that tree,
and a mount with -o at=<seq> is the same one, to the inode number. With --every
it is every sequence up to the last one, and so many minutes more.
"""
# Limit: 600 s
import os
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
sys.path.insert(0, HERE)
import chains                                           # noqa: E402
import fbat                                             # noqa: E402
import golden                                           # noqa: E402
import views                                            # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from tree_model import (Chains, differs, events_of, joined,  # noqa: E402
                        walk, whole_tree)
from tree_names import tree_name                        # noqa: E402
from view import log_differs, read                      # noqa: E402

MOMENTS = 2         # of a store, besides the first, the last and gaps
LEAVE = chains.LEAVE
NOW = ('append', '.ctl', 'at', 'backup')    # what has no past


def moments(events, every=False):
    """Sequences to look at: the ends, gaps, and some between."""
    seqs = [e.seq for e in events]
    if every:
        return list(range(seqs[0], seqs[-1] + 1))
    gaps = [a + 1 for a, b in zip(seqs, seqs[1:]) if b > a + 1]
    some = seqs[1:-1][::max(1, len(seqs) // MOMENTS)]
    return sorted({seqs[0], seqs[-1], *gaps[:2], *gaps[-1:], *some})


def upto(events, seq):
    return [e for e in events if e.seq <= seq]


def facts(name, store, log):
    """Is the log of now what the store holds?"""
    model = fbat.Store(store)
    return (golden.seen_by_batpak(name, model)
            or log_differs(log, model.events()))


# One moment.

def is_the_tree(at, events):
    """What is listed, and what answers to its name."""
    why = differs(at, whole_tree(events), LEAVE)
    if why:
        return why
    if read(at, 'log.jsonl') != joined(events):
        return 'log.jsonl'
    for name in NOW:
        if os.path.lexists(os.path.join(at, name)):
            return '%s is there' % name
    return None


def is_all_of_it(at, events):
    """What is typed: folders of events, ranges, queries, ids, chains."""
    log = joined(events)
    model, both = views.Model(log), (events, Chains(events))
    for check in (views.unlisted, views.folders, views.ways_to_events,
                  views.ranges, views.queries, views.entity_views):
        why = check(at, model)
        if why:
            return '%s: %s' % (check.__name__, why)
    for check in (chains.event_folders, chains.typed):
        why = check(at, *both)
        if why:
            return '%s: %s' % (check.__name__, why)
    return None


def later_is_not_there(at, events, seq):
    """What came behind a moment does not answer to its name either."""
    then = upto(events, seq)
    known, ids = Chains(then), {e.id for e in then}
    for event in events:
        if event.seq <= seq or not event.known:
            continue
        paths = ['events/%d' % event.seq, 'events/%s' % event.folder(),
                 'events/%s.json' % event.folder()]
        if event.id not in ids:
            paths.append('events/id/' + event.id)
            if event.id not in known.members:
                paths.append('chains/' + event.id)
        if all(e.entity != event.entity for e in then if e.known):
            paths.append('entities/' + tree_name(event.entity))
            paths.append(paths[-1] + ',as=brief')
        if all(e.scope != event.scope for e in then if e.known):
            paths.append('scopes/' + tree_name(event.scope))
        for path in paths:
            if os.path.lexists(os.path.join(at, path)):
                return '%s is there' % path
    return None


def picture(at, leave=NOW):
    """Everything that stat and read say, by path."""
    out = {}
    for path, entry in walk(at, leave):
        full = os.path.join(at, path)
        info = os.lstat(full)
        what = (info.st_mode, info.st_ino, info.st_size, info.st_mtime_ns,
                info.st_ctime_ns, info.st_nlink, entry.inode())
        if stat.S_ISLNK(info.st_mode):
            what += (os.readlink(full),)
        elif stat.S_ISREG(info.st_mode):
            what += (read(full),)
        out[path] = what
    return out


def other_pictures(a, b):
    wrong = {p for p in a.keys() | b.keys() if a.get(p) != b.get(p)}
    if not wrong:
        return None
    path = min(wrong)
    return '%s: %s, %s' % (path, str(a.get(path))[:300],
                           str(b.get(path))[:300])


def inodes_of_the_past(now, then):
    """The top bit says it, and none is one of now."""
    here = {entry.inode() for _, entry in walk(now, NOW)}
    for path, what in then.items():
        if not what[1] >> 63 or what[1] in here:
            return '%s: %d' % (path, what[1])
    return None


def as_a_mount(batfs, store, seq, pictured, events):
    with Mount(batfs, store, 'at=%d' % seq) as at:
        return (is_the_tree(at, events)
                or other_pictures(picture(at), pictured))


# Times.

def target(at, name):
    try:
        return os.readlink(os.path.join(at, 'at', name))
    except FileNotFoundError:
        return None


def times(at, events):
    """Just before the first event that is later, in the order of sequences."""
    if not all(e.known for e in events):
        return None     # nobody knows when a lost one was
    walls = [e.wall_ms() for e in events]

    def wanted(ms):
        for i, wall in enumerate(walls):
            if wall > ms:
                return str(events[i - 1].seq) if i else None
        return str(events[-1].seq)
    for wall in sorted(set(walls))[::max(1, len(walls) // 20)]:
        for ms in (wall - 1, wall):
            got = target(at, views.time_text(ms))
            if got != wanted(ms):
                return '%s -> %s, not %s' % (views.time_text(ms), got,
                                             wanted(ms))
    for name, way in (('1970-01-01T00:00:00Z', None),
                      ('9999-12-31T23:59:59Z', str(events[-1].seq))):
        if target(at, name) != way:
            return '%s -> %s' % (name, target(at, name))
    return None


def no_such_moment(at, events):
    names = ['%d' % (events[-1].seq + 1), '%d' % (events[-1].seq + 10 ** 9),
             '18446744073709551615', '99999999999999999999', '-1', '-5x', '-m',
             '1e1', '007', ' 1', '2026-01-01', 'head', '-99999999999s', 'x']
    if events[0].seq > 0:
        names.append('%d' % (events[0].seq - 1))
    for name in names:
        if os.path.lexists(os.path.join(at, 'at', name)):
            return 'at/%s is there' % name
    return None


# Without a mount.

def batctl(batfs, store, *arguments):
    return subprocess.run(
        [os.path.join(os.path.dirname(batfs), 'batctl'), arguments[0], store,
         *arguments[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def without_a_mount(batfs, store, seq, pictured, events):
    log = batctl(batfs, store, 'cat', 'at/%d/log.jsonl' % seq).stdout
    if log != joined(events):
        return 'cat log.jsonl: %d bytes' % len(log)
    names = batctl(batfs, store, 'ls', 'at/%d' % seq).stdout.decode().split()
    if names != sorted({p.split('/')[0] for p in pictured}):
        return 'ls: %s' % names
    found = batctl(batfs, store, 'find', 'at/%d' % seq).stdout
    got = {p[len('at/%d/' % seq):] for p in os.fsdecode(found).splitlines()}
    if got - {''} != set(pictured):
        return 'find: %s' % sorted((got - {''}) ^ set(pictured))[:5]
    gone = batctl(batfs, store, 'ls', 'at/%d' % (seq + 10 ** 9))
    return None if gone.returncode else 'a moment that is not there is listed'


# The stores.

def leaving_out(at, events):
    """Without any one name, or with one more, the model notices."""
    tree = whole_tree(events)
    for path in [p for p in sorted(tree) if p not in LEAVE][::9]:
        less = {p: w for p, w in tree.items() if p != path}
        if not differs(at, less, LEAVE):
            return 'nobody missed %s' % path
    more = dict(tree, **{'entities/nobody': b''})
    return None if differs(at, more, LEAVE) else 'nobody missed one more'


def try_moments(batfs, name, store, at, events, report, every):
    seqs = moments(events, every)
    middle = seqs[len(seqs) // 2]
    for seq in seqs:
        then, folder = upto(events, seq), os.path.join(at, 'at', str(seq))
        report.case('%s: after %d the tree is that of then' % (name, seq),
                    is_the_tree(folder, then)
                    or later_is_not_there(folder, events, seq))
        if seq != middle:
            continue
        pictured = picture(folder)
        report.case('%s: after %d numbers are others than now' % (name, seq),
                    inodes_of_the_past(at, pictured))
        report.case('%s: a mount with -o at=%d is the same' % (name, seq),
                    as_a_mount(batfs, store, seq, pictured, then))
        report.case('%s: after %d what is typed is there' % (name, seq),
                    is_all_of_it(folder, then))
        report.case('%s: after %d without a mount' % (name, seq),
                    without_a_mount(batfs, store, seq, pictured, then))
        if name == 'chains':
            report.case('after %d nothing could be left out' % seq,
                        leaving_out(folder, then))


def run(batfs, name, report, every):
    with tempfile.TemporaryDirectory(prefix='batfs-past-') as work:
        store = os.path.join(work, 'data')
        shutil.copytree(os.path.join(golden.GOLDEN, name, 'store'), store)
        try:
            with Mount(batfs, store, 'ro') as at:
                log = read(at, 'log.jsonl')
                events = events_of(log)
                report.case('%s: the log is what the store holds' % name,
                            facts(name, store, log))
                if not events:
                    return
                try_moments(batfs, name, store, at, events, report, every)
                report.case('%s: times' % name, times(at, events))
                report.case('%s: no such moment' % name,
                            no_such_moment(at, events))
        except (MountFailed, OSError) as why:
            report.case(name, str(why))


def main():
    every = sys.argv[1] == '--every'
    arguments = sys.argv[2 if every else 1:]
    names = arguments[1:] or sorted(
        n for n in os.listdir(golden.GOLDEN)
        if os.path.isdir(os.path.join(golden.GOLDEN, n, 'store')))
    report = Report()
    for name in names:
        run(os.path.abspath(arguments[0]), name, report, every)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
