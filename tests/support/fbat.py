#!/usr/bin/env python3
"""A reader of event-store directories that shares nothing with the C code.

It was written from the format's description alone, holds everything in
memory and is slow; in exchange it is short enough to be believed.  Tests ask
it what a directory holds: which events, with which numbers, from which
bytes.  As a program it prints that as lines of JSON:

    fbat.py DIR [--no-index]

The rules that it follows where the original loses events or refuses:

  R5   a short, bad or zero-filled tail of a segment without a footer ends
       the segment, wherever the segment stands, if no whole frame follows
  R6   a batch that is not finished at the end of its segment is dropped
       there, and takes nothing of the next segment with it
  R7   numbers come from a believed index, else from the footer, else they
       count on; a number that does not rise is replaced by the next one
  R10  leftovers of a compaction are sorted out by what they hold
  R11  reserved kinds that nobody knows are shown as applications see them
  R13  extensions come from frames, whatever an index says of them
"""
import base64
import functools
import json
import os
import re
import struct
import sys
import zlib

BEGIN, COMMIT = 6, 7
MAX_BODY = 256 << 20
MAX_SEQ = (1 << 63) - 1
KNOWN_SYSTEM = set(range(1, 10)) | {0x0F, 0xFFE}
KNOWN_EFFECT = {0xD001, 0xD002, 0xD004, 0xD005, 0xD006, 0xD007}


class Bad(Exception):
    """Bytes that are not what they should be."""


# MessagePack: values, and where they begin and end.

def need(buf, pos, n):
    if pos + n > len(buf):
        raise Bad('cut value')


def uint(buf, pos, n):
    need(buf, pos, n)
    return int.from_bytes(buf[pos:pos + n], 'big')


def head(buf, pos):
    """The value's sort, its number or length, and what stands behind it."""
    need(buf, pos, 1)
    b = buf[pos]
    pos += 1
    if b < 0x80:
        return 'int', b, pos
    if b < 0x90:
        return 'map', b & 15, pos
    if b < 0xA0:
        return 'array', b & 15, pos
    if b < 0xC0:
        return 'str', b & 31, pos
    if b >= 0xE0:
        return 'int', b - 256, pos
    if b in (0xC0, 0xC2, 0xC3):
        return 'const', {0xC0: None, 0xC2: False, 0xC3: True}[b], pos
    if b in (0xC4, 0xC5, 0xC6):
        n = 1 << (b - 0xC4)
        return 'bin', uint(buf, pos, n), pos + n
    if b in (0xC7, 0xC8, 0xC9):
        n = 1 << (b - 0xC7)
        return 'ext', uint(buf, pos, n), pos + n
    if b in (0xCA, 0xCB):
        n = 4 << (b - 0xCA)
        need(buf, pos, n)
        raw = bytes(buf[pos:pos + n])
        return 'const', struct.unpack('>f' if n == 4 else '>d', raw)[0], pos + n
    if 0xCC <= b <= 0xCF:
        n = 1 << (b - 0xCC)
        return 'int', uint(buf, pos, n), pos + n
    if 0xD0 <= b <= 0xD3:
        n = 1 << (b - 0xD0)
        v = uint(buf, pos, n)
        return 'int', v - (1 << 8 * n) if v >> (8 * n - 1) else v, pos + n
    if 0xD4 <= b <= 0xD8:
        return 'ext', 1 << (b - 0xD4), pos
    if b in (0xD9, 0xDA, 0xDB):
        n = 1 << (b - 0xD9)
        return 'str', uint(buf, pos, n), pos + n
    if b in (0xDC, 0xDD):
        n = 2 << (b - 0xDC)
        return 'array', uint(buf, pos, n), pos + n
    if b in (0xDE, 0xDF):
        n = 2 << (b - 0xDE)
        return 'map', uint(buf, pos, n), pos + n
    raise Bad('byte 0xc1')


SMALL = re.compile(rb'[\x00-\x7f]+|(?:\xcc[\x00-\xff])+')


def small_ints(buf, pos, n):
    """An array of integers 0 to 255 as bytes, and its end; None if it is
    another one.  Only for speed: most of a store is made of these."""
    parts, left = [], n
    while left:
        run = SMALL.match(buf, pos, pos + 2 * left)
        if not run:
            return None
        got, width = run.group(), 1
        if got[0] == 0xCC:
            got, width = got[1::2], 2
        got = got[:left]
        parts.append(got)
        pos += width * len(got)
        left -= len(got)
    return b''.join(parts), pos


