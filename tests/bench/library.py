"""Reading without a mount: by id, in order, by pages, all of it."""
from race import BILLION, FLOOR, OURS, PEER, Figure, Lane, Race, per_second
from stores import CKPT, FRAMES


def library(bench):
    """Events by id, and all of them in order, through the library."""
    events, count = bench.size, 100_000
    path = bench.stores.get(events, 1000, CKPT)
    spans = bench.stores.floor_spans(path, FRAMES)
    names = ['an event by id, library, at random',
             'every event in order, library, one thread']
    one_frame = bench.stores.frame_bytes(path, events)

    def ours():
        return {names[0]: per_second(bench.run_json(
                    [bench.library_bench, 'get', path, count])),
                names[1]: per_second(bench.run_json(
                    [bench.library_bench, 'scan', path]))}

    def floor():
        got = bench.run_json([bench.floor_bench, 'read', 1, *spans])
        some = bench.run_json([bench.floor_bench, 'random', spans[0],
                               one_frame, count])
        return {names[0]: count * BILLION / some['ns'],
                names[1]: events * BILLION / got['ns']}

    def batpak():
        got = bench.run_json([bench.peer, 'read', path, count])
        return {names[0]: got['get'], names[1]: got['scan']}

    lanes = [Lane('batfs', OURS, ours), Lane('floor', FLOOR, floor)]
    if bench.peer:
        lanes.append(Lane('batpak', PEER, batpak))
    yield Race(bench.stores.describe(events, 1000),
               [Figure(name, 'events/s') for name in names], lanes)


def paging(bench):
    """A page of lines as text from anywhere, in a view that knows nothing."""
    events, lines = bench.size, 4096
    path = bench.stores.get(events, 1000, CKPT)
    spans = bench.stores.floor_spans(path, FRAMES)
    bytes_read = lines * bench.stores.frame_bytes(path, events)
    places = {'start': 0, 'middle': events // 2, 'end': events - lines}

    def name(place):
        return '%d lines as text, from the %s' % (lines, place)

    def ours():
        return {name(place): bench.run_json(
                    [bench.view_bench, 'page', path, seq, lines]
                )['ns'] / BILLION for place, seq in places.items()}

    def floor():
        got = bench.run_json([bench.floor_bench, 'random', spans[0],
                              bytes_read, 1])
        return {name(place): got['ns'] / BILLION for place in places}

    yield Race(bench.stores.describe(events, 1000),
               [Figure(name(place), 'seconds') for place in places],
               [Lane('batfs', OURS, ours), Lane('floor', FLOOR, floor)])


def verify(bench):
    """The second opinion on a whole directory: everything is read."""
    events = bench.size
    path = bench.stores.get(events, 1000, CKPT)
    spans = (bench.stores.floor_spans(path, FRAMES) +
             bench.stores.floor_spans(path, CKPT))

    def floor():
        got = bench.run_json([bench.floor_bench, 'read', bench.cores, *spans])
        return events * BILLION / got['ns']

    lanes = [Lane('batfs', OURS, lambda: per_second(bench.run_json(
                 [bench.library_bench, 'verify', path]))),
             Lane('floor', FLOOR, floor)]
    if bench.peer:
        lanes.append(Lane('batpak', PEER, lambda: per_second(bench.run_json(
            [bench.peer, 'verify', path, 20]))))
    yield Race(bench.stores.describe(events, 1000),
               [Figure('verify (batpak: chains only, of 20 entities)',
                       'events/s')], lanes)
