#!/usr/bin/env python3
"""The golden stores, mounted in every way, say what they hold.

    golden.py BATFS [STORE...]

Each store of tests/data/golden is copied and mounted read-only and writable,
with its indexes and without any; then every line of the log is held against
what batpak's own API says of the event (expected.jsonl) and against a reader
of our own (support/fbat.py).  Where the two differ, the table below says
which of them is right, and why.  The rest of the tree is held against the
log, sizes against contents, and the directory after against before.
"""
# Limit: 600 s
import json
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
import fbat                                             # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from tree_names import tree_name                        # noqa: E402
from view import (b64, line_differs, log_differs, read, sizes_differ,  # noqa: E402
                  snapshot, tree_differs)

GOLDEN = os.path.join(HERE, '..', 'data', 'golden')
INDEXES = ('index.fbati', 'index.ckpt')

# Stores of which batpak's word is not the last.  `events`: how many are right;
# `differ`: the members in which its lines may differ from ours and how many
# lines do; `why`: the rule.
RIGHT = {
    'bad-crc': dict(
        events=8, why='batpak refuses.  The bad frame is the last one of the '
        'newest segment, which has no footer: a torn tail, to be cut.'),
    'zero-tail': dict(
        events=9, why='batpak refuses.  4096 zeros behind the last frame of a '
        'segment without a footer are a torn tail.'),
    'torn-not-last': dict(
        events=10, why='batpak refuses.  The torn frame ends an older segment '
        'without a footer; both segments are whole up to there.'),
    'empty-segment': dict(
        events=9, why='batpak refuses.  The highest segment is shorter than a '
        'header, so it holds nothing and goes at the first append.'),
    'empty-segment-indexed': dict(
        events=9, why='as empty-segment; the index beside it is right.'),
    'batch-torn-reopened': dict(
        events=16, why='batpak counts the OPEN event and five more of segment '
        '2 to the batch that segment 1 began and never finished.  No batch '
        'spans segments: the three items go, all of segment 2 stays.'),
    'compaction-pending': dict(
        events=41, why='batpak skips the renamed first source, because of its '
        'name.  No merged segment was written, so all sources are whole.'),
    'compacted-retention': dict(
        differ={'timestamp_us': 54, 'flags': 54, 'payload_b64': 54},
        why='batpak cannot read the 54 frames that the compaction wrote (a '
        'value where bytes should be); the value\'s own bytes are the payload.'),
    'compacted-tombstone': dict(
        differ={'timestamp_us': 82, 'flags': 82, 'payload_b64': 82},
        why='as compacted-retention, 82 frames.'),
    'idempotent': dict(
        events=13, why='Two items of a batch carry the same key.  Both were '
        'acknowledged and both are on disk; batpak\'s index kept one.  That '
        'index lacks a frame, so it is refused, footers tell the numbers.'),
    'kinds': dict(
        differ={}, why='batpak\'s lines are right as long as it has its index; '
        'without one it takes two events of the marker kinds for markers.  '
        'They have hash chains, so they are events.'),
    'missing-footer': dict(
        differ={'ext': 1}, why='batpak forgets the extensions of events that '
        'it finds through a footer beside a segment without one.'),
    'mixed': dict(
        differ={'ext': 9}, why='as missing-footer, and its next close wrote '
        'the loss into the index.  The frame\'s own extensions are right.'),
}


# What batpak says, and what fbat says.

def expected(name):
    with open(os.path.join(GOLDEN, name, 'expected.jsonl')) as file:
        return [json.loads(line) for line in file]


def seen_by_batpak(name, model):
    """Why the model is not what batpak and the table say; None if it is."""
    events, right = model.events(), RIGHT.get(name, {})
    lines = expected(name)
    if 'events' in right:
        if len(events) != right['events']:
            return '%d events, not %d' % (len(events), right['events'])
        have = {(e['segment'], e['offset']): e for e in events}
        pairs = [(have.get((l['segment'], l['offset'])), l) for l in lines]
        if name == 'compaction-pending' or name == 'batch-torn-reopened':
            # batpak's numbers count what it shows; ours count all
            lines = [dict(l, seq=None) for l in lines]
            pairs = [(p and dict(p, seq=None), l) for (p, _), l in
                     zip(pairs, lines)]
    else:
        if len(events) != len(lines):
            return '%d events, batpak has %d' % (len(events), len(lines))
        pairs = list(zip(events, lines))
    differ = {}
    for event, line in pairs:
        if event is None:
            return 'an event of batpak\'s is missing'
        event = dict(event, payload_b64=b64(event['payload']))
        for member in ('seq clock entity scope kind id corr cause wall_ms '
                       'timestamp_us lane depth flags hash prev ext segment '
                       'offset payload_b64').split():
            if event[member] != line.get(member, 'absent'):
                differ[member] = differ.get(member, 0) + 1
    if differ != right.get('differ', {}):
        return 'differs in %s' % differ
    return None


