"""Numbers as people read them.  They are kept in base units: seconds, bytes,
events a second."""

# More of these is better.
RATES = ('events/s', 'bytes/s')

STEPS = {
    'seconds': [(1, 's'), (1e-3, 'ms'), (1e-6, 'us'), (1e-9, 'ns')],
    'events/s': [(1e6, 'M/s'), (1e3, 'k/s'), (1, '/s')],
    'bytes/s': [(1e9, 'GB/s'), (1e6, 'MB/s'), (1e3, 'KB/s')],
}


def three_digits(value):
    if value >= 99.95:
        return '%.0f' % value
    if value >= 9.995:
        return '%.1f' % value
    return '%.2f' % value if value >= 0.0995 else '%.2g' % value


def shown(value, unit):
    """('12.3', 'ms') of 0.0123 seconds."""
    if unit not in STEPS:
        return three_digits(value), unit
    for size, name in STEPS[unit]:
        if value >= size:
            break
    return three_digits(value / size), name


def text_of(value, unit):
    return '%s %s' % shown(value, unit)
