#!/usr/bin/env python3
"""A second opinion on lines: reads them from stdin, trusts nothing.

Each line is parsed, every rule on its members is checked, and it is spelled
again from the parsed values: the result has to be the same bytes. Then the
payload is rebuilt from what the line shows (data and its tags, data_b64, raw)
and printed, one JSON object a line: {"seq":..,"payload_b64":..}; null where
the line has no payload (sealed, damaged). Exit status 1 and a sentence on
stderr at the first line that is wrong.

Knows only the contract of the line, and shares no code with the program.
"""

import base64
import datetime
import json
import re
import struct
import sys

HEAD = ["seq", "clock", "time", "entity", "scope", "kind", None,
        "id", "corr", "cause", "hash", "prev"]
TAIL = ["wall", "lane", "depth", "flags", "ext", "raw"]
PAYLOADS = ("data", "data_b64", "sealed", "damaged")
# What only the frame tells is left out of a damaged line.
DAMAGED_TAIL = ["lane", "depth"]
SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n",
         "\r": "\\r", "\t": "\\t"}
TAG = re.compile(r"\$+(bin|ext|map|float|str)")


class Wrong(Exception):
    """A line that breaks a rule."""


class Pairs(list):
    """An object: its members in order, equal keys kept."""


def need(truth, text):
    if not truth:
        raise Wrong(text)


def no_constant(name):
    raise Wrong(f"{name} is not JSON")


# ---- spelling ----------------------------------------------------------


def is_escaped(code):
    return (code < 0x20 or 0x7F <= code <= 0x9F or 0x2028 <= code <= 0x202E
            or 0x2066 <= code <= 0x2069)


def spell_string(text):
    out = ['"']
    for char in text:
        if char in SHORT:
            out.append(SHORT[char])
        elif is_escaped(ord(char)):
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char)
    out.append('"')
    return "".join(out)


def spell_float(value):
    """Shortest digits; a point for decimal exponents of -4 to 15."""
    need(value == value and abs(value) != float("inf"), "a float without end")
    sign = "-" if struct.pack(">d", value)[0] & 0x80 else ""
    if value == 0:
        return sign + "0.0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or "0") - len(fraction)
    digits = (whole + fraction).lstrip("0")
    power += len(digits) - len(digits.rstrip("0"))
    digits = digits.rstrip("0")
    first = power + len(digits) - 1
    if first < -4 or first > 15:
        point = "." if len(digits) > 1 else ""
        mark = "-" if first < 0 else "+"
        return f"{sign}{digits[0]}{point}{digits[1:]}e{mark}{abs(first):02d}"
    if first < 0:
        return f"{sign}0.{'0' * (-first - 1)}{digits}"
    digits = digits.ljust(first + 1, "0")
    return f"{sign}{digits[:first + 1]}.{digits[first + 1:] or '0'}"


def spell(value):
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return spell_float(value)
    if isinstance(value, str):
        return spell_string(value)
    if isinstance(value, Pairs):
        return "{" + ",".join(
            spell_string(k) + ":" + spell(v) for k, v in value) + "}"
    return "[" + ",".join(spell(v) for v in value) + "]"


# ---- payload -----------------------------------------------------------


def unbase64(text):
    need(isinstance(text, str), "base64 has to be a string")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Wrong(f"base64: {error}") from error
    need(base64.b64encode(data).decode() == text, "base64 in an odd spelling")
    return data


def head(count, *forms):
    """The shortest of (limit, marker, format); format None: in the marker."""
    for limit, marker, form in forms:
        if count < limit:
            if form is None:
                return bytes([marker | count])
            return bytes([marker]) + struct.pack(">" + form, count)
    raise Wrong("a count beyond 2^32")


def pack_int(value):
    if value >= 0:
        need(value < 1 << 64, "an integer beyond 2^64")
        return head(value, (1 << 7, 0, None), (1 << 8, 0xCC, "B"),
                    (1 << 16, 0xCD, "H"), (1 << 32, 0xCE, "I"),
                    (1 << 64, 0xCF, "Q"))
    need(value >= -(1 << 63), "an integer below -2^63")
    if value >= -32:
        return struct.pack(">b", value)
    for bits, marker, form in ((8, 0xD0, "b"), (16, 0xD1, "h"),
                               (32, 0xD2, "i"), (64, 0xD3, "q")):
        if value >= -(1 << bits - 1):
            return bytes([marker]) + struct.pack(">" + form, value)
    raise AssertionError


