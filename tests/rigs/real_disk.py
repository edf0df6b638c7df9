#!/usr/bin/env python3
"""The store on real file systems, on a disk that loses its power or fails.

    real_disk.py BUILD [options]       BUILD: a build directory
    real_disk.py BUILD --again DIR     a failure that was kept, once more

Power cuts: a life of the library is logged write by write; for places of the
log, states that a power cut there could have left are mounted, and the store
in them must open with everything that was acknowledged.  Some are cut a second
time while they recover.  Shutdown: the file system stops in the middle of a
life, its journal unwritten.  Failing disk: writes or flushes answer EIO.  Both
also below a live mount of batfs.

A line per kind: `ok - NAME: figures` or `not ok - NAME: why`.  What does not
hold is kept below build/rig-failures, and the command to see it again printed.
"""
import argparse
import collections
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from live_mount import BatfsError, LiveMount
from loop_disk import FILE_SYSTEMS, Disk, NotHere, RigError, make_image

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
KINDS = ['none', 'all', 'prefix', 'prefix', 'subset', 'subset', 'subset',
         'torn', 'torn', 'torn', 'sectors', 'sectors']
# An fsync that is under way while the file system is told to stop may answer 0
# for what never reaches the disk (jbd2 counts a transaction that it gave up as
# committed): acknowledgements count until here ...
STOPPING = 'stopping'
# ... and nothing that is offered from here on may have one.
STOPPED = 'stopped'
HOLE = 'sound frames go on'
REFUSED_HOLE = 'refused for a hole, all there to read'
FIRST, SECOND = 'cuts', 'cuts during recovery'
RIGHT, DISK_FAILED, REFUSED = 0, 3, 4
HUNG = 60  # seconds


class Wrong(Exception):
    """A promise that does not hold."""


def promised(notes, position, low=0, high=0):
    """How many events are acknowledged and offered before a position."""
    for where, text in notes:
        word, _, number = text.partition(' ')
        if where >= position:
            break
        if word == 'shown':
            low = high = int(number)
        elif word == 'offer':
            high = max(high, int(number))
        elif word == 'ack':
            low = max(low, int(number))
    return low, high


def place_of(notes, wanted):
    return next((where for where, text in notes if text == wanted), 1 << 60)


class Score:
    """What was done: file system, group, kind."""

    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)
        self.seen = set()
        self.wrong = []

    def add(self, name, group, kind=None):
        self.counts[name][group, kind] += 1

    def total(self, name, *groups):
        return sum(n for (group, _), n in self.counts[name].items()
                   if group in groups)

    def line(self, name):
        parts = []
        for group in dict.fromkeys(g for g, _ in self.counts[name]):
            kinds = sorted((kind, n) for (g, kind), n in
                           self.counts[name].items() if g == group and kind)
            parts.append('%s %d' % (group, self.total(name, group)) + (
                ' (%s)' % ', '.join('%s %d' % k for k in kinds)
                if kinds else ''))
        return '; '.join(parts) or 'nothing'


