"""Mounts, and that none is left behind."""
import ctypes
import os
import signal
import subprocess
import time

from race import Failed

PATIENCE = 60.0     # seconds until a start counts as hung


def is_mounted(point):
    with open('/proc/self/mountinfo') as file:
        return any(line.split()[4] == point for line in file)


def unmount(point, *how):
    return subprocess.run(['fusermount3', '-u', *how, point],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)


class Server:
    """`with Server(command, point):` a FUSE server that stays in the
    foreground, from its mount to its end."""

    def __init__(self, command, point, env=None):
        self.command, self.point = [str(word) for word in command], point
        self.env = env
        self.process = None

    def __enter__(self):
        os.makedirs(self.point, exist_ok=True)
        self.log = open(self.point + '.log', 'w+')
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, env=self.env)
        end = time.monotonic() + PATIENCE
        while not is_mounted(self.point):
            if self.process.poll() is not None or time.monotonic() > end:
                self.fail('did not mount')
            time.sleep(0.001)
        return self

    def fail(self, what):
        if self.process.poll() is None:
            self.process.kill()
        status = self.process.wait()
        if is_mounted(self.point):
            unmount(self.point, '-z')
        self.log.seek(0)
        said = self.log.read().strip()[-300:]
        self.log.close()
        raise Failed('%s: %s (status %s) %s' % (
            os.path.basename(self.command[0]), what, status, said))

    def stop(self):
        """Seconds from the wish to the end of the server."""
        start = time.monotonic()
        done = unmount(self.point)
        for _ in range(100):
            if done.returncode == 0:
                break
            time.sleep(0.02)
            start = time.monotonic()
            done = unmount(self.point)
        if done.returncode != 0:
            self.fail('cannot be unmounted: ' + done.stdout)
        status = self.process.wait()
        took = time.monotonic() - start
        if status not in (0, None):
            self.fail('ended badly')
        self.log.close()
        self.process = None
        return took

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait()
        if is_mounted(self.point):
            unmount(self.point, '-z')
        self.log.close()
        self.process = None

    def requests(self):
        """How many the kernel sent so far, by kind; of a mount of ours."""
        counts = {}
        with open(os.path.join(self.point, '.ctl', 'stats')) as file:
            for line in file:
                name, value = line.split()
                if name.startswith('request_'):
                    counts[name[len('request_'):]] = int(value)
        return counts

    def anonymous(self):
        """Its own memory, in bytes."""
        with open('/proc/%d/smaps_rollup' % self.process.pid) as file:
            for line in file:
                if line.startswith('Anonymous:'):
                    return int(line.split()[1]) * 1024
        raise Failed('no Anonymous: in smaps_rollup')

    def __exit__(self, kind, error, _):
        if self.process is None:
            return
        if kind is None:
            self.stop()
            return
        if unmount(self.point).returncode != 0:
            unmount(self.point, '-z')
            self.process.kill()
        self.process.wait()
        self.log.close()


# ---- whatever happens ------------------------------------------------------

PR_SET_CHILD_SUBREAPER = 36


def adopt_daemons():
    """What a killed program leaves running becomes our child."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children():
    with open('/proc/self/task/%d/children' % os.getpid()) as file:
        return [int(pid) for pid in file.read().split()]


def end_all(folder):
    """Takes down what is mounted below the folder, also what is only about to
    be, and waits for all processes that were started."""
    end = time.monotonic() + PATIENCE
    while True:
        with open('/proc/self/mountinfo') as file:
            found = [line.split()[4] for line in file]
        for point in reversed(found):
            if (point.startswith(folder + '/') and
                    unmount(point).returncode != 0):
                unmount(point, '-z')
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        if time.monotonic() > end:
            for pid in children():
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
