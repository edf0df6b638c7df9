"""Goals: what a figure of batfs must reach, beside others of the same run or
by itself.  Ratios are of costs, so that faster is always less.

A goal says what it wants (text), what came of it (measure: a number, or None
where the other side is missing), and whether that is enough (is_met).
"""
from units import shown, three_digits


class Ratio:
    """Beside `of`: the name of another lane of the same row, or (figure,
    store) of batfs itself, where None is that of the row."""

    def __init__(self, times, of):
        self.times, self.of = times, of

    def other(self, result, find):
        if isinstance(self.of, str):
            return find(result.figure.name, result.store, self.of)
        figure, store = self.of
        return find(figure or result.figure.name, store or result.store,
                    result.who)

    def who(self):
        if isinstance(self.of, str):
            return 'the floor' if self.of == 'floor' else self.of
        figure, store = self.of
        if figure is None:
            return 'that of ' + store
        return ', '.join(word for word in (figure, store) if word)

    def costs(self, result, find):
        """(ours, theirs)"""
        other = self.other(result, find)
        if other is None:
            return None
        ours, theirs = (result.figure.cost(result.median),
                        other.figure.cost(other.median))
        return (ours, theirs) if ours and theirs else None

    def value_text(self, value, unit):
        return three_digits(value) + ' x'


class AtMost(Ratio):
    """It takes at most so many times what that takes."""

    @property
    def text(self):
        return 'at most %g x %s' % (self.times, self.who())

    def measure(self, result, find):
        costs = self.costs(result, find)
        return costs and costs[0] / costs[1]

    def is_met(self, value):
        return value <= self.times


class AtLeast(Ratio):
    """It is at least so many times as fast as that."""

    @property
    def text(self):
        return 'at least %g x %s' % (self.times, self.who())

    def measure(self, result, find):
        costs = self.costs(result, find)
        return costs and costs[1] / costs[0]

    def is_met(self, value):
        return value >= self.times


class Bound:
    """By itself: at most so much, or at least where more is better."""

    def __init__(self, limit, figure):
        self.limit, self.figure = limit, figure

    @property
    def text(self):
        return '%s %s' % ('at least' if self.figure.is_rate else 'at most',
                          '%s %s' % shown(self.limit, self.figure.unit))

    def measure(self, result, find):
        return result.median

    def is_met(self, value):
        return self.figure.cost(value) <= self.figure.cost(self.limit)

    def value_text(self, value, unit):
        return '%s %s' % shown(value, unit)


class Verdict:
    """What came of one goal of one row."""

    def __init__(self, goal, result, find):
        self.goal, self.value = goal, goal.measure(result, find)
        self.met = None if self.value is None else goal.is_met(self.value)
        self.unit = result.figure.unit

    def as_text(self):
        if self.value is None:
            return self.goal.text + ': not measured'
        return '%s: %s, %s' % (
            self.goal.text, self.goal.value_text(self.value, self.unit),
            'met' if self.met else '**missed**')

    def as_json(self):
        return {'goal': self.goal.text, 'value': self.value, 'met': self.met}


def judge(results):
    """{result: its verdicts}, of those that have goals; batfs's, that is."""
    places = {(r.figure.name, r.store, r.who): r for r in results}

    def find(figure, store, who):
        return places.get((figure, store, who))

    return {result: [Verdict(goal, result, find)
                     for goal in result.figure.goals]
            for result in results
            if result.is_ours and result.figure.goals}
