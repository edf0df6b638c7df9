#!/usr/bin/env python3
"""Chains on a live mount: every golden store against a model, and by hand.

    chains.py BATFS [STORE...]

The model (support/tree_model.py) finds chains by their rule, from the log, and
says each listing, link and byte of the tree. It is shown that it would miss
nothing: with any one name left out of it, it says so. Then people's tools: cd
from event to event, find, tar, a chain that grows while it is open.
"""
# Limit: 900 s
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from mounted import Mount, MountFailed, Report          # noqa: E402
from tree_model import (Chains, differs, events_of, joined,  # noqa: E402
                        whole_tree)
from view import read                                   # noqa: E402

GOLDEN = os.path.join(HERE, '..', 'data', 'golden')
# What other stories look at (views.py), or nobody can say ahead.
LEAVE = ('append', 'backup')


# What the model says.

def walkable(at, events, chains):
    return differs(at, whole_tree(events, chains), LEAVE)


def links(folder, name, wanted, of):
    """A folder of an event's that has links to these events."""
    got = sorted(os.listdir(os.path.join(folder, name)))
    if got != ['%012d' % e.seq for e in wanted]:
        return '%s/%s lists %s' % (of, name, got)
    for event in wanted:
        if read(folder, name, '%012d' % event.seq,
                'event.json') != event.line:
            return '%s/%s/%012d is another event' % (of, name, event.seq)
    return None


def event_folders(at, events, chains):
    for event in events:
        folder = os.path.join(at, 'events', event.folder())
        if not event.known:
            if os.path.lexists(os.path.join(folder, 'chain')):
                return '%d is in a chain' % event.seq
            continue
        why = links(folder, 'effects', chains.effects(event), event.seq)
        if why:
            return why
        cause = chains.cause[event.seq]
        if cause and read(folder, 'cause', 'event.json') != cause.line:
            return '%d/cause' % event.seq
        for name, wanted in (('causes.jsonl', chains.causes(event)),
                             ('consequences.jsonl',
                              chains.consequences(event))):
            if read(folder, name) != joined(wanted):
                return '%d/%s' % (event.seq, name)
            if os.stat(os.path.join(folder, name)).st_size != len(
                    joined(wanted)):
                return '%d/%s: size' % (event.seq, name)
        name = chains.name[event.seq]
        way = os.path.join('events', event.folder())
        if len(chains.members[name]) > 1:
            way = 'chains/%s/%s' % (name[-2:], name)
        for typed in (os.path.join(folder, 'chain'),
                      os.path.join(at, 'chains', name)):
            if os.path.realpath(typed) != os.path.join(
                    os.path.realpath(at), way):
                return '%s leads to %s' % (typed, os.path.realpath(typed))
    return None


def typed(at, events, chains):
    """By an id, and by as few digits as mean one chain."""
    names = {}
    for event in events:
        if event.known:
            names[event.id] = chains.name[event.seq]
    names.update((n, n) for n in chains.members)
    for id_, name in names.items():
        for digits in (6, 20, 26, 29, 31, 32):
            hits = {n for i, n in names.items() if i[:digits] == id_[:digits]}
            there = os.path.exists(os.path.join(at, 'chains', id_[:digits]))
            if there != (len(hits) == 1):
                return '%s: %s, %d chains' % (id_[:digits], there, len(hits))
        if id_ not in chains.members and os.path.realpath(
                os.path.join(at, 'chains', id_)) != os.path.realpath(
                os.path.join(at, 'chains', name)):
            return '%s leads elsewhere than %s' % (id_, name)
    for wrong in ('0', 'zz', 'ff0', 'FF', '0' * 33, 'f' * 32, 'tree.txt'):
        if wrong not in names and os.path.lexists(
                os.path.join(at, 'chains', wrong)):
            return '%s is there' % wrong
    return None


def leaving_out(at, events, chains):
    """Without any one name, or with one more, the model notices."""
    tree = whole_tree(events, chains)
    for path in [p for p in sorted(tree) if p.startswith('chains/')][::7]:
        less = {p: w for p, w in tree.items() if p != path}
        if not differs(at, less, LEAVE):
            return 'nobody missed %s' % path
    more = dict(tree, **{'chains/zz': 'x'})
    return None if differs(at, more, LEAVE) else 'nobody missed chains/zz'


