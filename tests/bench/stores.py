"""The stores that are measured, made once and then only copied.

Segments are never written again, so a copy has hard links of them; but for
those with a sidecar, which believes no file whose ctime moved, and a link
moves it.  (Not of the largest: those are linked before, and never again.)
"""
import hashlib
import os
import shutil
import struct
import time

from race import Failed

FBATI, CKPT, FOOTERS, FRAMES, SIDECAR = (
    'index.fbati', 'index.ckpt', 'footers', 'frames', 'sidecar')
WAYS = [FBATI, CKPT, FOOTERS, FRAMES]

HERE = os.path.dirname(os.path.abspath(__file__))
RECIPE = ('event_maker.c', 'event_maker.h', 'stores.py')
LARGE = 10_000_000  # events; never copied
SETTLED = 2.5       # seconds until a file may have a sidecar
SIDECAR_FILE = '.batfs/cache/index'
SIDECAR_LEAST = 4096    # events; with fewer there is none


def recipe():
    """Another one makes other stores."""
    digest = hashlib.sha256()
    for name in RECIPE:
        with open(os.path.join(HERE, name), 'rb') as file:
            digest.update(file.read())
    return digest.hexdigest()[:12]


def count_text(number):
    for size, name in ((1_000_000, 'M'), (1_000, 'k')):
        if number >= size and number % size == 0:
            return '%d %s' % (number // size, name)
    return str(number)


def describe(events, entities):
    return '%s events, %s entit%s' % (count_text(events), count_text(entities),
                                      'y' if entities == 1 else 'ies')


def segments(path):
    return [os.path.join(path, name) for name in sorted(os.listdir(path))
            if name.endswith('.fbat')]


def footer_start(path):
    """Where the frames end: the footer's last 16 bytes say it."""
    with open(path, 'rb') as file:
        file.seek(-16, os.SEEK_END)
        frames_end, _, magic = struct.unpack('<QI4s', file.read(16))
    assert magic == b'SDX2', path
    return frames_end


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:         # another filesystem
        shutil.copyfile(source, target)


def fill(base, path, take):
    os.mkdir(path)
    for name in os.listdir(base):
        if name.endswith('.fbat') or name.startswith('index.'):
            take(os.path.join(base, name), os.path.join(path, name))


def fill_with_links(base, path):
    fill(base, path, link_or_copy)


def fill_with_copies(base, path):
    fill(base, path, shutil.copyfile)


class Stores:
    def __init__(self, bench, kept, folder):
        """kept: where stores stay; folder: where copies go."""
        self.bench, self.folder, self.copies = bench, folder, 0
        name = 'batfs-stores-' + recipe()
        for other in os.listdir(kept):
            if other.startswith('batfs-stores-') and other != name:
                shutil.rmtree(os.path.join(kept, other))
        self.kept = os.path.join(kept, name)
        os.makedirs(self.kept, exist_ok=True)
        self.ready = set()

    def keep(self, name, make):
        """The folder of that name; make(path) fills it, if it is not there."""
        path = os.path.join(self.kept, name)
        if not os.path.isdir(path):
            half = path + '.half'
            shutil.rmtree(half, ignore_errors=True)
            make(half)
            os.sync()   # nobody waits for it later, in the midst of a figure
            os.rename(half, path)
        return path

    def get(self, events, entities, way):
        """A store that can only be opened in one way."""
        name = '%d-%d-%s' % (events, entities, way)
        if way == SIDECAR:
            return self.with_sidecar(name, events, entities)
        if way == CKPT:
            return self.keep(name, lambda path: self.bench.run_json(
                [self.bench.library_bench, 'make', path, events, entities,
                 'ckpt']))
        base = self.get(events, entities, CKPT)
        return self.keep(name, lambda path: self.reduce(base, path, way))

    def reduce(self, base, path, way):
        os.mkdir(path)
        for source in segments(base):
            target = os.path.join(path, os.path.basename(source))
            if way == FRAMES:
                shutil.copyfile(source, target)
                os.truncate(target, footer_start(source))
            else:
                os.link(source, target)
        if way == FBATI:
            self.bench.run_json([self.bench.library_bench, 'index', path,
                                 'fbati'])

    def with_sidecar(self, name, events, entities):
        """Copied whole, and then mounted until it has one that is believed:
        by this build, which may not be the one that wrote it."""
        base = self.get(events, entities, CKPT)
        if events >= LARGE:     # the last one to link, after index.fbati
            self.get(events, entities, FBATI)
        filled = fill_with_links if events >= LARGE else fill_with_copies
        path = self.keep(name, lambda path: filled(base, path))
        if path not in self.ready:
            if not self.opens_from_sidecar(path):
                self.write_sidecar(path, events < LARGE)
            if not self.opens_from_sidecar(path):
                raise Failed('%s: no sidecar after a mount' % path)
            self.ready.add(path)
        return path

    def opens_from_sidecar(self, path):
        if not os.path.exists(os.path.join(path, SIDECAR_FILE)):
            return False
        got = self.bench.run_json([self.bench.library_bench, 'open', path])
        return got['source'].startswith(SIDECAR)

    def write_sidecar(self, path, with_lengths=False):
        """With the lengths of lines that a mount knows once somebody has
        looked at sizes, it is what a mount that is used leaves."""
        time.sleep(SETTLED)
        with self.bench.mounted(path, '') as server:
            for entry in os.scandir(os.path.join(server.point, 'entities')):
                if not with_lengths:
                    break
                entry.stat()

    def copy(self, path):
        """One that may be appended to."""
        target = self.new()
        fill_with_links(path, target)
        return target

    def new(self):
        """A directory that is not there yet."""
        self.copies += 1
        return os.path.join(self.folder, 'store-%d' % self.copies)

    def floor_spans(self, path, way):
        """Path and offset of the bytes that this way of opening reads."""
        if way in (FBATI, CKPT):
            return [os.path.join(path, way), 0]
        return [word for segment in segments(path) for word in (
            segment, footer_start(segment) if way == FOOTERS else 0)]

    def frame_bytes(self, path, events):
        """How long a frame is, on average."""
        return sum(map(footer_start, segments(path))) // events
