#!/usr/bin/env python3
"""Reads that wait: .ctl/follow and .ctl/verify of a live mount.

    follow.py BATFS

Followers get each line once, in order and soon, whoever appends it; they hold
no thread of the daemon, hear signals, can be polled, and end with the mount.
A verification says what it proved, and its reader fails when something broke.
"""
# Runs under the thread sanitizer too.
import errno
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from mounted import Mount, MountFailed, Report          # noqa: E402
from view import read                                   # noqa: E402

GOLDEN = os.path.join(HERE, '..', 'data', 'golden')
PATIENCE = 60       # seconds until something that should come counts as lost


def append(at, entity, *lines):
    with open(os.path.join(at, 'scopes/follow', entity), 'ab',
              buffering=0) as file:
        for line in lines:
            file.write(line.encode() + b'\n')


def read_lines(fd, count):
    """So many whole lines; a thread of its own may be reading."""
    out = b''
    while out.count(b'\n') < count:
        piece = os.read(fd, 1 << 16)
        if not piece:
            raise EOFError('%d lines' % out.count(b'\n'))
        out += piece
    return out


class Reader(threading.Thread):
    def __init__(self, path, count):
        super().__init__(daemon=True)
        self.fd = os.open(path, os.O_RDONLY)
        self.count, self.out = count, None

    def run(self):
        try:
            self.out = read_lines(self.fd, self.count)
        except (OSError, EOFError) as why:
            self.out = why

    def result(self):
        self.join(PATIENCE)
        out = 'nothing came' if self.is_alive() else self.out
        if not self.is_alive():
            os.close(self.fd)
        return out


def ctl(at, name):
    return os.path.join(at, '.ctl', name)


# Followers.

def lines_come(at):
    reader = Reader(ctl(at, 'follow'), 3)
    reader.start()
    append(at, 'one', '{"n":1}', '{"n":2}')
    append(at, 'two', '{"n":3}')
    wanted = b''.join(read(at, 'log.jsonl').splitlines(True)[-3:])
    got = reader.result()
    return None if got == wanted else 'got %r' % (got,)


def from_a_sequence(at):
    log = read(at, 'log.jsonl')
    reader = Reader(ctl(at, 'follow,from=0'), log.count(b'\n') + 1)
    reader.start()
    time.sleep(0.2)
    append(at, 'one', '"more"')
    got = reader.result()
    if got != read(at, 'log.jsonl'):
        return 'got %r' % (got,)
    return None


def of_an_entity(at):
    mine = read(at, 'entities/one').count(b'\n')
    reader = Reader(ctl(at, 'follow,from=0,entity=one'), mine + 1)
    reader.start()
    append(at, 'two', '"not this"')
    append(at, 'one', '"this"')
    got = reader.result()
    return None if got == read(at, 'entities/one') else 'got %r' % (got,)


def small_reads(at):
    fd = os.open(ctl(at, 'follow,from=0'), os.O_RDONLY)
    wanted, got = read(at, 'log.jsonl'), b''
    while len(got) < len(wanted):
        got += os.read(fd, 7)
    os.close(fd)
    return None if got == wanted else 'pieces differ'


def no_thread_is_held(at):
    """More readers wait than the daemon has threads, and all is well."""
    readers = [Reader(ctl(at, 'follow'), 1) for _ in range(40)]
    for reader in readers:
        reader.start()
    time.sleep(0.5)
    start = time.monotonic()
    for _ in range(5):
        read(at, 'log.jsonl')
        os.listdir(os.path.join(at, 'entities'))
    took = time.monotonic() - start
    append(at, 'one', '"for all"')
    for reader in readers:
        got = reader.result()
        if not isinstance(got, bytes) or b'"for all"' not in got:
            return 'one got %r' % (got,)
    if took > PATIENCE / 2:
        return 'the others waited %.1f s' % took
    return None


def signals_are_heard(at):
    start = time.monotonic()
    for name in ('follow', 'follow,entity=nobody:ever'):
        cat = subprocess.Popen(['cat', ctl(at, name)],
                               stdout=subprocess.PIPE)
        time.sleep(0.5)
        if cat.poll() is not None:
            return 'cat ended by itself with %s' % cat.returncode
        cat.send_signal(signal.SIGINT)
        if cat.wait(PATIENCE) != -signal.SIGINT:
            return 'cat ended with %s' % cat.returncode
        cat.stdout.close()
    took = time.monotonic() - start
    return None if took < PATIENCE / 2 else 'it took %.1f s' % took


def polling(at):
    fd = os.open(ctl(at, 'follow'), os.O_RDONLY | os.O_NONBLOCK)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        for _ in range(5):
            if poll.poll(50):
                return 'ready, and nothing is there'
        try:
            return 'read %r' % os.read(fd, 100)
        except OSError as why:
            if why.errno != errno.EAGAIN:
                return str(why)
        append(at, 'one', '"polled"')
        if not poll.poll(PATIENCE * 1000):
            return 'nobody was told'
        if b'"polled"' not in os.read(fd, 1 << 16):
            return 'another line'
        if poll.poll(50):
            return 'still ready'
        # and again, told from the middle of a wait
        timer = threading.Timer(0.3, append, (at, 'one', '"again"'))
        timer.start()
        ready = poll.poll(PATIENCE * 1000)
        timer.join()
        if not ready or b'"again"' not in os.read(fd, 1 << 16):
            return 'nobody was told again'
    finally:
        os.close(fd)
    with open(os.path.join(at, 'log.jsonl'), 'rb') as file:
        poll = select.poll()
        poll.register(file.fileno(), select.POLLIN)
        if not poll.poll(0):
            return 'a plain file is not ready'
    return None


