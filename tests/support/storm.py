#!/usr/bin/env python3
"""What the kill and disk tests write, and whether it is there afterwards.

    storm.py write FILE NAME ACKED MAX [SIZE]   append until it fails
    storm.py crowd N FOLDER NAME ACKED MAX      N of them at once
    storm.py verify LOG ACKED                   every acknowledged line once,
                                                nothing half, nothing foreign

A record is one WRITE of one to five lines, {"t":"NAME.RECORD.LINE/LINES"}.
It is acknowledged, as `NAME.RECORD LINES` in the file ACKED, when write(2)
has answered with its length.  `write` ends with 0 after MAX records, with 75
when the disk was full, and with 76 when the mount went away.
"""
import errno
import json
import os
import random
import sys

FULL, GONE = 75, 76


def write(path, name, acked, most, size=0):
    rng = random.Random(name)
    ack = os.open(acked, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        for record in range(most):
            n = rng.choice([1, 1, 1, 2, 5])
            data = ''.join(
                json.dumps({'t': '%s.%d.%d/%d' % (name, record, i, n),
                            'x': 'x' * (size or rng.randrange(2000))}) + '\n'
                for i in range(n)).encode()
            done = os.write(fd, data)
            if done != len(data):
                # whole lines from the start: those count, the rest does not
                n = data[:done].count(b'\n')
                if data[done - 1:done] != b'\n':
                    sys.exit('%s: %d of %d bytes' % (name, done, len(data)))
            os.write(ack, b'%s.%d %d\n' % (name.encode(), record, n))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return FULL
        # ENOENT: already taken down, this is the bare mountpoint
        if error.errno in (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO,
                           errno.EINTR, errno.ENODEV, errno.ENOENT):
            return GONE
        raise
    return 0


def crowd(n, folder, name, acked, most):
    """The worst of their ends."""
    children = []
    for i in range(n):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = write(os.path.join(folder, 'w%d' % i),
                               '%sw%d' % (name, i), acked, most)
            finally:
                os._exit(status)
        children.append(child)
    ends = [os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children]
    return next((e for e in ends if e not in (0, GONE)), max(ends))


def verify(log, acked):
    wanted = {}
    if os.path.exists(acked):
        with open(acked) as file:
            for line in file:
                record, n = line.split()
                wanted[record] = int(n)
    found, bad, total = {}, [], 0
    with open(log, 'rb') as file:
        for text in file:
            line = json.loads(text)
            if line['entity'] == 'batpak:store':
                continue
            total += 1
            data = line.get('data')
            if not isinstance(data, dict) or 't' not in data:
                bad.append('a foreign line: %r' % text[:200])
                continue
            record, place = data['t'].rsplit('.', 1)
            i, n = map(int, place.split('/'))
            found.setdefault(record, []).append((i, n, line['seq']))
    for record, parts in found.items():
        n = parts[0][1]
        seqs = [seq for _, _, seq in parts]
        if [i for i, _, _ in parts] != list(range(n)) or (
                seqs != list(range(seqs[0], seqs[0] + n))):
            if wanted.get(record) != len(parts) or len(parts) == n:
                bad.append('%s: parts %s' % (record, parts))
    for record, n in wanted.items():
        if len(found.get(record, [])) < n:
            bad.append('%s: %d of %d lines' % (
                record, len(found.get(record, [])), n))
    lines = sum(wanted.values())
    print('acknowledged %d found %d besides %d' % (
        lines, sum(min(len(found.get(r, [])), n) for r, n in wanted.items()),
        total - lines))
    for why in bad[:10]:
        print(why, file=sys.stderr)
    return 1 if bad else 0


def main(argv):
    if argv[1:2] == ['write'] and len(argv) in (6, 7):
        return write(argv[2], argv[3], argv[4], *map(int, argv[5:]))
    if argv[1:2] == ['crowd'] and len(argv) == 7:
        return crowd(int(argv[2]), *argv[3:6], int(argv[6]))
    if argv[1:2] == ['verify'] and len(argv) == 4:
        return verify(*argv[2:])
    sys.exit(__doc__)


if __name__ == '__main__':
    sys.exit(main(sys.argv))
