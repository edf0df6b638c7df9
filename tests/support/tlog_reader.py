#!/usr/bin/env python3
"""A verifier of transparency logs that shares nothing with the C code.

Written from the C2SP specifications tlog-tiles, tlog-checkpoint and
signed-note and from RFC 6962 alone; what this project puts into an entry is
only looked at by the caller.  It reads files below a folder, as an outsider
reads them below a URL:

    tlog_reader.py FOLDER VKEY              signature, all tiles, all entries
    tlog_reader.py FOLDER VKEY --old FILE   and: FOLDER continues that checkpoint
    tlog_reader.py FOLDER VKEY --index N    and: entry N is in it, by tiles alone

VKEY is the text of a verifier key, or a file that holds it.
"""
import base64
import hashlib
import os
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519


class Bad(Exception):
    """The log is not what it says."""


def demand(condition, why):
    if not condition:
        raise Bad(why)


# ---- notes

def read_key(text):
    name, digits, blob = text.strip().split('+', 2)
    blob = base64.b64decode(blob, validate=True)
    demand(len(blob) == 33 and blob[0] == 1, 'no Ed25519 key')
    want = hashlib.sha256(name.encode() + b'\n' + blob).digest()[:4]
    demand(want.hex() == digits, 'the key has another hash')
    return name, want, ed25519.Ed25519PublicKey.from_public_bytes(blob[1:])


def open_note(note, key):
    """The text of a note that the key has signed."""
    name, key_id, public = key
    at = note.rindex(b'\n\n')
    text, signatures = note[:at + 1], note[at + 2:]
    signed = False
    for line in signatures.decode().splitlines():
        dash, signer, blob = line.split(' ')
        demand(dash == '\u2014', 'no signature line')
        blob = base64.b64decode(blob, validate=True)
        if signer == name and blob[:4] == key_id:
            try:
                public.verify(blob[4:], text)
            except InvalidSignature:
                raise Bad('the signature is wrong') from None
            signed = True
    demand(signed, 'the key has not signed it')
    return text


def read_checkpoint(note, key):
    """Size and root."""
    origin, size, root = open_note(note, key).decode().split('\n')[:3]
    demand(origin == key[0], 'the origin is another one')
    demand(str(int(size)) == size, 'the size has zeros in front')
    return int(size), base64.b64decode(root, validate=True)


# ---- RFC 6962

def leaf_hash(entry):
    return hashlib.sha256(b'\0' + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b'\1' + left + right).digest()


def tree_hash(hashes):
    """Of complete subtrees of one size, the last ones maybe missing."""
    if not hashes:
        return hashlib.sha256(b'').digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(tree_hash(hashes[:half]), tree_hash(hashes[half:]))


def verify_inclusion(leaf, index, size, proof, root):
    demand(index < size, 'beyond the tree')
    at, last, hash_ = index, size - 1, leaf
    for step in proof:
        demand(last > 0, 'the proof is too long')
        if at & 1 or at == last:
            hash_ = node_hash(step, hash_)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hash_ = node_hash(hash_, step)
        at, last = at >> 1, last >> 1
    demand(last == 0 and hash_ == root, 'the inclusion proof does not hold')


# ---- tiles

class Log:
    def __init__(self, folder, vkey):
        self.folder = folder
        self.key = read_key(vkey)
        with open(os.path.join(folder, 'checkpoint'), 'rb') as file:
            self.note = file.read()
        self.size, self.root = read_checkpoint(self.note, self.key)

    def path(self, level, index, width):
        groups = ['%03d' % (index % 1000)]
        while index >= 1000:
            index //= 1000
            groups.insert(0, 'x%03d' % (index % 1000))
        if width < 256:
            groups[-1] += '.p'
            groups.append(str(width))
        return os.path.join(self.folder, 'tile', str(level), *groups)

    def tile(self, level, index):
        """The hashes of a tile, as wide as it is at this size."""
        width = min(256, (self.size >> 8 * level) - 256 * index)
        with open(self.path(level, index, width), 'rb') as file:
            raw = file.read()
        demand(len(raw) == 32 * width, 'a tile is of another size')
        return [raw[i:i + 32] for i in range(0, len(raw), 32)]

    def entries(self, index):
        width = min(256, self.size - 256 * index)
        with open(self.path('entries', index, width), 'rb') as file:
            raw = file.read()
        found = []
        while raw:
            length = int.from_bytes(raw[:2], 'big')
            demand(len(raw) >= 2 + length, 'an entry is cut')
            found.append(raw[2:2 + length])
            raw = raw[2 + length:]
        demand(len(found) == width, 'a bundle has another number of entries')
        return found

    def all_entries(self):
        for index in range(0, (self.size + 255) // 256):
            yield from self.entries(index)

    def hash_of(self, begin, end, tiles):
        """Of the leaves [begin, end) of the tree, out of its tiles."""
        length = end - begin
        if length & length - 1 == 0 and begin % length == 0:
            level, above = divmod(length.bit_length() - 1, 8)
            first = begin >> 8 * level
            place = (level, first // 256)
            if place not in tiles:
                tiles[place] = self.tile(*place)
            first %= 256
            return tree_hash(tiles[place][first:first + (1 << above)])
        half = 1 << (length - 1).bit_length() - 1
        return node_hash(self.hash_of(begin, begin + half, tiles),
                         self.hash_of(begin + half, end, tiles))

    def inclusion_proof(self, index):
        proof, begin, end, tiles = [], 0, self.size, {}
        while end - begin > 1:
            middle = begin + (1 << (end - begin - 1).bit_length() - 1)
            if index < middle:
                proof.append(self.hash_of(middle, end, tiles))
                end = middle
            else:
                proof.append(self.hash_of(begin, middle, tiles))
                begin = middle
        return proof[::-1]

    # ---- what is asked of it

    def check(self):
        """Every tile is that of the entries, and these give the root."""
        hashes = [leaf_hash(entry) for entry in self.all_entries()]
        demand(len(hashes) == self.size, 'the log has another size')
        demand(tree_hash(hashes) == self.root, 'the root is another one')
        level = 0
        while hashes:
            for index in range(0, (len(hashes) + 255) // 256):
                demand(self.tile(level, index) ==
                       hashes[256 * index:256 * index + 256],
                       'tile %d of level %d' % (index, level))
            full = len(hashes) // 256
            hashes = [tree_hash(hashes[256 * i:256 * i + 256])
                      for i in range(full)]
            level += 1

    def check_continues(self, note):
        """The tree begins with that of an older checkpoint."""
        size, root = read_checkpoint(note, self.key)
        demand(size <= self.size, 'the log was rolled back')
        demand((self.hash_of(0, size, {}) if size else tree_hash([])) == root,
               'the log does not continue that checkpoint')

    def check_entry(self, index):
        entry = self.entries(index // 256)[index % 256]
        verify_inclusion(leaf_hash(entry), index, self.size,
                         self.inclusion_proof(index), self.root)
        return entry


def main(folder, vkey, *rest):
    if os.path.exists(vkey):
        with open(vkey, encoding='utf-8') as file:
            vkey = file.read()
    try:
        log = Log(folder, vkey)
        log.check()
        options = dict(zip(rest[::2], rest[1::2]))
        if '--old' in options:
            with open(options['--old'], 'rb') as file:
                log.check_continues(file.read())
        if '--index' in options:
            print(log.check_entry(int(options['--index'])).hex())
    except (Bad, OSError, ValueError) as why:
        print('not ok:', why)
        return 1
    print('ok', log.size, log.root.hex())
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
