#!/usr/bin/env python3
"""A read-only mount follows another mount that writes.

    follower.py BATFS [KILLS]

A storm of appends over small segments, killed and mounted again, while the
read-only mount is read all the time: every line is whole, numbers have no
gaps, what was read once stays, and in the end all of it is there without a
remount. `tail -f`, .ctl/follow and `ls -l` see what came.
"""
# Limit: 200 s
# Runs under the thread sanitizer too.
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from mounted import Mount, Report                       # noqa: E402
from view import read                                   # noqa: E402

STORM = os.path.join(HERE, '..', 'support', 'storm.py')
PATIENCE = 30       # seconds until something that should show counts as lost
WRITES = 'segment=20000,scope=storm'


def wait_for(what, seconds=PATIENCE):
    """True when it comes true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Reader(threading.Thread):
    """Reads the whole log again and again."""

    def __init__(self, at):
        super().__init__(daemon=True)
        self.at, self.over, self.why = at, False, None
        self.seen, self.reads = b'', 0

    def look(self):
        now = read(self.at, 'log.jsonl')
        if not now.startswith(self.seen):
            raise ValueError('what was read has changed')
        fresh = now[len(self.seen):]
        if fresh and not fresh.endswith(b'\n'):
            raise ValueError('half a line: %r' % fresh[-80:])
        after = self.seen.count(b'\n')
        for number, line in enumerate(fresh.splitlines(), after):
            if json.loads(line)['seq'] != number:
                raise ValueError('line %d: %s' % (number, line[:80]))
        self.seen = now
        self.reads += 1

    def run(self):
        try:
            while not self.over:
                self.look()
        except (OSError, ValueError) as why:
            self.why = repr(why)

    def end(self):
        self.over = True
        self.join()
        return self.why


class Lines(threading.Thread):
    """The lines of a program or a file that waits for more."""

    def __init__(self, source):
        super().__init__(daemon=True)
        self.source, self.lines = source, []

    def run(self):
        try:
            for line in self.source:
                self.lines.append(line)
        except OSError:
            pass


def half_batches(log):
    """Records of the storm that lack a line: a batch shows whole or not."""
    records = {}
    for line in log.splitlines():
        data = json.loads(line).get('data')
        found = isinstance(data, dict) and re.fullmatch(
            r'(.*)\.\d+/(\d+)', data.get('t', ''))
        if found:
            lines = records.setdefault(found[1], [0, int(found[2])])
            lines[0] += 1
    return [name for name, (got, wanted) in records.items() if got != wanted]


def one_record(at, name, acked):
    subprocess.run([sys.executable, STORM, 'write', at + '/scopes/storm/one',
                    name, acked, '1'], check=True)


def storm(report, batfs, work, kills):
    store, acked = work + '/store', work + '/acked'
    os.mkdir(store)
    open(acked, 'w').close()
    writer = Mount(batfs, store, WRITES)
    at = writer.start()
    os.mkdir(at + '/scopes/storm')
    one_record(at, 'first', acked)
    with Mount(batfs, store, 'ro') as shown:
        reader = Reader(shown)
        reader.start()
        for kill in range(kills):
            crowd = subprocess.Popen(
                [sys.executable, STORM, 'crowd', '4', at + '/scopes/storm',
                 'k%d' % kill, acked, '100000'], stderr=subprocess.DEVNULL)
            time.sleep(1.0)
            writer.kill()
            crowd.wait()
            writer = Mount(batfs, store, WRITES)
            at = writer.start()
            os.makedirs(at + '/scopes/storm', exist_ok=True)
            one_record(at, 'after%d' % kill, acked)
        wanted = read(at, 'log.jsonl')
        whole = wait_for(lambda: reader.why or reader.seen == wanted)
        why = reader.end()
        report.case('storm: every line is whole, in order, and stays', why)
        report.case('storm: in the end all of it shows, without a remount',
                    None if whole and not why else '%d of %d bytes' % (
                        len(reader.seen), len(wanted)))
        report.case('storm: no batch shows half',
                    ', '.join(half_batches(reader.seen)[:3]) or None)
        log = work + '/seen'
        with open(log, 'wb') as file:
            file.write(read(shown, 'log.jsonl'))
        done = subprocess.run([sys.executable, STORM, 'verify', log, acked],
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT)
        report.case('storm: what was acknowledged is in it',
                    done.stdout.strip() or 'failed' if done.returncode
                    else None)
        segments = sum(name.endswith('.fbat') for name in os.listdir(store))
        print('# %d reads, %d lines, %d segments' % (
            reader.reads, wanted.count(b'\n'), segments))
        report.case('storm: the segments rotated',
                    None if segments > 2 * kills else '%d' % segments)
    writer.end()


def watchers(report, batfs, work):
    """tail -f, .ctl/follow and ls of the read-only mount."""
    store = work + '/watched'
    os.mkdir(store)
    with Mount(batfs, store, WRITES) as at:
        os.mkdir(at + '/scopes/storm')
        path = at + '/scopes/storm/player:alice'
        with open(path, 'ab', 0) as file:
            file.write(b'0\n')
        with Mount(batfs, store, 'ro') as shown:
            alice = shown + '/entities/player:alice'
            programs = [subprocess.Popen(command, stdout=subprocess.PIPE)
                        for command in (
                ['tail', '-n', '+1', '-f', alice],
                ['cat', shown + '/.ctl/follow,from=0,entity=player:alice'])]
            watching = [Lines(program.stdout) for program in programs]
            for thread in watching:
                thread.start()
            before = os.listdir(shown + '/entities')
            slow = []
            for i in range(1, 6):
                with open(path, 'ab', 0) as file:
                    file.write(b'%d\n' % i)
                size, start = os.stat(path).st_size, time.monotonic()
                wait_for(lambda: os.stat(alice).st_size == size)
                wait_for(lambda: len(read(
                    shown, 'entities/player:alice')) == size)
                slow.append(time.monotonic() - start)
            # A tenth of a second is how old it may be; half of them, because
            # the machine may be busy with something else.
            report.case('stat and cat soon see what another mount wrote',
                        None if sorted(slow)[2] < 0.5 and max(slow) < PATIENCE
                        else ' '.join('%.2f' % took for took in slow))
            print('# seen after %s s' % ' '.join('%.2f' % s for s in slow))
            for name, thread in zip(('tail -f', '.ctl/follow'), watching):
                wait_for(lambda: len(thread.lines) >= 6, 10)
                got = [json.loads(line)['data'] for line in thread.lines]
                report.case('%s shows what another mount writes' % name,
                            None if got == list(range(6)) else str(got))
            with open(at + '/scopes/storm/player:bob', 'ab', 0) as file:
                file.write(b'"new"\n')
            there = wait_for(lambda: sorted(os.listdir(
                shown + '/entities')) == sorted(before + ['player:bob']), 5)
            report.case('a new entity is listed', None if there else 'not')
            # A name that was not there is looked for again.
            report.case('a name that was absent is found',
                        None if os.path.exists(
                            shown + '/scopes/storm/player:bob') else 'not')
            for program in programs:
                program.kill()
                program.wait()
        for thread in watching:
            thread.join(10)


def hide(store, start, end):
    """visibility_ranges.fbv as batpak replaces it (FORMAT.md 9.1); below 128."""
    body = (b'\x81\xa6ranges\x91\x82\xa5start' + bytes([start]) + b'\xa3end' +
            bytes([end]))
    with open(store + '/.tmpABCDEF', 'wb') as file:
        file.write(b'FBATVR' + (1).to_bytes(2, 'little') +
                   zlib.crc32(body).to_bytes(4, 'little') + body)
    os.rename(store + '/.tmpABCDEF', store + '/visibility_ranges.fbv')


def hidden(report, batfs, work):
    """What the kernel keeps for ever goes when it is hidden."""
    store = work + '/hidden'
    os.mkdir(store)
    with Mount(batfs, store, WRITES) as at:
        os.mkdir(at + '/scopes/storm')
        for i in range(6):
            with open(at + '/scopes/storm/e', 'ab', 0) as file:
                file.write(b'%d\n' % i)
    with Mount(batfs, store, 'ro') as shown:
        event = shown + '/events/00000000/000000000003.json'
        before, wanted = read(shown, 'log.jsonl'), read(shown, event)
        listed = os.listdir(os.path.dirname(event))
        hide(store, 3, 5)
        gone = wait_for(lambda: not os.path.exists(event), 10)
        report.case('an event that is hidden is gone, also from the cache',
                    None if gone else 'still there')
        lines = read(shown, 'log.jsonl').splitlines()
        report.case('and from the log, the entity and the listing', None if
                    len(lines) == before.count(b'\n') - 2 and
                    len(read(shown, 'entities/e').splitlines()) == 4 and
                    len(os.listdir(os.path.dirname(event))) ==
                    len(listed) - 2 else '%d lines' % len(lines))
        os.unlink(store + '/visibility_ranges.fbv')
        back = wait_for(lambda: read(shown, 'log.jsonl') == before, 10)
        report.case('and shows again when it is no longer hidden', None if
                    back and read(shown, event) == wanted else 'not')


def main():
    report = Report()
    batfs = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    work = tempfile.mkdtemp(prefix='batfs-follower-')
    try:
        watchers(report, batfs, work)
        hidden(report, batfs, work)
        storm(report, batfs, work, kills)
    finally:
        shutil.rmtree(work)
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
