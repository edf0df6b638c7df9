#!/usr/bin/env python3
"""batpak and batfs take turns over the same directories.

    run.py BATFS [--seeds N] [--turns N] [--seed FIRST] [--only golden|turns]
                 [--keep DIR]

First every golden store: batfs appends, batpak opens the result by each
index alone and by none, appends in its turn, and batfs shows all of it.
Then games: a fresh directory, turns of one or the other as the seed says,
with batches, extensions, keys, fences, killed turns and moving clocks.
After every turn both sides are asked what is there, and everything that
either ever acknowledged must be there once, and the same.

A game that fails is played again with `run.py BATFS --only turns --seed SEED
--seeds 1 --keep DIR`.  INTEROP names a program that is built already.
"""
# Limit: 900 s
import argparse
import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'),
                os.path.join(HERE, '..', 'story')]
import fbat                                             # noqa: E402
import golden                                           # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from tree_names import tree_name                        # noqa: E402
from view import b64, line_differs, log_differs, read   # noqa: E402

ENTITIES = ['player:alice', 'player:bob', 'monster:troll', 'agent:zoë',
            'two  words', '50%', '.hidden', '-dash', 'CACHEDIR.TAG']
SCOPES = ['room:dungeon', 'room:tavern', 'tenant 42']


class Wrong(Exception):
    """Something that does not hold."""


# The program on batpak's side.

def build():
    """The program's path; None without cargo."""
    if os.environ.get('INTEROP'):
        return os.environ['INTEROP']
    if not shutil.which('cargo'):
        return None
    target = os.environ.get('CARGO_TARGET_DIR') or os.path.join(HERE, 'target')
    subprocess.run(['cargo', 'build', '--quiet', '--locked'], cwd=HERE,
                   check=True, env=dict(os.environ, CARGO_TARGET_DIR=target))
    return os.path.join(target, 'debug', 'interop')


