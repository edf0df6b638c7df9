"""What a run was measured on."""
import os
import platform
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


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


def commit():
    return said('git', 'describe', '--always', '--dirty',
                '--abbrev=12') or 'unknown'


def facts(cores, disk):
    memory = int(first_match('/proc/meminfo', 'MemTotal').split()[0])
    gcc = said('gcc', '-dumpfullversion')
    return {
        'cpu': first_match('/proc/cpuinfo', 'model name'),
        'cores': cores,
        'memory': '%d GiB' % round(memory / (1 << 20)),
        'disk': disk,
        'kernel': platform.release().split('-')[0],
        'compiler': gcc and 'gcc ' + gcc,
        'fuse': 'libfuse ' + said('pkg-config', '--modversion', 'fuse3'),
    }


def drop_caches():
    os.sync()
    with open('/proc/sys/vm/drop_caches', 'w') as file:
        file.write('3\n')
