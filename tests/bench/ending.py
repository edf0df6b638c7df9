"""Ending: what an unmount costs."""
import os
import shutil

from race import BILLION, FLOOR, OURS, PEER, Failed, Figure, Lane, Race
from servers import Server
from stores import CKPT


def unmount(bench):
    """From `fusermount3 -u` to the end of the daemon."""
    events = bench.size
    path = bench.stores.get(events, 1000, CKPT)

    def ours(appends):
        copy = bench.stores.copy(path)
        try:
            with Server([bench.batfs, '-f', copy, bench.point()],
                        bench.last_point) as server:
                scope = os.path.join(server.point, 'scopes', 'bench')
                os.mkdir(scope)
                # 10,000: half of them are mount_bench's warming up
                how = (1, 1, 1) if appends == 1 else (1, 100, 50)
                bench.run_json([bench.mount_bench, 'append', scope, *how])
                got = per_append(server)
                if got != appends:
                    raise Failed('%d appends' % got)
                return server.stop()
        finally:
            shutil.rmtree(copy)

    def per_append(server):
        folder = os.path.join(server.point, 'scopes', 'bench')
        with open(os.path.join(folder, 'bench:0'), 'rb') as file:
            return sum(1 for _ in file)

    def null():
        with Server([bench.null_fs, '-f', bench.point(), 1000, 0,
                     bench.cores], bench.last_point) as server:
            return server.stop()

    def batpak(appends):
        copy = bench.stores.copy(path)
        try:
            return bench.run_json(
                [bench.peer, 'close', copy, appends])['ns'] / BILLION
        finally:
            shutil.rmtree(copy)

    for appends in (1, 10_000):
        lanes = [Lane('batfs', OURS, lambda n=appends: ours(n)),
                 Lane('null server', FLOOR, null)]
        if bench.peer:
            lanes.append(Lane('batpak', PEER, lambda n=appends: batpak(n)))
        yield Race(bench.stores.describe(events, 1000),
                   [Figure('unmount after %s' % (
                       '1 append' if appends == 1 else '10 000 appends'),
                       'seconds')], lanes)
