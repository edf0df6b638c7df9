#!/usr/bin/env python3
"""A read-only mount follows batpak while it writes.

    follow.py BATFS [TURNS]

The program on batpak's side appends, in batches, over small segments, compacts
and is killed, while the mount is read all the time: every line is whole and
numbers rise; and soon after each turn the mount shows what a fresh one shows,
without having been taken down. INTEROP names a program that is built already.
"""
# Limit: 300 s
import json
import os
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
from run import Batpak, Wrong, build, log_of            # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from view import read                                   # noqa: E402

PATIENCE = 40       # seconds; a compaction that died is waited for five

# What each turn does; the index files as batpak keeps them.
TURNS = [
    ('appends and batches', ['--batches']),
    ('rotation', ['--batches', '--segment-max', '4096']),
    ('a crash', ['--batches', '--segment-max', '4096', '--crash']),
    ('a session after the crash', ['--segment-max', '4096', '--ext']),
    ('compaction', ['--batches', '--segment-max', '4096', '--compact']),
    ('a fence', ['--fence', '--segment-max', '4096']),
    ('a crash after a compaction',
     ['--batches', '--segment-max', '4096', '--compact', '--crash']),
    ('appends without an index', ['--batches', '--index', 'none']),
]


class Reader(threading.Thread):
    """Reads all the time; what it finds wrong is in `why`."""

    def __init__(self, at):
        super().__init__(daemon=True)
        self.at, self.over, self.why, self.reads = at, False, None, 0

    def run(self):
        try:
            while not self.over:
                last = -1
                log = read(self.at, 'log.jsonl')
                if log and not log.endswith(b'\n'):
                    raise ValueError('half a line: %r' % log[-80:])
                for line in log.splitlines():
                    event = json.loads(line)
                    if event['seq'] <= last or 'damaged' in event:
                        raise ValueError('behind %d: %s' % (last, line[:200]))
                    last = event['seq']
                self.reads += 1
        except (OSError, ValueError) as why:
            self.why = repr(why)


def shows(at, wanted):
    """Empty when the mount shows that in time."""
    end = time.monotonic() + PATIENCE
    while True:
        log = read(at, 'log.jsonl')
        if log == wanted:
            return None
        if time.monotonic() > end:
            return '%d bytes instead of %d, .ctl/status: %s' % (
                len(log), len(wanted), read(at, '.ctl/status').decode())
        time.sleep(0.02)


def play(report, batfs, batpak, store, turns):
    batpak.append(store, 1, 3)
    with Mount(batfs, store, 'ro') as at:
        reader = Reader(at)
        reader.start()
        for turn in range(turns):
            name, flags = TURNS[turn % len(TURNS)]
            batpak.append(store, 100 + turn, 40, *flags)
            started = time.monotonic()
            why = shows(at, log_of(batfs, store))
            print('# %s: %.2f s' % (name, time.monotonic() - started))
            report.case('followed through %s (turn %d)' % (name, turn + 1),
                        why)
        reader.over = True
        reader.join()
        print('# %d reads, %s' % (reader.reads, ' '.join(
            line for line in read(at, '.ctl/version').decode().splitlines()
            if line.startswith('generation'))))
        report.case('every read was whole and in order', reader.why)


def main():
    report = Report()
    batfs = os.path.abspath(sys.argv[1])
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 2 * len(TURNS)
    program = build()
    if not program:
        report.skip('following batpak', 'no cargo')
        return 0
    work = tempfile.mkdtemp(prefix='batfs-follow-')
    try:
        os.mkdir(work + '/store')
        play(report, batfs, Batpak(program), work + '/store', turns)
    except (Wrong, MountFailed) as why:
        report.case('following batpak', str(why))
    finally:
        shutil.rmtree(work)
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
