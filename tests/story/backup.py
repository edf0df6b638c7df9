#!/usr/bin/env python3
"""backup/ under an append storm: what is copied is a store, to the byte.

    backup.py BATFS [SECONDS]

Eight writers append, segments are small, and cp, tar and rsync copy backup/
again and again.  Each copy passes sha256sum, holds the events that its PIN
counts and no others, in the same frames as the live directory; batfs opens it
and appends, and batpak (where its program is built) opens it in every way.
"""
# Limit: 300 s
# Runs under the thread sanitizer too.
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
import fbat                                             # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from view import read                                   # noqa: E402
from wrong_index import interop_program                 # noqa: E402

STORM = os.path.join(HERE, '..', 'support', 'storm.py')
WRITERS = 8
SEGMENT = 65536


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError('%s: %d: %s' % (
            ' '.join(command[:3]), done.returncode, done.stdout[-800:]))
    return done.stdout


def word(at, text):
    with open(os.path.join(at, '.ctl/pin'), 'w') as file:
        file.write(text + '\n')


def pin_of(folder):
    text = read(folder, 'PIN').decode()
    return dict(line.split(' ', 1) for line in text.splitlines())


# How people copy.

def with_cp(backup, to):
    run('cp', '-a', backup, to)


def with_tar(backup, to):
    os.mkdir(to)
    run('tar', '-cf', to + '.tar', '-C', backup, '.')
    run('tar', '-xpf', to + '.tar', '-C', to)
    os.unlink(to + '.tar')


def with_rsync(backup, to):
    run('rsync', '-a', backup + '/', to)


WAYS = [with_cp, with_tar, with_rsync]


# What a copy must be.

def same_frames(copy, data):
    """Each segment is the first part of the live one; only the last is cut."""
    names = sorted(n for n in os.listdir(copy) if n.endswith('.fbat'))
    for name in names:
        ours, live = read(copy, name), read(data, name)
        if live[:len(ours)] != ours:
            return '%s: other bytes' % name
        if name != names[-1] and len(ours) != len(live):
            return '%s: %d bytes of %d' % (name, len(ours), len(live))
    strange = [n for n in os.listdir(copy)
               if not n.endswith('.fbat') and n not in (
                   'index.ckpt', 'index.fbati', 'visibility_ranges.fbv')]
    return 'strange files: %s' % strange if strange else None


def events_differ(copy, pin, log):
    """The lines of the copy are the first lines of the live log."""
    wanted = b''.join(log[:int(pin['count'])])
    if log and json.loads(log[int(pin['count']) - 1])['seq'] != int(
            pin['sequence']):
        return 'PIN counts %(count)s events up to %(sequence)s' % pin
    if json.loads(log[int(pin['count']) - 1])['id'] != pin['event']:
        return 'another event: ' + pin['event']
    batctl = os.path.join(os.path.dirname(BATFS), 'batctl')
    got = subprocess.run([batctl, 'cat', copy, 'log.jsonl'], check=True,
                         stdout=subprocess.PIPE).stdout
    if got != wanted:
        return '%d bytes of lines, not %d' % (len(got), len(wanted))
    events = list(fbat.Store(copy).events())
    if len(events) != int(pin['count']):
        return 'a reader of our own finds %d events' % len(events)
    return None


def copy_differs(folder, data, log):
    run('sha256sum', '-c', '--quiet', '--strict', 'SHA256SUMS', cwd=folder)
    summed = {line.split('  ', 1)[1] for line in
              read(folder, 'SHA256SUMS').decode().splitlines()}
    there = {'PIN'} | {'store/' + n for n in
                       os.listdir(os.path.join(folder, 'store'))}
    if summed != there:
        return 'sums of other files: %s' % (summed ^ there)
    pin = pin_of(folder)
    store = os.path.join(folder, 'store')
    return same_frames(store, data) or events_differ(store, pin, log)


def appends(folder):
    """It is a store for writing too."""
    store = os.path.join(folder, 'store')
    count = int(pin_of(folder)['count'])
    with Mount(BATFS, store) as at:
        with open(os.path.join(at, 'scopes/storm/w0'), 'a') as file:
            file.write('"later"\n')
        lines = read(at, 'log.jsonl').splitlines()
        if len(lines) != count + 2:     # OPEN and ours
            return '%d lines, not %d' % (len(lines), count + 2)
        if json.loads(lines[-1])['data'] != 'later':
            return lines[-1]
    return None


