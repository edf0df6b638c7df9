#!/usr/bin/env python3
"""The bench works: every row has its figures, and nothing is left behind.

    [PEER=PROGRAM] smoke.py BUILD

BUILD is a build of the target `bench`, PEER batpak's program.  No time that is
measured here means anything, and none is looked at.
"""
# Limit: 600 s
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
import figures                                          # noqa: E402
import goals                                            # noqa: E402
from listing import OTHERS                              # noqa: E402
from mounted import Report                              # noqa: E402
from race import FLOOR, OURS, PEER, Figure, Result      # noqa: E402

RUN = os.path.join(HERE, 'run.py')
PATIENCE = 120      # seconds until something that should come counts as lost


def command(build, peer, *words):
    more = ['--peer', peer] if peer else []
    return [sys.executable, RUN, '--build', build, *more, *words]


def run(words):
    return subprocess.run(words, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def lines_of(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


# ---- every row --------------------------------------------------------------

def without_figure(lines):
    """Rows that lack batfs, and lanes without a number."""
    rows = {}
    for line in lines:
        rows.setdefault((line['figure'], line['store']), set()).add(
            line['role'])
        if line['n'] < 1 or not line['min'] <= line['median'] <= line['max']:
            yield 'no number: %s' % line
    for row, roles in rows.items():
        if OURS not in roles:
            yield 'no batfs: %s, %s' % row


def wanted_lanes(peer, disk):
    """(figure begins with, who): one of each sort of row."""
    others = [name for name, _, programs in OTHERS
              if all(map(shutil.which, programs))]
    found = [('mount to first', 'floor'), ('opened by', 'floor'),
             ('`ls -l` with a sidecar, first', 'null server'),
             ('`ls -f`, first', disk),
             ('`cat` of', disk), ('open + read + close', disk),
             ('an event by id', 'floor'), ('verify', 'floor'),
             ('durable appends, library, 1 writer', 'SQLite'),
             ('durable appends, mount, 8 writers', 'SQLite'),
             ('durable appends, mount, 1 writer, space', 'written ahead'),
             ('a line to a blocked reader', 'pipe'),
             ('a line to a blocked reader', 'tail -f, ' + disk),
             ('unmount after 10 000', 'null server')]
    found += [('`find`, first', name) for name in others]
    if peer:
        found += [(name, 'batpak') for name in (
            'mount to first', 'memory of', 'an event by id', 'chains of',
            '4096 lines as text, from the end', 'durable appends, library, 8',
            'unmount after 1 append')]
    return found


def every_row(report, build, peer, folder):
    """Returns the JSON lines that the run left, as a path."""
    out = os.path.join(folder, 'all.json')
    table = os.path.join(folder, 'all.md')
    scratch = os.path.join(folder, 'scratch')
    os.mkdir(scratch)
    done = run(command(build, peer, '--tiny', '--dir', scratch, '--json', out,
                       '--table', table))
    if done.returncode != 0 or not os.path.exists(out):
        report.case('every figure can be measured', 'status %d: %s' % (
            done.returncode, (done.stdout + done.stderr)[-1500:]))
        return None
    report.case('every figure can be measured', None)
    about, *lines = lines_of(out)
    report.case('every row has a number of batfs',
                '; '.join(without_figure(lines)) or None)
    there = {(line['figure'], line['who']) for line in lines}
    missing = [pair for pair in wanted_lanes(peer, about['machine']['disk'])
               if not any(name.startswith(pair[0]) and who == pair[1]
                          for name, who in there)]
    report.case('floors and peers are beside them',
                str(missing) if missing else None)
    judged = [one for line in lines for one in line.get('goals', [])]
    report.case('rows have goals, and they are judged',
                None if judged and all(
                    (one['value'] is None) == (one['met'] is None)
                    for one in judged) else str(judged))
    with open(table) as file:
        text = file.read()
    absent = [line['figure'] for line in lines
              if '| %s | %s |' % (line['figure'], line['store']) not in text]
    report.case('the table has the same rows', ', '.join(absent) or None)
    report.case('nothing is left where it worked',
                ', '.join(os.listdir(scratch)) or None)
    return out


# ---- two runs ---------------------------------------------------------------

def comparison(report, path, folder):
    same = run([sys.executable, RUN, '--compare', path, path])
    rows = same.stdout.splitlines()[4:]
    ours = sum(line.get('role') == OURS for line in lines_of(path))
    report.case('a run is the same as itself', None if (
        same.returncode == 0 and len(rows) == ours and
        all(row.endswith('| same |') for row in rows))
        else same.stdout[-500:] + same.stderr[-500:])

    about, *lines = lines_of(path)
    for line in lines:
        if line['role'] == OURS and line['figure'].startswith('verify'):
            for name in ('min', 'median', 'max'):
                line[name] /= 2
    for line in lines:
        for goal in line.get('goals', []):
            if goal['goal'].startswith('at most 3.00 ms'):
                goal['met'] = not goal['met']
    other = os.path.join(folder, 'other.json')
    with open(other, 'w') as file:
        file.writelines(json.dumps(line) + '\n'
                        for line in [about] + lines[1:])
    text = run([sys.executable, RUN, '--compare', path, other]).stdout
    verify = [row for row in text.splitlines() if row.startswith('| verify')]
    report.case('half the rate is worse, and costs twice', None if (
        len(verify) == 1 and '| 2.00 x |' in verify[0] and
        verify[0].endswith('| worse |')) else str(verify))
    report.case('a goal that was lost or reached is told', None if (
        'at most 3.00 ms: reached' in text or 'at most 3.00 ms: lost' in text)
        else text[-500:])
    first = lines[0]
    gone = [row for row in text.splitlines()
            if row.startswith('| %s | %s |' % (
                first['figure'], first['store']))]
    report.case('a row that one of them lacks is told', None if (
        len(gone) == 1 and gone[0].endswith('| gone |')) else str(gone))

    with open(other, 'w') as file:
        file.write('no JSON\n')
    done = run([sys.executable, RUN, '--compare', path, other])
    report.case('what is no such file is refused by name', None if (
        done.returncode == 1 and other in done.stderr and
        'Traceback' not in done.stderr) else done.stderr[-500:])


# ---- goals ------------------------------------------------------------------

def goal_cases(report):
    """Of two rows that are made up."""
    seconds = Figure('took', 'seconds', goals.AtMost(2, 'floor'),
                     goals.AtLeast(3, 'peer'), goals.AtLeast(3, 'nobody'),
                     limit=0.5)
    rate = Figure('rate', 'events/s', goals.AtLeast(0.9, 'floor'),
                  goals.AtMost(2, (None, 'small')), limit=1000)
    results = [Result(seconds, 's', 'batfs', OURS, [0.4, 0.4, 9]),
               Result(seconds, 's', 'floor', FLOOR, [0.1]),
               Result(seconds, 's', 'peer', PEER, [1.6]),
               Result(rate, 'big', 'batfs', OURS, [1000]),
               Result(rate, 'big', 'floor', FLOOR, [2000]),
               Result(Figure('rate', 'events/s'), 'small', 'batfs', OURS,
                      [1500])]
    verdicts = goals.judge(results)
    got = [[(round(one.value, 6) if one.value is not None else None, one.met)
            for one in verdicts[result]] for result in (results[0],
                                                        results[3])]
    wanted = [[(4.0, False), (4.0, True), (None, None), (0.4, True)],
              [(0.5, False), (1.5, True), (1000, True)]]
    report.case('goals compare costs, by medians',
                None if got == wanted else str(got))


# ---- what goes wrong --------------------------------------------------------

def failing_lane(report, build, folder):
    out = os.path.join(folder, 'failing.json')
    done = run(command(build, shutil.which('false'), '--tiny', '--dir', folder,
                       '--only', 'unmount', '--json', out))
    whos = {line['who'] for line in lines_of(out)[1:]}
    report.case('a lane that fails is told, and the others go on', None if (
        done.returncode == 1 and 'batpak' not in whos and
        {'batfs', 'null server'} <= whos and '\nFailed:\n' in done.stdout)
        else done.stdout[-500:] + done.stderr[-500:])


def mounts_below(folder):
    with open('/proc/self/mountinfo') as file:
        points = [line.split()[4] for line in file]
    return [point for point in points if point.startswith(folder + '/')]


def processes_below(folder):
    """That have the folder in their words: daemons of the bench do."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as file:
                words = file.read()
        except OSError:
            continue
        if os.fsencode(folder + '/') in words and int(pid) != os.getpid():
            found.append(words.replace(b'\0', b' ').decode())
    return found


def interrupted(report, build, folder):
    """^C while something is mounted."""
    scratch = os.path.join(folder, 'interrupted')
    os.mkdir(scratch)
    with tempfile.TemporaryFile('w+') as log:
        process = subprocess.Popen(
            command(build, None, '--tiny', '--dir', scratch, '--runs', '1000',
                    '--only', 'streams'), stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while not mounts_below(scratch) and process.poll() is None and \
                time.monotonic() < end:
            time.sleep(0.005)
        seen = bool(mounts_below(scratch))
        for _ in range(2):      # an impatient user
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        status = process.wait()
        log.seek(0)
        report.case('^C ends it while something is mounted',
                    None if seen and status == 130 else 'mounted: %s, status '
                    '%d: %s' % (seen, status, log.read()[-500:]))
    left = (mounts_below(scratch) + processes_below(scratch) +
            os.listdir(scratch))
    report.case('^C leaves no mount, no process, no file',
                ', '.join(left) or None)


def kept_stores(report, build, folder):
    cache = os.path.join(folder, 'cache')
    words = command(build, None, '--tiny', '--only', 'verify', '--cache',
                    cache)
    states = []
    for _ in range(2):
        done = run(words)
        states.append({
            (name, os.stat(os.path.join(root, name)).st_ino)
            for root, _, names in os.walk(cache) for name in names
            if name.endswith('.fbat')} if done.returncode == 0
            else done.stderr)
    report.case('--cache keeps the stores for the next run', None if (
        states[0] == states[1] and isinstance(states[0], set) and states[0])
        else str(states)[-500:])
    names = sorted(os.listdir(cache))
    report.case('and nothing else but its lock', None if (
        len(names) == 2 and names[0].startswith('batfs-stores-') and
        names[1] == 'lock') else str(names))


def main():
    build, peer = sys.argv[1], os.environ.get('PEER')
    report = Report()
    names = [figure.__name__ for figure in figures.ALL]
    report.case('figures have names of their own', None if (
        len(set(names)) == len(names)) else str(names))
    goal_cases(report)
    with tempfile.TemporaryDirectory(prefix='batfs-smoke-') as folder:
        folder = os.path.realpath(folder)
        if not os.path.exists('/dev/fuse'):
            report.skip('mounts', 'no /dev/fuse')
            return report.status()
        path = every_row(report, build, peer, folder)
        if path:
            comparison(report, path, folder)
        failing_lane(report, build, folder)
        interrupted(report, build, folder)
        kept_stores(report, build, folder)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
