#!/usr/bin/env python3
"""Forged stores, asked of batpak and of batfs.

    forged.py BATFS [--table]

Stores of batpak's and one of batfs's are changed by who knows the format
(forgeries.py): every CRC is right again, and footers and index files are
left, made anew or taken away.  Then batpak opens a copy, `batctl cat` shows
the log and `batctl verify` gives its verdict.  What the two see, where they
differ and why, and whether verify tells, is a row of forged.tsv; a row that
is no longer true fails, and so does an answer without a row.

What batfs shows is held against a reader of our own (support/fbat.py) too:
an event is neither hidden nor invented, whatever an index or a footer says.
--table prints the rows as they are.  INTEROP names a program that is built
already.
"""
# Limit: 300 s
import base64
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'),
                os.path.join(HERE, '..', 'story'), HERE]
import fbat                                             # noqa: E402
import forging                                          # noqa: E402
import golden                                           # noqa: E402
import line_check                                       # noqa: E402
import run                                              # noqa: E402
from forgeries import FORGERIES                         # noqa: E402
from mounted import Mount, Report                       # noqa: E402
from view import log_differs                            # noqa: E402

MEMBERS = ('seq clock entity scope kind id corr cause hash prev lane depth '
           'ext payload').split()
# Where our own reader follows another rule than batfs, and batfs is right.
APART = {
    'a size': 'fbat takes a payload of another length for one that a '
              'compaction wrote as a value; its hash says that it is bytes',
    'a name that no entity may have': 'fbat asks no names',
    'swapped with their numbers': 'of footers alone one number that does not '
                                  'fit is left out; fbat counts on from it',
}
# What an index or a footer tells of an event is the proof that its batch was
# finished (recovery_tiles.c); fbat asks the markers alone.
BATCHES = ('batch', 'rolled back', 'the last one dropped')


class Tools:
    def __init__(self, batfs, interop):
        self.batfs, self.interop = batfs, interop
        self.batctl = os.path.join(
            os.path.dirname(os.path.realpath(batfs)), 'batctl')

    @staticmethod
    def ask(*args, said=None):
        return subprocess.run(args, input=said, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)


# The stores.

def ours(tools, folder):
    """A store of batfs's: several sessions, and an index of all of it."""
    store = os.path.join(folder, 'ours')
    os.mkdir(store)
    with Mount(tools.batfs, store) as at:
        os.mkdir(os.path.join(at, 'scopes', 's'))
        for name in ('a:1', 'b:2'):
            with open(os.path.join(at, 'scopes', 's', name), 'ab',
                      buffering=0) as file:
                file.write(b'@kind=f.001 {"n":0}\n')
    for i in range(1, 5):
        for name in ('a:1', 'b:2', 'a:1'):
            done = tools.ask(tools.batctl, 'append', store,
                             'scopes/s/' + name, said=b'{"n":%d}\n' % i)
            assert done.returncode == 0, done.stderr
    done = tools.ask(tools.batctl, 'checkpoint', store)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(os.path.join(store, '.batfs'), ignore_errors=True)
    return store


# What each of them sees.

def batpak_sees(tools, store):
    """None: it refuses."""
    lines = [json.loads(line) for line in
             tools.ask(tools.interop, 'dump', store).stdout.splitlines()]
    if not lines or not lines[-1].get('ok'):
        return None
    for event in lines[:-1]:
        event['ext'] = sorted(event['ext'])
        event['payload'] = (base64.b64decode(event['payload_b64'])
                            if 'payload_b64' in event else None)
    return lines[:-1]


def batfs_sees(tools, store):
    done = tools.ask(tools.batctl, 'cat', store, 'log.jsonl')
    return done.stdout if done.returncode == 0 else None


def shown(log):
    for line in log.splitlines():
        event = json.loads(line)
        event['payload'] = (None if 'damaged' in event else
                            line_check.check_line(line.decode())[1])
        event.update(ext=sorted(event.get('ext', {})),
                     lane=event.get('lane', 0), depth=event.get('depth', 0))
        yield event


def relation(events, log):
    if log is None:
        return 'nothing shown'
    if events is None:
        return 'refused'
    lines = list(shown(log))
    if len(events) != len(lines):
        return 'more' if len(events) > len(lines) else 'fewer'
    for event, line in zip(events, lines):
        if any(event.get(m) != line.get(m) for m in MEMBERS):
            return 'other'
    return 'same'


def model_differs(name, store, log):
    if name in APART or any(word in name for word in BATCHES):
        return None
    try:
        return log_differs(log, fbat.Store(store).events())
    except fbat.Bad as why:
        return 'our reader refuses: %s' % why


def forge(base, name, change, hand, folder):
    """The path of a forged copy; None where this store has no such thing."""
    store = tempfile.mkdtemp(dir=folder)
    shutil.copytree(base, store, dirs_exist_ok=True)
    forged = forging.Store(store)
    forged.foreign = os.path.join(golden.GOLDEN, 'clock-back', 'store')
    try:
        change(forged)
        forged.write(hand)
    except forging.Skip:
        shutil.rmtree(store)
        return None
    return store


def answer(tools, job, folder):
    """(relation and verify's verdict, what is wrong with batfs); None."""
    base, name, change, hand = job
    store = forge(base, name, change, hand, folder)
    if not store:
        return None
    log = batfs_sees(tools, store)
    told = relation(batpak_sees(tools, store), log)
    status = tools.ask(tools.batctl, 'verify', store).returncode
    why = None if log is None else model_differs(name, store, log)
    shutil.rmtree(store)
    return '%s, %s' % (told, {0: 'whole', 1: 'broken'}.get(status, status)), why


# The table.

def read_table():
    table = {}
    with open(os.path.join(HERE, 'forged.tsv')) as file:
        for line in file:
            if not line.startswith('#'):
                store, name, hand, told, _ = line.rstrip('\n').split('\t')
                table[store, name, hand] = told
    return table


def main(argv):
    report = Report()
    interop = run.build()
    if not interop:
        report.skip('forged', 'no cargo')
        return report.status()
    tools = Tools(os.path.abspath(argv[1]), interop)
    with tempfile.TemporaryDirectory(prefix='batfs-forged-') as folder:
        bases = {name: os.path.join(golden.GOLDEN, name, 'store')
                 for name in ('reopened', 'batch')}
        bases['ours'] = ours(tools, folder)
        jobs = [(base, name, change, hand) for base in bases
                for name, change, hands in FORGERIES for hand in hands
                if base != 'batch' or 'batch' in name]
        with concurrent.futures.ThreadPoolExecutor(2) as crew:
            answers = list(crew.map(
                lambda job: answer(tools, (bases[job[0]],) + job[1:], folder),
                jobs))
    if '--table' in argv:
        for (base, name, _, hand), got in zip(jobs, answers):
            if got:
                print('%s\t%s\t%s\t%s' % (base, name, hand, got[0]))
        return 0
    table, wrong = read_table(), {}
    for (base, name, _, hand), got in zip(jobs, answers):
        wrong.setdefault(name, [])
        told = table.pop((base, name, hand), None)
        if (got and got[0]) != told:
            wrong[name].append('%s, %s: %s, the table says %s' % (
                base, hand, got and got[0], told))
        if got and got[1]:
            wrong[name].append('%s, %s: batfs: %s' % (base, hand, got[1]))
    for name, whys in wrong.items():
        report.case('forged: %s: as the table says' % name, '; '.join(whys))
    report.case('forged: the table has no row that nobody asks for',
                ', '.join(map(str, table)))
    return report.status()


if __name__ == '__main__':
    sys.exit(main(sys.argv))
