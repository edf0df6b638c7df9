"""One run of the bench, as figures see it: programs, sizes, stores, folders,
mountpoints."""
import json
import os
import subprocess

import machine
import servers
from race import Failed
from stores import Stores

PATIENCE = 3600     # seconds until a program counts as hung

SIZES = {'tiny': [5_000],
         'quick': [10_000, 100_000],
         'full': [10_000, 100_000, 1_000_000],
         'large': [10_000, 100_000, 1_000_000, 10_000_000]}
MILLION = 1_000_000     # what goals are said of


class Bench:
    def __init__(self, options, folder, kept):
        """folder is of this run alone; kept: where stores go."""
        self.folder, self.size_name = folder, options.size
        self.runs = options.runs
        programs = os.path.join(options.build, 'tests', 'bench')
        self.batfs = os.path.join(options.build, 'fs', 'batfs')
        for name in ('library_bench', 'view_bench', 'floor_bench',
                     'mount_bench', 'follow_bench', 'null_fs'):
            setattr(self, name, os.path.join(programs, name))
        self.peer = options.peer
        self.cores = len(os.sched_getaffinity(0))
        self.disk = machine.filesystem_of(kept)
        self.events = SIZES[options.size]
        self.size = min(self.events[-1], MILLION)
        self.stores = Stores(self, kept, self.scratch('copies'))
        self.skipped = []
        self.points, self.last_point = 0, None
        self.empty_mount = None

    def scaled(self, count):
        """How often a thing is done that a full run does so often."""
        return max(1, count // {'tiny': 100, 'quick': 4}.get(
            self.size_name, 1))

    def sizes(self):
        """Events and entities of the stores that are opened."""
        yield from ((events, min(events, 1000)) for events in self.events)
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

    def mounted(self, path, options='ro'):
        """A server of ours on a store: `with bench.mounted(path) as s:`."""
        more = ['-o', options] if options else []
        return servers.Server([self.batfs, '-f', *more, path, self.point()],
                              self.last_point)

    def null_server(self, files, size=0):
        """A server that does nothing, with so many files of one size."""
        return servers.Server([self.null_fs, '-f', self.point(), files, size,
                               self.cores], self.last_point)

    def skip(self, name, why):
        self.skipped.append('%s: %s' % (name, why))

    def run(self, command, env=None, stdin=None, stdout=subprocess.DEVNULL):
        try:
            done = subprocess.run(
                [str(word) for word in command], input=stdin, stdout=stdout,
                stderr=subprocess.PIPE, env=env, timeout=PATIENCE, text=True,
                **({} if stdin else {'stdin': subprocess.DEVNULL}))
        except subprocess.TimeoutExpired as why:
            raise Failed(str(why)) from None
        if done.returncode != 0:
            raise Failed('%s: status %d: %s' % (
                ' '.join(map(str, command))[:200], done.returncode,
                done.stderr.strip()[-300:]))
        return done.stdout

    def run_json(self, command, stdin=None):
        said = self.run(command, None, stdin, subprocess.PIPE)
        try:
            return json.loads(said)
        except ValueError:
            raise Failed('%s: said %r' % (command[0], said)) from None

    def empty_mount_bytes(self):
        """What a mount of nothing keeps in memory."""
        if self.empty_mount is None:
            with self.mounted(self.scratch('empty'), '') as server:
                os.listdir(os.path.join(server.point, 'entities'))
                self.empty_mount = server.anonymous()
        return self.empty_mount