def pack_str(data):
    return head(len(data), (32, 0xA0, None), (1 << 8, 0xD9, "B"),
                (1 << 16, 0xDA, "H"), (1 << 32, 0xDB, "I")) + data


def pack_bin(data):
    return head(len(data), (1 << 8, 0xC4, "B"), (1 << 16, 0xC5, "H"),
                (1 << 32, 0xC6, "I")) + data


def pack_ext(value):
    need(isinstance(value, list) and not isinstance(value, Pairs)
         and len(value) == 2 and type(value[0]) is int
         and -128 <= value[0] <= 127, "a malformed $ext")
    data = unbase64(value[1])
    kind = struct.pack(">b", value[0])
    fixed = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}
    if len(data) in fixed:
        return bytes([fixed[len(data)]]) + kind + data
    return head(len(data), (1 << 8, 0xC7, "B"), (1 << 16, 0xC8, "H"),
                (1 << 32, 0xC9, "I")) + kind + data


def pack_map(pairs):
    return head(len(pairs), (16, 0x80, None), (1 << 16, 0xDE, "H"),
                (1 << 32, 0xDF, "I")) + b"".join(
                    pack(k) + pack(v) for k, v in pairs)


def pack_float_tag(name):
    bits = {"nan": "7ff8000000000000", "inf": "7ff0000000000000",
            "-inf": "fff0000000000000"}
    need(name in bits, "a malformed $float")
    return b"\xcb" + bytes.fromhex(bits[name])


def is_object_map(pairs):
    """Would these keys have made an object?"""
    keys = [k for k, _ in pairs]
    return all(isinstance(k, str) for k in keys) and len(set(keys)) == len(keys)


def pack_map_tag(value):
    need(isinstance(value, list) and not isinstance(value, Pairs)
         and all(isinstance(p, list) and not isinstance(p, Pairs)
                 and len(p) == 2 for p in value), "a malformed $map")
    need(not is_object_map(value), "a $map that is an object")
    return pack_map(value)


def pack_object(pairs):
    keys = [k for k, _ in pairs]
    need(len(set(keys)) == len(keys), "equal keys in one object")
    if len(pairs) != 1 or not TAG.fullmatch(keys[0]):
        return pack_map(pairs)
    key, value = pairs[0]
    if key.startswith("$$"):
        return pack_map([(key[1:], value)])
    if key == "$bin":
        return pack_bin(unbase64(value))
    if key == "$ext":
        return pack_ext(value)
    if key == "$map":
        return pack_map_tag(value)
    if key == "$float":
        return pack_float_tag(value)
    data = unbase64(value)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return pack_str(data)
    raise Wrong("a $str that is UTF-8")


def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return pack_int(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        return pack_str(value.encode("utf-8"))
    if isinstance(value, Pairs):
        return pack_object(value)
    return head(len(value), (16, 0x90, None), (1 << 16, 0xDC, "H"),
                (1 << 32, 0xDD, "I")) + b"".join(pack(v) for v in value)


# ---- members -----------------------------------------------------------


def check_number(name, value, limit, least=0):
    need(type(value) is int and least <= value < limit,
         f"{name} is no number of its range")


def check_hex(name, value, digits):
    need(isinstance(value, str)
         and re.fullmatch(f"[0-9a-f]{{{digits}}}", value),
         f"{name} is not {digits} lower hex digits")


def check_time(value):
    """Whole milliseconds since 1970, rounded down; None: beyond datetime."""
    need(isinstance(value, str), "time is no string")
    match = re.fullmatch(r"(\d{4}|[+-]\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):"
                         r"(\d\d)\.(\d{6})Z", value)
    need(match, "time is not RFC 3339 with six decimals and Z")
    year, month, day, hour, minute, second, micro = map(int, match.groups())
    if match[1][0] in "+-":
        need(year < 0 or year > 9999, "a sign on a year of four digits")
    need(1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60
         and second < 60, "time is no moment")
    if not 1 <= year <= 9999:
        return None
    try:
        days = datetime.date(year, month, day).toordinal() - 719163
    except ValueError as error:
        raise Wrong(f"time: {error}") from error
    seconds = days * 86400 + hour * 3600 + minute * 60 + second
    return seconds * 1000 + micro // 1000


def is_printable(data):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F for c in text)


