"""What a mounted tree shows, held against events that somebody else read.

An event is a dict with the members that interop's dump and support/fbat.py
give: seq clock entity scope kind id corr cause wall_ms timestamp_us lane depth
flags hash prev, ext (name to base64), and payload (bytes).
"""
import base64
import datetime
import hashlib
import json
import os
import stat
import sys

import line_check
from tree_names import tree_name

sys.setrecursionlimit(10000)    # payloads nest up to 128 deep

MEMBERS = ['seq', 'clock', 'time', 'entity', 'scope', 'kind', 'data', 'id',
           'corr', 'cause', 'hash', 'prev', 'wall', 'lane', 'depth', 'flags',
           'ext', 'raw']


def b64(data):
    return base64.b64encode(data).decode()


# One line against one event.

def time_text(us):
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
    return at.strftime('%Y-%m-%dT%H:%M:%S.') + '%06dZ' % at.microsecond


def extension_bytes(value):
    if isinstance(value, str):
        return value.encode()
    (tag, text), = value.items()
    if tag != '$bin':
        raise ValueError(tag)
    data = base64.b64decode(text, validate=True)
    try:
        if not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in data.decode()):
            raise ValueError('text as $bin')
    except UnicodeDecodeError:
        pass
    return data


def line_differs(line, event):
    """What is wrong with a line (bytes, without its newline), or None."""
    got = json.loads(line)
    order = ['data' if k in ('data_b64', 'sealed', 'damaged') else k for k in got]
    if order != [m for m in MEMBERS if m in order] or len(got) < 12:
        return 'members %s' % list(got)
    want = {m: event[m] for m in 'seq clock entity scope kind id corr cause '
            'hash prev'.split()}
    want['time'] = time_text(event['timestamp_us'])
    want['wall'] = None
    if event['wall_ms'] != event['timestamp_us'] // 1000:
        want['wall'] = event['wall_ms']
    for member in ('lane', 'depth', 'flags'):
        want[member] = event[member] or None
    for member, value in want.items():
        if got.get(member) != value or member == 'cause' and member not in got:
            return '%s is %r, not %r' % (member, got.get(member), value)
    try:
        ext = {k: b64(extension_bytes(v)) for k, v in got.get('ext', {}).items()}
    except ValueError as why:
        return 'extensions: %s' % why
    if ext != event['ext'] or ('ext' in got) != bool(ext):
        return 'extensions are %s, not %s' % (ext, event['ext'])
    try:
        _, payload = line_check.check_line(line.decode())
    except (line_check.Wrong, ValueError) as why:
        return 'the line: %s' % why
    if payload is None:
        return 'no payload: %s' % line[:300]
    if payload != event['payload']:
        return 'payload is %s, not %s' % (payload.hex()[:200],
                                          event['payload'].hex()[:200])
    return None


def log_differs(log, events):
    lines = log.split(b'\n')
    if lines.pop() != b'':
        return 'the last line has no newline'
    for line, event in zip(lines, events):
        why = line_differs(line, event)
        if why:
            return 'seq %d: %s' % (event['seq'], why)
    if len(lines) != len(events):
        return '%d lines for %d events' % (len(lines), len(events))
    return None


# The tree against the log.

def read(*parts):
    with open(os.path.join(*parts), 'rb') as file:
        return file.read()


def stream_differs(at, folder, streams):
    """A folder of streams: exactly these names, each with these lines."""
    names = os.listdir(os.path.join(at, folder))
    if sorted(names) != sorted(streams):
        return '%s lists %s' % (folder, sorted(set(names) ^ set(streams))[:5])
    for name, lines in streams.items():
        if read(at, folder, name) != b''.join(lines):
            return '%s/%s' % (folder, name)
    return None


def tree_differs(at, log, events):
    lines = [line + b'\n' for line in log.split(b'\n')[:-1]]
    entities, scopes, shards = {}, {}, {}
    for line, event in zip(lines, events):
        entity, scope = tree_name(event['entity']), tree_name(event['scope'])
        entities.setdefault(entity, []).append(line)
        scopes.setdefault(scope, {}).setdefault(entity, []).append(line)
        shards.setdefault('%08d' % (event['seq'] // 10000), {})[
            '%012d.json' % event['seq']] = [line]
    why = stream_differs(at, 'entities', entities)
    if why:
        return why
    for folder, inner in (('scopes', scopes), ('events', shards)):
        names = set(os.listdir(os.path.join(at, folder))) - {'CACHEDIR.TAG'}
        if names != set(inner):
            return '%s lists %s' % (folder, sorted(names ^ set(inner))[:5])
        for name, streams in inner.items():
            why = stream_differs(at, os.path.join(folder, name), streams)
            if why:
                return why
    pages = sorted(os.listdir(os.path.join(at, 'log')))
    if b''.join(read(at, 'log', page) for page in pages) != log:
        return 'log/* is not log.jsonl'
    for event in events[:1] + events[-1:]:
        typed = read(at, 'events', '%d.json' % event['seq'])
        if typed != lines[events.index(event)]:
            return 'events/%d.json' % event['seq']
        folder = os.path.join(at, 'events', str(event['seq']))
        if read(folder, 'event.json') != typed:
            return 'events/%d/event.json' % event['seq']
        if read(folder, 'payload') != event['payload']:
            return 'events/%d/payload' % event['seq']
    return None


def sizes_differ(at):
    for folder, _, files in os.walk(at, onerror=raise_it):
        for name in files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            if stat.S_ISREG(info.st_mode) and info.st_mode & 0o444:
                if info.st_size != len(read(path)):
                    return '%s: size %d, %d bytes' % (
                        os.path.relpath(path, at), info.st_size, len(read(path)))
    return None


def raise_it(error):
    raise error


# Directories.

def snapshot(path):
    """Every file and folder of a directory but our own and the lock."""
    out = {}
    for folder, folders, files in os.walk(path):
        folders[:] = [f for f in folders if f != '.batfs']
        for name in files + folders:
            full = os.path.join(folder, name)
            info = os.lstat(full)
            if name == '.batpak.lock' or full in out:
                continue
            body = b'' if stat.S_ISDIR(info.st_mode) else read(full)
            when = 0 if stat.S_ISDIR(info.st_mode) else info.st_mtime_ns
            out[os.path.relpath(full, path)] = (
                info.st_mode, when, hashlib.sha256(body).hexdigest())
    return out
