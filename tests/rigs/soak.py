#!/usr/bin/env python3
"""A long life: writers, readers and faults over one mount, and what it costs.

    soak.py BATFS [--seconds N] [--seed N] [--every SECONDS]

Writers append, readers read streams and single events and list, all the time.
Every so often the daemon is killed and mounted again, or unmounted in order, by
turns. A sample of its resident memory, its descriptors and the time of an
append is taken each second; at the end a straight line is laid through the
samples of each life (memory against events: the index grows with them) and
through all of them (the time of an append against the hours).

At the end every acknowledged line is there, once. `ok - ...` or `not ok - ...`.
"""
import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

WRITERS, READERS, ENTITIES = 3, 2, 40


class Life:
    def __init__(self, batfs, folder):
        self.batfs, self.store = batfs, os.path.join(folder, 'store')
        self.mnt = os.path.join(folder, 'mnt')
        os.mkdir(self.mnt)
        self.daemon, self.stop, self.up = None, False, threading.Event()
        self.acked, self.lock = [], threading.Lock()
        self.refused = self.reads = self.kills = self.lives = 0
        self.wrong = []

    def begin(self):
        self.daemon = subprocess.Popen(
            [self.batfs, '-f', '-o', 'scope=soak', self.store, self.mnt],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3000):
            if os.path.ismount(self.mnt):
                break
            if self.daemon.poll() is not None:
                raise RuntimeError('batfs ended with %s' % self.daemon.returncode)
            time.sleep(0.01)
        self.lives += 1
        self.up.set()

    def end(self, kill):
        self.up.clear()
        if kill:
            self.kills += 1
            self.daemon.kill()
        else:
            self.daemon.send_signal(signal.SIGTERM)
        status = self.daemon.wait(120)
        if not kill and status != 0:
            self.wrong.append('an orderly end with status %d' % status)
        subprocess.run(['fusermount3', '-uzq', self.mnt], check=False,
                       stderr=subprocess.DEVNULL)

    # ---- who uses it --------------------------------------------------

    def write(self, name, seed):
        choice, number = random.Random(seed), 0
        while not self.stop:
            self.up.wait(1)
            number += 1
            path = '%s/entities/e%d' % (self.mnt, choice.randrange(ENTITIES))
            token = '%s-%d' % (name, number)
            try:
                fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
                try:
                    os.write(fd, b'{"token":"%s"}\n' % token.encode())
                    with self.lock:
                        self.acked.append(token)
                finally:
                    os.close(fd)
            except OSError:
                self.refused += 1
                time.sleep(0.05)
            time.sleep(0.002)

    def read(self, seed):
        choice = random.Random(seed)
        while not self.stop:
            self.up.wait(1)
            try:
                what = choice.randrange(3)
                if what == 0:
                    os.listdir(self.mnt + '/entities')
                elif what == 1:
                    with open('%s/entities/e%d' % (
                            self.mnt, choice.randrange(ENTITIES)), 'rb') as file:
                        file.seek(max(0, os.fstat(file.fileno()).st_size - 65536))
                        if not file.read(1 << 20).endswith(b'\n'):
                            self.wrong.append('half a line')
                else:
                    with open(self.mnt + '/events/last/event.json', 'rb') as file:
                        file.read()
                self.reads += 1
            except OSError:
                time.sleep(0.02)
            time.sleep(0.01)

    # ---- what it costs ------------------------------------------------

    def sample(self):
        """Resident KiB, descriptors, seconds of one append."""
        pid = self.daemon.pid
        with open('/proc/%d/statm' % pid) as file:
            resident = int(file.read().split()[1]) * 4
        descriptors = len(os.listdir('/proc/%d/fd' % pid))
        start = time.monotonic()
        with open(self.mnt + '/entities/probe', 'a') as file:
            file.write('{"token":"probe-%r"}\n' % start)
        with self.lock:
            self.acked.append('probe-%r' % start)
        return resident, descriptors, time.monotonic() - start


def slope(points):
    """Of the straight line through (x, y), or 0."""
    if len(points) < 3 or len({x for x, _ in points}) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*points)).slope


def verify(life, folder):
    life.begin()
    counts = {}
    with open(life.mnt + '/log.jsonl', 'rb') as file:
        for line in file:
            at = line.find(b'"token":"')
            if at >= 0:
                token = line[at + 9:line.index(b'"', at + 9)].decode()
                counts[token] = counts.get(token, 0) + 1
    life.end(False)
    lost = [token for token in life.acked if counts.get(token, 0) != 1]
    if lost:
        life.wrong.append('%d acknowledged lines are not there once, as %s' % (
            len(lost), lost[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('batfs')
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--every', type=float, default=20,
                        help='seconds between two ends of the daemon')
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix='batfs-soak-')
    life = Life(os.path.realpath(args.batfs), folder)
    lives, latencies = [], []
    start = time.monotonic()
    threads = [threading.Thread(target=life.write, args=('w%d' % i, args.seed + i))
               for i in range(WRITERS)]
    threads += [threading.Thread(target=life.read, args=(args.seed + 100 + i,))
                for i in range(READERS)]
    try:
        life.begin()
        for thread in threads:
            thread.start()
        while time.monotonic() - start < args.seconds:
            samples, until = [], time.monotonic() + args.every
            while time.monotonic() < min(until, start + args.seconds):
                resident, descriptors, took = life.sample()
                samples.append((len(life.acked), resident, descriptors))
                latencies.append((time.monotonic() - start, took))
                time.sleep(1)
            lives.append(samples)
            life.end(life.lives % 2 == 1)
            if time.monotonic() - start < args.seconds:
                life.begin()
        life.stop = True
        life.up.set()
        for thread in threads:
            thread.join()
        verify(life, folder)
    finally:
        life.stop = True
        if life.daemon is not None and life.daemon.poll() is None:
            life.daemon.kill()
            life.daemon.wait()
        subprocess.run(['fusermount3', '-uzq', life.mnt], check=False,
                       stderr=subprocess.DEVNULL)
        subprocess.run(['rm', '-rf', folder], check=False)
    memory = [slope([(x, y) for x, y, _ in s]) * 1024 for s in lives if len(s) > 4]
    descriptors = [slope([(x, y) for x, (_, _, y) in enumerate(s)])
                   for s in lives if len(s) > 4]
    took = [y for _, y in latencies]
    print('# %.2f hours, %d lives, %d killed, %d lines acknowledged, %d refused '
          'while it was gone, %d reads' % (
              (time.monotonic() - start) / 3600, life.lives, life.kills,
              len(life.acked), life.refused, life.reads))
    print('# resident bytes per line %.0f; descriptors per second %.3f; append '
          '%.2f ms (median), %+.3f ms per hour' % (
              statistics.median(memory or [0]),
              statistics.median(descriptors or [0]),
              statistics.median(took or [0]) * 1000,
              slope(latencies) * 3600 * 1000))
    if life.wrong:
        print('not ok - soak: %s' % '; '.join(life.wrong[:5]))
        return 1
    print('ok - soak: every acknowledged line is there once')
    return 0


if __name__ == '__main__':
    sys.exit(main())
