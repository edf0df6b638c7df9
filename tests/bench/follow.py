"""Following: from an event to somebody who waits for it."""
import os

from race import BILLION, FLOOR, OURS, PEER, Figure, Lane, Race

WRITTEN = 'a line to a blocked reader'
DURABLE = 'a line on disk to a blocked reader'
ROUNDS = 200


def follow(bench):
    """.ctl/follow beside a pipe, and `tail -f` of a file on the disk.

    The first figure is from the start of the write; with `-o durable=fsync`,
    so that no sync is part of it.  The second, as mounts are unless somebody
    asks, from when the write was answered; often the reader is first."""
    rounds = max(10, bench.scaled(ROUNDS))

    def timed(*words):
        got = bench.run_json([bench.follow_bench, *words])
        return got['written'] / BILLION, got['answered'] / BILLION

    def ours(options, figure):
        path = bench.stores.new()
        os.mkdir(path)
        with bench.mounted(path, options) as server:
            scope = os.path.join(server.point, 'scopes', 'bench')
            os.mkdir(scope)
            # The first append of a session has company: its OPEN.
            with open(os.path.join(scope, 'first'), 'ab', 0) as file:
                file.write(b'0\n')
            written, answered = timed(
                os.path.join(scope, 'one'), rounds, '--',
                os.path.join(server.point, '.ctl', 'follow'))
        return {figure: written if figure == WRITTEN else answered}

    def pipe():
        path = bench.stores.new()
        os.mkfifo(path)
        return {WRITTEN: timed(path, rounds, '--', path)[0]}

    def tail():
        path = bench.stores.new()
        with open(path, 'wb'):
            pass
        return {WRITTEN: timed(path, rounds, '--', 'tail', '-n', '+1', '-f',
                               path)[0]}

    figures = [Figure(WRITTEN, 'seconds', limit=0.0002),
               Figure(DURABLE, 'seconds', limit=0.0002)]
    yield Race('new', figures, [
        Lane('batfs', OURS, lambda: ours('durable=fsync', WRITTEN)),
        Lane('batfs', OURS, lambda: ours('', DURABLE)),
        Lane('pipe', FLOOR, pipe),
        Lane('tail -f, %s' % bench.disk, PEER, tail)])