def skip(buf, pos):
    left = 1
    while left:
        sort, v, pos = head(buf, pos)
        left -= 1
        if sort == 'array' and v > 8:
            fast = small_ints(buf, pos, v)
            if fast:
                pos = fast[1]
                continue
        if sort == 'ext':
            pos += 1 + v
        elif sort in ('str', 'bin'):
            pos += v
        elif sort == 'array':
            left += v
        elif sort == 'map':
            left += 2 * v
        if pos > len(buf):
            raise Bad('cut value')
    return pos


def value(buf, pos):
    """A value of the store's own structures: no ext, string keys."""
    sort, v, pos = head(buf, pos)
    if sort in ('int', 'const'):
        return v, pos
    if sort == 'str':
        need(buf, pos, v)
        try:
            return bytes(buf[pos:pos + v]).decode(), pos + v
        except UnicodeDecodeError:
            raise Bad('string is not UTF-8') from None
    if sort == 'bin':
        need(buf, pos, v)
        return bytes(buf[pos:pos + v]), pos + v
    if sort == 'array':
        fast = small_ints(buf, pos, v) if v > 8 else None
        if fast:
            return fast
        out = []
        for _ in range(v):
            item, pos = value(buf, pos)
            out.append(item)
        return out, pos
    if sort == 'map':
        out = {}
        for _ in range(v):
            key, pos = value(buf, pos)
            out[key], pos = value(buf, pos)
        return out, pos
    raise Bad('ext value')


def slots(buf, pos):
    """The members of a map, each as the place of its value."""
    sort, n, pos = head(buf, pos)
    if sort != 'map':
        raise Bad('no map')
    out = {}
    for _ in range(n):
        key, pos = value(buf, pos)
        if key in out:
            raise Bad('a member twice')
        out[key] = pos
        pos = skip(buf, pos)
    return out


def blob(v):
    """Bytes, which the store writes as arrays of small integers."""
    if isinstance(v, bytes):
        return v
    if isinstance(v, list) and all(
            isinstance(b, int) and 0 <= b < 256 for b in v):
        return bytes(v)
    raise Bad('no bytes')


def ident(v):
    if v is None:
        return None
    v = blob(v)
    if len(v) != 16:
        raise Bad('id of %d bytes' % len(v))
    return v.hex() if any(v) else None


def digest(v):
    v = blob(v)[:32]
    if len(v) != 32:
        raise Bad('short hash')
    return v.hex()


def kind_text(kind):
    return '%x.%03x' % (kind >> 12, kind & 0xFFF)


def shown_kind(kind):
    if kind >> 12 == 0 and kind not in KNOWN_SYSTEM:
        return 0x1000
    if kind >> 12 == 0xD and kind not in KNOWN_EFFECT:
        return 0xD001
    return kind


# Frames and segments.

def payload_of(body, pos, size):
    """The payload's bytes.  A compaction may have left a value in the slot:
    then the value's own bytes are the payload."""
    end = skip(body, pos)
    try:
        data = blob(value(body, pos)[0])
        if body[pos] in (0xC4, 0xC5, 0xC6) or len(data) == size:
            return data
    except Bad:
        pass
    return bytes(body[pos:end])


@functools.lru_cache(maxsize=10000)
def frame(body):
    """One frame's event, or a batch marker, from its body.  Not to be changed:
    tests read the same frames again and again."""
    top = slots(body, 0)
    for member in ('event', 'entity', 'scope'):
        if member not in top:
            raise Bad('no ' + member)
    event = slots(body, top['event'])
    h = value(body, event['header'])[0]
    chain = value(body, event['hash_chain'])[0] if 'hash_chain' in event else None
    if chain is None and h['event_kind'] in (BEGIN, COMMIT):
        return {'marker': h['event_kind'], 'count': h['payload_size']}
    if chain is None:
        raise Bad('an event without a hash chain')
    at = h['position']
    ext = {}
    if 'receipt_extensions' in top:
        ext = value(body, top['receipt_extensions'])[0]
    return {
        'marker': 0,
        'clock': at['sequence'],
        'entity': value(body, top['entity'])[0],
        'scope': value(body, top['scope'])[0],
        'kind': kind_text(shown_kind(h['event_kind'])),
        'raw_kind': h['event_kind'],
        'id': ident(h['event_id']) or '0' * 32,
        'corr': ident(h['correlation_id']) or '0' * 32,
        'cause': ident(h.get('causation_id')),
        'wall_ms': at['wall_ms'],
        'timestamp_us': h['timestamp_us'],
        'lane': at['lane'],
        'depth': at['depth'],
        'flags': h['flags'],
        'hash': digest(chain['event_hash']),
        'prev': digest(chain['prev_hash']),
        'ext': {k: base64.b64encode(blob(v)).decode() for k, v in ext.items()},
        'payload': payload_of(body, event['payload'], h['payload_size']),
    }


