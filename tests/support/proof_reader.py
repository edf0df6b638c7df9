#!/usr/bin/env python3
"""A verifier of proofs that shares nothing with the C code.

Written from the C2SP specifications tlog-proof and tlog-witness (whose request
is a proof of consistency) and from RFC 9162, with the signatures and hashes of
tlog_reader.py:

    proof_reader.py PROOF VKEY                     of inclusion; prints the entry
    proof_reader.py PROOF VKEY --store DIR         and: it is an event of DIR
    proof_reader.py PROOF VKEY --old CHECKPOINT    of consistency
"""
import base64
import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tlog_reader import (Bad, demand, leaf_hash, node_hash,     # noqa: E402
                         read_checkpoint, read_key, verify_inclusion)
from tree_names import blake3_short                             # noqa: E402


def split(proof):
    """The lines in front of the first empty one, and the note behind it."""
    at = proof.index(b'\n\n')
    return proof[:at].decode().split('\n'), proof[at + 2:]


def number(line, word):
    name, digits = line.split(' ')
    demand(name == word and str(int(digits)) == digits, 'no line ' + word)
    return int(digits)


def hashes(lines):
    out = [base64.b64decode(line, validate=True) for line in lines]
    demand(all(len(one) == 32 for one in out), 'a hash is no hash')
    return out


def verify_consistency(old, old_root, size, root, proof):
    """RFC 9162, 2.1.4.2."""
    demand(old <= size, 'the log was rolled back')
    if old == 0 or old == size:
        demand(not proof, 'a proof where none is needed')
        demand(old == 0 or old_root == root, 'two trees of one size')
        return
    if old & (old - 1) == 0:
        proof = [old_root] + proof
    demand(proof, 'the proof is empty')
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for step in proof[1:]:
        demand(sn > 0, 'the proof is too long')
        if fn & 1 or fn == sn:
            fr, sr = node_hash(step, fr), node_hash(step, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, step)
        fn, sn = fn >> 1, sn >> 1
    demand(sn == 0, 'the proof is too short')
    demand(fr == old_root, 'it is not the older tree')
    demand(sr == root, 'it is not the newer tree')


def frames(store):
    """The bytes of every frame: length and CRC, 4 bytes each, then the body."""
    for name in sorted(glob.glob(os.path.join(store, '*.fbat'))):
        with open(name, 'rb') as file:
            raw = file.read()
        at = 8 + int.from_bytes(raw[4:8], 'big')     # magic, length, header
        while at + 8 <= len(raw):
            length = int.from_bytes(raw[at:at + 4], 'big')
            if not 0 < length <= len(raw) - at - 8:
                break
            yield raw[at:at + 8 + length]
            at += 8 + length


def check_inclusion(lines, note, key, store):
    demand(lines[0] == 'c2sp.org/tlog-proof@v1', 'no proof')
    extra, index, steps = lines[1], number(lines[2], 'index'), hashes(lines[3:])
    demand(extra.startswith('extra '), 'no entry')
    entry = base64.b64decode(extra[6:], validate=True)
    size, root = read_checkpoint(note, key)
    verify_inclusion(leaf_hash(entry), index, size, steps, root)
    if store:
        demand(any(blake3_short(frame) == entry[24:56]
                   for frame in frames(store) if len(frame) <= 1024),
               'no frame of the store is that one')
    return entry


def main(proof, vkey, *rest):
    options = dict(zip(rest[::2], rest[1::2]))
    try:
        with open(vkey, encoding='utf-8') as file:
            key = read_key(file.read())
        with open(proof, 'rb') as file:
            lines, note = split(file.read())
        if '--old' not in options:
            print(check_inclusion(lines, note, key,
                                  options.get('--store')).hex())
            return 0
        with open(options['--old'], 'rb') as file:
            old, old_root = read_checkpoint(file.read(), key)
        demand(number(lines[0], 'old') == old, 'for another checkpoint')
        size, root = read_checkpoint(note, key)
        verify_consistency(old, old_root, size, root, hashes(lines[1:]))
        print('ok', old, size)
    except (Bad, OSError, ValueError, IndexError) as why:
        print('not ok:', why)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