def golden(batfs, name, report):
    with tempfile.TemporaryDirectory(prefix='batfs-chains-') as work:
        data = os.path.join(work, 'data')
        shutil.copytree(os.path.join(GOLDEN, name, 'store'), data)
        checks = [walkable, event_folders, typed]
        if name == 'chains':
            checks.append(leaving_out)
        try:
            with Mount(batfs, data, 'ro') as at:
                events = events_of(read(at, 'log.jsonl'))
                chains = Chains(events)
                for check in checks:
                    report.case('%s: %s' % (
                        name, check.__name__.replace('_', ' ')),
                        check(at, events, chains))
        except (MountFailed, OSError) as why:
            report.case(name, str(why))


# By hand.

def shell(at, script):
    return subprocess.run(['bash', '-euc', script], cwd=at, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


STORY = '''
mkdir scopes/shop scopes/bank
echo '{"n":1}' >> scopes/shop/order:1
echo '{"pays":1}' >> 'scopes/bank/account:9,cause=seq:1'
echo '{"ships":1}' >> 'scopes/shop/parcel:3,cause=seq:2'
'''

WALK = '''
cd events/3/cause && pwd -P
cd cause && pwd -P
cd effects/000000000002/effects/000000000003/chain && pwd -P
cut -f 4 tree.txt
ls | wc -l
'''


def by_hand(at, _):
    done = shell(at, STORY)
    if done.returncode:
        return done.stdout
    done = shell(at, WALK)
    first = json.loads(read(at, 'events', '1.json'))['id']
    folder = os.path.join(os.path.realpath(at), 'events', '00000000')
    wanted = [os.path.join(folder, '000000000002'),
              os.path.join(folder, '000000000001'),
              os.path.join(os.path.realpath(at), 'chains', first[-2:], first),
              'order:1', '  account:9', '    parcel:3', '6']
    if done.stdout.split('\n')[:-1] != wanted:
        return 'walking said %s' % done.stdout
    return None


def in_a_tar(at, work):
    """tar takes chains along, links as links, and gives back the same."""
    archive = os.path.join(work, 'chains.tar')
    done = shell(at, 'tar -cf %s chains events' % archive)
    if done.returncode:
        return done.stdout
    to = os.path.join(work, 'out')
    with tarfile.open(archive) as tar:
        tar.extractall(to)
    events = events_of(read(at, 'log.jsonl'))
    tree = {p: w for p, w in whole_tree(events).items()
            if p.split('/')[0] in ('chains', 'events')}
    # A link leads to a folder that is not listed, so not into the archive.
    links = {p for p, w in tree.items() if isinstance(w, str)}
    for path in links:
        if os.readlink(os.path.join(to, path)) != tree.pop(path):
            return path
        os.unlink(os.path.join(to, path))
    why = differs(to, tree)
    found = shell(at, 'find chains | wc -l').stdout.strip()
    wanted = 1 + len([p for p in whole_tree(events)
                      if p.startswith('chains/')])
    if not why and int(found) != wanted:
        why = 'find saw %s names, not %d' % (found, wanted)
    return why


def while_it_grows(at, _):
    """A reader gets one moment's tree; the next look has the new event."""
    first = json.loads(read(at, 'events', '1.json'))['id']
    folder = os.path.join(at, 'chains', first)
    for i in range(300):
        with open(os.path.join(at, 'scopes', 'shop', 'order:1'), 'ab',
                  buffering=0) as file:
            file.write(b'@cause=seq:%d {"i":%d,"pad":"%s"}\n' % (
                1 + i % 3, i, b'x' * 400))
    before = read(folder, 'tree.txt')
    with open(os.path.join(folder, 'tree.txt'), 'rb', buffering=0) as file:
        got = file.read(4096)
        with open(os.path.join(at, 'scopes', 'shop', 'order:1'), 'ab',
                  buffering=0) as append:
            append.write(b'@cause=seq:2 "between"\n')
        while True:
            more = file.read(4096)
            if not more:
                break
            got += more
    events = events_of(read(at, 'log.jsonl'))
    why = differs(at, whole_tree(events), LEAVE)
    if not why and got != before:
        why = 'a reader got another tree than that of its open'
    return why


def hand_made(batfs, report):
    with tempfile.TemporaryDirectory(prefix='batfs-chains-') as work:
        data = os.path.join(work, 'data')
        os.mkdir(data)
        try:
            with Mount(batfs, data) as at:
                for check in (by_hand, in_a_tar, while_it_grows):
                    report.case(check.__name__.replace('_', ' '),
                                check(at, work))
        except (MountFailed, OSError) as why:
            report.case('by hand', str(why))


def main():
    batfs = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or sorted(
        n for n in os.listdir(GOLDEN)
        if os.path.isdir(os.path.join(GOLDEN, n, 'store')))
    report = Report()
    for name in names:
        golden(batfs, name, report)
    hand_made(batfs, report)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
