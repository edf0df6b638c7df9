"""A directory in the hand of a forger who knows the format.

    store = forging.Store(path)     # every frame, decoded
    ...                             # change, drop, move, add
    store.write(path, index=...)    # every checksum right again

What is not changed is written byte for byte as it was.  Nothing here shares
code with batfs or batpak; that a store which is read and written again comes
out as the same files is the first thing that tests/interop/forged.py asks.
"""
import base64
import os
import struct
import zlib

import fbat
from tree_names import blake3_short

INDEXES = ('index.fbati', 'index.ckpt')
ZEROS = '0' * 64


class Skip(Exception):
    """This store has nothing to do that with."""


# MessagePack, as batpak writes it (FORMAT.md 2.1).

class Id(bytes):
    """Sixteen bytes that are written as bin."""


def pack_number(n):
    if n < 128:
        return bytes([n])
    for code, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
        if n < 1 << 8 * size:
            return bytes([code]) + n.to_bytes(size, 'big')
    raise ValueError(n)


def pack_head(small, most, wide, n):
    if n < most:
        return bytes([small + n])
    for code, size in wide:
        if n < 1 << 8 * size:
            return bytes([code]) + n.to_bytes(size, 'big')
    raise ValueError(n)


def pack(v):
    if v is None:
        return b'\xc0'
    if isinstance(v, Id):
        return b'\xc4\x10' + v
    if isinstance(v, int):
        return pack_number(v)
    if isinstance(v, str):
        data = v.encode()
        return pack_head(0xA0, 32, ((0xD9, 1), (0xDA, 2)), len(data)) + data
    if isinstance(v, dict):
        return pack_head(0x80, 16, ((0xDE, 2),), len(v)) + b''.join(
            pack(k) + pack(v[k]) for k in v)
    return pack_head(0x90, 16, ((0xDC, 2), (0xDD, 4)), len(v)) + b''.join(
        pack(item) for item in v)


def ident(text):
    return Id(bytes.fromhex(text)) if text else None


def extensions(event):
    return {k: base64.b64decode(event['ext'][k]) for k in sorted(event['ext'])}


def body_of(event):
    """An event's frame, without its length and CRC."""
    return pack({
        'event': {
            'header': {
                'event_id': ident(event['id']),
                'correlation_id': ident(event['corr']),
                'causation_id': ident(event['cause']),
                'timestamp_us': event['timestamp_us'],
                'position': {
                    'wall_ms': event['wall_ms'], 'counter': 0,
                    'depth': event['depth'], 'lane': event['lane'],
                    'sequence': event['clock']},
                'payload_size': event.get('size', len(event['payload'])),
                'event_kind': event['raw_kind'],
                'flags': event['flags'],
                'content_hash': bytes.fromhex(event['hash'])},
            'payload': event['payload'],
            'hash_chain': {'prev_hash': bytes.fromhex(event['prev']),
                           'event_hash': bytes.fromhex(event['hash'])}},
        'entity': event['entity'],
        'scope': event['scope'],
        'receipt_extensions': extensions(event)})


def marker_body(kind, count, near):
    return pack({
        'event': {
            'header': {
                'event_id': Id(near['seq'].to_bytes(16, 'big')),
                'correlation_id': Id(near['seq'].to_bytes(16, 'big')),
                'causation_id': None,
                'timestamp_us': near['timestamp_us'],
                'position': {'wall_ms': near['timestamp_us'] // 1000,
                             'counter': 0, 'depth': 0, 'lane': 0,
                             'sequence': 0},
                'payload_size': count, 'event_kind': kind, 'flags': 0,
                'content_hash': bytes(32)},
            'payload': b'', 'hash_chain': None},
        'entity': '_batch', 'scope': '_system', 'receipt_extensions': {}})


# What stands in a segment.