def a_storm(at):
    """Four writers, three followers: all lines, once each, in order."""
    readers = [Reader(ctl(at, 'follow'), 400) for _ in range(3)]
    for reader in readers:
        reader.start()

    def write(name):
        for i in range(100):
            append(at, name, '{"i":%d}' % i)
    before = read(at, 'log.jsonl').count(b'\n')
    writers = [threading.Thread(target=write, args=('storm:%d' % i,))
               for i in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    wanted = b''.join(read(at, 'log.jsonl').splitlines(True)[before:])
    for reader in readers:
        got = reader.result()
        if got != wanted:
            return 'a follower got %s' % (
                got if isinstance(got, str) else len(got))
    return None


def tail_sees_it(at):
    """GNU tail, which looks once a second."""
    tail = subprocess.Popen(['tail', '-n0', '-f', '-s', '0.1',
                             os.path.join(at, 'entities/one')],
                            stdout=subprocess.PIPE)
    time.sleep(0.7)
    append(at, 'one', '"for tail"')
    ready, _, _ = select.select([tail.stdout], [], [], PATIENCE)
    line = tail.stdout.readline() if ready else b''
    tail.terminate()
    tail.wait()
    tail.stdout.close()
    return None if b'"for tail"' in line else 'tail showed %r' % line


def names(at):
    listed = os.listdir(os.path.join(at, '.ctl'))
    if {'follow', 'verify', 'append', 'try'} & set(listed):
        return 'what waits is listed: %s' % listed
    for name in ('follow,from=x', 'follow,from=1,from=2', 'follow,x=1',
                 'verify,from=1', 'followed', 'verify,entity='):
        if os.path.lexists(ctl(at, name)):
            return name
    for flags in (os.O_WRONLY, os.O_RDWR | os.O_APPEND):
        try:
            os.close(os.open(ctl(at, 'follow'), flags))
            return 'it can be written'
        except OSError as why:
            if why.errno != errno.EROFS:
                return str(why)
    return None


# Verifications.

def verify(path):
    done = subprocess.run(['cat', path], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True,
                          timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr


def proofs(at):
    for name in ('verify', 'verify,entity=one'):
        if os.stat(ctl(at, name)).st_size:
            return 'stat(2) of %s reads a store' % name
        status, out, err = verify(ctl(at, name))
        if status or not out.startswith('ok ') or 'crc only\n' not in out:
            return '%s: %s: %s%s' % (name, status, out, err)
    count = len([1 for line in read(at, 'entities/one').splitlines()])
    if not out.startswith('ok %d payloads, 1 chains' % count):
        return out
    status, _, err = verify(ctl(at, 'verify,entity=no:body'))
    return None if status and 'No such file' in err else 'no:body: %s' % err


def proofs_beside_a_writer(at):
    stop = threading.Event()

    def write():
        while not stop.is_set():
            append(at, 'busy', *['{"x":"%s"}' % ('y' * 200)] * 5)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            status, out, err = verify(ctl(at, 'verify'))
            if status or not out.startswith('ok '):
                return '%s: %s%s' % (status, out, err)
    finally:
        stop.set()
        writer.join()
    return None


def broken(batfs, report):
    """A byte that changed on the disk."""
    with tempfile.TemporaryDirectory(prefix='batfs-follow-') as work:
        data = os.path.join(work, 'data')
        shutil.copytree(os.path.join(GOLDEN, 'quickstart', 'store'), data)
        segment = os.path.join(data, '000001.fbat')
        with open(segment, 'r+b') as file:
            file.seek(os.path.getsize(segment) // 3)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 0x40]))
        with Mount(batfs, data, 'ro') as at:
            status, out, err = verify(ctl(at, 'verify'))
            why = None
            if not status or not out.startswith('broken: ') or \
                    'Bad message' not in err:
                why = '%s: %s%s' % (status, out, err)
            report.case('what is broken fails its reader', why)
            hit = [json.loads(line)['entity']
                   for line in read(at, 'log.jsonl').splitlines()
                   if b'"damaged"' in line and b'"entity"' in line]
            for name in hit[:1]:
                status, out, err = verify(ctl(at, 'verify,entity=' + name))
                report.case('so does its entity', None if status and
                            out.startswith('broken: ') else out + err)


def the_end(batfs, data, report):
    """Followers do not outlive the mount, nor keep it."""
    mount = Mount(batfs, data)
    at = mount.start()
    readers = [Reader(ctl(at, 'follow'), 1) for _ in range(3)]
    for reader in readers:
        reader.start()
    time.sleep(0.5)
    mount.process.send_signal(signal.SIGTERM)
    status = mount.process.wait(PATIENCE)
    why = None if status == 0 else 'the daemon ended with %s' % status
    for reader in readers:
        got = reader.result()
        if not isinstance(got, (EOFError, OSError)):
            why = 'a follower got %r' % (got,)
    mount.words()
    mount.clean()
    report.case('followers end with the mount', why)


CHECKS = (lines_come, from_a_sequence, of_an_entity, small_reads,
          no_thread_is_held, signals_are_heard, polling, a_storm,
          tail_sees_it, names, proofs, proofs_beside_a_writer)


def main():
    batfs = os.path.abspath(sys.argv[1])
    report = Report()
    # A shell that starts a job in the background has it ignore SIGINT, and what
    # the job starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix='batfs-follow-') as data:
        try:
            with Mount(batfs, data) as at:
                os.mkdir(os.path.join(at, 'scopes/follow'))
                append(at, 'one', '0')      # and the OPEN event before it
                for check in CHECKS:
                    report.case(check.__name__.replace('_', ' '), check(at))
            the_end(batfs, data, report)
            broken(batfs, report)
        except (MountFailed, OSError, subprocess.TimeoutExpired) as why:
            report.case('all of it', str(why))
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