# Directories.

def private_copy(name, folder, with_index):
    to = os.path.join(folder, 'store')
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(os.path.join(GOLDEN, name, 'store'), to)
    if not with_index:
        for index in INDEXES:
            if os.path.exists(os.path.join(to, index)):
                os.unlink(os.path.join(to, index))
    return to


def look(batfs, store, options, events):
    """Mounts, compares all, and ends; the first thing that is wrong."""
    before = snapshot(store)
    mount = Mount(batfs, store, options)
    try:
        with mount as at:
            log = read(at, 'log.jsonl')
            why = (log_differs(log, events) or tree_differs(at, log, events)
                   or sizes_differ(at))
            if read(at, 'log.jsonl') != log:
                why = why or 'the log reads otherwise the second time'
    except (MountFailed, OSError, ValueError) as error:
        return '%s' % error
    after = snapshot(store)
    if not why and after != before:
        changed = {k for k in before.keys() | after.keys()
                   if before.get(k) != after.get(k)}
        why = 'the directory changed: %s' % sorted(changed)
    if not why and 'ro' in options and os.path.exists(
            os.path.join(store, '.batfs')):
        why = 'a read-only mount left .batfs'
    return why


# One append: what was is still there, and a reader finds the rest.

PROBE = b'@kind=f.abc @ext.golden.test=yes {"probe":[1,2.5,"x"]}\n'


def append_probe(batfs, store, events):
    mount = Mount(batfs, store)
    try:
        with mount as at:
            scope = tree_name(events[-1]['scope'])
            path = os.path.join(at, 'scopes', scope, 'golden:probe')
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                if os.write(fd, PROBE) != len(PROBE):
                    return 'short write'
            finally:
                os.close(fd)
            line = read(path)
            log = read(at, 'log.jsonl')
    except (MountFailed, OSError) as error:
        return 'append: %s' % error
    if not log.endswith(line) or json.loads(line)['data'] != {
            'probe': [1, 2.5, 'x']}:
        return 'the line is %r' % line
    for with_index in (True, False):
        try:
            model = fbat.Store(store, with_index)
        except fbat.Bad as why:
            return 'afterwards: %s' % why
        if model.cut or model.headless or model.refused:
            return 'afterwards: cut %s headless %s refused %s' % (
                model.cut, model.headless, model.refused)
        if os.path.exists(os.path.join(store, 'compaction.pending.json')):
            return 'the compaction marker is still there'
        now = model.events()
        if with_index:
            strip = lambda e: {k: v for k, v in e.items()
                               if k not in ('segment', 'offset')}
            if [strip(e) for e in now[:len(events)]] != [strip(e) for e in events]:
                return 'events of before differ'
        added = [(e['entity'], e['kind']) for e in now[len(events):]]
        if added != [('batpak:store', '0.008'), ('golden:probe', 'f.abc'),
                     ('batpak:store', '0.009')]:
            return 'appended %s' % added
        probe = now[len(events) + 1]
        if not with_index:
            # footers of before a compaction count otherwise
            probe = dict(probe, seq=json.loads(line)['seq'])
        why = line_differs(line.rstrip(b'\n'), probe)
        if why:
            return 'the appended event: %s' % why
    return None


def try_store(batfs, name, folder, report):
    for with_index in (True, False):
        store = private_copy(name, folder, with_index)
        if not with_index and all(
                not os.path.exists(os.path.join(GOLDEN, name, 'store', i))
                for i in INDEXES):
            continue
        model = fbat.Store(store)
        events = model.events()
        way = 'with its indexes' if with_index else 'without indexes'
        if with_index:
            report.case('%s: the reader of our own agrees with batpak' % name,
                        seen_by_batpak(name, model))
        for options in ('ro', ''):
            store = private_copy(name, folder, with_index)
            report.case('%s: %s, %s' % (name, options or 'writable', way),
                        look(batfs, store, options, events))
        store = private_copy(name, folder, with_index)
        report.case('%s: one append, %s' % (name, way),
                    append_probe(batfs, store, events))


def main(argv):
    if len(argv) < 2:
        sys.exit(__doc__)
    batfs = os.path.abspath(argv[1])
    names = argv[2:] or sorted(
        n for n in os.listdir(GOLDEN) if os.path.isdir(os.path.join(GOLDEN, n)))
    report = Report()
    with tempfile.TemporaryDirectory(prefix='batfs-golden-') as folder:
        for name in names:
            try_store(batfs, name, folder, report)
    return report.status()


if __name__ == '__main__':
    sys.exit(main(sys.argv))