class Frame:
    """An event (a dict that may be changed) or a batch marker."""

    def __init__(self, body, event=None):
        self.body, self.event = body, event
        self.was = dict(event) if event else None
        self.footed = self.indexed = True   # has its row
        self.told = {}          # what its rows say otherwise
        self.place = None

    def says(self):
        return dict(self.event, **self.told)

    def bytes(self):
        if self.event and self.event != self.was:
            self.body = body_of(self.event)
        return struct.pack('>II', len(self.body), zlib.crc32(self.body)
                           ) + self.body

    def copy(self):
        return Frame(self.body, dict(self.event))

    def rehash(self):
        self.event['hash'] = blake3_short(self.event['payload']).hex()


class Segment:
    def __init__(self, number, head, frames, footed, old=b''):
        self.number, self.head = number, head
        self.frames, self.footed = frames, footed
        self.old = old          # its footer as it was

    def events(self):
        return [f for f in self.frames if f.event]

    def file(self, old_footer=False):
        """Its bytes; places are put into the events."""
        out = self.head
        for frame in self.frames:
            data = frame.bytes()
            if frame.event:
                frame.place = (self.number, len(out), len(data))
            out += data
        if not self.footed:
            return out
        return out + (self.old if old_footer else self.footer(len(out)))

    def footer(self, at):
        names, rows = {}, b''
        listed = [f for f in self.events() if f.footed]
        for frame in listed:
            told = frame.says()
            for name in (told['entity'], told['scope']):
                names.setdefault(name, len(names))
        for frame in listed:
            rows += row_of(frame, names, struct.pack(
                '<QI', frame.place[1], frame.place[2]))
        return pack(list(names)) + rows + struct.pack(
            '<QI', at, len(listed)) + b'SDX2'


def reversed_id(text):
    return bytes.fromhex(text)[::-1] if text else bytes(16)


def row_of(frame, names, place):
    """What footers and index.fbati say of an event, in the same columns.
    """
    e = frame.says()
    return reversed_id(e['id']) + struct.pack(
        '<IIHQIII', names[e['entity']], names[e['scope']], e['raw_kind'],
        e['wall_ms'], e['clock'], e['lane'], e['depth']) + bytes.fromhex(
        e['prev'] + e['hash']) + place + struct.pack(
        '<Q', e['seq']) + reversed_id(e['corr']) + reversed_id(e['cause'])


# The directory.

