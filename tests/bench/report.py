"""Results as a table for people and as lines of JSON for compare.py."""
import json

import goals
from race import FLOOR, OURS
from units import shown, text_of, three_digits

HEAD = ['what', 'store', 'batfs', 'floor', 'batpak 0.8.2', 'others', 'goal']

EXPLANATION = '''\
Medians, with the least and the greatest in brackets. Behind a floor: how many
times as much batfs needs. Behind a peer: how many times as much as batfs it
needs (above 1, batfs is faster).
'''


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


def ours_of(results):
    return next((r for r in results if r.role == OURS), None)


def row_cells(results, verdicts):
    ours = ours_of(results)
    cells = {name: [] for name in ('batfs', 'floor', 'batpak', 'others')}
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
    cells['goal'] = [one.as_text() for one in verdicts.get(ours, [])]
    return ['<br>'.join(texts) or '-' for texts in cells.values()]


def table(results):
    verdicts = goals.judge(results)
    lines = [HEAD, ['---'] * len(HEAD)]
    for (name, store), some in rows(results):
        lines.append([name, store, *row_cells(some, verdicts)])
    return ''.join('| %s |\n' % ' | '.join(line) for line in lines)


def tally(results):
    """How many goals were met, and which were not."""
    found = [(result, one) for result, some in goals.judge(results).items()
             for one in some]
    if not found:
        return ''
    count = {met: sum(one.met is met for _, one in found)
             for met in (True, False, None)}
    missed = ['- %s, %s: %s\n' % (result.figure.name, result.store,
                                  one.as_text())
              for result, one in found if one.met is False]
    return '\nGoals: %d met, %d missed, %d not measured.\n%s' % (
        count[True], count[False], count[None],
        '\n' + ''.join(missed) if missed else '')


def json_lines(about, results):
    verdicts = goals.judge(results)
    yield json.dumps(about)
    for (_, _), some in rows(results):
        ours = ours_of(some)
        for result in some:
            line = result.as_json()
            if ours and result is not ours:
                line['ratio'] = ratio(result, ours)
            if result in verdicts:
                line['goals'] = [one.as_json() for one in verdicts[result]]
            yield json.dumps(line)