# The stories.

def storm(report, work, seconds):
    data = os.path.join(work, 'data')
    copies = []
    with Mount(BATFS, data, 'segment=%d' % SEGMENT) as at:
        os.mkdir(os.path.join(at, 'scopes/storm'))
        writers = subprocess.Popen([
            sys.executable, STORM, 'crowd', str(WRITERS),
            os.path.join(at, 'scopes/storm'), 'a',
            os.path.join(work, 'acked'), '1000000'], start_new_session=True)
        while len(os.listdir(os.path.join(at, 'scopes/storm'))) < WRITERS:
            time.sleep(0.02)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end or len(copies) < len(WAYS):
                time.sleep(seconds / 15)
                word(at, 'now')
                way = WAYS[len(copies) % len(WAYS)]
                to = os.path.join(work, 'copy%d' % len(copies))
                way(os.path.join(at, 'backup'), to)
                copies.append((way.__name__, to))
            still = writers.poll() is None
        finally:
            os.killpg(writers.pid, signal.SIGTERM)
            writers.wait()
        report.case('storm: the writers wrote to the end',
                    None if still else 'they had ended')
        log = read(at, 'log.jsonl').splitlines(True)
        seen = set()
        for way, to in copies:
            report.case('storm: a copy %s, of %s events' % (
                way, pin_of(to)['count']), copy_differs(to, data, log))
            seen.add(pin_of(to)['sequence'])
        report.case('storm: the pins are of different moments',
                    None if len(seen) == len(copies) else str(seen))
        rotated = len([n for n in os.listdir(data) if n.endswith('.fbat')])
        report.case('storm: segments rotated',
                    None if rotated > 5 else '%d segments' % rotated)
    return copies


def synced(report, work, rounds=6):
    """One target, brought up to date after each pin."""
    data, to = os.path.join(work, 'synced'), os.path.join(work, 'target')
    with Mount(BATFS, data, 'segment=4096') as at:
        for i in range(rounds):
            with open(os.path.join(at, 'append'), 'a') as file:
                file.write('@entity=a @scope=s %d\n' % i)
            word(at, 'now')
            # Else it compares whole seconds.
            run('rsync', '-a', '--delete', '--modify-window=-1',
                os.path.join(at, 'backup') + '/', to)
            log = read(at, 'log.jsonl').splitlines(True)
            report.case('rsync: brought up to date, %d' % i,
                        copy_differs(to, data, log))
        told = run('rsync', '-ai', '--delete', '--modify-window=-1',
                   os.path.join(at, 'backup') + '/', to)
        report.case('rsync: and again, nothing', told.strip() or None)


def compacted(report, work, interop):
    """batpak merges the segments of a mount that only reads."""
    data = os.path.join(work, 'compacted')
    os.mkdir(data)
    run(interop, 'append', data, '1', '120', '--segment-max', '2048')
    before = set(os.listdir(data))
    with Mount(BATFS, data, 'ro') as at:
        first = os.path.join(work, 'before-merge')
        with_cp(os.path.join(at, 'backup'), first)
        run(interop, 'append', data, '2', '20', '--compact')
        gone = before - set(os.listdir(data))
        report.case('compaction: segments went away',
                    None if len(gone) > 1 else 'only %s' % gone)
        second = os.path.join(work, 'after-merge')
        with_cp(os.path.join(at, 'backup'), second)
        run('diff', '-r', first, second)
        run('sha256sum', '-c', '--quiet', 'SHA256SUMS', cwd=second)
        report.case('compaction: backup/ is as it was')
    run(interop, 'check', os.path.join(second, 'store'))
    report.case('compaction: batpak opens it')