class Batpak:
    def __init__(self, program):
        self.program = program

    def run(self, *args):
        done = subprocess.run(
            [self.program, *map(str, args)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, lines, done.stderr.decode().strip()

    def dump(self, store):
        """Events as batpak reads them, and how it opened the directory."""
        status, lines, said = self.run('dump', store)
        if status or not lines or not lines[-1].get('ok'):
            raise Wrong('batpak does not open it: %s %s' % (lines[-1:], said))
        events = lines[:-1]
        for event in events:
            if 'payload_b64' in event:
                event['payload'] = base64.b64decode(event['payload_b64'])
        return events, lines[-1]

    def check(self, store, *flags):
        status, lines, said = self.run('check', store, *flags)
        if status:
            raise Wrong('batpak finds: %s %s' % (
                lines[-1]['first'][:4] if lines else '', said))
        return lines[-1]

    def append(self, store, seed, n, *flags):
        status, lines, said = self.run('append', store, seed, n, *flags)
        crashed = '--crash' in flags
        if status != 0 and not (crashed and status < 0):
            raise Wrong('batpak\'s turn: %s' % said)
        if not lines or 'end' not in lines[-1]:
            raise Wrong('batpak\'s turn has no end: %s' % said)
        return lines


# The two views side by side.

def log_of(batfs, store):
    with Mount(batfs, store, 'ro') as at:
        return read(at, 'log.jsonl')


def parsed(log):
    return [json.loads(line) for line in log.splitlines()]


def sides_differ(log, events):
    """batfs's lines against batpak's events.  Extensions that batpak lost on
    the way (its hazard H5) are not held against it."""
    lines = parsed(log)
    for line, event in zip(lines, events):
        if not event['ext'] and 'ext' in line:
            event['ext'] = {k: b64(golden_ext(v)) for k, v in line['ext'].items()}
    return log_differs(log, events)


def golden_ext(value):
    if isinstance(value, str):
        return value.encode()
    return base64.b64decode(value['$bin'])


# Part 1: golden stores.

# What batpak itself cannot read or keep of a store, whoever appends to it.
FLAGS = {
    'compacted-retention': ['--unreadable', '--loose-seq'],
    'compacted-tombstone': ['--unreadable'],
    'idempotent': ['--unreadable'],
    'kinds': ['--unreadable', '--loose-seq', '--no-markers'],
}
# Stores whose events batpak's own queries cannot show one by one.
BLIND = {'idempotent', 'compacted-retention', 'compacted-tombstone'}


def append_lines(at, scope):
    """A single line with words, then a batch that answers it."""
    folder = os.path.join(at, 'scopes', tree_name(scope))
    path = os.path.join(folder, 'interop:probe')
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        for data in (
                b'@kind=f.00a @key=%032x @ext.app.who=us {"n":1}\n' % 0xfeed,
                b'@cause=last {"n":2}\n@cause=prev @ext.app.who="a b" "three"\n'
                b'@tagged @lane=2 @depth=1 {"$bin":"AAEC/w=="}\n'):
            if os.write(fd, data) != len(data):
                raise Wrong('short write')
    finally:
        os.close(fd)


def golden_store(batfs, batpak, name, folder):
    store = golden.private_copy(name, folder, True)
    before = fbat.Store(store).events()
    flags = FLAGS.get(name, [])
    mount = Mount(batfs, store)
    with mount as at:
        append_lines(at, before[-1]['scope'])
        log = read(at, 'log.jsonl')
    batpak.check(store, '--strict-ext', *flags)
    batpak.check(store, '--writable', *flags)
    shown = log_of(batfs, store)
    if not shown.startswith(log):
        raise Wrong('the log of before is no longer the start of the log')
    if len(shown.splitlines()) != len(before) + 6:
        raise Wrong('%d lines, %d were there' % (
            len(shown.splitlines()), len(before)))
    if name not in BLIND:
        events, _ = batpak.dump(store)
        why = sides_differ(shown, events)
        if why:
            raise Wrong('the two sides: %s' % why)
    acks = batpak.append(store, 1, 5, '--batches', '--keys')
    last = log_of(batfs, store)
    if not last.startswith(shown):
        raise Wrong('batpak\'s turn changed what was there')
    ids = [line['id'] for line in parsed(last)]
    for ack in acks:
        if 'id' in ack and ids.count(ack['id']) != 1:
            raise Wrong('%s of batpak is there %d times' % (
                ack['id'], ids.count(ack['id'])))


# Part 2: games.

class Game:
    def __init__(self, batfs, batpak, seed, store):
        self.batfs, self.batpak, self.seed, self.store = (
            batfs, batpak, seed, store)
        self.rng = random.Random(seed)
        self.acks = {}          # batpak's: id to event
        self.hidden, self.opened = set(), set()     # hashes
        self.lines = {}         # batfs's: tag to what the line must say
        self.seen = b''         # the log as it was last
        self.told = []          # what happened, for a failure's message
        self.turn = self.count = 0

    # batpak's turn

    def batpak_turn(self):
        rng = self.rng
        flags = [f for f in ('--batches', '--ext', '--keys', '--fence',
                             '--clock-jumps') if rng.random() < 0.7]
        if rng.random() < 0.3:
            flags += ['--clock-offset', rng.choice([-86400, -60, 7200])]
        if rng.random() < 0.3:
            flags += ['--segment-max', rng.choice([3000, 10000])]
        index = rng.choice(['fbati', 'fbati', 'ckpt', 'none'])
        flags += ['--index', index]
        if rng.random() < 0.2 and self.may_compact(index):
            flags.append('--compact')
        flags += rng.choice([[], [], ['--drop'], ['--crash']])
        n = rng.randrange(1, 16)
        self.told.append('batpak %d %s' % (n, ' '.join(map(str, flags))))
        for line in self.batpak.append(
                self.store, rng.getrandbits(32), n, *flags,
                '--tag', 'p%d.%d' % (self.seed, self.turn)):
            if 'id' in line:
                line['payload'] = base64.b64decode(line['payload_b64'])
                self.acks[line['id']] = line
            elif 'hidden' in line:
                self.hidden.add(line['hidden'])
            elif 'open' in line:
                self.opened.add(line['open'])

    def may_compact(self, index):
        """A merge beside an index file that stays is batpak's hazard H21."""
        left = {'fbati': 'index.ckpt', 'ckpt': 'index.fbati'}
        return index in left and not os.path.exists(
            os.path.join(self.store, left[index]))

    # batfs's turn

    def batfs_turn(self):
        rng = self.rng
        options = []
        if rng.random() < 0.3:
            options.append('index=' + rng.choice(['ckpt', 'fbati', 'none']))
        if rng.random() < 0.2:
            options.append('checkpoint=0')
        kill = rng.random() < 0.35
        n = rng.randrange(0, 13)
        self.told.append('batfs %d %s%s' % (
            n, ','.join(options), ' kill' if kill else ''))
        mount = Mount(self.batfs, self.store, ','.join(options))
        at = mount.start()
        try:
            for _ in range(n):
                self.batfs_step(at)
        except BaseException:
            mount.end()
            raise
        if kill:
            mount.kill()
        else:
            status = mount.end()
            if status:
                raise Wrong('batfs ended with %s: %s' % (status, mount.said))

    def words(self, place, alone, known):
        """Words in front of a line, and what the line must then say."""
        rng, words = self.rng, []
        entity, scope = rng.choice(ENTITIES), rng.choice(SCOPES)
        must = {'entity': entity, 'scope': scope, 'kind': '1.000', 'cause': None}
        if place == 'append':
            words.append('entity=' + json.dumps(entity, ensure_ascii=False))
        if place != 'scopes':
            words.append('scope=' + json.dumps(scope))
        if rng.random() < 0.5:
            must['kind'] = '%x.%03x' % (rng.choice([1, 4, 12, 14, 15]),
                                        rng.randrange(4096))
            words.append('kind=' + must['kind'])
        if known and rng.random() < 0.4:
            line = rng.choice(known)
            must['cause'] = line['id']
            must['corr'] = line['corr']
            words.append('cause=' + rng.choice(
                [line['id'], 'seq:%d' % line['seq']]))
        if rng.random() < 0.2:
            must['corr'] = '%032x' % rng.randrange(1, 1 << 128)
            words.append('corr=' + must['corr'])
        if rng.random() < 0.2:
            must['id'] = '%032x' % rng.randrange(1, 1 << 128)
            words.append('key=' + must['id'])
        if rng.random() < 0.3:
            must['ext'] = {'app.note': 'zwölf "x"', 'trace.span': 's1'}
            words += ['ext.%s=%s' % (k, json.dumps(v, ensure_ascii=False))
                      for k, v in must['ext'].items()]
        for word, top in (('lane', 5), ('depth', 70000)):
            if rng.random() < 0.2:
                must[word] = rng.randrange(1, top)
                words.append('%s=%d' % (word, must[word]))
        if alone and rng.random() < 0.2:
            must['flags'] = rng.choice([1, 2, 8])
            words.append('flags=%d' % must['flags'])
        rng.shuffle(words)
        return words, must

    def line(self, place, alone, known):
        rng = self.rng
        self.count += 1
        tag = 'f%d.%d.%d' % (self.seed, self.turn, self.count)
        words, must = self.words(place, alone, known)
        data = rng.choice([
            {'t': tag}, {'t': tag, 'n': [1, -2, 2.5, None, True], 'ü': '☃\n'},
            [tag, {}], {'t': tag, 'long': 'y' * rng.randrange(4000)}])
        must['data'] = data
        self.pending.append((tag, must))
        text = json.dumps(data, ensure_ascii=rng.random() < 0.5)
        return must, (' '.join(['@' + w for w in words] + [text]) + '\n').encode()

    def batfs_step(self, at):
        rng = self.rng
        known = parsed(read(at, 'log.jsonl')) if rng.random() < 0.3 else []
        sort = rng.random()
        self.pending = []
        if sort < 0.1:
            return self.refused(at)
        if sort < 0.2 and known:
            return self.known_key(at, rng.choice(known))
        place = rng.choice(['entities', 'scopes'])
        if sort < 0.6:
            must, data = self.line(place, True, known)
        else:
            must, data = self.line(place, False, known)
            for _ in range(rng.randrange(1, 6)):
                other, more = self.line(place, False, known)
                data += self.moved(more, other, must, place)
        self.write(at, place, must, data)
        for tag, said in self.pending:
            self.lines[tag] = said

    @staticmethod
    def moved(text, its, must, place):
        """A further line of one write goes where the first one goes."""
        its['entity'] = must['entity']
        if place == 'scopes':
            its['scope'] = must['scope']
        return text

    def path(self, at, place, must):
        if place == 'entities':
            return os.path.join(at, 'entities', tree_name(must['entity']))
        folder = os.path.join(at, 'scopes', tree_name(must['scope']))
        if not os.path.isdir(folder):
            os.mkdir(folder)
        return os.path.join(folder, tree_name(must['entity']))

    def write(self, at, place, must, data):
        fd = os.open(self.path(at, place, must),
                     os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            done = os.write(fd, data)
            if done != len(data):
                raise Wrong('%d of %d bytes of %r' % (done, len(data), data))
        except OSError as error:
            raise Wrong('%s for %r' % (error, data)) from None
        finally:
            os.close(fd)

    def refused(self, at):
        """A line that is none leaves nothing, and is said to."""
        must = {'entity': self.rng.choice(ENTITIES),
                'scope': self.rng.choice(SCOPES)}
        bad = self.rng.choice([b'{"t":\n', b'@kind=0.008 {}\n', b'hello\n',
                               b'@cause=%032x {}\n' % 0xdead])
        fd = os.open(self.path(at, 'scopes', must),
                     os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(fd, bad)
        except OSError:
            return
        finally:
            os.close(fd)
        raise Wrong('%r was taken' % bad)

    def known_key(self, at, line):
        """A key that an event has already: acknowledged, and nothing new."""
        before = read(at, 'log.jsonl')
        must = {'entity': line['entity'], 'scope': line['scope']}
        self.write(at, 'scopes', must,
                   b'@key=%s {"again":1}\n' % line['id'].encode())
        if read(at, 'log.jsonl') != before:
            raise Wrong('the known key %s made an event' % line['id'])

    # after a turn

    def compare(self):
        if not any(name.endswith('.fbat') for name in os.listdir(self.store)):
            return      # nobody has written anything yet
        events, _ = self.batpak.dump(self.store)
        with Mount(self.batfs, self.store, 'ro') as at:
            log = read(at, 'log.jsonl')
        why = sides_differ(log, events)
        if why:
            raise Wrong('the two sides: %s' % why)
        if not log.startswith(self.seen):
            raise Wrong('what was shown before is not the start of the log')
        self.seen = log
        lines = parsed(log)
        self.everything_is_there(log.splitlines(), lines)
        hashes = [line['hash'] for line in lines]
        for each in self.hidden & set(hashes):
            raise Wrong('an event of a cancelled fence is shown: %s' % each)
        for each in self.opened - set(hashes):
            raise Wrong('an event of an open fence is gone: %s' % each)

    def everything_is_there(self, raw, lines):
        by_id, by_tag = {}, {}
        for text, line in zip(raw, lines):
            if line['id'] in by_id:
                raise Wrong('%s is there twice' % line['id'])
            by_id[line['id']] = (text, line)
            data = line.get('data')
            tag = data.get('t') if isinstance(data, dict) else (
                data[0] if isinstance(data, list) and data else None)
            if isinstance(tag, str):
                by_tag.setdefault(tag, []).append(line)
        for ident, event in self.acks.items():
            if ident not in by_id:
                raise Wrong('batpak acknowledged %s, which is gone' % ident)
            why = line_differs(by_id[ident][0], event)
            if why:
                raise Wrong('batpak\'s %s: %s' % (ident, why))
        for tag, must in self.lines.items():
            found = by_tag.get(tag, [])
            if len(found) != 1:
                raise Wrong('batfs acknowledged %s, which is there %d times'
                            % (tag, len(found)))
            for member, value in must.items():
                if found[0].get(member) != value:
                    raise Wrong('%s of %s is %r, not %r' % (
                        member, tag, found[0].get(member), value))

    def play(self, turns):
        for self.turn in range(turns):
            if self.rng.random() < 0.5:
                self.batpak_turn()
            else:
                self.batfs_turn()
            self.compare()
            if self.seen and (self.turn % 3 == 2 or self.turn == turns - 1):
                self.batpak.check(self.store)
        why = log_differs(self.seen, fbat.Store(self.store).events())
        if why:
            raise Wrong('the reader of our own: %s' % why)
        return len(self.acks) + len(self.lines)


def play(batfs, batpak, seed, turns, folder):
    store = os.path.join(folder, 'game-%d' % seed)
    os.mkdir(store)
    game = Game(batfs, batpak, seed, store)
    try:
        n = game.play(turns)
    except (Wrong, MountFailed, OSError, ValueError, KeyError,
            fbat.Bad) as error:
        return None, 'turn %d (%s): %s' % (
            game.turn, game.told[-1] if game.told else 'none',
            error if isinstance(error, Wrong) else repr(error))
    shutil.rmtree(store)
    return n, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('batfs')
    parser.add_argument('--seeds', type=int, default=20)
    parser.add_argument('--turns', type=int, default=10)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--only', choices=['golden', 'turns'])
    parser.add_argument('--keep')
    args = parser.parse_args()
    batfs, report = os.path.abspath(args.batfs), Report()
    try:
        program = build()
    except subprocess.CalledProcessError as error:
        report.case('interop: cargo build', str(error))
        return report.status()
    if not program:
        report.skip('interop', 'no cargo')
        return 0
    batpak = Batpak(program)
    folder = args.keep or tempfile.mkdtemp(prefix='batfs-interop-')
    os.makedirs(folder, exist_ok=True)
    try:
        if args.only != 'turns':
            for name in sorted(os.listdir(golden.GOLDEN)):
                if not os.path.isdir(os.path.join(golden.GOLDEN, name)):
                    continue
                why = None
                try:
                    golden_store(batfs, batpak, name, folder)
                except (Wrong, MountFailed, OSError, ValueError, KeyError,
                        fbat.Bad) as error:
                    why = str(error) if isinstance(error, Wrong) else repr(error)
                report.case('interop: %s, appended to by batfs' % name, why)
        if args.only != 'golden':
            for seed in range(args.seed, args.seed + args.seeds):
                start = time.monotonic()
                n, why = play(batfs, batpak, seed, args.turns, folder)
                report.case('interop: seed %d, %d turns' % (seed, args.turns), why)
                if not why:
                    print('# %d acknowledged, %d found, %.1f s' % (
                        n, n, time.monotonic() - start), flush=True)
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
