"""Mounting for tests: start, look, end, and leave nothing behind.

Only processes that were started here are ended, by their own handle, and a
mount is taken down also when the test fails in its middle.
"""
import os
import signal
import subprocess
import tempfile
import time

PATIENCE = 30.0     # seconds until a start or an end counts as hung


class MountFailed(Exception):
    """batfs did not start, or did not end well; with what it said."""


class Mount:
    """`with Mount(batfs, data, 'ro') as at:` and `at` is the mountpoint."""

    def __init__(self, batfs, data, options='', background=False, point=None,
                 on_file=False, debug=False):
        self.batfs, self.data, self.options = batfs, data, options
        self.background = background
        self.wanted = point
        self.on_file = on_file
        self.debug = debug      # each request is in words()
        self.process = None
        self.point = None
        self.said = ''

    def start(self):
        if self.wanted:
            os.makedirs(self.wanted, exist_ok=True)
        self.point = self.wanted or tempfile.mkdtemp(prefix='batfs-mnt-')
        if self.on_file:
            os.rmdir(self.point)
            os.close(os.open(self.point, os.O_CREAT | os.O_EXCL, 0o600))
        self.log = tempfile.TemporaryFile('w+')
        command = [self.batfs]
        if not self.background:
            command.append('-d' if self.debug else '-f')
        if self.options:
            command += ['-o', self.options]
        command += [self.data, self.point]
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=self.log,
                stderr=self.log, start_new_session=True)
        except OSError:
            self.clean()
            raise
        end = time.monotonic() + PATIENCE
        while True:
            status = self.process.poll()
            if os.path.ismount(self.point):
                if not self.background or status is not None:
                    return self.point
            elif status is not None or time.monotonic() > end:
                self.failed(status)
            time.sleep(0.002)

    def words(self):
        self.log.seek(0)
        self.said = self.log.read()
        return self.said

    def failed(self, status):
        if status is None:
            self.process.kill()
            self.process.wait()
        said = self.words().strip()
        self.clean()
        raise MountFailed('exit %s: %s' % (status, said))

    def take_down(self):
        """fusermount3 -u, until it works."""
        end = time.monotonic() + PATIENCE
        lazy = []
        while True:
            done = subprocess.run(
                ['fusermount3', '-u', *lazy, self.point],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode == 0 or not os.path.ismount(self.point) and (
                    'not mounted' in done.stdout
                    or 'not found' in done.stdout):
                return
            if time.monotonic() > end:
                if lazy:
                    raise MountFailed('cannot unmount: ' + done.stdout)
                lazy, end = ['-z'], time.monotonic() + PATIENCE
            time.sleep(0.02)

    def end(self):
        """An orderly end. The exit status of the daemon (None in the
        background, where it is nobody's child)."""
        if not self.point:
            return None
        self.take_down()
        status = None
        if not self.background:
            try:
                status = self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                status = 'still there after %d s' % PATIENCE
        self.words()
        self.clean()
        return status

    def kill(self):
        """What a SIGKILL leaves; then the dead mount goes too."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.take_down()
        self.words()
        self.clean()

    def clean(self):
        if self.point:
            self.log.close()
            try:
                (os.unlink if self.on_file else os.rmdir)(self.point)
            except OSError:
                pass
            self.point = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, _):
        status = self.end()
        if status:
            raise MountFailed('%s; batfs ended with %s: %s' % (
                error or 'the end', status, self.said.strip()[-1500:]))


class Report:
    """Lines of `ok - NAME` and `not ok - NAME: why`, and the exit status."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def case(self, name, why=None):
        if why:
            self.failed += 1
            print('not ok - %s: %s' % (name, why), flush=True)
        else:
            self.passed += 1
            print('ok - %s' % name, flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print('skip - %s: %s' % (name, why), flush=True)

    def status(self):
        print('# %d passed, %d failed, %d skipped'
              % (self.passed, self.failed, self.skipped), flush=True)
        return 1 if self.failed else 0
