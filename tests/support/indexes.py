"""Index files that are wrong in a chosen way, with checksums that are right."""
import struct
import zlib

import fbat


def sealed(data):
    """The file with the CRC that its bytes ask for."""
    return data[:8] + struct.pack('<I', zlib.crc32(data[12:])) + data[12:]


def fbati_without_row(data, i):
    count, = struct.unpack_from('<Q', data, 40)
    rows_at = len(data) - 218 * count
    i %= count
    return sealed(data[:40] + struct.pack('<Q', count - 1) +
                  data[48:rows_at + 218 * i] + data[rows_at + 218 * (i + 1):])


def ckpt_without_row(data, i):
    body = data[12:]
    places = fbat.slots(body, 0)
    sort, count, at = fbat.head(body, places['entries'])
    assert sort == 'array'
    starts = []
    for _ in range(count):
        starts.append(at)
        at = fbat.skip(body, at)
    starts.append(at)
    i %= count
    header = b'\xdc' + struct.pack('>H', count - 1)
    return sealed(data[:12] + body[:places['entries']] + header +
                  body[starts[0]:starts[i]] + body[starts[i + 1]:])


def without_row(name, data, i):
    """The index file of that name without its i-th row."""
    if name == 'index.fbati':
        return fbati_without_row(data, i)
    return ckpt_without_row(data, i)


def flipped(data, at, bit):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:]
