#!/usr/bin/env python3
"""Compaction of a live mount: `echo now > .ctl/compact`.

    compact.py BATFS [ROUNDS [KILLS]]

Writers append all the while, a reader has files open, a read-only mount
follows the directory, and a backup is copied: whatever is read stays what it
was, every acknowledged line is there once, and what is left verifies.  Killed
in the middle, and again and again, nothing is lost; and an unmount does not
wait for a compaction.
"""
# Limit: 240 s
# Runs under the thread sanitizer too.
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
from mounted import Mount, MountFailed, Report          # noqa: E402
from view import read                                   # noqa: E402
from wrong_index import interop_program                 # noqa: E402

STORM = os.path.join(HERE, '..', 'support', 'storm.py')
WRITERS, RECORDS = 4, 120
PATIENCE = 60


class Wrong(Exception):
    """Something that does not hold."""


def segments(store):
    return sorted(n for n in os.listdir(store) if n.endswith('.fbat'))


def command(at, word='now'):
    """0 or the errno of the write."""
    fd = os.open(os.path.join(at, '.ctl/compact'), os.O_WRONLY)
    try:
        os.write(fd, word.encode() + b'\n')
        return 0
    except OSError as error:
        return error.errno
    finally:
        os.close(fd)


def said(at):
    return dict(line.split(' ', 1) for line in
                read(at, '.ctl/compact').decode().splitlines())


