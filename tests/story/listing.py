#!/usr/bin/env python3
"""`ls -l` of a live mount: one request for many entries, and exact sizes.

    listing.py BATFS

A listing tells the kernel the attributes of growing files for a second. An
append takes them back before it is answered, by whatever name it came: so the
sizes that stat tells are those of the content, always.
"""
# Runs under the thread sanitizer too.
import os
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from mounted import Mount, Report                       # noqa: E402

ENTITIES = 300
SETTLED = 2.2       # seconds until the sidecar may tell of a file


def requests(at):
    """Look-ups and questions for attributes so far."""
    counts = {}
    with open(os.path.join(at, '.ctl/stats')) as file:
        for line in file:
            name, value = line.split()
            counts[name] = int(value)
    return counts['request_lookup'] + counts['request_getattr']


def append(path, line):
    with open(path, 'ab', buffering=0) as file:
        file.write(line)


def listed(folder):
    """As ls -l does: each entry's attributes as soon as its name is there."""
    sizes = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            sizes[entry.name] = os.stat(
                os.path.join(folder, entry.name)).st_size
    return sizes


def content(path):
    with open(path, 'rb') as file:
        return len(file.read())


def few_requests(report, at):
    """All of a folder costs fewer requests than it has entries."""
    for folder in ('entities', 'scopes/list'):
        folder = os.path.join(at, folder)
        for again in ('first', 'again'):
            before = requests(at)
            sizes = listed(folder)
            asked = requests(at) - before
            wrong = [name for name, size in sizes.items()
                     if content(os.path.join(folder, name)) != size]
            # The kernel may ask for the first ones of each reply.
            fine = (len(sizes) >= ENTITIES and asked < ENTITIES // 2
                    and not wrong)
            report.case('%s, %s: sizes with few requests' % (
                os.path.basename(folder), again),
                None if fine else '%d entries, %d requests, wrong: %s' % (
                    len(sizes), asked, wrong[:3]))


def every_append_is_seen(report, at):
    """The size right behind an append, while the kernel knows the older."""
    wrong = []
    for number in range(60):
        name = 'e:%03d' % number
        ways = (os.path.join(at, 'entities', name),
                os.path.join(at, 'scopes/list', name))
        for folder in ('entities', 'scopes/list'):
            listed(os.path.join(at, folder))
        if number % 3 == 2:
            append(os.path.join(at, 'append'),
                   b'@entity=%s @scope=list {"by":"append"}\n'
                   % name.encode())
        else:
            append(ways[number % 3], b'{"by":"name"}\n')
        for way in ways:
            size = os.stat(way).st_size
            if size != content(way):
                wrong.append('%s: %d, not %d' % (way, size, content(way)))
    report.case('stat behind an append tells the new size',
                '; '.join(wrong[:3]))


def in_a_storm(report, at):
    """While others append and list, who wrote last sees what he wrote."""
    stop = threading.Event()
    wrong = []

    def list_on():
        while not stop.is_set():
            listed(os.path.join(at, 'entities'))

    def write_on(number):
        path = os.path.join(at, 'entities', 'e:%03d' % (100 + number))
        size = os.stat(path).st_size
        for _ in range(40):
            append(path, b'{"storm":true}\n')
            now = os.stat(path).st_size
            if now <= size or now != content(path):
                wrong.append('%s: %d after %d' % (path, now, size))
            size = now

    threads = [threading.Thread(target=list_on) for _ in range(2)]
    writers = [threading.Thread(target=write_on, args=(n,)) for n in range(3)]
    for thread in threads + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in threads:
        thread.join()
    report.case('in a storm, a writer sees the size of what he wrote',
                '; '.join(wrong[:3]))


def rendered(at):
    with open(os.path.join(at, '.ctl/stats')) as file:
        return [int(line.split()[1]) for line in file
                if line.startswith('lines_rendered ')][0]


def sizes_of_another_mount(report, batfs, data):
    """What was listed in one mount costs the next one no rendering."""
    sizes, lines = [], []
    for _ in range(2):
        time.sleep(SETTLED)
        with Mount(batfs, data) as at:
            sizes.append(listed(os.path.join(at, 'entities')))
            lines.append(rendered(at))
            wrong = [name for name, size in sizes[-1].items()
                     if content(os.path.join(at, 'entities', name)) != size]
    fine = sizes[0] == sizes[1] and lines[0] > 0 and lines[1] == 0
    report.case('the next mount knows the sizes and renders nothing',
                None if fine and not wrong else '%d and %d lines, wrong: %s' % (
                    *lines, wrong[:3]))


def main():
    batfs = os.path.abspath(sys.argv[1])
    report = Report()
    data = tempfile.mkdtemp(prefix='batfs-listing-')
    try:
        with Mount(batfs, data, 'durable=fsync') as at:
            os.mkdir(os.path.join(at, 'scopes/list'))
            for number in range(ENTITIES):
                append(os.path.join(at, 'scopes/list', 'e:%03d' % number),
                       b'{"n":%d}\n' % number)
            few_requests(report, at)
            every_append_is_seen(report, at)
            in_a_storm(report, at)
            # From so many on a store gets a sidecar.
            append(os.path.join(at, 'scopes/list', 'e:many'), b'1\n' * 4096)
        sizes_of_another_mount(report, batfs, data)
    finally:
        shutil.rmtree(data)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