def frame_at(buf, pos, end):
    """The frame at an offset and the offset behind it."""
    if pos + 8 > end:
        raise Bad('short frame header')
    n, crc = struct.unpack_from('>II', buf, pos)
    if n > MAX_BODY or pos + 8 + n > end:
        raise Bad('frame runs out of the segment')
    body = buf[pos + 8:pos + 8 + n]
    if zlib.crc32(body) != crc:
        raise Bad('bad CRC')
    try:
        return dict(frame(body)), pos + 8 + n
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Bad('frame does not decode') from None


def read_footer(buf, start):
    """What an SDX2 footer tells: where frames end, and rows by offset."""
    if len(buf) < start + 16 or buf[-4:] != b'SDX2':
        return None
    table_at, count = struct.unpack_from('<QI', buf, len(buf) - 16)
    entries_at = len(buf) - 16 - 162 * count
    if not start <= table_at <= entries_at:
        return None
    try:
        names = value(buf[table_at:entries_at], 0)[0]
    except Bad:
        return None
    if not isinstance(names, list):
        return None
    rows = {}
    for i in range(count):
        at = entries_at + 162 * i
        entity, scope = struct.unpack_from('<II', buf, at + 16)
        offset, length, seq = struct.unpack_from('<QIQ', buf, at + 110)
        if max(entity, scope) >= len(names) or seq > MAX_SEQ or not (
                start <= offset and offset + length <= table_at):
            return None
        rows[offset] = (seq, buf[at:at + 16][::-1].hex())
    return table_at, rows


class Segment:
    """One file: its events in order, and what its end is like."""

    def __init__(self, number, buf):
        self.number, self.buf = number, buf
        self.events, self.dropped, self.markers = [], [], []
        self.footer, self.tail = {}, None
        self.whole = True       # False: too short to hold a header
        if len(buf) < 8 or len(buf) < 8 + struct.unpack_from('>I', buf, 4)[0]:
            self.whole, self.start, self.end = False, 0, 0
            return
        if buf[:4] != b'FBAT':
            raise Bad('segment %d: no magic' % number)
        self.start = 8 + struct.unpack_from('>I', buf, 4)[0]
        if value(buf[8:self.start], 0)[0].get('version') != 1:
            raise Bad('segment %d: version' % number)
        told = read_footer(buf, self.start)
        self.footed = told is not None
        self.end = len(buf)
        if told:
            self.end, self.footer = told
        self.scan()

    def scan(self):
        pos, batch, left = self.start, None, 0
        while pos < self.end:
            try:
                item, after = frame_at(self.buf, pos, self.end)
            except Bad as why:
                self.stop(pos, str(why))
                break
            if item['marker'] == BEGIN:
                self.dropped += batch or []
                batch, left = [], item['count']
                self.markers.append(pos)
            elif item['marker'] == COMMIT:
                if batch is not None:
                    keep = self.events if left == 0 else self.dropped
                    keep += batch
                batch = None
                self.markers.append(pos)
            else:
                item.update(segment=self.number, offset=pos)
                if batch is None:
                    self.events.append(item)
                elif left:
                    batch.append(item)
                    left -= 1
                else:
                    self.dropped += batch + [item]
                    batch = None
            pos = after
        if batch is not None:
            self.dropped += batch
            self.tail = self.tail or (pos, 'a batch without its end')

    def stop(self, pos, why):
        """A tail may be torn; bytes before a whole frame may not."""
        if self.footed:
            raise Bad('segment %d offset %d: %s before a footer'
                      % (self.number, pos, why))
        for at in range(pos + 1, len(self.buf) - 8):
            try:
                frame_at(self.buf, at, len(self.buf))
            except Bad:
                continue
            raise Bad('segment %d offset %d: %s, and a frame at %d'
                      % (self.number, pos, why, at))
        self.tail = (pos, why)


