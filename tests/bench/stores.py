"""The stores that are measured, made once and then only copied.

Segments are never written again, so a copy has hard links of them.
"""
import os
import shutil
import struct

FBATI, CKPT, FOOTERS, FRAMES = (
    'index.fbati', 'index.ckpt', 'footers', 'frames')
WAYS = [FBATI, CKPT, FOOTERS, FRAMES]


def count_text(number):
    for size, name in ((1_000_000, 'M'), (1_000, 'k')):
        if number >= size and number % size == 0:
            return '%d %s' % (number // size, name)
    return str(number)


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


class Stores:
    def __init__(self, run_json, library_bench, folder):
        self.run_json, self.program = run_json, library_bench
        self.folder, self.made, self.copies = folder, {}, 0

    def describe(self, events, entities):
        return '%s events, %s entities' % (
            count_text(events), count_text(entities))

    def get(self, events, entities, way):
        """A store that can only be opened in one way."""
        key = events, entities, way
        if key not in self.made:
            self.made[key] = self.make(*key)
        return self.made[key]

    def make(self, events, entities, way):
        path = os.path.join(self.folder, '%d-%d-%s' % (events, entities, way))
        if way == CKPT:
            self.run_json([self.program, 'make', path, events, entities,
                           'ckpt'])
            return path
        base = self.get(events, entities, CKPT)
        os.mkdir(path)
        for source in segments(base):
            target = os.path.join(path, os.path.basename(source))
            if way == FRAMES:
                shutil.copyfile(source, target)
                os.truncate(target, footer_start(source))
            else:
                os.link(source, target)
        if way == FBATI:
            self.run_json([self.program, 'index', path, 'fbati'])
        return path

    def copy(self, path):
        """One that may be appended to."""
        self.copies += 1
        target = os.path.join(self.folder, 'copy-%d' % self.copies)
        os.mkdir(target)
        for name in os.listdir(path):
            if name.endswith('.fbat') or name.startswith('index.'):
                os.link(os.path.join(path, name), os.path.join(target, name))
        return target

    def new(self):
        """A directory that is not there yet."""
        self.copies += 1
        return os.path.join(self.folder, 'new-%d' % self.copies)

    def floor_spans(self, path, way):
        """Path and offset of the bytes that this way of opening has to read."""
        if way in (FBATI, CKPT):
            return [os.path.join(path, way), 0]
        return [word for segment in segments(path) for word in (
            segment, footer_start(segment) if way == FOOTERS else 0)]

    def frame_bytes(self, path, events):
        """How long a frame is, on average."""
        return sum(map(footer_start, segments(path))) // events