def held(report, work):
    data = os.path.join(work, 'held')
    with Mount(BATFS, data) as at:
        line = os.path.join(at, 'append')
        for text in '@entity=a @scope=s 1\n', '@entity=b @scope=s 2\n':
            with open(line, 'a') as file:
                file.write(text)
        first = pin_of(os.path.join(at, 'backup'))
        report.case('hold: the pin of the mount was empty',
                    None if first['count'] == '0' else str(first))
        word(at, 'now')
        word(at, 'hold')
        pin = pin_of(os.path.join(at, 'backup'))
        with open(line, 'a') as file:
            file.write('@entity=a @scope=s 3\n')
        why = 'a held pin moved'
        try:
            word(at, 'now')
        except OSError as error:
            why = None if error.errno == errno.EBUSY else str(error)
        report.case('hold: `now` is EBUSY', why)
        report.case('hold: what is held stays',
                    None if pin_of(os.path.join(at, 'backup')) == pin
                    else 'it moved')
        word(at, 'release')
        word(at, 'now')
        report.case('hold: released it moves', None if int(
            pin_of(os.path.join(at, 'backup'))['count']) ==
            int(pin['count']) + 1 else 'it did not')


def open_files(report, work):
    """What is open is read to its end, whatever is pinned meanwhile."""
    with Mount(BATFS, os.path.join(work, 'held')) as at:
        folder = os.path.join(at, 'backup/store')
        name = sorted(n for n in os.listdir(folder) if 'fbat' in n)[0]
        whole = read(folder, name)
        with open(os.path.join(folder, name), 'rb') as file, open(
                os.path.join(at, 'backup/SHA256SUMS'), 'rb') as sums:
            before = read(at, 'backup/SHA256SUMS')
            got = file.read(100)
            with open(os.path.join(at, 'append'), 'a') as line:
                line.write('@entity=c @scope=s 4\n')
            word(at, 'now')
            got += file.read()
            report.case('open: a segment, to its end',
                        None if got == whole else 'other bytes')
            size = os.lseek(sums.fileno(), 0, os.SEEK_END)
            sums.seek(0)
            report.case('open: SHA256SUMS of its own pin', None if
                        sums.read() == before and size == len(before) and
                        before != read(at, 'backup/SHA256SUMS')
                        else 'of another')


def read_only(report, work):
    data = os.path.join(work, 'held')
    with Mount(BATFS, data, 'ro') as at:
        to = os.path.join(work, 'ro')
        with_cp(os.path.join(at, 'backup'), to)
        report.case('ro: a copy', copy_differs(
            to, data, read(at, 'log.jsonl').splitlines(True)))
        why = 'it can be written'
        try:
            word(at, 'now')
        except OSError as error:
            why = None if error.errno == errno.EROFS else str(error)
        report.case('ro: no words', why)
    report.case('batctl: the same files', batctl_differs(data, to))


def batctl_differs(data, folder):
    """Without a mount: the same names and bytes."""
    batctl = os.path.join(os.path.dirname(BATFS), 'batctl')
    names = run(batctl, 'ls', data, 'backup/store').split()
    if names != sorted(os.listdir(os.path.join(folder, 'store'))):
        return str(names)
    for name in ['PIN', 'SHA256SUMS'] + ['store/' + n for n in names]:
        got = subprocess.run([batctl, 'cat', data, 'backup/' + name],
                             check=True, stdout=subprocess.PIPE).stdout
        if got != read(folder, name):
            return name
    return None


def main(argv):
    global BATFS
    BATFS = os.path.realpath(argv[1])
    seconds = float(argv[2]) if len(argv) > 2 else 4.0
    report = Report()
    work = tempfile.mkdtemp(prefix='batfs-backup-')
    try:
        copies = storm(report, work, seconds)
        synced(report, work)
        held(report, work)
        open_files(report, work)
        read_only(report, work)
        interop = interop_program()
        if interop:
            compacted(report, work, interop)
        for way, to in copies[-len(WAYS):]:
            if interop:
                run(interop, 'check', os.path.join(to, 'store'),
                    '--strict-ext')
                report.case('batpak opens a copy %s' % way)
            report.case('batfs appends to a copy %s' % way, appends(to))
        if not interop:
            report.skip('batpak opens copies', 'its program is not built')
    except (AssertionError, MountFailed, OSError) as error:
        report.case('backup', repr(error))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return report.status()


if __name__ == '__main__':
    sys.exit(main(sys.argv))