class Rig:
    def __init__(self, args, work):
        self.args = args
        self.work = work
        self.rigs = os.path.join(args.build, 'tests', 'rigs')
        self.batfs = os.path.join(args.build, 'fs', 'batfs')
        self.interop = find_interop()
        self.score = Score()
        self.images = {}
        self.refused_kept = False

    def disk(self, name):
        if name not in self.images:
            image = os.path.join(self.work, name + '.img')
            make_image(image, name)
            self.images[name] = image
        return Disk(os.path.join(self.rigs, 'block_disk'), self.work,
                    self.images[name], name)

    # ---- the two halves of rig_store -----------------------------------

    def rig_store(self, *words):
        return [os.path.join(self.rigs, 'rig_store')] + list(map(str, words))

    def live(self, disk, seed, steps, *more):
        """Start a life."""
        return subprocess.Popen(
            self.rig_store('live', disk.mnt + '/store', disk.notes_file, seed,
                           steps, *more),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def lived(self, life, allowed):
        """Its end.  Its status, which must be allowed."""
        try:
            said = life.communicate(timeout=HUNG)[0]
        except subprocess.TimeoutExpired:
            life.kill()
            raise Wrong('the life hangs') from None
        if life.returncode not in allowed:
            raise Wrong('the life ended with %d: %s' % (
                life.returncode, said.strip()[-600:]))
        return life.returncode

    def check(self, disk, seed, low, high, batpak=False):
        """Look at what is mounted.  A store with a hole in front of sound
        frames may refuse to be written, if it shows a reader what was
        acknowledged; with --strict it may not."""
        try:
            done = subprocess.run(
                self.rig_store('check', disk.mnt + '/store', disk.notes_file,
                               seed, low, high, *[] if self.args.strict else ['salvage']),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=HUNG, check=False)
        except subprocess.TimeoutExpired:
            raise Wrong('the check hangs') from None
        if done.returncode == REFUSED and HOLE in done.stdout:
            self.score.add(disk.name, REFUSED_HOLE)
            return  # batpak opens none of these
        if done.returncode != RIGHT:
            raise Wrong(done.stdout.strip()[-900:])
        if batpak and self.interop:
            done = subprocess.run(
                [self.interop, 'check', disk.mnt + '/store'],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=HUNG, check=False)
            if done.returncode != 0:
                raise Wrong('batpak: ' + done.stdout.strip()[-900:])
            self.score.add(disk.name, 'opened by batpak too')

    def does_not_mount(self, disk):
        """The file system itself did not bear it: counted."""
        code = disk.mount()
        if code is None:
            return False
        self.score.add(disk.name, 'not mounted', errno.errorcode[code])
        return True

    # ---- power cuts ----------------------------------------------------

    def power_cuts(self, name, seed, states, how_to_live=None):
        """A life, and so many states of its disk."""
        rng = random.Random('%s %d' % (name, seed))
        steps = rng.choice([30, 60, 60, 120])
        words = [how_to_live] if how_to_live else []
        lie = how_to_live == 'lie'
        with self.disk(name) as disk:
            disk.order('reset')
            disk.mount()
            self.lived(self.live(disk, seed, steps, *words), [RIGHT])
            disk.umount()
            notes = disk.notes()
            for position in places(rng, disk.entries(), states):
                how = {'fs': name, 'seed': seed, 'lie': lie,
                       'position': position,
                       'kind': rng.choice(KINDS),
                       'cut_seed': rng.randrange(1 << 32)}
                how['low'], how['high'] = promised(notes, position)
                how['second'] = rng.random() < self.args.second
                how['batpak'] = rng.random() < self.args.batpak
                self.held(disk, how, lambda: self.one_cut(disk, how, rng))

    def one_cut(self, disk, how, rng):
        """One state: mounted, opened, gone on with."""
        told = disk.cut(how['position'], how['kind'], how['cut_seed'])
        depth = SECOND if how.get('is_second') else FIRST
        state = (disk.name, how['seed'], depth, told[0], told[4], how['low'],
                 how['high'])
        if state in self.score.seen:
            self.score.add(disk.name, 'seen before')
            return
        self.score.seen.add(state)
        self.score.add(disk.name, depth,
                       how['kind'] if told[1] else 'nothing pending')
        if how['second']:
            disk.order('push')
        try:
            if self.does_not_mount(disk):
                return
            try:
                self.check(disk, how['seed'], how['low'], how['high'],
                           how['batpak'])
                if os.path.isdir(disk.mnt + '/store/.batfs/cut'):
                    self.score.add(disk.name, 'torn tails')
            finally:
                disk.umount()
            self.show_refused(disk, how)
            if how['second']:
                self.second_cuts(disk, how, rng)
        finally:
            if how['second']:
                disk.order('pop')

    def second_cuts(self, disk, before, rng):
        """The power goes again while the file system and the store recover
        from the first time."""
        notes = disk.notes()
        for position in places(rng, disk.entries(), 3):
            how = dict(before, position=position, kind=rng.choice(KINDS),
                       cut_seed=rng.randrange(1 << 32), second=False,
                       batpak=False, is_second=True)
            how['low'], how['high'] = promised(
                notes, position, before['low'], before['high'])
            self.held(disk, how, lambda: self.one_cut(disk, how, rng))

    # ---- the file system stops -----------------------------------------

    def shutdown(self, name, seed):
        rng = random.Random('shutdown %s %d' % (name, seed))
        how = {'fs': name, 'seed': seed, 'what': 'shutdown'}
        with self.disk(name) as disk:
            disk.order('reset')
            disk.mount()
            life = self.live(disk, seed, 100000)
            time.sleep(rng.uniform(0.02, 0.3))
            disk.note(STOPPING)
            disk.shutdown()
            disk.note(STOPPED)
            self.afterwards(disk, how, life, 'shutdown')

    # ---- the disk fails ------------------------------------------------

    def failing(self, name, seed):
        """Writes, flushes or none of both answer well; or only seemingly."""
        rng = random.Random('failing %s %d' % (name, seed))
        fault = ['flush', 'write', 'drop'][seed % 3]
        count = 1 << 60 if fault == 'drop' else rng.choice([1, 1, 2, 1 << 60])
        how = {'fs': name, 'seed': seed, 'what': 'failing ' + fault}
        with self.disk(name) as disk:
            disk.order('reset')
            disk.mount()
            disk.order('fail %s %d %d' % (fault, rng.randrange(1, 120), count))
            life = self.live(disk, seed, 60)
            self.afterwards(disk, how, life, 'failing ' + fault)

    def afterwards(self, disk, how, life, what):
        """The life ends, the disk is well again, and everything is there."""
        def done():
            status = self.lived(life, [RIGHT, DISK_FAILED])
            disk.umount()
            hits = int(disk.order('mend'))
            notes = disk.notes()
            low, high = promised(notes, place_of(notes, 'dropped'))
            low = min(low, promised(notes, place_of(notes, STOPPING))[0])
            if promised(notes, 1 << 60)[0] > promised(
                    notes, place_of(notes, STOPPED))[1]:
                raise Wrong('acknowledged after the file system had stopped')
            self.score.add(disk.name, what, 'stopped' if status == DISK_FAILED
                           else 'went on' if hits else 'not hit')
            if self.does_not_mount(disk):
                return
            try:
                self.check(disk, how['seed'], low, high)
            finally:
                disk.umount()
        try:
            self.held(disk, how, done)
        finally:
            if life.poll() is None:
                life.kill()
                life.wait()

    # ---- batfs on top --------------------------------------------------

    def live_mount(self, name, seed, fault):
        """batfs stays up and says EIO; a new mount has what was written."""
        rng = random.Random('live %s %s %d' % (fault, name, seed))
        how = {'fs': name, 'seed': seed, 'what': 'batfs, ' + fault}
        with self.disk(name) as disk:
            disk.order('reset')
            disk.mount()
            with LiveMount(self.batfs, disk.mnt + '/store',
                           self.work) as live:
                self.held(disk, how, lambda: self.batfs_on(
                    disk, live, fault, rng))

    def batfs_on(self, disk, live, fault, rng):
        self.score.add(disk.name, 'below batfs', fault)
        live.start()
        live.write_some(5)
        writer = live.writer()
        time.sleep(rng.uniform(0.02, 0.2))
        if fault == 'shutdown':
            live.remember()
            disk.shutdown()
        else:
            disk.order('fail %s 0 1' % fault)
        problem = live.gone_wrong(writer)
        problem = problem or live.stop()
        if problem is None:
            disk.umount()
            disk.order('mend')
            if disk.mount() is not None:
                raise Wrong('it does not mount again')
            if fault == 'shutdown':
                live.forget()
            live.start()
            problem = live.all_there() or live.goes_on()
        if problem is not None:
            raise Wrong(problem)

    def show_refused(self, disk, how):
        """The first one is kept, to be looked at."""
        if self.refused_kept or not self.score.total(disk.name, REFUSED_HOLE):
            return
        self.refused_kept = True
        print('# refused for a hole: %s' % self.keep(disk, how))

    # ---- what does not hold --------------------------------------------

    def held(self, disk, how, what):
        try:
            what()
        except (Wrong, BatfsError) as error:
            if how.get('lie'):
                raise
            self.score.wrong.append('%s: %s' % (disk.name, error))
            if len(self.score.wrong) > 5:
                return
            print('# %s' % json.dumps(how))
            print('# %s' % '\n#   '.join(str(error).split('\n')))
            print('# again: %s' % self.keep(disk, how), flush=True)

    def keep(self, disk, how):
        """The disk's life goes into a folder, if a cut can be repeated."""
        if 'position' not in how:
            return ' '.join(['tests/rigs/real_disk.py', self.args.build,
                             '--fs', how['fs'], '--seed', str(how['seed']),
                             '--only', how['what'].split()[0].strip(',')])
        os.makedirs(self.args.keep, exist_ok=True)
        kept = tempfile.mkdtemp(prefix=how['fs'] + '-', dir=self.args.keep)
        disk.order('save %s/base.img %s/log' % (kept, kept))
        with open(kept + '/how.json', 'w') as file:
            json.dump(how, file)
        return 'tests/rigs/real_disk.py %s --again %s' % (
            self.args.build, kept)

    def again(self, kept):
        with open(kept + '/how.json') as file:
            how = json.load(file)
        self.images[how['fs']] = kept + '/base.img'
        with self.disk(how['fs']) as disk:
            disk.order('load %s/log' % kept)
            told = disk.cut(how['position'], how['kind'], how['cut_seed'])
            print('durable to %d, %d writes pending, %d sectors kept, '
                  '%d lost' % told[:4])
            print('acknowledged %d, offered %d' % (how['low'], how['high']))
            code = disk.mount()
            if code is not None:
                print('it does not mount: ' + os.strerror(code))
                return 0
            try:
                copy = kept + '/store'
                shutil.rmtree(copy, ignore_errors=True)
                if os.path.exists(disk.mnt + '/store'):
                    shutil.copytree(disk.mnt + '/store', copy)
                    print('as it was found: ' + copy)
                self.check(disk, how['seed'], how['low'], how['high'], True)
                print('refused, all there for a reader' if
                      self.score.total(disk.name, REFUSED_HOLE)
                      else 'it holds')
                return 0
            except Wrong as error:
                print(error)
                return 1
            finally:
                disk.umount()


def places(rng, entries, count):
    """Positions in a log, rising: the more is pending there the more often,
    and a few where nothing is."""
    weights, pending = [], 0
    for entry in entries:
        pending = 0 if entry == 'f' else pending + (entry == 'w')
        weights.append(min(pending, 12) + 0.1)
    return sorted(1 + i for i in rng.choices(range(len(weights)), weights,
                                             k=count)) if weights else []


def find_interop():
    path = os.environ.get('INTEROP') or os.path.join(
        os.environ.get('CARGO_TARGET_DIR') or
        os.path.join(ROOT, 'tests', 'interop', 'target'), 'debug', 'interop')
    return path if os.access(path, os.X_OK) else None


# ---- all of it ---------------------------------------------------------

PARTS = ['power', 'shutdown', 'failing', 'batfs', 'lie']


def shuts_down(name):
    return FILE_SYSTEMS[name][2] != 'btrfs'


def sees_a_lie(rig, name, seed):
    """A rig that finds nothing proves little: a life that acknowledges before
    the sync must be caught."""
    before = rig.score
    for i in range(8):
        rig.score = Score()
        try:
            rig.power_cuts(name, seed + i, 12, 'lie')
        except Wrong as why:
            print('# a lie was seen after %d states: %s' % (
                rig.score.total(name, FIRST, SECOND), why))
            rig.score = before
            return True
    rig.score = before
    return False


def one_round(rig, name, number, states):
    """What a round does on one file system."""
    args = rig.args
    seed = args.seed + number
    if 'power' in args.only:
        rig.power_cuts(name, seed, states, 'slow' if seed % 3 == 0 else None)
    if 'shutdown' in args.only and shuts_down(name):
        rig.shutdown(name, seed)
    if 'failing' in args.only:
        rig.failing(name, seed)
    if 'batfs' in args.only and number % args.batfs_every == 0:
        if shuts_down(name):
            rig.live_mount(name, seed, 'shutdown')
        rig.live_mount(name, seed, 'flush')


def run(rig, names):
    args = rig.args
    end = time.monotonic() + 60 * args.minutes
    number = 0
    while names and number != args.rounds and (
            len(rig.score.wrong) < args.enough):
        for name in list(names):
            if args.minutes and time.monotonic() >= end:
                return
            try:
                one_round(rig, name, number, args.states)
            except NotHere as why:
                print('skip - real disk, %s: %s' % (name, why))
                names.remove(name)
            except RigError as why:
                rig.score.wrong.append('%s: the rig: %s' % (name, why))
        number += 1


def report(rig, names, seconds):
    args, score = rig.args, rig.score
    for name in names:
        wrong = [why for why in score.wrong if why.startswith(name + ':')]
        if wrong:
            print('not ok - real disk, %s: %d wrong, the first: %s' % (
                name, len(wrong), wrong[0].replace('\n', ' ')))
        else:
            print('ok - real disk, %s: %s' % (name, score.line(name)))
    print('# S2 cut again during recovery: %d' % sum(
        score.total(name, SECOND) for name in names))
    print('# S3 block-level states: %s; not mounted %d; wrong %d' % (
        ', '.join('%s %d' % (name, score.total(name, FIRST, SECOND))
                  for name in names),
        sum(score.total(name, 'not mounted') for name in names),
        len(score.wrong)))
    print('# S4 shutdowns: %d' % sum(
        score.total(name, 'shutdown') for name in names))
    print('# %d s, seed %d: tests/rigs/real_disk.py %s' % (
        seconds, args.seed, ' '.join(sys.argv[1:])))


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build')
    parser.add_argument('--fs', default='ext4', help='names, or all: ' +
                        ' '.join(FILE_SYSTEMS))
    parser.add_argument('--only', default=','.join(PARTS))
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--states', type=int, default=20, help='of a round')
    parser.add_argument('--rounds', type=int, default=-1, metavar='N')
    parser.add_argument('--minutes', type=float, default=0, metavar='N',
                        help='rounds until this or the other is over')
    parser.add_argument('--second', type=float, default=0.15,
                        help='share of states that are cut again')
    parser.add_argument('--batpak', type=float, default=0.1,
                        help='share of states that batpak opens too')
    parser.add_argument('--batfs-every', type=int, default=5)
    parser.add_argument('--enough', type=int, default=20,
                        help='end after so many that are wrong')
    parser.add_argument('--keep', default=os.path.join(
        ROOT, 'build', 'rig-failures'))
    parser.add_argument('--strict', action='store_true',
                        help='a store that refuses to be written is wrong')
    parser.add_argument('--again', metavar='DIR')
    args = parser.parse_args()
    if args.rounds < 0 and not args.minutes:
        args.rounds = 3
    args.only = args.only.split(',')
    args.fs = list(FILE_SYSTEMS) if args.fs == 'all' else args.fs.split(',')
    return args


def main():
    args = arguments()
    for program in 'block_disk', 'rig_store':
        if not os.access(os.path.join(args.build, 'tests', 'rigs', program),
                         os.X_OK):
            sys.exit('%s has no tests/rigs/%s: build it' % (
                args.build, program))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = tempfile.mkdtemp(prefix='batfs-rig-')
    try:
        rig = Rig(args, work)
        if args.again:
            return rig.again(args.again)
        start = time.monotonic()
        names = list(args.fs)
        run(rig, names)
        if 'lie' in args.only and names:
            name = 'real disk sees an acknowledgement before the sync'
            print(('ok - %s' if sees_a_lie(rig, names[0], args.seed)
                   else 'not ok - %s: it did not') % name)
        report(rig, names, time.monotonic() - start)
        return 1 if rig.score.wrong else 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
