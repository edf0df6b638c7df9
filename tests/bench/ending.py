"""Ending: what an unmount costs."""
import os
import shutil

from goals import AtMost
from race import BILLION, FLOOR, OURS, PEER, Failed, Figure, Lane, Race
from session import MILLION
from stores import CKPT, SIDECAR, SIDECAR_FILE, SIDECAR_LEAST, describe

# How many are appended before it ends, and mount_bench's words for that: with
# more than one round half of them are its warming up.
APPENDS = {1: (1, 1, 1), 10_000: (1, 100, 50)}


def figure_name(appends):
    return 'unmount after ' + (
        '1 append' if appends == 1 else '10 000 appends')


def unmount(bench):
    """From `fusermount3 -u` to the end of the daemon: of a small store and of
    a large one."""
    least = bench.events[0]
    yield unmount_race(bench, least, 1)
    if bench.size > least:
        yield unmount_race(bench, bench.size, 1)
    yield unmount_race(bench, bench.size, 10_000)
    if bench.size >= SIDECAR_LEAST:
        yield sidecar_race(bench, bench.size)


def null_lane(bench):
    def measure():
        with bench.null_server(1000) as server:
            return server.stop()
    return Lane('null server', FLOOR, measure)


def unmount_race(bench, events, appends):
    path = bench.stores.get(events, 1000, CKPT)

    def ours():
        copy = bench.stores.copy(path)
        try:
            with bench.mounted(copy, '') as server:
                scope = os.path.join(server.point, 'scopes', 'bench')
                os.mkdir(scope)
                bench.run_json([bench.mount_bench, 'append', scope,
                                *APPENDS[appends]])
                with open(os.path.join(scope, 'bench:0'), 'rb') as file:
                    got = sum(1 for _ in file)
                if got != appends:
                    raise Failed('%d appends' % got)
                return server.stop()
        finally:
            shutil.rmtree(copy)

    def batpak():
        copy = bench.stores.copy(path)
        try:
            return bench.run_json(
                [bench.peer, 'close', copy, appends])['ns'] / BILLION
        finally:
            shutil.rmtree(copy)

    lanes = [Lane('batfs', OURS, ours), null_lane(bench)]
    if bench.peer:
        lanes.append(Lane('batpak', PEER, batpak,
                          bench.runs if events == MILLION else None))
    # Not longer because more is stored; twice leaves room for the disk.
    wanted = [AtMost(2, (None, describe(bench.events[0], 1000)))]
    return Race(describe(events, 1000), [
        Figure(figure_name(appends), 'seconds',
               *(wanted if events == MILLION and appends == 1 else []))],
        lanes)


def sidecar_race(bench, events):
    """Nothing was appended, and a sidecar is due: once, for the next mount."""
    path = bench.stores.get(events, 1000, SIDECAR)
    file = os.path.join(path, SIDECAR_FILE)

    def ours():
        os.unlink(file)
        with bench.mounted(path, '') as server:
            took = server.stop()
        if not os.path.exists(file):
            raise Failed('no sidecar was written')
        return took

    return Race(describe(events, 1000),
                [Figure('unmount that writes a sidecar', 'seconds')],
                [Lane('batfs', OURS, ours), null_lane(bench)])
