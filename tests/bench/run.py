#!/usr/bin/env python3
"""usage: scripts/bench [--quick | --large] [--only NAME]... [--json FILE]
                     [--table FILE] [--runs N] [--cold] [--cache DIR]
       scripts/bench --compare A.json B.json

Measures batfs beside what the machine itself needs and beside its peers, in
the same run and in turn, and prints a table.  Nothing passes or fails by a
time: a figure is one only beside the others of its row.  What each figure is,
and what is made where: tests/bench/README.md.
"""
import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import compare                                          # noqa: E402
import figures                                          # noqa: E402
import machine                                          # noqa: E402
import race                                             # noqa: E402
import report                                           # noqa: E402
import servers                                          # noqa: E402
from session import Bench                               # noqa: E402

RUNS = {'tiny': 1, 'quick': 3}      # 5 otherwise

BUSY = '''\
The machine was busy with other work: believe the ratios rather than the
times, and those to one digit.

'''


def arguments():
    names = [figure.__name__ for figure in figures.ALL]
    parser = argparse.ArgumentParser(
        prog='scripts/bench', description=__doc__.split('\n\n', 1)[1],
        epilog='figures: ' + ' '.join(names))
    size = parser.add_mutually_exclusive_group()
    for name, text in (
            ('tiny', '5 k events, 1 run: does it all work?'),
            ('quick', '10 k and 100 k events, 3 runs: some minutes'),
            ('large', '10 M events as well: 30 GB, half an hour more')):
        size.add_argument('--' + name, action='store_const', dest='size',
                          const=name, help=text)
    parser.set_defaults(size='full')
    parser.add_argument('--only', action='append', choices=names,
                        metavar='NAME', help='this figure; may be repeated')
    parser.add_argument('--runs', type=int, help='how often (5)')
    parser.add_argument('--cold', action='store_true',
                        help='drop the page cache ahead of each (root)')
    parser.add_argument('--json', metavar='FILE',
                        help='every run, for --compare')
    parser.add_argument('--table', metavar='FILE',
                        help='the table and the machine, as Markdown')
    parser.add_argument('--cache', metavar='DIR',
                        help='keep the stores there, for the next run')
    parser.add_argument('--dir', help='where all else goes (that of --cache, '
                        'or /var/tmp)')
    parser.add_argument('--compare', nargs=2, metavar=('A', 'B'))
    # From scripts/bench, in front of what was typed.
    parser.add_argument('--build', help=argparse.SUPPRESS)
    parser.add_argument('--peer', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.runs is None:
        options.runs = RUNS.get(options.size, 5)
    if options.runs < 1:
        parser.error('--runs: at least 1')
    options.shown = shown(sys.argv[1:])
    return options


def shown(words):
    """The command as somebody else would type it."""
    own = ('--build', '--peer', '--json', '--table', '--dir', '--cache')
    return [word for before, word in zip([''] + words, words)
            if word not in own and before not in own]


def about(bench, options, commit, load, seconds):
    return {'bench': 1, 'commit': commit,
            'command': 'scripts/bench ' + ' '.join(options.shown),
            'machine': machine.facts(bench.cores, bench.disk),
            'cold': options.cold, 'runs': options.runs, 'load': load,
            'seconds': round(seconds),
            'skipped': bench.skipped}


def markdown(facts, results, failures):
    it = facts['machine']
    lines = ['# Results of scripts/bench\n\n',
             'Commit %s, `%s`.\n\n' % (facts['commit'],
                                       facts['command'].strip()),
             '%s, %d cores, %s; %s on Linux %s; %s, %s. Load average %.1f '
             'at the start, %.1f at the end. %d runs each, page cache %s; '
             '%.0f minutes.\n\n'
             % (it['cpu'], it['cores'], it['memory'], it['disk'],
                it['kernel'], it['compiler'], it['fuse'], *facts['load'],
                facts['runs'], 'dropped' if facts['cold'] else 'warm',
                facts['seconds'] / 60),
             BUSY if max(facts['load']) > 1 else '',
             report.EXPLANATION, '\n', report.table(results),
             report.tally(results)]
    for title, texts in (('Skipped', facts['skipped']), ('Failed', failures)):
        if texts:
            lines.append('\n%s:\n\n' % title)
            lines += ['- %s\n' % text for text in texts]
    return ''.join(lines)


# ---- one run ---------------------------------------------------------------

def measure(options, folder, kept):
    load, start = [os.getloadavg()[0]], time.monotonic()
    commit = machine.commit()   # what is built; who knows what comes meanwhile
    bench = Bench(options, folder, kept)
    if not options.peer:
        bench.skip('batpak', 'no program (cargo)')
    if bench.disk in ('tmpfs', 'ramfs', 'overlay'):
        bench.skip('a real disk', '%s is on %s: choose one with --dir' % (
            kept, bench.disk))
    chosen = [figure for figure in figures.ALL
              if not options.only or figure.__name__ in options.only]
    results, failures = race.run_all(
        chosen, bench, options.runs,
        machine.drop_caches if options.cold else lambda: None)
    load.append(os.getloadavg()[0])
    facts = about(bench, options, commit, load, time.monotonic() - start)
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


@contextlib.contextmanager
def folders(options):
    """A folder that goes, with all that was started in it, and where stores
    are kept: below it, if no other was named."""
    folder = os.path.realpath(tempfile.mkdtemp(
        prefix='batfs-bench-', dir=options.dir or options.cache or '/var/tmp'))
    try:
        if not options.cache:
            yield folder, folder
            return
        with open(os.path.join(options.cache, 'lock'), 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                sys.exit('scripts/bench: another run uses %s' % options.cache)
            yield folder, os.path.realpath(options.cache)
    finally:
        on_signals(signal.SIG_IGN)
        servers.end_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


def on_signals(action):
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, action)


def interrupted(number, frame):
    """Once: a second ^C is not to stop the tidying up."""
    on_signals(signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    options = arguments()
    if options.compare:
        try:
            sys.stdout.write(compare.compare(*options.compare))
        except compare.Unreadable as why:
            sys.exit('scripts/bench: %s' % why)
        return 0
    # A shell that starts a job in the background has it ignore SIGINT.
    on_signals(interrupted)
    if options.cold and os.geteuid() != 0:
        sys.exit('scripts/bench: only root can drop the page cache (--cold)')
    if options.cache:
        os.makedirs(options.cache, exist_ok=True)
    servers.adopt_daemons()
    try:
        with folders(options) as (folder, kept):
            return measure(options, folder, kept)
    except KeyboardInterrupt:
        sys.stderr.write('\ninterrupted\n')
        return 130


if __name__ == '__main__':
    sys.exit(main())
