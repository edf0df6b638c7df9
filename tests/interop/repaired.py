#!/usr/bin/env python3
"""What batctl repairs and salvages, batpak opens.

    repaired.py BATFS

Golden stores are damaged in many ways; after `batctl repair --yes`, and what
`batctl salvage` made of the damaged one, batpak opens the directory by its index and without, reads every payload, appends and closes
in a copy, and finds nothing wrong but the links to events that the damage
took.  INTEROP names a program that is built already.
"""
# Limit: 300 s
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'),
                os.path.join(HERE, '..', 'story'), HERE]
import golden                                           # noqa: E402
import run                                              # noqa: E402
from mounted import Report                              # noqa: E402

LINK = 'follows no earlier event of its entity'


def path(store, segment):
    return os.path.join(store, '%06d.fbat' % segment)


def change(name, at, what):
    with open(name, 'r+b') as f:
        f.seek(at if at >= 0 else os.path.getsize(name) + at)
        f.write(what)


# Each takes a store and the number of its second segment.

def flip(store, n):
    change(path(store, n), 1200, b'XXXX')


def zero_hole(store, n):
    change(path(store, n), 1200, bytes(1500))


def header(store, n):
    change(path(store, n), 0, b'XBAT')


def half_header(store, n):
    os.truncate(path(store, n), 20)


def missing(store, n):
    os.unlink(path(store, n))


def doubled(store, n):
    shutil.copy(path(store, n), path(store, n + 40))


def renamed(store, n):
    os.rename(path(store, n), path(store, n + 40))


def footer(store, n):
    change(path(store, n), -16 - 162 + 34, b'\x77\x77')


def footer_lies(store, n):
    """It ends where nothing begins."""
    change(path(store, n), -16, (900).to_bytes(8, 'little'))


def rubbish(store, n):
    with open(path(store, n), 'wb') as f:
        f.write(bytes(i * 7 % 251 for i in range(5000)))


def torn_middle(store, n):
    os.truncate(path(store, n), os.path.getsize(path(store, n)) * 2 // 3)


SURGERIES = [flip, zero_hole, header, half_header, missing, doubled, renamed,
             footer, footer_lies, rubbish, torn_middle]
# Of a store of one segment these leave nothing.
NOT_ALONE = {half_header, missing, rubbish}
SHAPES = [('many-segments', 3), ('many-segments-noindex', 2), ('reopened', 2),
          ('missing-footer', 3), ('batch', 1), ('crashed-open', 1)]


def batpak_finds(interop, store):
    """None, or what batpak says besides links that are gone."""
    done = subprocess.run([interop, 'check', store, '--writable'],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if not done.stdout:
        return done.stderr.decode()[-300:]
    found = json.loads(done.stdout.splitlines()[-1])
    others = [text for text in found['first'] if LINK not in text]
    return '; '.join(others[:2]) or None


def damaged(batctl, interop, scratch, shape, segment, surgery):
    store = os.path.join(scratch, '%s-%s' % (shape, surgery.__name__))
    shutil.copytree(os.path.join(golden.GOLDEN, shape, 'store'), store)
    surgery(store, segment)
    saved = store + '-saved'
    done = subprocess.run([batctl, 'salvage', store, saved],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in (0, 1):
        return 'batctl salvage: %s' % done.stderr.decode()
    why = batpak_finds(interop, saved)
    if why:
        return 'salvaged: %s' % why
    done = subprocess.run([batctl, 'repair', store, '--yes'],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        return 'batctl repair: %d %s%s' % (
            done.returncode, done.stdout.decode(), done.stderr.decode())
    again = subprocess.run([batctl, 'repair', store],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if again.returncode != 0:
        return 'a second time: %s' % again.stdout.decode()
    return batpak_finds(interop, store)


def left_by_a_compaction(batctl, interop, scratch, shape):
    """The sources of a merge are there again, and nothing tells of it."""
    store = os.path.join(scratch, '%s-sources' % shape)
    shutil.copytree(os.path.join(golden.GOLDEN, shape, 'store'), store)
    for name in ('index.fbati', 'index.ckpt'):
        if os.path.exists(os.path.join(store, name)):
            os.unlink(os.path.join(store, name))
    copy = store + '-copy'
    shutil.copytree(store, copy)

    def count():
        done = subprocess.run([interop, 'dump', store, '--no-index'],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return len(done.stdout.splitlines())

    before = count()
    done = subprocess.run([batctl, 'compact', store],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        return 'batctl compact: %s' % done.stdout.decode()
    merged = {name for name in os.listdir(store) if name.endswith('.fbat')}
    sources = {name for name in os.listdir(copy)
               if name.endswith('.fbat')} - merged
    if not sources:
        return 'nothing was merged'
    for name in sources:
        shutil.copy(os.path.join(copy, name), store)
    for name in ('index.fbati', 'index.ckpt'):
        if os.path.exists(os.path.join(store, name)):
            os.unlink(os.path.join(store, name))
    shown = subprocess.run([batctl, 'cat', store, 'log.jsonl'],
                           stdout=subprocess.PIPE).stdout.count(b'\n')
    if shown <= before:
        return 'nothing is there twice'
    done = subprocess.run([batctl, 'doctor', store], stdout=subprocess.PIPE)
    if done.returncode != 1 or b'a source that a compaction left' \
            not in done.stdout:
        return 'batctl doctor: %s' % done.stdout.decode()
    done = subprocess.run([batctl, 'repair', store, '--yes'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        return 'batctl repair: %s' % done.stdout.decode()
    shown = subprocess.run([batctl, 'cat', store, 'log.jsonl'],
                           stdout=subprocess.PIPE).stdout.count(b'\n')
    if count() != before or shown > before:
        return '%d events, %d in batpak, %d before' % (shown, count(), before)
    return batpak_finds(interop, store)


def main(batfs):
    batctl = os.path.join(os.path.dirname(os.path.realpath(batfs)), 'batctl')
    report = Report()
    interop = run.build()
    if not interop:
        report.skip('repaired', 'no cargo')
        return report.status()
    with tempfile.TemporaryDirectory(prefix='batfs-repaired-') as scratch:
        for shape, segment in SHAPES:
            wrong = []
            several = os.path.exists(path(os.path.join(
                golden.GOLDEN, shape, 'store'), 2))
            surgeries = [s for s in SURGERIES if several or s not in NOT_ALONE]
            for surgery in surgeries:
                why = damaged(batctl, interop, scratch, shape, segment,
                              surgery)
                if why:
                    wrong.append('%s: %s' % (surgery.__name__, why))
            report.case('%s, damaged in %d ways and repaired, opens in batpak'
                        % (shape, len(surgeries)), '; '.join(wrong))
        for shape in ('many-segments', 'many-segments-noindex'):
            report.case('%s, with the sources of a compaction beside it, '
                        'shows each event once' % shape,
                        left_by_a_compaction(batctl, interop, scratch, shape)
                        or '')
    return report.status()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
