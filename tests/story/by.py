#!/usr/bin/env python3
"""by/ on a live mount: every golden store against a model, and by hand.

    by.py BATFS [STORE...]

What the store holds is batpak's own word (golden.py); the log is held against
that, and from the log the model (support/tree_model.py) says every listing,
link and byte of by/. Here also its times, what is typed, and that the model
misses any name that is left out. Then people's tools over nasty names, a store
that grows while one looks, and what goes with by/: names for kinds, stamps,
text lines, keys made from content.
"""
# Limit: 600 s
# Runs under the thread sanitizer too.
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
sys.path.insert(0, HERE)
import fbat                                             # noqa: E402
import golden                                           # noqa: E402
import views                                            # noqa: E402
from mounted import Mount, MountFailed, Report          # noqa: E402
from tree_model import (Chains, FOLDER, add_by, differs, events_of,  # noqa: E402
                        grouped, joined, walk)
from tree_names import tree_name                        # noqa: E402
from view import log_differs, read                      # noqa: E402

GOLDEN = os.path.join(HERE, '..', 'data', 'golden')


def model_of(events):
    """by/ alone; its paths are below by/."""
    tree = {'by/CACHEDIR.TAG': None}
    add_by(tree, events, Chains(events))
    return {p[3:]: w for p, w in tree.items() if p != 'by'}


# Golden stores.

def facts(at, events, name, data):
    model = fbat.Store(data)
    return (golden.seen_by_batpak(name, model)
            or log_differs(joined(events), model.events()))


def listed(at, events, *_):
    return differs(os.path.join(at, 'by'), model_of(events))


def leaving_out(at, events, *_):
    """Without any one name, or with one more, the model notices."""
    tree, by = model_of(events), os.path.join(at, 'by')
    for path in sorted(tree)[::5]:
        if not differs(by, {p: w for p, w in tree.items() if p != path}):
            return 'nobody missed %s' % path
    return None if differs(by, dict(tree, zz=b'')) else 'nobody missed zz'


def times(at, events, *_):
    """Of each file the last event in it, of each name the event it came with."""
    known = [e for e in events if e.known]
    wanted = {'.': events[0], 'CACHEDIR.TAG': events[0],
              'denials.jsonl': events[0]}
    for table in ('entities', 'scopes', 'kinds', 'chains'):
        wanted[table + '.tsv'] = events[-1]
    for event in known:
        wanted['kind/%s.jsonl' % event.kind] = event
        wanted['latest/%s.json' % tree_name(event.entity)] = event
        if event.kind == '0.00f':
            wanted['denials.jsonl'] = event
    firsts = {}
    for event in known:
        firsts.setdefault(event.entity, event)
        firsts.setdefault('kind ' + event.kind, event)
    for name, event in firsts.items():
        if name.startswith('kind '):
            wanted['kind'] = event
            continue
        wanted['latest'] = wanted['name'] = event
        path = 'name'
        for part in name.split(':'):
            path += '/' + (tree_name(part) if part else '=')
        if os.path.islink(os.path.join(at, 'by', path)):
            wanted[path] = event
        else:
            wanted[path + '/=self'] = event
    for path, event in wanted.items():
        info = os.lstat(os.path.join(at, 'by', path))
        if info.st_mtime_ns // 10 ** 6 != event.wall_ms():
            return '%s: %d, not %d' % (path, info.st_mtime_ns // 10 ** 6,
                                       event.wall_ms())
        if info.st_ctime_ns != info.st_mtime_ns:
            return '%s: ctime' % path
    return None