# Index files: rows by (segment, offset), watermark, next number.

class Index:
    def __init__(self):
        self.rows = []


def names_fit(names, *ids):
    return all(0 < i < len(names) for i in ids)


def read_fbati(buf):
    if len(buf) < 72 or buf[:6] != b'FBATIX':
        raise Bad('no row index')
    version, crc = struct.unpack_from('<HI', buf, 6)
    if version != 5 or zlib.crc32(buf[12:]) != crc:
        raise Bad('version %d or CRC' % version)
    out = Index()
    wm_segment, wm_offset, out.next_seq = struct.unpack_from('<QQQ', buf, 12)
    out.watermark = (wm_segment, wm_offset)
    _, rows, names_len, summary_len, ext_len = struct.unpack_from('<IQQQQ', buf, 36)
    at = 72 + names_len + summary_len + ext_len
    if len(buf) != at + 218 * rows:
        raise Bad('length')
    names = value(buf[72:72 + names_len], 0)[0]
    for i in range(rows):
        row = buf[at + 218 * i:at + 218 * (i + 1)]
        entity, scope, kind, wall, clock, lane, depth = struct.unpack_from(
            '<IIHQIII', row, 16)
        segment, offset, length, seq = struct.unpack_from('<QQIQ', row, 110)
        if not names_fit(names, entity, scope):
            raise Bad('a name out of range')
        out.rows.append({
            'id': row[:16][::-1].hex(), 'entity': names[entity],
            'scope': names[scope], 'kind': kind_text(shown_kind(kind)),
            'wall_ms': wall, 'clock': clock, 'lane': lane, 'depth': depth,
            'prev': row[46:78].hex(), 'hash': row[78:110].hex(),
            'segment': segment, 'offset': offset, 'length': length, 'seq': seq,
            'corr': row[138:154][::-1].hex(),
            'cause': row[154:170][::-1].hex() if any(row[154:170]) else None,
        })
    return out


def read_ckpt(buf):
    if len(buf) < 12 or buf[:6] != b'FBATCK':
        raise Bad('no checkpoint')
    version, crc = struct.unpack_from('<HI', buf, 6)
    if not 2 <= version <= 6 or zlib.crc32(buf[12:]) != crc:
        raise Bad('version %d or CRC' % version)
    body = value(buf[12:], 0)[0]
    out = Index()
    out.watermark = (body['watermark_segment_id'], body['watermark_offset'])
    out.next_seq = body['global_sequence']
    names = body['interner_strings']
    for e in body['entries']:
        if not names_fit(names, e['entity_id'], e['scope_id']):
            raise Bad('a name out of range')
        out.rows.append({
            'id': ident(e['event_id']) or '0' * 32,
            'entity': names[e['entity_id']], 'scope': names[e['scope_id']],
            'kind': kind_text(shown_kind(e['kind'])), 'wall_ms': e['wall_ms'],
            'clock': e['clock'], 'lane': e.get('dag_lane', 0),
            'depth': e.get('dag_depth', 0), 'prev': digest(e['prev_hash']),
            'hash': digest(e['event_hash']), 'segment': e['segment_id'],
            'offset': e['offset'], 'length': e['length'],
            'seq': e['global_sequence'],
            'corr': ident(e['correlation_id']) or '0' * 32,
            'cause': ident(e['causation_id']),
        })
    return out


def doubts(index, segments):
    """Why an index cannot be of these segments; None when it can."""
    by_number = {s.number: s for s in segments}
    wm_segment, wm_offset = index.watermark
    if wm_segment not in by_number:
        return 'the watermark segment is missing'
    if wm_offset > len(by_number[wm_segment].buf):
        return 'the watermark segment is shorter than the watermark'
    if any(r['seq'] > MAX_SEQ for r in index.rows):
        return 'a sequence number above all'
    rows = {(r['segment'], r['offset']): r for r in index.rows}
    if len(rows) != len(index.rows):
        return 'two rows of one frame'
    events = {(e['segment'], e['offset']): e for s in segments
              for e in s.events if (s.number, e['offset']) < index.watermark}
    if rows.keys() != events.keys():
        lone = min(rows.keys() ^ events.keys())
        return 'segment %d offset %d is in one of both only' % lone
    for place, row in rows.items():
        event = events[place]
        for member, told in row.items():
            if member not in ('seq', 'length') and event[member] != told:
                return '%s at segment %d offset %d' % (member, *place)
    return None