def append(at, entity, *texts):
    folder = os.path.join(at, 'scopes/compact')
    os.makedirs(folder, exist_ok=True)
    fd = os.open(os.path.join(folder, entity),
                 os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for text in texts:
        os.write(fd, json.dumps(text).encode() + b'\n')
    os.close(fd)


def make_sessions(batfs, store, sessions, lines=20):
    os.makedirs(store, exist_ok=True)
    for i in range(sessions):
        with Mount(batfs, store) as at:
            append(at, 'player:%d' % (i % 3),
                   *({'session': i, 'line': j} for j in range(lines)))


def verify(batfs, store):
    batctl = os.path.join(os.path.dirname(batfs), 'batctl')
    done = subprocess.run([batctl, 'verify', store], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Wrong('verify: %s' % done.stdout[:400])


def batpak_opens(store):
    program = interop_program()
    if not program:
        return
    done = subprocess.run([program, 'check', store], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Wrong('batpak finds: %s' % done.stdout[:600])


# The cases.

def nothing_that_is_shown_changes(batfs, store):
    make_sessions(batfs, store, 5)
    with Mount(batfs, store) as at:
        append(at, 'player:0', 'and this session')
        generation = read(at, '.ctl/version')
        log = read(at, 'log.jsonl')
        paths = ['log.jsonl', 'log/tail.jsonl', 'entities/player:0',
                 'scopes/compact/player:1', 'by/entities.tsv',
                 'events/%d/event.json' % json.loads(
                     log.splitlines()[30])['seq'],
                 'at/20/entities/player:0']
        before = {p: (read(at, p), os.stat(os.path.join(at, p)).st_ino)
                  for p in paths}
        files = [open(os.path.join(at, p), 'rb', buffering=0) for p in paths]
        halves = [f.read(len(before[p][0]) // 2)
                  for f, p in zip(files, paths)]
        if int(said(at)['mergeable_segments']) != 6:
            raise Wrong('to be merged: %s' % said(at))
        code = command(at)
        if code or said(at)['last'] != 'ok':
            raise Wrong('%d, %s' % (code, said(at)))
        if int(said(at)['merged_segments']) != 6 or len(segments(store)) != 1:
            raise Wrong('%s, %s' % (said(at), segments(store)))
        for f, p, half in zip(files, paths, halves):
            if half + f.read(1 << 24) != before[p][0]:
                raise Wrong('%s reads differently, opened before' % p)
            f.close()
        for p in paths:
            if (read(at, p), os.stat(os.path.join(at, p)).st_ino) != before[p]:
                raise Wrong('%s is another file now' % p)
        if read(at, '.ctl/version') != generation:
            raise Wrong('the generation moved')
        append(at, 'player:0', 'and after it')
        if not read(at, 'log.jsonl').startswith(log):
            raise Wrong('what was appended then')
    with Mount(batfs, store, 'ro') as at:
        if not read(at, 'log.jsonl').startswith(log):
            raise Wrong('after a remount')
    verify(batfs, store)
    batpak_opens(store)


def other_words_and_other_mounts(batfs, store):
    make_sessions(batfs, store, 2, 2)
    with Mount(batfs, store) as at:
        if command(at, 'later') != errno.EINVAL or 'now' not in said(at)[
                'last']:
            raise Wrong('another word: %s' % said(at))
        if command(at) or command(at):
            raise Wrong('with nothing to merge: %s' % said(at))
    with Mount(batfs, store, 'ro') as at:
        try:
            code = command(at)
        except OSError as error:
            code = error.errno
        if code != errno.EROFS:
            raise Wrong('-o ro: %s' % errno.errorcode.get(code, code))


class Follower(threading.Thread):
    """Each read of a follower's log goes on from the one before."""

    def __init__(self, at):
        super().__init__()
        self.at, self.over, self.reads, self.why = at, False, 0, None
        self.last = b''

    def run(self):
        try:
            while not self.over and not self.why:
                log = read(self.at, 'log.jsonl')
                if not log.startswith(self.last):
                    self.why = 'a follower\'s log does not go on'
                self.last, self.reads = log, self.reads + 1
                time.sleep(0.01)
        except OSError as error:
            self.why = 'a follower reads: %s' % error


class Backups(threading.Thread):
    """backup/ again and again: what SHA256SUMS says is there."""

    def __init__(self, at):
        super().__init__()
        self.at, self.over, self.copies, self.why = at, False, 0, None

    def run(self):
        while not self.over and not self.why:
            with open(os.path.join(self.at, '.ctl/pin'), 'w') as file:
                file.write('now\n')
            done = subprocess.run(
                ['sha256sum', '--quiet', '-c', 'SHA256SUMS'],
                cwd=os.path.join(self.at, 'backup'), text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                self.why = 'a backup: %s' % done.stdout[:300]
            self.copies += 1


def storm(batfs, store, rounds):
    acked = os.path.join(os.path.dirname(store), 'acked')
    make_sessions(batfs, store, 4)
    segment = 'segment=%d' % (1 << 20)
    with Mount(batfs, store, segment) as at, Mount(batfs, store,
                                                   'ro') as beside:
        os.makedirs(os.path.join(at, 'scopes/storm'), exist_ok=True)
        crowd = subprocess.Popen(
            [sys.executable, STORM, 'crowd', str(WRITERS),
             os.path.join(at, 'scopes/storm'), 'w', acked, str(RECORDS)])
        watchers = [Follower(beside), Backups(at)]
        for watcher in watchers:
            watcher.start()
        done = 0
        while done < rounds or crowd.poll() is None:
            code = command(at)
            if code:
                raise Wrong('compact: %s, %s' % (errno.errorcode[code],
                                                 said(at)))
            done += 1
            time.sleep(0.05)
        if crowd.wait():
            raise Wrong('the writers ended with %d' % crowd.returncode)
        for watcher in watchers:
            watcher.over = True
            watcher.join()
            if watcher.why:
                raise Wrong(watcher.why)
        log = read(at, 'log.jsonl')
        end = time.monotonic() + PATIENCE
        while read(beside, 'log.jsonl') != log:
            if time.monotonic() > end:
                raise Wrong('the follower is behind')
            time.sleep(0.05)
        check_acked(at, acked)
        print('# %d compactions, %d reads of a follower, %d backups' % (
            done, watchers[0].reads, watchers[1].copies))
    verify(batfs, store)
    batpak_opens(store)


def check_acked(at, acked):
    """Of the writers' lines alone."""
    lines = acked + '.log'
    with open(lines, 'wb') as file:
        file.writelines(
            line for line in read(at, 'log.jsonl').splitlines(True)
            if json.loads(line)['scope'] == 'storm')
    done = subprocess.run(
        [sys.executable, STORM, 'verify', lines, acked], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Wrong('what was acknowledged: %s' % done.stdout[-400:])


def kills(batfs, store, count):
    """A SIGKILL while one runs, a little later each time."""
    acked = os.path.join(os.path.dirname(store), 'acked')
    make_sessions(batfs, store, 3)
    for i in range(count):
        mount = Mount(batfs, store)
        at = mount.start()
        os.makedirs(os.path.join(at, 'scopes/storm'), exist_ok=True)
        crowd = subprocess.Popen(
            [sys.executable, STORM, 'crowd', '2',
             os.path.join(at, 'scopes/storm'), 'k%d' % i, acked, '15'])
        worker = threading.Thread(target=lambda: quiet_command(at))
        worker.start()
        worker.join(0.02 * i)
        mount.kill()
        worker.join()
        crowd.wait()
        with Mount(batfs, store) as at:
            append(at, 'player:0', 'after kill %d' % i)
            check_acked(at, acked)
        if [n for n in os.listdir(store)
                if n in ('.tmp.compaction', 'compaction.pending.json')]:
            raise Wrong('not swept: %s' % os.listdir(store))
    verify(batfs, store)
    batpak_opens(store)


def quiet_command(at):
    try:
        command(at)
    except OSError:
        pass        # the mount is gone


def unmount(batfs, store):
    make_sessions(batfs, store, 3, 200)
    mount = Mount(batfs, store)
    at = mount.start()
    worker = threading.Thread(target=lambda: quiet_command(at))
    worker.start()
    time.sleep(0.005)
    status = mount.end()
    worker.join()
    if status:
        raise Wrong('batfs ended with %s: %s' % (status, mount.said))
    with Mount(batfs, store) as at:
        append(at, 'player:0', 'after it')
    if '.tmp.compaction' in os.listdir(store):
        raise Wrong('half a segment is left')
    verify(batfs, store)


def main():
    report = Report()
    batfs = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    many = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    cases = [
        ('nothing that is shown changes by a compaction',
         nothing_that_is_shown_changes),
        ('other words, and other mounts, do not compact',
         other_words_and_other_mounts),
        ('a storm, a follower and backups beside compactions',
         lambda batfs, store: storm(batfs, store, rounds)),
        ('kills in compactions lose nothing',
         lambda batfs, store: kills(batfs, store, many)),
        ('an unmount does not wait for a compaction', unmount),
    ]
    for name, case in cases:
        folder = tempfile.mkdtemp(prefix='batfs-compact-')
        why = None
        try:
            case(batfs, os.path.join(folder, 'store'))
        except (Wrong, MountFailed, OSError) as error:
            why = str(error)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        report.case(name, why)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