def folder_times(at, events, *_):
    """A folder of names has the time of the newest name in it."""
    born = {}
    for event in events:
        if event.known and event.entity not in born:
            born[event.entity] = event
    newest = {}
    names = set()
    for entity, event in born.items():
        parts = entity.split(':')
        for n in range(1, len(parts) + 1):
            name = ':'.join(parts[:n])
            if name not in names and n > 1:
                newest[':'.join(parts[:n - 1])] = event
            names.add(name)
        if entity in newest:
            newest[entity] = event      # =self came into a folder
    for name, event in newest.items():
        path = os.path.join(at, 'by/name', *(
            tree_name(p) if p else '=' for p in name.split(':')))
        if os.stat(path).st_mtime_ns // 10 ** 6 != event.wall_ms():
            return '%s: %d, not %d' % (
                path, os.stat(path).st_mtime_ns // 10 ** 6, event.wall_ms())
    return None


def namespaces(at, events, *_):
    """=log.jsonl: the name and all name:.., and nothing else."""
    by = os.path.join(at, 'by')
    folders = [p for p, w in model_of(events).items()
               if w is FOLDER and p.startswith('name/')]
    for path in folders:
        below = [os.path.basename(os.readlink(os.path.join(by, p)))
                 for p, entry in walk(by) if entry.is_symlink()
                 and (p + '/').startswith(path + '/')]
        wanted = joined([e for e in events if e.known
                         and tree_name(e.entity) in below])
        why = views.differs(by, path + '/=log.jsonl', wanted)
        if why:
            return why
        if '=log.jsonl' in os.listdir(os.path.join(by, path)):
            return '%s/=log.jsonl is listed' % path
    return None


def one_spelling(at, events, *_):
    """Whatever else is typed is not there."""
    by, tree = os.path.join(at, 'by'), model_of(events)
    wrong = ['name/=self', 'name/=log.jsonl', 'name/==', 'kind/f.001',
             'kind/F.001.jsonl', 'kind/0xf001.jsonl', 'kind/f.jsonl',
             'latest/.json', 'latest', 'kinds', 'denials', 'entities']
    wrong += ['latest/' + tree_name(e.entity) for e in events if e.known]
    wrong += ['name/' + tree_name(e.entity) for e in events
              if e.known and ':' in e.entity]
    wrong += ['latest/%s.json' % e.entity for e in events if e.known
              and '/' not in e.entity and len(e.entity.encode()) < 250]
    for path in wrong:
        if path not in tree and os.path.lexists(os.path.join(by, path)):
            return '%s is there' % path
    return None


CHECKS = (facts, listed, times, folder_times, namespaces, one_spelling)


def with_golden(batfs, name, report):
    with tempfile.TemporaryDirectory(prefix='batfs-by-') as work:
        data = os.path.join(work, 'data')
        shutil.copytree(os.path.join(GOLDEN, name, 'store'), data)
        checks = list(CHECKS)
        if name in ('coordinates', 'chains', 'denials'):
            checks.append(leaving_out)
        try:
            with Mount(batfs, data, 'ro') as at:
                events = events_of(read(at, 'log.jsonl'))
                for check in checks if events else []:
                    report.case('%s: %s' % (
                        name, check.__name__.replace('_', ' ')),
                        check(at, events, name, data))
        except (MountFailed, OSError) as why:
            report.case(name, str(why))


# People's tools, over the names of golden/coordinates.

def shell(at, script, **also):
    return subprocess.run(['bash', '-uc', script], cwd=at,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **also)


def found(at, _):
    done = shell(at, 'find by -print0 | xargs -0 stat -c %F | sort | uniq -c')
    tree = model_of(events_of(read(at, 'log.jsonl')))
    count = sum(int(line.split()[0]) for line in done.stdout.splitlines())
    if done.returncode or count != len(tree) + 1:
        return '%d names, not %d: %s' % (count, len(tree) + 1, done.stdout)
    return None


def in_a_tar(at, work):
    archive, to = os.path.join(work, 'by.tar'), os.path.join(work, 'out')
    done = shell(at, 'tar -cf %s entities by' % archive)
    if done.returncode:
        return done.stdout
    with tarfile.open(archive) as tar:
        tar.extractall(to)
    return differs(os.path.join(to, 'by'),
                   model_of(events_of(read(at, 'log.jsonl'))))


def left_out(at, work):
    """--exclude-caches passes over by/."""
    done = shell(at, 'tar --exclude-caches -cf - by | tar -t', text=True)
    if done.stdout.split('\n')[-3:-1] != ['by/', 'by/CACHEDIR.TAG']:
        return done.stdout
    return None


def sorted_tables(at, work):
    """As sort has it, and join finds each name in its folder."""
    script = '''
    export LC_ALL=C
    for what in entities scopes; do
        grep -v '^#events' by/$what.tsv >"$1/$what"
        cut -f 7 "$1/$what" >"$1/names"
        sort -c "$1/names" || exit 1
        ls -f $what | grep -vxF -e . -e .. | sort | cmp - "$1/names" || exit 1
        awk -F '\\t' 'NF != 7 { exit 1 }' "$1/$what" || exit 1
    done
    while IFS=$'\\t' read -r _ _ _ _ _ bytes name; do
        [ "$(stat -c %s "entities/$name")" = "$bytes" ] || exit 1
    done <"$1/entities"
    '''
    done = subprocess.run(['bash', '-uc', script, 'bash', work], cwd=at,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout or done.returncode


def with_tools(batfs, report):
    with tempfile.TemporaryDirectory(prefix='batfs-by-') as work:
        data = os.path.join(work, 'data')
        shutil.copytree(os.path.join(GOLDEN, 'coordinates', 'store'), data)
        with Mount(batfs, data, 'ro') as at:
            for check in (found, in_a_tar, left_out, sorted_tables):
                report.case('nasty names: %s' % check.__name__.replace(
                    '_', ' '), check(at, work))


# A store that grows while one looks.

def append(at, entity, line, scope='room'):
    with open(os.path.join(at, 'scopes', scope, entity), 'ab', 0) as file:
        file.write(line if isinstance(line, bytes) else line.encode())


def grows(at, report):
    by = os.path.join(at, 'by')

    def same():
        return listed(at, events_of(read(at, 'log.jsonl')))

    os.mkdir(os.path.join(at, 'scopes', 'room'))
    append(at, 'p:a', '1\n')
    report.case('an entity', same())
    with open(os.path.join(by, 'latest/p:a.json'), 'rb') as file:
        first = file.read(10)
        append(at, 'p:a', '{"longer":"than before"}\n')
        line = first + file.read()
    report.case('an open file is of one event', None if json.loads(line)[
        'data'] == 1 else line)
    report.case('and the next open of another', None if json.loads(read(
        by, 'latest/p:a.json'))['data'] != 1 else 'the old one')
    if not os.path.islink(os.path.join(by, 'name/p/a')):
        report.case('name/p/a is a link', 'no')
    append(at, 'p:a:b', '2\n')
    report.case('a link has become a folder', None if os.path.isdir(
        os.path.join(by, 'name/p/a')) and sorted(os.listdir(os.path.join(
            by, 'name/p/a'))) == ['=self', 'b'] else 'no')
    append(at, 'p', '3\n')
    append(at, 'q', '@kind=f.009 4\n')
    report.case('folders and links', same())
    for entity in ('p:a', 'q', 'p'):
        append(at, entity, '5\n')
    # ls has nanoseconds, and events milliseconds: no two in one
    done = shell(at, 'ls -t by/latest | head -1', text=True)
    newest = json.loads(read(at, 'log.jsonl').splitlines()[-1])['time'][:23]
    last = [json.loads(line)['entity'] + '.json' for line in read(
        at, 'log.jsonl').splitlines() if json.loads(line)['time'][:23]
        == newest]
    report.case('ls -t says who is active', None if done.stdout.strip() in
                last else done.stdout)
    report.case('and all is as the model says', same())


def all_at_once(at, report):
    """Readers of everything in by/ beside an append storm: what they read is
    whole lines, and no name goes away."""
    by, wrong, done = os.path.join(at, 'by'), [], threading.Event()

    def look():
        while not done.is_set() and not wrong:
            try:
                for path, entry in walk(by):
                    if entry.is_file(follow_symlinks=False):
                        content = read(by, path)
                        if content and not content.endswith(b'\n'):
                            wrong.append('%s ends in half a line' % path)
                    elif entry.is_symlink():
                        os.stat(os.path.join(by, path))
            except OSError as error:
                # a link may have become a folder meanwhile
                if not os.path.isdir(error.filename or ''):
                    wrong.append(error)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(60):
        append(at, 'storm:%d' % (n % 20), '%d\n' % n)
        append(at, 'storm:%d:%d' % (n % 7, n), '@kind=f.%03x 1\n' % n)
    done.set()
    for reader in readers:
        reader.join()
    report.case('readers beside an append storm', wrong and wrong[0])
    report.case('and afterwards all is there', listed(
        at, events_of(read(at, 'log.jsonl'))))


def only_shows(at, report):
    for script in ('touch by/x', 'mkdir by/name/x', 'echo 1 > by/kind/x',
                   'echo 1 >> by/name/p/z', 'mkdir by/name/p/z',
                   'rm by/name/q', 'rmdir by/name/p', 'mv by/latest by/x',
                   'echo 1 >> by/latest/q.json', 'echo 1 > by/entities.tsv',
                   'ln -s a by/name/p/z', 'chmod 600 by/denials.jsonl'):
        done = shell(at, script, text=True)
        report.case('EROFS: ' + script, None if done.returncode and
                    'Read-only file system' in done.stdout else done.stdout)


# Kinds with names.

def named_kinds(batfs, work, report):
    names, data = os.path.join(work, 'names'), os.path.join(work, 'kinds')
    with open(names, 'w') as file:
        file.write('# kinds of the game\nf.001 moved\n\n0xF002\tsaid\n'
                   'f.003 never\n')
    with Mount(batfs, data, 'kinds=' + names) as at:
        os.mkdir(os.path.join(at, 'scopes', 'room'))
        append(at, 'p', '@kind=moved {"x":1}\n')
        append(at, 'p,kind=said', '"hi"\n')
        lines = read(at, 'entities/p').splitlines(True)
        report.case('@kind=moved is f.001, ,kind=said f.002', None if [
            json.loads(line)['kind'] for line in lines] == ['f.001', 'f.002']
            else lines)
        report.case('query/kind=moved', None if read(
            at, 'query/kind=moved/log.jsonl') == lines[0] else 'differs')
        kind = os.path.join(at, 'by', 'kind')
        links = {n: os.readlink(os.path.join(kind, n))
                 for n in os.listdir(kind)
                 if os.path.islink(os.path.join(kind, n))}
        report.case('links to kinds that have events', None if links == {
            'moved.jsonl': 'f.001.jsonl', 'said.jsonl': 'f.002.jsonl'}
            and read(kind, 'said.jsonl') == lines[1] else links)
        try:
            append(at, 'p', '@kind=never_heard 1\n')
            report.case('another name is refused', 'it is not')
        except OSError as error:
            report.case('another name is refused', None if error.errno == 22
                        else error)
        config = read(at, '.ctl', 'config').decode()
        report.case('.ctl/config names the file', None if
                    'kinds=' + names in config else config)
    with open(names, 'a') as file:
        file.write('f.004 moved\n')
    for path, why in ((names, names + ' line 6: the name stands in line 2'),
                      (work + '/none', 'No such file')):
        mount = Mount(batfs, data, 'kinds=' + path)
        try:
            with mount:
                report.case('refused: ' + why, 'it is mounted')
        except MountFailed as error:
            report.case('refused: ' + why, None if why in str(error)
                        else error)


# Who wrote it.

def stamps(batfs, work, report):
    data = os.path.join(work, 'stamps')
    with Mount(batfs, data, 'stamp') as at:
        os.mkdir(os.path.join(at, 'scopes', 'room'))
        shell(at, "echo '{\"x\":1}' >> scopes/room/p; "
              "echo two | tee -a scopes/room/p,as=text; "
              "echo '@ext.a.b=c 3' | dd of=scopes/room/p oflag=append "
              "conv=notrunc status=none")
        lines = [json.loads(line) for line in read(
            at, 'entities/p').splitlines()]
        who = [json.loads(line['ext']['batfs.writer']) for line in lines]
        report.case('uid and gid are ours', None if all(
            (w['uid'], w['gid']) == (os.getuid(), os.getgid()) and w['pid']
            for w in who) and len(who) == 3 else who)
        report.case('comm is what is best known', None if [
            w['best_known']['comm'] for w in who] == ['bash', 'tee', 'dd']
            else who)
        report.case('other extensions stay', None if lines[2]['ext'][
            'a.b'] == 'c' else lines[2]['ext'])
        receipt = json.loads(read(at, 'events', str(lines[0]['seq']),
                                  'receipt'))
        report.case('the receipt says it', None if receipt['ext'] ==
                    lines[0]['ext'] else receipt)
        try:
            append(at, 'p', '@ext.batfs.writer=me 1\n')
            report.case('nobody says it himself', 'stored')
        except OSError as error:
            report.case('nobody says it himself', None if error.errno == 13
                        else error)
    events = [e for e in fbat.Store(data).events() if e['entity'] == 'p']
    report.case('it is in the frames', None if [
        len(e['ext']) for e in events] == [1, 1, 2] else events)
    with Mount(batfs, data) as at:
        append(at, 'p', '4\n')
        report.case('without -o stamp nothing is said', None if 'ext' not in
                    json.loads(read(at, 'by/latest/p.json')) else 'it is')


# Text, and keys made from content.

def texts(batfs, work, report):
    data = os.path.join(work, 'texts')
    with Mount(batfs, data, 'text') as at:
        os.mkdir(os.path.join(at, 'scopes', 'room'))
        append(at, 'p', b'@kind=f.001 is text\r\n\n  so\n')
        datas = [json.loads(line)['data'] for line in read(
            at, 'entities/p').splitlines()]
        report.case('-o text', None if datas == [
            '@kind=f.001 is text\r', '  so'] else datas)
    with Mount(batfs, data) as at:
        append(at, 'p,as=text,kind=f.007', 'plain {\n')
        line = json.loads(read(at, 'by/latest/p.json'))
        report.case(',as=text', None if (line['data'], line['kind']) == (
            'plain {', 'f.007') else line)
        for _ in range(2):
            append(at, 'q,key=content', '{"a":1}\n{"a":1}\n{"a":2}\n')
        lines = read(at, 'entities/q').splitlines()
        report.case('key=content stores a file once', None if len(
            lines) == 3 else lines)
        append(at, 'q', '@key=content {"a":1}\n@key=content {"a":3}\n')
        report.case('@key=content likewise', None if len(read(
            at, 'entities/q').splitlines()) == 4 else 'no')


def by_hand(batfs, report):
    with tempfile.TemporaryDirectory(prefix='batfs-by-') as work:
        with Mount(batfs, os.path.join(work, 'data')) as at:
            grows(at, report)
            all_at_once(at, report)
            only_shows(at, report)
        named_kinds(batfs, work, report)
        stamps(batfs, work, report)
        texts(batfs, work, report)


def main():
    batfs, report = os.path.abspath(sys.argv[1]), Report()
    names = sys.argv[2:] or sorted(
        n for n in os.listdir(GOLDEN)
        if os.path.isdir(os.path.join(GOLDEN, n, 'store')))
    for name in names:
        with_golden(batfs, name, report)
    with_tools(batfs, report)
    by_hand(batfs, report)
    return report.status()


if __name__ == '__main__':
    sys.exit(main())
