"""A disk for the rigs: block_disk under a loop device, and what is mounted of
it.  Whatever happens, close() leaves no mount, device or process behind.
"""
import ctypes
import errno
import fcntl
import os
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
BLKFLSBUF = 0x1261
SHUTDOWN = 0x8004587d  # _IOR('X', 125, __u32), ext4 and xfs
NO_LOG_FLUSH = 2

# name: how it is made, its size in MiB, type, mount options
FILE_SYSTEMS = {
    'ext4': ('mkfs.ext4 -q -F -b 4096 -J size=4 -E nodiscard,'
             'lazy_itable_init=0', 32, 'ext4', ''),
    'ext4-1k': ('mkfs.ext4 -q -F -b 1024 -J size=4 -E nodiscard,'
                'lazy_itable_init=0', 32, 'ext4', ''),
    'ext4-nodelalloc': ('mkfs.ext4 -q -F -b 4096 -J size=4 -E nodiscard,'
                        'lazy_itable_init=0', 32, 'ext4', 'nodelalloc'),
    'ext4-journal': ('mkfs.ext4 -q -F -b 4096 -J size=8 -E nodiscard,'
                     'lazy_itable_init=0', 32, 'ext4', 'data=journal'),
    'ext4-writeback': ('mkfs.ext4 -q -F -b 4096 -J size=4 -E nodiscard,'
                       'lazy_itable_init=0', 32, 'ext4', 'data=writeback'),
    'xfs': ('mkfs.xfs -q -f -K', 300, 'xfs', ''),
    'btrfs': ('mkfs.btrfs -q -f -K', 128, 'btrfs', ''),
}


# Reads a line at an orderly end; without one we were killed.
GUARD = 'read -r _ && exit; umount -l "$1"; losetup -d "$2"'


class NotHere(Exception):
    """This machine does not let us: a reason to skip."""


class RigError(Exception):
    """The rig itself failed."""


def make_image(path, name):
    """An empty file system, as a file."""
    command, size = FILE_SYSTEMS[name][:2]
    with open(path, 'wb') as file:
        file.truncate(size << 20)
    try:
        subprocess.run(command.split() + [path], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise NotHere('there is no ' + command.split()[0]) from None
    except subprocess.CalledProcessError as error:
        raise RigError('%s: %s' % (command, error.stderr.decode())) from None


def is_mounted(path):
    """Also when what serves it is dead."""
    with open('/proc/self/mounts') as file:
        return any(line.split()[1] == path for line in file)


class Disk:
    """One image, served, logged and mounted at `self.mnt`."""

    def __init__(self, program, work, image, name):
        self.name = name
        self.type, self.options = FILE_SYSTEMS[name][2:]
        self.served = os.path.join(work, 'disk-' + name)
        self.mnt = os.path.join(work, 'mnt-' + name)
        self.notes_file = os.path.join(self.served, 'notes')
        self.loop = self.process = self.guard = None
        for path in self.served, self.mnt:
            os.makedirs(path, exist_ok=True)
        try:
            self.start(program, image)
        except BaseException:
            self.close()
            raise

    def start(self, program, image):
        # a session of its own: a ^C is ours to answer, in order
        self.process = subprocess.Popen(
            [program, self.served, image], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)
        if self.process.stdout.readline() != 'ok\n':
            raise NotHere('FUSE: ' + self.process.stderr.read().strip())
        try:
            self.loop = subprocess.run(
                ['losetup', '--find', '--show', self.served + '/disk'],
                check=True, capture_output=True, text=True).stdout.strip()
        except FileNotFoundError:
            raise NotHere('there is no losetup') from None
        except subprocess.CalledProcessError as error:
            raise NotHere(error.stderr.strip()) from None
        self.guard = subprocess.Popen(
            ['sh', '-c', GUARD, 'guard', self.mnt, self.loop],
            stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True)
        code = self.mount()
        if code is not None:
            raise NotHere('mount %s: %s' % (self.type, os.strerror(code)))
        self.umount()

    def order(self, text):
        try:
            self.process.stdin.write(text + '\n')
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except OSError:
            answer = ''
        if not answer.startswith('ok'):
            raise RigError('block_disk, %s: %s' % (text, answer or 'gone'))
        return answer[2:].strip()

    def entries(self):
        return self.order('entries')

    def note(self, text):
        with open(self.notes_file, 'wb', 0) as file:
            file.write(text.encode())

    def notes(self):
        """(position, text) of each note."""
        count = int(self.order('notes'))
        lines = [self.process.stdout.readline() for _ in range(count)]
        return [(int(where), text.rstrip('\n')) for where, _, text in
                (line.partition(' ') for line in lines)]

    def cut(self, position, kind, seed):
        """Show that state.  (durable, pending, kept, lost, hash)"""
        told = self.order('cut %d %s %d' % (position, kind, seed)).split()
        # whoever still had the device open kept its page cache alive
        with open(self.loop, 'rb') as device:
            fcntl.ioctl(device, BLKFLSBUF, 0)
        return tuple(map(int, told[:4])) + (told[4],)

    def mount(self):
        """None, or the errno."""
        done = LIBC.mount(self.loop.encode(), self.mnt.encode(),
                          self.type.encode(), 0, self.options.encode())
        return None if done == 0 else ctypes.get_errno()

    def umount(self):
        for _ in range(200):
            if LIBC.umount2(self.mnt.encode(), 0) == 0:
                return
            code = ctypes.get_errno()
            if code != errno.EBUSY:
                raise RigError('umount: ' + os.strerror(code))
            time.sleep(0.02)
        raise RigError('umount: it stays busy')

    def shutdown(self):
        """The file system stops at once, its log unwritten."""
        fd = os.open(self.mnt, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, NO_LOG_FLUSH.to_bytes(4, 'little'))
        finally:
            os.close(fd)

    def close(self):
        while is_mounted(self.mnt):
            if LIBC.umount2(self.mnt.encode(), 0) != 0:
                LIBC.umount2(self.mnt.encode(), 2)  # MNT_DETACH
        if self.loop is not None:
            subprocess.run(['losetup', '-d', self.loop], check=False)
        if self.process is not None:
            self.end_process()
        if is_mounted(self.served):
            LIBC.umount2(self.served.encode(), 2)
        if self.guard is not None:
            self.guard.communicate(b'done\n')
        self.loop = self.process = self.guard = None

    def end_process(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()
