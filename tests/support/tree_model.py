"""The listed tree, said from lines of the log alone.

    whole_tree(events) -> {path: what}

`events` is the log up to some event; what is FOLDER, bytes (a file) or a str
(where a link leads). Chains are found by the rule itself, one event after the
other. Everything that a walk over the tree meets is in it, and nothing else.
"""
import json
import os
import stat
from datetime import datetime, timezone

from tree_names import tree_name

FOLDER = object()
SHARD = 10000
HIDDEN_IN_MODEL = ('README', 'CACHEDIR.TAG')    # only that they are there


class Event:
    def __init__(self, line):
        self.line = line
        self.__dict__.update(json.loads(line))
        self.known = hasattr(self, 'entity')
        if not self.known:
            self.id, self.corr, self.cause = None, None, None

    def wall_ms(self):
        if hasattr(self, 'wall'):
            return self.wall
        at = datetime.strptime(self.time, '%Y-%m-%dT%H:%M:%S.%fZ')
        since = at.replace(tzinfo=timezone.utc) - datetime.fromtimestamp(
            0, timezone.utc)
        return ((since.days * 86400 + since.seconds) * 1000
                + since.microseconds // 1000)

    def shard(self):
        return '%08d' % (self.seq // SHARD)

    def folder(self):
        return '%s/%012d' % (self.shard(), self.seq)

    def shown_data(self):
        """The data column of what is for people."""
        if hasattr(self, 'damaged'):
            return b'damaged ' + self.damaged.encode()
        if hasattr(self, 'data_b64'):
            return b'base64:' + self.data_b64.encode()
        start = self.line.index(b',"data":') + len(b',"data":')
        return self.line[start:self.line.rindex(
            b',"id":"%s"' % self.id.encode())]


def events_of(log):
    return [Event(line) for line in log.splitlines(True)]


class Chains:
    """Who is whose cause, and in which chain, in one pass forward."""

    def __init__(self, events):
        self.cause, self.name, self.members = {}, {}, {}
        latest = {}
        for event in events:
            if not event.known:
                continue
            cause = latest.get(event.cause)
            self.cause[event.seq] = cause
            if event.corr != event.id:
                before, name = latest.get(event.corr), event.corr
            elif event.cause is not None:
                before, name = cause, event.cause
            else:
                before, name = None, event.id
            self.name[event.seq] = (
                name if before is None else self.name[before.seq])
            self.members.setdefault(self.name[event.seq], []).append(event)
            latest[event.id] = event

    def several(self):
        return {n: m for n, m in self.members.items() if len(m) > 1}

    def depth(self, event):
        depth = 0
        while depth < 32:
            cause = self.cause[event.seq]
            if cause is None or self.name[cause.seq] != self.name[event.seq]:
                break
            event, depth = cause, depth + 1
        return depth

    def effects(self, event):
        return [e for m in self.members.values() for e in m
                if self.cause[e.seq] is event]

    def causes(self, event):
        out = []
        while self.cause[event.seq] is not None:
            event = self.cause[event.seq]
            out.append(event)
        return out[::-1]

    def consequences(self, event):
        out, left = [], [event]
        while left:
            more = self.effects(left.pop())
            out += more
            left += more
        return sorted(out, key=lambda e: e.seq)

    # -- files

    def in_tree_order(self, name):
        members = self.members[name]
        below = {}
        for event in members:
            cause = self.cause[event.seq]
            if cause is not None and self.name[cause.seq] != name:
                cause = None
            below.setdefault(cause and cause.seq, []).append(event)
        out, left = [], below.get(None, [])[::-1]
        while left:
            out.append(left.pop())
            left += below.get(out[-1].seq, [])[::-1]
        return out

    def tree_txt(self, name):
        return b''.join(b'%d\t%s\t%s\t%s%s\t%s\n' % (
            e.seq, e.time.encode(), e.kind.encode(), b'  ' * self.depth(e),
            e.entity.encode(), e.shown_data())
            for e in self.in_tree_order(name))

    def graph_dot(self, name):
        out = ['digraph "%s" {\n' % name]
        for e in self.members[name]:
            entity = e.entity.replace('\\', '\\\\').replace('"', '\\"')
            out.append('\t"%d" [label="%d %s\\n%s"];\n' % (
                e.seq, e.seq, e.kind, entity))
            cause = self.cause[e.seq]
            if cause is not None:
                out.append('\t"%d" -> "%d"%s;\n' % (
                    cause.seq, e.seq, '' if self.name[cause.seq] == name
                    else ' [style=dashed]'))
        return ''.join(out).encode() + b'}\n'


def joined(events):
    return b''.join(e.line for e in events)


def add_streams(tree, events):
    for event in events:
        if not event.known:
            continue
        entity, scope = tree_name(event.entity), tree_name(event.scope)
        tree['scopes/' + scope] = FOLDER
        for path in ('entities/' + entity, 'scopes/%s/%s' % (scope, entity)):
            tree[path] = tree.get(path, b'') + event.line


def add_shards(tree, events):
    last = events[-1].seq // SHARD if events else 0
    tree['log/tail.jsonl'] = b''
    for event in events:
        page = ('log/tail.jsonl' if event.seq // SHARD == last
                else 'log/%s.jsonl' % event.shard())
        tree[page] = tree.get(page, b'') + event.line
        tree['events/' + event.shard()] = FOLDER
        tree['events/%s.json' % event.folder()] = event.line


def add_chains(tree, chains):
    for name, members in chains.several().items():
        tree['chains/' + name[-2:]] = FOLDER
        at = 'chains/%s/%s' % (name[-2:], name)
        tree[at] = FOLDER
        tree[at + '/log.jsonl'] = joined(members)
        tree[at + '/tree.txt'] = chains.tree_txt(name)
        tree[at + '/graph.dot'] = chains.graph_dot(name)
        for event in members:
            tree['%s/%012d' % (at, event.seq)] = (
                '../../../events/' + event.folder())


# -- by/

TABLE = b'#events\tfirst_seq\tlast_seq\tfirst_time\tlast_time\tbytes\tname\n'


def time_text(ms):
    at = datetime.fromtimestamp(ms // 1000, timezone.utc)
    return at.strftime('%Y-%m-%dT%H:%M:%S') + '.%03dZ' % (ms % 1000)


def table_line(name, events):
    return ('%d\t%d\t%d\t%s\t%s\t%d\t%s\n' % (
        len(events), events[0].seq, events[-1].seq,
        time_text(events[0].wall_ms()), time_text(events[-1].wall_ms()),
        len(joined(events)), name)).encode()


def table(named):
    """Of names in the tree and the events of each."""
    return TABLE + b''.join(table_line(name, named[name]) for name in
                            sorted(named, key=lambda n: n.encode()))


def grouped(events, key):
    out = {}
    for event in events:
        if event.known:
            out.setdefault(key(event), []).append(event)
    return out


def add_names(tree, entities):
    """The parts of names as folders, and links to the entities."""
    folders = set()
    for entity in entities:
        parts = entity.split(':')
        folders.update(':'.join(parts[:n]) for n in range(1, len(parts)))
    for name in folders | set(entities):
        parts = name.split(':')
        path = 'by/name/' + '/'.join(tree_name(p) if p else '='
                                     for p in parts)
        up = '../../' + '../' * (len(parts) - 1)
        if name in folders:
            tree[path] = FOLDER
            path, up = path + '/=self', up + '../'
        if name in entities:
            tree[path] = up + 'entities/' + tree_name(name)


def add_by(tree, events, chains):
    for folder in ('by', 'by/kind', 'by/name', 'by/latest'):
        tree[folder] = FOLDER
    entities = grouped(events, lambda e: e.entity)
    scopes = grouped(events, lambda e: e.scope)
    kinds = grouped(events, lambda e: e.kind)
    for kind, own in kinds.items():
        tree['by/kind/%s.jsonl' % kind] = joined(own)
    tree['by/denials.jsonl'] = joined(kinds.get('0.00f', []))
    for entity, own in entities.items():
        tree['by/latest/%s.json' % tree_name(entity)] = own[-1].line
    add_names(tree, entities)
    for name, named in (('entities', entities), ('scopes', scopes)):
        tree['by/%s.tsv' % name] = table(
            {tree_name(n): own for n, own in named.items()})
    tree['by/kinds.tsv'] = table(kinds)
    # The newest is the one that got its second event last.
    newest = sorted(chains.several().items(), key=lambda c: -c[1][1].seq)
    tree['by/chains.tsv'] = TABLE + b''.join(
        table_line(name, own) for name, own in newest[:1000])


def whole_tree(events, chains=None):
    chains = chains or Chains(events)
    tree = {'README': None}
    for folder in ('log', 'entities', 'scopes', 'events', 'chains'):
        tree[folder] = FOLDER
    for folder in ('events', 'chains', 'by'):
        tree[folder + '/CACHEDIR.TAG'] = None
    add_streams(tree, events)
    add_shards(tree, events)
    add_chains(tree, chains)
    add_by(tree, events, chains)
    return tree


# -- a directory against the model

def walk(at, leave=()):
    """Every path below, as find has them; links are not followed."""
    left = ['']
    while left:
        folder = left.pop()
        with os.scandir(os.path.join(at, folder)) as entries:
            for entry in entries:
                path = os.path.join(folder, entry.name)
                if path in leave:
                    continue
                yield path, entry
                if entry.is_dir(follow_symlinks=False):
                    left.append(path)


def entry_differs(at, path, entry, wanted):
    full = os.path.join(at, path)
    info = os.lstat(full)
    if info.st_ino != entry.inode():
        return 'one number listed, another one found'
    if wanted is FOLDER:
        return None if stat.S_ISDIR(info.st_mode) else 'no folder'
    if isinstance(wanted, str):
        if not stat.S_ISLNK(info.st_mode):
            return 'no link'
        got = os.readlink(full)
        if not os.path.exists(full):
            return 'leads nowhere'
    else:
        if not stat.S_ISREG(info.st_mode):
            return 'no file'
        with open(full, 'rb') as file:
            got = file.read()
    if info.st_size != len(os.fsencode(got)):
        return 'size %d, %d bytes' % (info.st_size, len(os.fsencode(got)))
    if wanted is not None and got != wanted:
        return '%r, not %r' % (got[:200], wanted[:200])
    return None


def differs(at, tree, leave=()):
    """The first thing in which a directory is not the tree; None: nothing.
    leave: paths that the model knows nothing of."""
    missing, inodes = set(tree) - set(leave), {}
    for path, entry in walk(at, leave):
        if path not in tree:
            return '%s is listed' % path
        if path not in missing:
            return '%s is listed twice' % path
        missing.discard(path)
        why = entry_differs(at, path, entry, tree[path])
        if why:
            return '%s: %s' % (path, why)
        if inodes.setdefault(entry.inode(), path) != path:
            return '%s and %s have one number' % (path, inodes[entry.inode()])
    if missing:
        return '%s is not listed' % min(missing)
    return None
