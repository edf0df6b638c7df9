"""What forgers do: each takes a forging.Store and changes it.

FORGERIES lists them with what is done about footers and index files; what
batpak and batfs then answer stands in forged.tsv.
"""
import copy

import forging

from forging import Skip

# How far a hand may reach (forging.Store.write).
ALL = ('frames', 'footers', 'all', 'bare')
MOVED = ('footers', 'all', 'bare')  # places are others
TOLD = ('all',)                     # only what footers and index files say


def is_apps(frame):
    return frame.event['raw_kind'] >> 12 not in (0, 0xD)


def victim(store):
    """An event of an application that has others of its entity on both
    sides, and stands in no batch: the one in the middle of these."""
    found = []
    for segment in store.segments:
        inside = False
        for frame in segment.frames:
            if not frame.event:
                inside = not inside
            elif not inside and is_apps(frame):
                found.append((segment, frame))
    for name in {f.event['entity'] for _, f in found}:
        same = [f for f in store.events() if f.event['entity'] == name]
        found = [p for p in found if p[1] not in (same[0], same[-1])]
    if not found:
        raise Skip
    return found[len(found) // 2]


def edit(**members):
    def forge(store):
        _, frame = victim(store)
        for member, value in members.items():
            frame.event[member] = (value(frame.event[member])
                                   if callable(value) else value)
    return forge


def other_byte(payload):
    return payload[:-1] + bytes([payload[-1] ^ 1])


def edit_payload(store):
    edit(payload=other_byte)(store)


def edit_payload_and_hash(store):
    edit_payload(store)
    victim(store)[1].rehash()


def edit_payload_and_chain(store):
    edit_payload_and_hash(store)
    store.rechain()


def last_letter(text):
    return text[:-1] + ('x' if text[-1] != 'x' else 'y')


def last_digit(text):
    return text[:-1] + ('1' if text[-1] != '1' else '2')


def other_scope(store):
    edit(scope=last_letter)(store)


def other_entity(store):
    edit(entity=last_letter)(store)


def other_entity_and_chain(store):
    other_entity(store)
    store.rechain()


def other_id(store):
    edit(id=last_digit)(store)


def twin_id(store):
    """It takes the id of the event before it."""
    (_, frame), events = victim(store), store.events()
    frame.event['id'] = events[events.index(frame) - 1].event['id']


def drop(rechain, renumber):
    def forge(store):
        segment, frame = victim(store)
        segment.frames.remove(frame)
        finish(store, rechain, renumber)
    return forge


def finish(store, rechain, renumber):
    if rechain:
        store.rechain()
    if renumber:
        store.renumber()


def last_event(store):
    for segment in reversed(store.segments):
        for frame in reversed(segment.frames):
            if frame.event and is_apps(frame):
                return segment, frame
    raise Skip


def drop_last(store):
    segment, frame = last_event(store)
    segment.frames = segment.frames[:segment.frames.index(frame)]
    store.renumber()


def swap(rechain, renumber):
    def forge(store):
        segment, one = victim(store)
        i = segment.frames.index(one)
        other = i + 1 if i + 1 < len(segment.frames) and (
            segment.frames[i + 1].event) else i - 1
        if other < 0 or not segment.frames[other].event:
            raise Skip
        frames = segment.frames
        frames[i], frames[other] = frames[other], frames[i]
        finish(store, rechain, renumber)
    return forge


def double(own_id, rechain, far=False):
    def forge(store):
        segment, frame = victim(store)
        twin = frame.copy()
        if own_id:
            twin.event['id'] = last_digit(twin.event['id'])
        at = segment.frames.index(frame) + 1
        if far:
            segment, at = store.segments[-1], 1
        segment.frames.insert(at, twin)
        finish(store, rechain, True)
    return forge


# Segments.

def middle(store):
    if len(store.segments) < 3:
        raise Skip
    return len(store.segments) // 2


def drop_segment(renumber):
    def forge(store):
        del store.segments[middle(store)]
        finish(store, False, renumber)
    return forge


def drop_newest(store):
    middle(store)
    store.segments.pop()
    store.next_seq = store.segments[-1].events()[-1].event['seq'] + 1


def roll_back(store):
    """The newest segment as it was some events ago."""
    last = store.segments[-1]
    keep = len(last.frames) // 2
    while keep and not last.frames[keep - 1].event:
        keep -= 1
    last.frames = last.frames[:keep]
    if not last.events():
        raise Skip
    store.next_seq = last.events()[-1].event['seq'] + 1


def roll_back_open(store):
    """As it was then: nobody had sealed it."""
    roll_back(store)
    store.segments[-1].footed = False


def swap_segments(renumber):
    def forge(store):
        at = middle(store)
        one, two = store.segments[at - 1], store.segments[at]
        one.number, two.number = two.number, one.number
        store.segments[at - 1], store.segments[at] = two, one
        finish(store, False, renumber)
    return forge


def double_segment(store):
    last, one = store.segments[-1], store.segments[middle(store)]
    twin = forging.Segment(last.number + 1, one.head,
                           [f.copy() if f.event else f for f in one.frames],
                           one.footed)
    store.segments.append(twin)


def foreign(place, renumber):
    def forge(store):
        other = forging.Store(store.foreign)
        strange = copy.deepcopy(other.segments[-1])
        if place == 'newest':
            strange.number = store.segments[-1].number + 1
            store.segments.append(strange)
        else:
            at = middle(store)
            strange.number = store.segments[at].number
            store.segments[at] = strange
        finish(store, False, renumber)
    return forge


# What footers and index files say, and frames do not.

def tell(**members):
    def forge(store):
        _, frame = victim(store)
        frame.told = {m: v(frame.event[m]) if callable(v) else v
                      for m, v in members.items()}
    return forge


def shift_from(by):
    """All numbers from an event on are others."""
    def forge(store):
        _, frame = victim(store)
        events = store.events()
        for f in events[events.index(frame):]:
            f.event['seq'] += by
        store.next_seq += by
    return forge


def same_number(store):
    (_, frame), events = victim(store), store.events()
    frame.event['seq'] = events[events.index(frame) - 1].event['seq']


def numbers_swapped(store):
    (_, frame), events = victim(store), store.events()
    other = events[events.index(frame) + 1]
    a, b = frame.event, other.event
    a['seq'], b['seq'] = b['seq'], a['seq']


def next_number(by):
    def forge(store):
        store.next_seq += by
    return forge


def no_row(which):
    """A frame that footer and index, or one of both, do not tell of."""
    def forge(store):
        if which == 'last':
            frame = store.segments[-1].events()[-1]
        else:
            _, frame = victim(store)
        frame.footed = frame.indexed = False
    return forge


def no_footer_row(store):
    _, frame = victim(store)
    frame.footed = False


def two_rows(store):
    """The index has a row more, of a frame that has one."""
    _, frame = victim(store)
    twin = copy.copy(frame)
    twin.event = dict(frame.event, seq=store.next_seq,
                      id=last_digit(frame.event['id']))
    twin.was = twin.event
    store.more_rows = [Pointing(twin, frame)]
    store.next_seq += 1


class Pointing:
    """A row of one frame with the words of another."""

    def __init__(self, words, place):
        self.event, self.at, self.indexed = words.event, place, True

    def says(self):
        return self.event

    @property
    def place(self):
        return self.at.place


def early_mark(store):
    """The watermark is that of before the last events, which have rows."""
    last = store.segments[-1]
    if len(last.frames) < 3:
        raise Skip
    size = len(last.head) + sum(len(f.bytes()) for f in last.frames[:2])
    store.watermark = (last.number, size)


# Batches.

def first_batch(store):
    """The first of two events or more: its segment, its markers' places."""
    for segment in store.segments:
        places = [i for i, f in enumerate(segment.frames) if not f.event]
        for begin, end in zip(places[::2], places[1::2]):
            if end - begin > 2:
                return segment, begin, end
    raise Skip


def no_commit(store):
    segment, _, end = first_batch(store)
    del segment.frames[end]


def no_begin(store):
    segment, begin, _ = first_batch(store)
    del segment.frames[begin]


def item_dropped(store):
    segment, begin, _ = first_batch(store)
    del segment.frames[begin + 1]
    store.renumber()


def counted(by):
    def forge(store):
        segment, begin, end = first_batch(store)
        near = segment.frames[begin + 1].event
        segment.frames[begin] = forging.Frame(
            forging.marker_body(6, end - begin - 1 + by, near))
    return forge


def item_dropped_and_counted(store):
    segment, begin, end = first_batch(store)
    del segment.frames[begin + 1]
    counted(0)(store)
    store.renumber()


def wrapped(store):
    """Two plain events become a batch that claims three."""
    segment, frame = victim(store)
    i = segment.frames.index(frame)
    if i + 1 >= len(segment.frames) or not segment.frames[i + 1].event:
        raise Skip
    near = frame.event
    segment.frames[i:i + 2] = [
        forging.Frame(forging.marker_body(6, 3, near)), frame,
        segment.frames[i + 1], forging.Frame(forging.marker_body(7, 0, near))]


FORGERIES = [
    ('nothing', lambda store: None, ALL),
    ('a payload', edit_payload, ALL),
    ('a payload and its hash', edit_payload_and_hash, ALL),
    ('a payload and the chain', edit_payload_and_chain, ALL),
    ('a kind', edit(raw_kind=lambda k: k ^ 1), ALL),
    ('a reserved kind', edit(raw_kind=0x1000), ALL),
    ('a scope', other_scope, ALL),
    ('an entity', other_entity, ALL),
    ('an entity and the chain', other_entity_and_chain, ALL),
    ('an id', other_id, ALL),
    ('an id that is taken', twin_id, ALL),
    ('a cause', edit(cause='%032x' % 77), ALL),
    ('a time', edit(timestamp_us=lambda t: t + 1, wall_ms=lambda t: t + 1), ALL),
    ('a clock', edit(clock=lambda c: c + 1), ALL),
    ('a link', edit(prev=last_digit), ALL),
    ('a flag', edit(flags=lambda f: f ^ 2), ALL),
    ('a lane and depth', edit(lane=lambda n: n ^ 1, depth=lambda n: n ^ 1), ALL),
    ('a size', edit(size=99), ALL),
    ('an extension', edit(ext={'app.forged': 'AQID'}), MOVED),
    ('a name that no entity may have', edit(entity='../forged'), MOVED),
    ('dropped', drop(False, False), MOVED),
    ('dropped, numbers close up', drop(False, True), MOVED),
    ('dropped, chained again', drop(True, True), MOVED),
    ('the last one dropped', drop_last, MOVED),
    ('swapped', swap(False, True), MOVED),
    ('swapped with their numbers', swap(False, False), MOVED),
    ('swapped, chained again', swap(True, True), MOVED),
    ('doubled', double(False, False), MOVED),
    ('doubled, chained again', double(False, True), MOVED),
    ('doubled under another id', double(True, True), MOVED),
    ('doubled in the newest segment', double(False, False, True), MOVED),
    ('a segment dropped', drop_segment(False), MOVED),
    ('a segment dropped, renumbered', drop_segment(True), MOVED),
    ('the newest segment dropped', drop_newest, MOVED),
    ('the newest segment rolled back', roll_back, MOVED),
    ('the newest segment rolled back, open', roll_back_open, MOVED),
    ('segments swapped', swap_segments(False), MOVED),
    ('segments swapped, renumbered', swap_segments(True), MOVED),
    ('a segment doubled', double_segment, MOVED),
    ('a foreign segment, newest', foreign('newest', False), MOVED),
    ('a foreign segment, newest, renumbered', foreign('newest', True), MOVED),
    ('a foreign segment in the middle', foreign('middle', False), MOVED),
    ('told: numbers shifted up', shift_from(1000), TOLD),
    ('told: numbers shifted far', shift_from(1 << 63), TOLD),
    ('told: numbers shifted down', shift_from(-1), TOLD),
    ('told: one number twice', same_number, TOLD),
    ('told: numbers swapped', numbers_swapped, TOLD),
    ('told: a number alone', tell(seq=lambda s: s + 5000), TOLD),
    ('told: next number lower', next_number(-3), TOLD),
    ('told: next number higher', next_number(50), TOLD),
    ('told: a kind', tell(raw_kind=lambda k: k ^ 1), TOLD),
    ('told: a scope', tell(scope=last_letter), TOLD),
    ('told: an entity', tell(entity=last_letter), TOLD),
    ('told: an id', tell(id=last_digit), TOLD),
    ('told: a hash', tell(hash=last_digit), TOLD),
    ('told: a clock', tell(clock=lambda c: c + 1), TOLD),
    ('told: a cause', tell(cause='%032x' % 77), TOLD),
    ('told: nothing of one', no_row('middle'), TOLD),
    ('told: nothing of the last', no_row('last'), TOLD),
    ('told: nothing of one in a footer', no_footer_row, TOLD),
    ('told: one twice', two_rows, TOLD),
    ('told: an early watermark', early_mark, TOLD),
    ('a batch without its COMMIT', no_commit, MOVED),
    ('a batch without its BEGIN', no_begin, MOVED),
    ('a batch without an item', item_dropped, MOVED),
    ('a batch without an item, counted again', item_dropped_and_counted, MOVED),
    ('a batch that counts one more', counted(1), MOVED),
    ('a batch that counts one less', counted(-1), MOVED),
    ('plain events in a batch that counts one more', wrapped, MOVED),
]
