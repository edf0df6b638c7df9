"""Writers and their oracle for tests/story/writer_matrix.sh.

	lines.py make COUNT			 good lines on stdout
	lines.py holds FILE SECONDS <LINES	 exactly these are the events
	lines.py starts FILE COUNT <LINES	 they start with COUNT of these,
						 and none is there twice
	lines.py rejected REJECTS ENTITY TEXT	 a line of the entity was refused
	lines.py MODE FILE <LINES		 a writer, or a case of its own
"""
import fcntl
import json
import os
import subprocess
import sys
import threading
import time


def make(count):
    for i in range(int(count)):
        text = 'line %d ' % i + 'äöü€'[i % 4] * (i * 7 % 90)
        value = {'n': i, 'text': text, 'deep': [i, [None, {'x': i / 4}]]}
        print(json.dumps(value, ensure_ascii=False, separators=(',', ':')))


# ---- the oracle -------------------------------------------------------

def events(path):
    """The data of each line as bytes; order and form are checked."""
    try:
        with open(path, 'rb') as file:
            text = file.read()
    except FileNotFoundError:
        return []
    assert text == b'' or text.endswith(b'\n'), 'the last line has no end'
    data, last = [], -1
    for line in text.splitlines():
        value = json.loads(line)
        assert value['seq'] > last, 'sequences do not rise'
        last = value['seq']
        start = line.index(b'"data":') + len(b'"data":')
        end = line.rindex(b',"id":"' + value['id'].encode())
        data.append(line[start:end])
    return data


def compare(got, wanted):
    for i, (a, b) in enumerate(zip(got, wanted)):
        if a != b:
            return 'event %d is %r, not %r' % (i, a[:60], b[:60])
    if len(got) != len(wanted):
        return '%d events, not %d' % (len(got), len(wanted))
    return None


def holds(path, seconds):
    wanted = sys.stdin.buffer.read().splitlines()
    end = time.monotonic() + float(seconds)
    while True:
        wrong = compare(events(path), wanted)
        if wrong is None:
            return 0
        if time.monotonic() >= end:
            print(wrong)
            return 1
        time.sleep(0.02)


def starts(path, count):
    wanted = sys.stdin.buffer.read().splitlines()
    got = events(path)
    wrong = compare(got[:int(count)], wanted[:int(count)])
    if wrong is None and len(set(got)) != len(got):
        wrong = 'an event is there twice'
    print(wrong or '')
    return wrong is not None


def rejected(path, entity, text):
    with open(path) as file:
        lines = [json.loads(line) for line in file]
    for line in reversed(lines):
        if line['path'].endswith('/' + entity):
            return text != '.' and text not in json.dumps(line)
    print('nothing of %s was rejected' % entity)
    return 1


# ---- writers ----------------------------------------------------------

def plain(path, text):
    with open(path, 'a') as file:
        for line in text.decode().splitlines():
            file.write(line + '\n')


def line(path, text):
    with open(path, 'a', buffering=1) as file:
        for one in text.decode().splitlines():
            file.write(one + '\n')


def raw(path, text):
    with open(path, 'ab', buffering=0) as file:
        for one in text.splitlines(keepends=True):
            while one:
                one = one[file.write(one):]


def pieces(path, text):
    """Cut anywhere, also within a character."""
    with open(path, 'ab', buffering=0) as file:
        size = 1
        while text:
            size = size * 5 % 997 + 1
            piece, text = text[:size], text[size:]
            assert file.write(piece) == len(piece)


def writev(path, text):
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    half = len(text) // 2
    assert os.writev(fd, [text[:half], text[half:]]) == len(text)
    os.close(fd)


def synced(path, text):
    with open(path, 'ab') as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with open(path, 'rb') as file:      # sync FILE does this
        os.fsync(file.fileno())


# ---- cases of their own -----------------------------------------------

def pair(path):
    """Two handles at once, each cutting its lines anywhere."""
    def write(name):
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        text = b''.join(b'{"w":"%s","n":%d}\n' % (name, i)
                        for i in range(400))
        size = len(name) + 10
        while text:
            done = os.write(fd, text[:size])
            text = text[done:]
            size = size * 7 % 61 + 1
        os.close(fd)
    names = [b'left', b'right', b'third']
    children = []
    for name in names:
        child = os.fork()
        if child == 0:
            write(name)
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    got = [json.loads(text) for text in events(path)]
    for name in names:
        mine = [one['n'] for one in got if one['w'] == name.decode()]
        assert mine == list(range(400)), '%s: %r' % (name, mine[:20])
    return 0


def threads(path):
    """Many threads write whole lines to one descriptor."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(name):
        for i in range(50):
            text = b'[%d,%d]\n' % (name, i)
            assert os.write(fd, text) == len(text)
    crew = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    os.close(fd)
    got = [json.loads(text) for text in events(path)]
    for name in range(8):
        assert [n for who, n in got if who == name] == list(range(50))
    return 0


def inherited(path):
    """1 is a whole value, but who leaves then did not write it."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(fd, b'1')
    subprocess.run(['true'], pass_fds=[fd], check=True)
    os.write(fd, b'2\n')
    os.close(fd)
    return 0


def unappend(path):
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    assert os.write(fd, b'1\n') == 2
    fcntl.fcntl(fd, fcntl.F_SETFL, 0)
    try:
        os.write(fd, b'2\n')
    except PermissionError:
        os.close(fd)
        return 0
    print('a write without O_APPEND was taken')
    return 1


def readback(path):
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    seen = b''
    for i in range(20):
        text = b'{"n":%d}\n' % i
        assert os.write(fd, text) == len(text)
        more = os.pread(fd, 65536, len(seen))
        assert more.count(b'\n') == 1 and text[:-1] in more, more
        seen += more
        assert os.fstat(fd).st_size == len(seen)
    os.close(fd)
    return 0


def main():
    name, arguments = sys.argv[1], sys.argv[2:]
    function = globals()[name]
    if name in ('plain', 'line', 'raw', 'pieces', 'writev', 'synced'):
        function(*arguments, sys.stdin.buffer.read())
        return 0
    return int(function(*arguments) or 0)


sys.exit(main())
