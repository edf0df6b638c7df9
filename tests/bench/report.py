"""Results as a table for people and as lines of JSON for comparing."""
import json

from race import FLOOR, OURS, RATES, Figure

HEAD = ['what', 'store', 'batfs', 'floor', 'batpak 0.8.2', 'others']

EXPLANATION = '''\
Medians, with the least and the greatest in brackets. Behind a floor: how many
times as much batfs needs. Behind a peer: how many times as much as batfs it
needs (above 1, batfs is faster).
'''


def three_digits(value):
    if value >= 99.95:
        return '%.0f' % value
    if value >= 9.995:
        return '%.1f' % value
    return '%.2f' % value if value >= 0.0995 else '%.2g' % value


def scaled(value, steps):
    for size, name in steps:
        if value >= size:
            break
    return three_digits(value / size), name


SECONDS = [(1, 's'), (1e-3, 'ms'), (1e-6, 'us'), (1e-9, 'ns')]
EVENTS = [(1e6, 'M/s'), (1e3, 'k/s'), (1, '/s')]
BYTES = [(1e9, 'GB/s'), (1e6, 'MB/s'), (1e3, 'KB/s')]


def shown(value, unit):
    """('12.3', 'ms') of 0.0123 seconds."""
    if unit == 'seconds':
        return scaled(value, SECONDS)
    if unit == 'events/s':
        return scaled(value, EVENTS)
    if unit == 'bytes/s':
        return scaled(value, BYTES)
    return three_digits(value), unit


def text_of(value, unit):
    return '%s %s' % shown(value, unit)


def measured(result):
    unit = result.figure.unit
    text = text_of(result.median, unit)
    if len(result.runs) == 1:
        return text + ' (once)'
    low, low_unit = shown(min(result.runs), unit)
    high, high_unit = shown(max(result.runs), unit)
    same = text.split(' ', 1)[1]
    return '%s (%s-%s)' % (
        text, low if low_unit == same else '%s %s' % (low, low_unit),
        high if high_unit == same else '%s %s' % (high, high_unit))


def ratio(result, ours):
    """Above 1 the other is slower than batfs; for a floor the other way
    round."""
    figure = result.figure
    mine, other = figure.cost(ours.median), figure.cost(result.median)
    if not mine or not other:
        return None
    return mine / other if result.role == FLOOR else other / mine


def cell(result, ours):
    text = measured(result)
    value = ratio(result, ours) if ours else None
    if value is not None:
        text += ': **%s x**' % three_digits(value)
    return text


def rows(results):
    """Results by figure and store, all of one figure together, else in the
    order in which they came."""
    found = {}
    for result in results:
        found.setdefault(result.figure.name, {}).setdefault(
            result.store, []).append(result)
    return [((name, store), some) for name, by_store in found.items()
            for store, some in by_store.items()]


def row_cells(results):
    ours = next((r for r in results if r.role == OURS), None)
    cells = {'batfs': [], 'floor': [], 'batpak': [], 'others': []}
    for result in results:
        text = cell(result, ours) if result is not ours else measured(result)
        if result.role == OURS:
            cells['batfs'].append(text)
        elif result.role == FLOOR:
            name = '' if result.who == FLOOR else result.who + ' '
            cells['floor'].append(name + text)
        elif result.who == 'batpak':
            cells['batpak'].append(text)
        else:
            cells['others'].append('%s %s' % (result.who, text))
    return ['<br>'.join(texts) or '-' for texts in cells.values()]


def table(results):
    lines = [HEAD, ['---'] * len(HEAD)]
    for (name, store), some in rows(results):
        lines.append([name, store, *row_cells(some)])
    return ''.join('| %s |\n' % ' | '.join(line) for line in lines)


def json_lines(about, results):
    yield json.dumps(about)
    for (_, _), some in rows(results):
        ours = next((r for r in some if r.role == OURS), None)
        for result in some:
            line = result.as_json()
            if ours and result is not ours:
                line['ratio'] = ratio(result, ours)
            yield json.dumps(line)


# ---- two runs --------------------------------------------------------------

def load(path):
    with open(path) as file:
        about, *lines = [json.loads(line) for line in file]
    return about, {(line['figure'], line['store'], line['who']): line
                   for line in lines}


def verdict(a, b):
    """Of batfs in two runs; the machine's noise is no change."""
    if a['min'] <= b['max'] and b['min'] <= a['max']:
        return 'same'
    return 'better' if (b['median'] > a['median']) == (
        a['unit'] in RATES) else 'worse'


def floor_of(lines, key):
    """How many times the (first) floor batfs needed in that run."""
    return next((line.get('ratio') for place, line in lines.items()
                 if place[:2] == key[:2] and line['role'] == FLOOR), None)


def compare(path_a, path_b):
    """A table of batfs's figures in two runs.  The ratios to the floor of the
    same run take out what the machine did meanwhile."""
    about_a, a = load(path_a)
    about_b, b = load(path_b)
    lines = ['A is %s, B is %s.\n\n' % (about_a['commit'], about_b['commit']),
             '| what | store | A | B | cost of B / A | beside the floor | |\n',
             '|---|---|---|---|---|---|---|\n']
    for key in [key for key in a if key[2] == 'batfs']:
        if key not in b:
            lines.append('| %s | %s | %s | - | | | gone |\n' % (
                key[0], key[1], text_of(a[key]['median'], a[key]['unit'])))
            continue
        figure = Figure(key[0], a[key]['unit'])
        floors = [floor_of(a, key), floor_of(b, key)]
        lines.append('| %s | %s | %s | %s | %s | %s | %s |\n' % (
            key[0], key[1], text_of(a[key]['median'], figure.unit),
            text_of(b[key]['median'], figure.unit),
            three_digits(figure.cost(b[key]['median']) /
                         figure.cost(a[key]['median'])),
            '' if None in floors else '%s x, %s x' % tuple(
                map(three_digits, floors)),
            verdict(a[key], b[key])))
    for key in [key for key in b if key[2] == 'batfs' and key not in a]:
        lines.append('| %s | %s | - | %s | | | new |\n' % (
            key[0], key[1], text_of(b[key]['median'], b[key]['unit'])))
    return ''.join(lines)
