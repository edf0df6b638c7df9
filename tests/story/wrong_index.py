#!/usr/bin/env python3
"""An index that is not of this directory, or no longer, is dropped and said.

    wrong_index.py BATFS [STORE...]

Every golden store gets an index file that does not fit: that of another
store, its own without a row, its own with a bit turned, its own cut short,
its own of before a compaction.  Read-only the view is the one without that file, and `.ctl/open-report` names
it; writable, the first append takes it away, and a reader of our own and
batpak (where its program is built) find everything afterwards.
"""
# Limit: 600 s
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
import fbat                                             # noqa: E402
import golden                                           # noqa: E402
import indexes                                          # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from view import log_differs, read                      # noqa: E402

# batpak itself cannot read these without its own index (golden.py says why).
NOT_FOR_BATPAK = {'compacted-retention', 'compacted-tombstone', 'idempotent',
                  'kinds'}
# batpak's merge keeps or makes gaps in these: it lost events before it.
NOT_AFTER_MERGE = {'batch-torn', 'batch-torn-reopened', 'compaction-pending'}


def interop_program():
    target = os.environ.get('CARGO_TARGET_DIR') or os.path.join(
        HERE, '..', 'interop', 'target')
    program = os.environ.get('INTEROP') or os.path.join(
        target, 'debug', 'interop')
    return program if os.path.exists(program) else None


def own(name):
    """The index files of a golden store."""
    folder = os.path.join(golden.GOLDEN, name, 'store')
    return {index: read(folder, index) for index in golden.INDEXES
            if os.path.exists(os.path.join(folder, index))}


def wrong_ones(name, names):
    """What is tried with a store: (what it is, file name, bytes)."""
    rng = random.Random(name)
    after = names[names.index(name) + 1:] + names[:names.index(name)]
    for index in golden.INDEXES:
        foreign = next(n for n in after if index in own(n))
        yield 'the %s of %s' % (index, foreign), index, own(foreign)[index]
    for index, data in own(name).items():
        yield 'its %s without its last row' % index, index, (
            indexes.without_row(index, data, -1))
        yield 'its %s without a row' % index, index, (
            indexes.without_row(index, data, rng.randrange(1000)))
        at = rng.randrange(len(data))
        yield 'its %s with a bit turned at %d' % (index, at), index, (
            indexes.flipped(data, at, rng.randrange(8)))
        at = rng.randrange(len(data))
        yield 'its %s cut to %d bytes' % (index, at), index, data[:at]


def prepare(name, folder, index, data):
    store = golden.private_copy(name, folder, False)
    with open(os.path.join(store, index), 'wb') as file:
        file.write(data)
    return store


def read_only(batfs, store, index, events):
    with Mount(batfs, store, 'ro') as at:
        log = read(at, 'log.jsonl')
        said = read(at, '.ctl', 'open-report').decode()
    why = log_differs(log, events)
    if not why and index not in said:
        why = 'the open report does not name %s: %r' % (index, said)
    return why


def writable(batfs, store, index, data, events):
    why = golden.append_probe(batfs, store, events)
    path = os.path.join(store, index)
    if not why and os.path.exists(path) and read(path) == data:
        why = '%s is still there' % index
    return why


def before_compaction(name, folder, program):
    """The store after batpak merged its segments, with the index.ckpt of
    before.  None where batpak does not open it or cannot merge."""
    store = golden.private_copy(name, folder, False)
    old = b''
    for more in (['12', '--segment-max', '2000'], ['1', '--compact']):
        path = os.path.join(store, 'index.ckpt')
        old = read(path) if os.path.exists(path) else b''
        done = subprocess.run(
            [program, 'append', store, '7', *more, '--batches', '--ext',
             '--index', 'ckpt'], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        if done.returncode:
            return None, None
    if b'{"compacted":0}' in done.stdout:
        return None, None
    with open(os.path.join(store, 'index.ckpt'), 'wb') as file:
        file.write(old)
    return store, old


def try_one(batfs, name, store, what, index, data, report):
    model = fbat.Store(store)
    events, program, why = model.events(), interop_program(), None
    pending = os.path.exists(os.path.join(store, 'compaction.pending.json'))
    if index not in model.refused and not pending:
        why = 'the test is wrong: this index fits'
    try:
        # while a compaction is pending no index is looked at, nor named
        why = why or read_only(batfs, store, '' if pending else index, events)
        why = why or writable(batfs, store, index, data, events)
    except (MountFailed, OSError, ValueError, fbat.Bad) as error:
        why = why or repr(error)
    unfit = NOT_FOR_BATPAK | (NOT_AFTER_MERGE if 'compaction' in what else set())
    if not why and program and name not in unfit:
        done = subprocess.run([program, 'check', store],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode:
            why = 'batpak: %s' % done.stdout[:400]
    report.case('%s with %s' % (name, what), why)
    shutil.rmtree(store)


def main(argv):
    if len(argv) < 2:
        sys.exit(__doc__)
    batfs = os.path.abspath(argv[1])
    names = sorted(n for n in os.listdir(golden.GOLDEN)
                   if os.path.isdir(os.path.join(golden.GOLDEN, n)))
    report = Report()
    if not interop_program():
        report.skip('wrong indexes, batpak opens it afterwards',
                    'interop is not built')
    with tempfile.TemporaryDirectory(prefix='batfs-index-') as folder:
        for name in argv[2:] or names:
            for what, index, data in wrong_ones(name, names):
                store = prepare(name, folder, index, data)
                try_one(batfs, name, store, what, index, data, report)
            if not interop_program():
                continue
            store, data = before_compaction(name, folder, interop_program())
            if store:
                try_one(batfs, name, store, 'the index.ckpt of before a '
                        'compaction', 'index.ckpt', data, report)
    return report.status()


if __name__ == '__main__':
    sys.exit(main(sys.argv))
