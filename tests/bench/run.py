#!/usr/bin/env python3
"""usage: scripts/bench [--quick | --large] [--only NAME]... [--json FILE]
                     [--table FILE] [--runs N] [--cold] [--dir DIR]
       scripts/bench --compare A.json B.json

Measures batfs beside what the machine itself needs and beside its peers, in
the same run and in turn, and prints a table.  Nothing passes or fails by a
time: a figure is one only beside the others of its row.
"""
import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import figures                                          # noqa: E402
import race                                             # noqa: E402
import report                                           # noqa: E402
import servers                                          # noqa: E402
import stores                                           # noqa: E402

PATIENCE = 3600     # seconds until a program counts as hung

BUSY = '''\
The machine was busy with other work: believe the ratios rather than the
times, and those to one digit.

'''


def arguments():
    names = [figure.__name__ for figure in figures.ALL]
    parser = argparse.ArgumentParser(
        prog='scripts/bench', description=__doc__.split('\n\n', 1)[1],
        epilog='figures: ' + ' '.join(names))
    parser.add_argument('--quick', action='store_true',
                        help='10 k and 100 k events, 3 runs')
    parser.add_argument('--large', action='store_true',
                        help='10 M events as well: 25 GB, an hour')
    parser.add_argument('--only', action='append', choices=names,
                        metavar='NAME', help='this figure; may be repeated')
    parser.add_argument('--runs', type=int, help='how often (5)')
    parser.add_argument('--cold', action='store_true',
                        help='drop the page cache ahead of each (root)')
    parser.add_argument('--json', metavar='FILE',
                        help='every run, for --compare')
    parser.add_argument('--table', metavar='FILE',
                        help='the table and the machine, as Markdown')
    parser.add_argument('--dir', help='where the stores go (/var/tmp)')
    parser.add_argument('--compare', nargs=2, metavar=('A', 'B'))
    # From scripts/bench, in front of what was typed.
    parser.add_argument('--build', help=argparse.SUPPRESS)
    parser.add_argument('--peer', help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.shown = shown(sys.argv[1:])
    return options


def shown(words):
    """The command as somebody else would type it."""
    own = ('--build', '--peer', '--json', '--table', '--dir')
    return [word for before, word in zip([''] + words, words)
            if word not in own and before not in own]


class Bench:
    """What figures ask for: programs, stores, folders, mountpoints."""

    def __init__(self, options, folder):
        self.folder, self.quick = folder, options.quick
        self.runs = options.runs
        programs = os.path.join(options.build, 'tests', 'bench')
        self.batfs = os.path.join(options.build, 'fs', 'batfs')
        self.library_bench = os.path.join(programs, 'library_bench')
        self.view_bench = os.path.join(programs, 'view_bench')
        self.floor_bench = os.path.join(programs, 'floor_bench')
        self.mount_bench = os.path.join(programs, 'mount_bench')
        self.null_fs = os.path.join(programs, 'null_fs')
        self.peer = options.peer
        self.cores = len(os.sched_getaffinity(0))
        self.disk = filesystem_of(folder)
        self.events = [10_000, 100_000]
        if not options.quick:
            self.events.append(1_000_000)
        self.size = self.events[-1]
        if options.large:
            self.events.append(10_000_000)
        self.stores = stores.Stores(self.run_json, self.library_bench,
                                    self.scratch('stores'))
        self.skipped = []
        self.points, self.last_point = 0, None
        self.empty_mount = None

    def sizes(self):
        """Events and entities of the stores that are opened."""
        yield from ((events, 1000) for events in self.events)
        yield self.size, min(self.size, 100_000)

    def scratch(self, name):
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        return path

    def point(self):
        """A new, empty mountpoint; the command's next word, mostly."""
        self.points += 1
        self.last_point = self.scratch('mnt-%d' % self.points)
        return self.last_point

    def skip(self, name, why):
        self.skipped.append('%s: %s' % (name, why))

    def run(self, command, env=None, stdin=None, stdout=subprocess.DEVNULL):
        try:
            done = subprocess.run(
                [str(word) for word in command], input=stdin, stdout=stdout,
                stderr=subprocess.PIPE, env=env, timeout=PATIENCE, text=True,
                **({} if stdin else {'stdin': subprocess.DEVNULL}))
        except subprocess.TimeoutExpired as why:
            raise race.Failed(str(why)) from None
        if done.returncode != 0:
            raise race.Failed('%s: status %d: %s' % (
                ' '.join(map(str, command))[:200], done.returncode,
                done.stderr.strip()[-300:]))
        return done.stdout

    def run_json(self, command, stdin=None):
        said = self.run(command, None, stdin, subprocess.PIPE)
        try:
            return json.loads(said)
        except ValueError:
            raise race.Failed('%s: said %r' % (command[0], said)) from None

    def empty_mount_bytes(self):
        """What a mount of nothing keeps in memory."""
        if self.empty_mount is None:
            empty = self.scratch('empty')
            with servers.Server([self.batfs, '-f', empty, self.point()],
                                self.last_point) as server:
                os.listdir(os.path.join(server.point, 'entities'))
                self.empty_mount = server.anonymous()
        return self.empty_mount


# ---- the machine -----------------------------------------------------------

def filesystem_of(path):
    """The name of the filesystem that a folder is on, e.g. ext4."""
    best, name = '', '?'
    with open('/proc/self/mountinfo') as file:
        for line in file:
            words = line.split()
            point = words[4]
            if (os.path.realpath(path) + '/').startswith(
                    point.rstrip('/') + '/') and len(point) >= len(best):
                best, name = point, words[words.index('-') + 1]
    return name


def first_match(path, prefix):
    with open(path) as file:
        for line in file:
            if line.startswith(prefix):
                return line.split(':', 1)[1].strip()
    return '?'


def said(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, cwd=HERE,
                              check=False).stdout.strip()
    except FileNotFoundError:
        return ''


def machine(bench):
    memory = int(first_match('/proc/meminfo', 'MemTotal').split()[0])
    return {
        'cpu': first_match('/proc/cpuinfo', 'model name'),
        'cores': bench.cores,
        'memory': '%d GiB' % round(memory / (1 << 20)),
        'disk': bench.disk,
        'kernel': platform.release().split('-')[0],
        'compiler': said('gcc', '-dumpfullversion') and
        'gcc ' + said('gcc', '-dumpfullversion'),
        'fuse': 'libfuse ' + said('pkg-config', '--modversion', 'fuse3'),
    }


def about(bench, options, load):
    commit = said('git', 'describe', '--always', '--dirty', '--abbrev=12')
    return {'bench': 1, 'commit': commit or 'unknown',
            'command': 'scripts/bench ' + ' '.join(options.shown),
            'machine': machine(bench), 'cold': options.cold,
            'runs': options.runs, 'load': load, 'skipped': bench.skipped}


def markdown(facts, results, failures):
    it = facts['machine']
    lines = ['# Results of scripts/bench\n\n',
             'Commit %s, `%s`.\n\n' % (facts['commit'],
                                       facts['command'].strip()),
             '%s, %d cores, %s; %s on Linux %s; %s, %s. Load average %.1f '
             'at the start, %.1f at the end. %d runs each, page cache %s.\n\n'
             % (it['cpu'], it['cores'], it['memory'], it['disk'],
                it['kernel'], it['compiler'], it['fuse'], *facts['load'],
                facts['runs'], 'dropped' if facts['cold'] else 'warm'),
             BUSY if max(facts['load']) > 1 else '',
             report.EXPLANATION, '\n', report.table(results)]
    for title, texts in (('Skipped', facts['skipped']), ('Failed', failures)):
        if texts:
            lines.append('\n%s:\n\n' % title)
            lines += ['- %s\n' % text for text in texts]
    return ''.join(lines)


# ---- one run ---------------------------------------------------------------

def drop_caches():
    os.sync()
    with open('/proc/sys/vm/drop_caches', 'w') as file:
        file.write('3\n')


def measure(options, folder):
    load = [os.getloadavg()[0]]
    bench = Bench(options, folder)
    if not options.peer:
        bench.skip('batpak', 'no program (cargo)')
    if bench.disk in ('tmpfs', 'ramfs', 'overlay'):
        bench.skip('a real disk', '%s is on %s: choose one with --dir' % (
            folder, bench.disk))
    chosen = [figure for figure in figures.ALL
              if not options.only or figure.__name__ in options.only]
    results, failures = race.run_all(
        chosen, bench, options.runs,
        drop_caches if options.cold else lambda: None)
    load.append(os.getloadavg()[0])
    facts = about(bench, options, load)
    text = markdown(facts, results, failures)
    sys.stdout.write(text)
    if options.table:
        with open(options.table, 'w') as file:
            file.write(text)
    if options.json:
        with open(options.json, 'w') as file:
            file.writelines(line + '\n' for line in
                            report.json_lines(facts, results))
    return 1 if failures else 0


def interrupted(number, frame):
    raise KeyboardInterrupt


def main():
    options = arguments()
    if options.compare:
        sys.stdout.write(report.compare(*options.compare))
        return 0
    if options.runs is None:
        options.runs = 3 if options.quick else 5
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    if options.cold and os.geteuid() != 0:
        sys.exit('scripts/bench: only root can drop the page cache (--cold)')
    servers.adopt_daemons()
    folder = os.path.realpath(tempfile.mkdtemp(
        prefix='batfs-bench-', dir=options.dir or '/var/tmp'))
    try:
        return measure(options, folder)
    except KeyboardInterrupt:
        sys.stderr.write('\ninterrupted\n')
        return 130
    finally:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        servers.end_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