def check_extensions(value):
    need(isinstance(value, Pairs) and value, "ext is there and empty")
    for _, item in value:
        if isinstance(item, str):
            need(is_printable(item.encode("utf-8")), "ext is not printable")
            continue
        need(isinstance(item, Pairs) and len(item) == 1
             and item[0][0] == "$bin", "ext is neither text nor $bin")
        need(not is_printable(unbase64(item[0][1])),
             "ext in base64 that is printable")


def check_order(names):
    """The members stand in their order; returns the payload's name."""
    if names == ["seq", "damaged"]:
        return "damaged"
    need(len(names) >= len(HEAD), "members are missing")
    shown = names[6]
    need(shown in PAYLOADS, "no payload behind kind")
    want = [shown if name is None else name for name in HEAD]
    need(names[:12] == want, f"members {names[:12]}")
    tail = DAMAGED_TAIL if shown == "damaged" else TAIL
    rest = names[12:]
    need(rest == [name for name in tail if name in rest],
         f"members {rest} behind prev")
    return shown


def check_head(line):
    check_number("seq", line["seq"], 1 << 64)
    if "clock" not in line:
        return None
    check_number("clock", line["clock"], 1 << 32)
    for name in ("entity", "scope"):
        need(isinstance(line[name], str) and line[name], f"{name} is no name")
    need(isinstance(line["kind"], str)
         and re.fullmatch(r"[0-9a-f]\.[0-9a-f]{3}", line["kind"]), "kind")
    for name in ("id", "corr"):
        check_hex(name, line[name], 32)
    if line["cause"] is not None:
        check_hex("cause", line["cause"], 32)
        need(line["cause"].strip("0"), "a cause of zeros")
    for name in ("hash", "prev"):
        check_hex(name, line[name], 64)
    return check_time(line["time"])


def check_tail(line, time_ms):
    if "wall" in line:
        check_number("wall", line["wall"], 1 << 64)
        need(line["wall"] != time_ms, "wall says what time says")
    for name, limit in (("lane", 1 << 32), ("depth", 1 << 32),
                        ("flags", 1 << 8)):
        if name in line:
            check_number(name, line[name], limit, 1)
    if "ext" in line:
        check_extensions(line["ext"])


def rebuild(line, shown):
    """The payload's bytes, or None."""
    if shown == "sealed":
        need(line["sealed"] in ("no-key", "shredded"), "sealed")
        return None
    if shown == "damaged":
        need(isinstance(line["damaged"], str) and line["damaged"], "damaged")
        return None
    if shown == "data_b64":
        need("raw" not in line, "raw beside data_b64")
        return unbase64(line["data_b64"])
    packed = pack(line["data"])
    if "raw" not in line:
        return packed
    raw = unbase64(line["raw"])
    need(raw != packed, "raw that data gives as well")
    return raw


def check_line(text):
    value = json.loads(text, object_pairs_hook=Pairs,
                       parse_constant=no_constant)
    need(isinstance(value, Pairs), "a line is an object")
    need(spell(value) == text, f"spelled otherwise: {spell(value)}")
    shown = check_order([name for name, _ in value])
    line = dict(value)
    check_tail(line, check_head(line))
    return line["seq"], rebuild(line, shown)


def main():
    sys.setrecursionlimit(10000)
    number = 0
    last = b"\n"
    for number, last in enumerate(sys.stdin.buffer, 1):
        try:
            need(last.endswith(b"\n"), "the last line has no newline")
            seq, payload = check_line(last[:-1].decode("utf-8"))
        except (Wrong, ValueError) as error:
            print(f"line {number}: {error}", file=sys.stderr)
            return 1
        shown = None
        if payload is not None:
            shown = base64.b64encode(payload).decode()
        print(json.dumps({"seq": seq, "payload_b64": shown},
                         separators=(",", ":")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
