"""batfs, mounted on a store whose disk is about to give out."""
import errno
import os
import shutil
import subprocess
import sys
import time

from loop_disk import is_mounted

STORM = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), 'support', 'storm.py')
FULL, GONE = 75, 76


class BatfsError(Exception):
    """batfs does not do what it should."""


class LiveMount:
    def __init__(self, batfs, store, work):
        self.batfs, self.store = batfs, store
        self.mnt = os.path.join(work, 'live')
        self.acked = os.path.join(work, 'acked')
        self.said = os.path.join(work, 'said')
        self.daemon = None
        self.written = 0
        os.makedirs(self.mnt, exist_ok=True)
        open(self.acked, 'w').close()

    def start(self):
        with open(self.said, 'w') as said:
            self.daemon = subprocess.Popen(
                [self.batfs, '-f', self.store, self.mnt], stdout=said,
                stderr=said, start_new_session=True)
        for _ in range(1500):
            if is_mounted(self.mnt):
                os.makedirs(self.mnt + '/scopes/storm', exist_ok=True)
                return
            if self.daemon.poll() is not None:
                break
            time.sleep(0.01)
        raise BatfsError('batfs did not start: ' + self.says())

    def says(self):
        with open(self.said) as file:
            return file.read()[-600:]

    def stop(self):
        """Unmount; batfs may say that it could not close well, but must not
        die of it or hang.  None, or what is not so."""
        if self.daemon is None:
            return None
        for _ in range(200):
            if subprocess.run(['fusermount3', '-u', self.mnt],
                              stderr=subprocess.DEVNULL,
                              check=False).returncode == 0:
                break
            if self.daemon.poll() is not None or not is_mounted(self.mnt):
                break
            time.sleep(0.05)
        try:
            self.daemon.wait(20)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        if is_mounted(self.mnt):
            subprocess.run(['fusermount3', '-uz', self.mnt], check=False)
        status, self.daemon = self.daemon.returncode, None
        return 'batfs ended by signal %d' % -status if status < 0 else None

    # ---- writing -------------------------------------------------------

    def storm(self, most):
        """A writer of records; its own file and name each time."""
        self.written += 1
        name = 'w%d' % self.written
        return subprocess.Popen(
            [sys.executable, STORM, 'write',
             '%s/scopes/storm/%s' % (self.mnt, name), name, self.acked,
             str(most)], stderr=subprocess.PIPE, text=True)

    def write_some(self, count):
        writer = self.storm(count)
        if writer.wait(60) != 0:
            raise BatfsError('it does not write: ' + writer.stderr.read())

    def writer(self):
        return self.storm(1000000)

    # ---- looking -------------------------------------------------------

    def gone_wrong(self, writer):
        """The disk has given out: the writer is told, nothing more is taken,
        batfs stays up, and while the file system below reads what was
        acknowledged, so does batfs.  None, or what is not so."""
        try:
            status = writer.wait(30)
        except subprocess.TimeoutExpired:
            writer.kill()
            writer.wait()
            return 'the writer was never told'
        if status != GONE:
            return 'the writer ended with %d: %s; %s' % (
                status, writer.stderr.read()[-300:], self.state())
        for _ in range(3):
            code = self.try_write()
            if code != errno.EIO:
                return 'a later write: %s' % (
                    'acknowledged' if code is None else os.strerror(code))
        if self.daemon.poll() is not None:
            return 'batfs ended: ' + self.says()
        names = os.listdir(self.mnt)
        if 'scopes' not in names:
            return 'the root shows %s' % names
        with open(self.mnt + '/.ctl/status') as file:
            if 'writer appending' in file.read():
                return '.ctl/status says that all is well'
        return self.all_there() if self.disk_reads() else self.reads_or_eio()

    def state(self):
        """What the disk and batfs say of themselves, for a message."""
        try:
            below = os.statvfs(self.store)
            with open(self.mnt + '/.ctl/status') as file:
                reason = [line.strip() for line in file
                          if line.startswith(('writer', 'reason'))]
        except OSError as error:
            return str(error)
        return '%d of %d blocks free; %s' % (
            below.f_bfree, below.f_blocks, ', '.join(reason))

    def disk_reads(self):
        """A file system that has shut down answers EIO, cached or not."""
        try:
            for name in os.listdir(self.store):
                if name.endswith('.fbat'):
                    with open(os.path.join(self.store, name), 'rb') as file:
                        file.read()
        except OSError:
            return False
        return True

    def try_write(self):
        try:
            with open(self.mnt + '/scopes/storm/late', 'ab', 0) as file:
                file.write(b'{"t":"late.0.0/1"}\n')
        except OSError as error:
            return error.errno
        return None

    def reads_or_eio(self):
        """What is not in memory is EIO, and no half answer."""
        try:
            with open(self.mnt + '/log.jsonl', 'rb') as file:
                file.read()
        except OSError as error:
            if error.errno != errno.EIO:
                return 'reading: ' + os.strerror(error.errno)
        return None

    def remember(self):
        """What is acknowledged by now counts; of the rest nobody knows."""
        shutil.copy(self.acked, self.acked + '.before')

    def forget(self):
        shutil.copy(self.acked + '.before', self.acked)

    def all_there(self):
        done = subprocess.run(
            [sys.executable, STORM, 'verify', self.mnt + '/log.jsonl',
             self.acked], capture_output=True, text=True, timeout=60,
            check=False)
        if done.returncode != 0:
            return (done.stdout + done.stderr)[-600:]
        return None

    def goes_on(self):
        try:
            self.write_some(3)
        except BatfsError as error:
            return str(error)
        return self.all_there()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.stop()