# Directories.

def read_ranges(path):
    try:
        with open(path, 'rb') as file:
            buf = file.read()
    except FileNotFoundError:
        return []
    if len(buf) < 12 or buf[:8] != b'FBATVR\1\0' or (
            zlib.crc32(buf[12:]) != struct.unpack_from('<I', buf, 8)[0]):
        raise Bad('hidden ranges')
    return [(r['start'], r['end']) for r in value(buf[12:], 0)[0]['ranges']]


def read_file(*parts):
    with open(os.path.join(*parts), 'rb') as file:
        return file.read()


def chosen_segments(path):
    """Segment files by number, with a compaction's leftovers sorted out."""
    files = {}
    for name in os.listdir(path):
        match = re.fullmatch(r'(\d{6,})\.fbat', name)
        if match:
            files[int(match[1])] = name
    marker = os.path.join(path, 'compaction.pending.json')
    if not os.path.exists(marker):
        return files, False
    told = json.loads(read_file(marker))
    merged, sources = told['merged_id'], told['source_segment_ids']
    original = '%06d.fbat.compact-src' % merged
    others = [s for s in sources if s != merged]
    if os.path.exists(os.path.join(path, original)):
        # nothing was deleted yet: the sources are all there
        files[merged] = original
    elif merged in files and any(s in files for s in others):
        held = {e['id'] for e in
                Segment(merged, read_file(path, files[merged])).events}
        wanted = {e['id'] for s in others if s in files
                  for e in Segment(s, read_file(path, files[s])).events}
        if wanted <= held:
            for s in others:
                files.pop(s, None)
    return files, True


class Store:
    """A directory as it should be seen."""

    def __init__(self, path, use_index=True):
        files, compacting = chosen_segments(path)
        self.segments = [Segment(n, read_file(path, files[n]))
                         for n in sorted(files)]
        self.cut = {s.number: s.tail for s in self.segments if s.tail}
        self.headless = [s.number for s in self.segments if not s.whole]
        self.ranges = read_ranges(os.path.join(path, 'visibility_ranges.fbv'))
        self.index, self.refused = None, {}
        for name, read in (('index.fbati', read_fbati), ('index.ckpt', read_ckpt)):
            full = os.path.join(path, name)
            if not use_index or compacting or not os.path.exists(full):
                continue
            try:
                index = read(read_file(full))
                why = doubts(index, self.segments)
            except (Bad, KeyError, TypeError) as error:
                why = str(error)
            if why:
                self.refused[name] = why
            elif not self.index:
                self.index, self.index_name = index, name
        self.number()

    def number(self):
        told = {}
        if self.index:
            told = {(r['segment'], r['offset']): r['seq'] for r in self.index.rows}
        last, self.renumbered = -1, []
        for segment in self.segments:
            for event in segment.events:
                place = (event['segment'], event['offset'])
                seq = told.get(place)
                if seq is None and event['offset'] in segment.footer:
                    footed, ident_ = segment.footer[event['offset']]
                    seq = footed if ident_ == event['id'] else None
                if seq is not None and seq <= last:
                    self.renumbered.append(place)
                    seq = None
                if seq is None:
                    seq = last + 1
                    if self.index and place >= self.index.watermark:
                        seq = max(seq, self.index.next_seq)
                event['seq'] = last = seq
        self.next_seq = max(last + 1, self.index.next_seq if self.index else 0)

    def all_events(self):
        return [e for s in self.segments for e in s.events]

    def hidden(self, event):
        return any(a <= event['seq'] < b for a, b in self.ranges)

    def events(self):
        return [e for e in self.all_events() if not self.hidden(e)]


def main(argv):
    store = Store(argv[1], '--no-index' not in argv)
    for event in store.events():
        event = dict(event)
        event['payload_b64'] = base64.b64encode(event.pop('payload')).decode()
        print(json.dumps(event))
    print('events %d, next %d, index %s, refused %s, cut %s' % (
        len(store.events()), store.next_seq,
        getattr(store, 'index_name', None), store.refused, store.cut),
        file=sys.stderr)


if __name__ == '__main__':
    main(sys.argv)
