#!/usr/bin/env python3
"""Compaction from both sides, whole and killed in its middle.

    compact.py BATFS [KILLS]

batfs merges golden stores and stores of batpak's: batpak opens the result by
each index alone and by none, and shows every event as before, numbers too.
Then batctl is killed at KILLS moments of a compaction, and each time batpak
opens what is left and shows the same.  The other way round batpak is killed in
its own compaction, and batfs shows every event once, heals the directory with
its first append, and batpak opens it.  INTEROP names a program that is built
already.
"""
# Limit: 300 s
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
from run import (Batpak, Wrong, append_lines, build, log_of, parsed,  # noqa
                 sides_differ)
import fbat                                             # noqa: E402
import golden                                           # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from view import read                                   # noqa: E402

SHAPES = ['batch', 'chains', 'clock-back', 'extensions', 'hidden', 'mixed',
          'many-segments', 'many-segments-noindex', 'missing-footer',
          'group-commit', 'torn-tail', 'compacted-merge']
INDEXES = ('index.fbati', 'index.ckpt')
MARKER = 'compaction.pending.json'


def compact(batfs, store, *flags):
    batctl = os.path.join(os.path.dirname(batfs), 'batctl')
    done = subprocess.run([batctl, 'compact', store, *flags],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode:
        raise Wrong('batctl compact: %d: %s' % (done.returncode, done.stdout))
    return done.stdout


def segments(store):
    return sorted(n for n in os.listdir(store) if n.endswith('.fbat'))


def kernel(events):
    """What a compaction may not change."""
    return [{k: v for k, v in event.items()
             if k not in ('payload', 'segment', 'offset')}
            for event in events]


def without_index(store, folder):
    copy = os.path.join(folder, 'bare')
    shutil.copytree(store, copy, ignore=shutil.ignore_patterns(
        *INDEXES, '.batfs', '.tmp*'))
    return copy


def shows_the_same(batpak, store, before):
    """Extensions are lost to batpak where it reads through a footer (H5)."""
    events, _ = batpak.dump(store)
    names = os.listdir(store)
    if MARKER in names or not any(name in names for name in INDEXES):
        for event, known in zip(events, before):
            event['ext'] = event['ext'] or known['ext']
    if kernel(events) != kernel(before):
        wrong = [(a, b) for a, b in zip(kernel(events), kernel(before))
                 if a != b]
        raise Wrong('batpak shows %d events instead of %d; %s; there is %s' % (
            len(events), len(before), wrong[:1], names))


def same_for_batpak(batpak, store, before, folder):
    """With the index and without."""
    shows_the_same(batpak, store, before)
    bare = without_index(store, folder)
    shows_the_same(batpak, bare, before)
    shutil.rmtree(bare)


def merged_golden(batfs, batpak, name, folder):
    store = golden.private_copy(name, folder, True)
    scope = fbat.Store(store).events()[-1]['scope']
    with Mount(batfs, store) as at:
        append_lines(at, scope)
    log = log_of(batfs, store)
    before, _ = batpak.dump(store)
    said = compact(batfs, store)
    if not said.startswith('merged ') or len(segments(store)) != 1:
        raise Wrong('%s %s' % (said, segments(store)))
    if log_of(batfs, store) != log:
        raise Wrong('batfs shows other lines')
    same_for_batpak(batpak, store, before, folder)
    batpak.check(store, '--strict-ext')
    batpak.check(store, '--writable')
    batpak.append(store, 7, 5, '--batches', '--keys')
    if not log_of(batfs, store).startswith(log):
        raise Wrong('batpak\'s turn changed what was there')


def many_sessions(batpak, store, sessions, seed):
    """A store of batpak's, of many small segments."""
    for i in range(sessions):
        batpak.append(store, seed + i, 12, '--batches', '--ext',
                      '--segment-max', 6000)


# Killed.

def run_and_kill(command, after):
    """True: it was killed before it ended."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        process.wait(after)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def how_long(command):
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def state_of(store):
    names = os.listdir(store)
    return '%s%s%d segments' % (
        'marker, ' if MARKER in names else '',
        'half a segment, ' if '.tmp.compaction' in names else '',
        len(segments(store)))


def batfs_is_killed(batfs, batpak, kills, folder):
    master = os.path.join(folder, 'master')
    many_sessions(batpak, master, 6, 50)
    before, _ = batpak.dump(master)
    log = log_of(batfs, master)
    batctl = os.path.join(os.path.dirname(batfs), 'batctl')
    store, spare = (os.path.join(folder, n) for n in ('store', 'spare'))
    shutil.copytree(master, store)
    takes = how_long([batctl, 'compact', store])
    seen = set()
    for k in range(kills):
        shutil.rmtree(store)
        shutil.copytree(master, store)
        run_and_kill([batctl, 'compact', store], takes * k / kills)
        seen.add(state_of(store))
        try:
            # batpak would append OPEN: a copy.
            shutil.copytree(store, spare)
            same_for_batpak(batpak, spare, before, folder)
            shutil.rmtree(spare)
            if log_of(batfs, store) != log:
                raise Wrong('batfs shows other lines')
            compact(batfs, store)
            same_for_batpak(batpak, store, before, folder)
        except Wrong as why:
            raise Wrong('%s (killed at %d of %d: %s)' % (
                why, k, kills, state_of(store)))
        if MARKER in os.listdir(store) or len(segments(store)) != 1:
            raise Wrong('not swept: %s' % os.listdir(store))
    print('# killed in: %s' % '; '.join(sorted(seen)))


def marker_of(merged, sources):
    text = '{"merged_id":%d,"source_segment_ids":[%s]' % (
        merged, ','.join(map(str, sources)))
    return '%s,"batfs_crc32":%d}' % (text, zlib.crc32(text.encode()))


def half_swept(batfs, batpak, folder):
    """What a crash leaves while the sources go, in any order."""
    master = os.path.join(folder, 'master')
    many_sessions(batpak, master, 3, 70)
    before, _ = batpak.dump(master)
    log = log_of(batfs, master)
    sources = segments(master)
    ids = [int(name.split('.')[0]) for name in sources]
    for left in (sources, sources[::2], sources[-1:], sources[:1], []):
        store = os.path.join(folder, 'store')
        shutil.copytree(master, store)
        compact(batfs, store)
        merged = segments(store)[0]
        for name in INDEXES:
            if os.path.exists(os.path.join(store, name)):
                os.unlink(os.path.join(store, name))
        for name in left:
            shutil.copy(os.path.join(master, name), store)
        with open(os.path.join(store, MARKER), 'w') as file:
            file.write(marker_of(int(merged.split('.')[0]), ids))
        same_for_batpak(batpak, store, before, folder)
        if log_of(batfs, store) != log:
            raise Wrong('batfs shows other lines, with %s left' % left)
        with Mount(batfs, store) as at:
            append_lines(at, fbat.Store(master).events()[-1]['scope'])
        if MARKER in os.listdir(store) or len(segments(store)) != 2:
            raise Wrong('not healed: %s' % os.listdir(store))
        if not log_of(batfs, store).startswith(log):
            raise Wrong('healed, batfs shows other lines')
        batpak.check(store)
        shutil.rmtree(store)


def batpak_is_killed(batfs, batpak, kills, folder):
    master = os.path.join(folder, 'master')
    many_sessions(batpak, master, 6, 90)
    ids = [event['id'] for event in batpak.dump(master)[0]]
    store = os.path.join(folder, 'store')
    command = [batpak.program, 'append', store, '1', '0', '--compact']
    shutil.copytree(master, store)
    takes = how_long(command)
    seen = set()
    for k in range(kills):
        shutil.rmtree(store)
        shutil.copytree(master, store)
        run_and_kill(command, takes * k / kills)
        seen.add(state_of(store))
        scope = fbat.Store(master).events()[-1]['scope']
        try:
            with Mount(batfs, store) as at:
                shown = [line['id'] for line in parsed(read(at, 'log.jsonl'))]
                if shown[:len(ids)] != ids or len(set(shown)) != len(shown):
                    raise Wrong('%d of %d events' % (
                        len(set(shown) & set(ids)), len(ids)))
                append_lines(at, scope)
                log = read(at, 'log.jsonl')
            why = sides_differ(log, batpak.dump(store)[0])
            if why and not log_of(batfs, store).startswith(log):
                raise Wrong('the two sides: %s' % why)
            batpak.check(store)
        except (Wrong, MountFailed) as why:
            raise Wrong('%s (killed at %d of %d: %s)' % (
                why, k, kills, state_of(store)))
        if [n for n in os.listdir(store) if n == MARKER
                or n.endswith('.compact-src')]:
            raise Wrong('not healed: %s' % os.listdir(store))
    print('# killed in: %s' % '; '.join(sorted(seen)))


def main():
    report = Report()
    batfs = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    program = build()
    if not program:
        report.skip('compaction', 'no cargo')
        return 0
    batpak = Batpak(program)
    cases = [('batpak opens %s, merged' % name,
              lambda folder, name=name: merged_golden(
                  batfs, batpak, name, folder)) for name in SHAPES]
    cases += [('batpak and batfs see one half of a merge that was not swept',
               lambda folder: half_swept(batfs, batpak, folder)),
              ('batctl is killed in a compaction, and batpak shows the same',
               lambda folder: batfs_is_killed(batfs, batpak, kills, folder)),
              ('batpak is killed in a compaction, and batfs heals it',
               lambda folder: batpak_is_killed(batfs, batpak, kills, folder))]
    for name, case in cases:
        folder = tempfile.mkdtemp(prefix='batfs-compact-')
        why = None
        try:
            case(folder)
        except (Wrong, MountFailed) as error:
            why = str(error)
        finally:
            shutil.rmtree(folder)
        report.case(name, why)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