class Store:
    def __init__(self, path):
        self.path = path
        model = fbat.Store(path)
        seqs = {(e['segment'], e['offset']): e['seq']
                for e in model.all_events()}
        self.foreign = None     # the path of another store
        self.next_seq = model.next_seq
        self.segments = [self.read(s, seqs) for s in model.segments]
        self.indexes = [i for i in INDEXES
                        if os.path.exists(os.path.join(path, i))]
        self.more_rows = []
        self.watermark = None   # the whole of the newest segment

    @staticmethod
    def read(segment, seqs):
        frames, pos = [], segment.start
        while pos < segment.end:
            item, after = fbat.frame_at(segment.buf, pos, segment.end)
            body = segment.buf[pos + 8:after]
            if item['marker']:
                frames.append(Frame(body))
            else:
                item['seq'] = seqs[(segment.number, pos)]
                frames.append(Frame(body, item))
            pos = after
        return Segment(segment.number, segment.buf[:segment.start], frames,
                       segment.footed, segment.buf[segment.end:])

    def events(self):
        return [f for s in self.segments for f in s.events()]

    def renumber(self):
        for i, frame in enumerate(self.events()):
            frame.event['seq'] = i
        self.next_seq = len(self.events())

    def rechain(self):
        """Clocks and links as if these events had been written so."""
        heads = {}
        for frame in self.events():
            event = frame.event
            clock, prev = heads.get(event['entity'], (0, ZEROS))
            event['clock'], event['prev'] = clock, prev
            heads[event['entity']] = (clock + 1, event['hash'])

    def write(self, hand):
        """How far the forger's hand reached: 'frames' leaves footers and
        index files as they were, 'footers' makes those anew, 'all' both;
        'bare' takes both away."""
        files = {}
        for segment in self.segments:
            if hand == 'bare':
                segment.footed = False
            name = '%06d.fbat' % segment.number
            files[name] = segment.file(hand == 'frames')
            if hand == 'frames' and len(files[name]) != os.path.getsize(
                    os.path.join(self.path, name)):
                raise Skip      # the footer would be of no use
        for name in os.listdir(self.path):
            if name.endswith('.fbat'):
                os.unlink(os.path.join(self.path, name))
        for name, data in files.items():
            self.put(name, data)
        for name in self.indexes:
            if hand == 'bare':
                os.unlink(os.path.join(self.path, name))
            elif hand == 'all':
                self.put(name, self.fbati() if name == 'index.fbati'
                         else self.ckpt())

    def put(self, name, data):
        with open(os.path.join(self.path, name), 'wb') as file:
            file.write(data)

    # index files

    def rows(self):
        rows = [f for f in self.events() if f.indexed] + self.more_rows
        return sorted(rows, key=lambda f: f.says()['seq'])

    def names(self):
        names = {'': 0}
        for frame in self.rows():
            event = frame.says()
            for name in (event['entity'], event['scope']):
                names.setdefault(name, len(names))
        return names

    def mark(self):
        last = self.segments[-1]
        return self.watermark or (last.number, len(last.file()))

    @staticmethod
    def summary(rows):
        """Of routing batpak asks only that it is there."""
        return {'routing': {'entry_count': len(rows), 'chunk_count': 0,
                            'chunks': [], 'entity_runs': []},
                'reserved_kind_fallbacks': {
                    'system': 0, 'effect': 0, 'system_histogram': {},
                    'effect_histogram': {}}}

    def fbati(self):
        rows, names, blob, out = self.rows(), self.names(), b'', b''
        mark = self.mark()
        for frame in rows:
            ext, tail = extensions(frame.event), bytes(48)
            if ext:
                ext = pack(ext)
                tail = struct.pack('<QQ', len(blob), len(ext)
                                   ) + blake3_short(ext)
                blob += ext
            out += row_of(frame, names, struct.pack('<QQI', *frame.place)
                          ) + tail
        strings, summary = pack(list(names)), pack(self.summary(rows))
        rest = struct.pack('<QQQIQQQQ', *mark, self.next_seq, len(names),
                           len(rows), len(strings), len(summary), len(blob)
                           ) + strings + summary + blob + out
        return b'FBATIX\5\0' + struct.pack('<I', zlib.crc32(rest)) + rest

    def ckpt(self):
        rows, names, mark = self.rows(), self.names(), self.mark()
        entries = []
        for frame in rows:
            e = frame.says()
            entries.append({
                'event_id': ident(e['id']), 'correlation_id': ident(e['corr']),
                'causation_id': ident(e['cause']),
                'entity_id': names[e['entity']], 'scope_id': names[e['scope']],
                'kind': e['raw_kind'], 'wall_ms': e['wall_ms'],
                'clock': e['clock'], 'dag_lane': e['lane'],
                'dag_depth': e['depth'], 'prev_hash': bytes.fromhex(e['prev']),
                'event_hash': bytes.fromhex(e['hash']),
                'segment_id': frame.place[0], 'offset': frame.place[1],
                'length': frame.place[2], 'global_sequence': e['seq'],
                'receipt_extensions': extensions(e)})
        body = {'global_sequence': self.next_seq,
                'watermark_segment_id': mark[0], 'watermark_offset': mark[1],
                'interner_strings': list(names)}
        body.update(self.summary(rows))
        body['entries'] = entries
        rest = pack(body)
        return b'FBATCK\6\0' + struct.pack('<I', zlib.crc32(rest)) + rest
