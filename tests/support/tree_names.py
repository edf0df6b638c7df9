"""The one name that a stored entity or scope has in the tree."""
import re
import struct

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
      0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, ROOT = 1, 2, 8
LONGEST, KEPT = 200, 183


def mix(v, a, b, c, d, x, y):
    for word, (first, second) in ((x, (16, 12)), (y, (8, 7))):
        v[a] = v[a] + v[b] + word & 0xFFFFFFFF
        t = v[d] ^ v[a]
        v[d] = (t >> first | t << 32 - first) & 0xFFFFFFFF
        v[c] = v[c] + v[d] & 0xFFFFFFFF
        t = v[b] ^ v[c]
        v[b] = (t >> second | t << 32 - second) & 0xFFFFFFFF


def compress(chain, block, length, flags):
    v = list(chain) + list(IV[:4]) + [0, 0, length, flags]
    m = list(struct.unpack('<16I', block.ljust(64, b'\0')))
    for _ in range(7):
        for i in range(4):
            mix(v, i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1])
        for i in range(4):
            mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4,
                m[8 + 2 * i], m[9 + 2 * i])
        m = [m[i] for i in ORDER]
    return [v[i] ^ v[i + 8] for i in range(8)]


def blake3_short(data):
    """BLAKE3 of at most one chunk, which is as long as a name may be."""
    assert len(data) <= 1024
    blocks = [data[i:i + 64] for i in range(0, len(data), 64)] or [b'']
    chain = IV
    for i, block in enumerate(blocks):
        flags = CHUNK_START if i == 0 else 0
        if i == len(blocks) - 1:
            flags |= CHUNK_END | ROOT
        chain = compress(chain, block, len(block), flags)
    return struct.pack('<8I', *chain)


def escaped(text):
    return ''.join('%%%02X' % b for b in text.encode())


def tree_name(stored):
    out = []
    for i, c in enumerate(stored):
        special = c == '%' or '\x80' <= c <= '\x9f' or (i == 0 and c in '.-')
        out.append(escaped(c) if special else c)
    if stored == 'CACHEDIR.TAG':
        out[0] = escaped('C')
    ends_like_short = re.search('~[0-9a-f]{16}$', stored)
    if ends_like_short:
        out[ends_like_short.start()] = escaped('~')
    if len(''.join(out).encode()) <= LONGEST:
        return ''.join(out)
    kept = ''
    for piece in out:
        # a character of several bytes that are encoded is three letters each
        units = re.findall('%..|.', piece) if len(piece) > 1 else [piece]
        if len((kept + ''.join(units)).encode()) > KEPT:
            break
        kept += piece
    return kept + '~' + blake3_short(stored.encode())[:8].hex()
