"""How dates, times of day and scores are read."""

import re

from lbtts.languages.luxembourgish.abbreviations import MONTHS
from lbtts.languages.luxembourgish.context import Context, Reading
from lbtts.languages.luxembourgish.numbers import cardinal, digits, ordinal, year
from lbtts.languages.luxembourgish.numerals import CLOCK_BEFORE
from lbtts.languages.luxembourgish.ordinals import ordinal_ending

_LAST_YEAR_OF_2000 = 40  # of two digits; the later ones are of the 20th century
_WIDEST_SCORE = 20  # goals; a wider one is a time of day
_USUAL_MINUTES = frozenset({"00", "15", "30", "45", *(f"0{minute}" for minute in range(10))})


def speak_date(context: Context) -> Reading:
    """The reading of 24.02.2006, 24.2.06 and 2006-02-24: day, month by name, year."""
    parts = [int(part) for part in re.split(r"[./-] ?", context.match[0])]
    day, month, in_year = reversed(parts) if parts[0] > 31 else parts
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return digits(re.sub(r"\D", "", context.match[0])).split(), context.match.end()
    if in_year < 100:
        in_year += 1900 if in_year > _LAST_YEAR_OF_2000 else 2000
    ending = ordinal_ending(context.spoken)
    return [ordinal(day) + ending, MONTHS[month - 1], *year(in_year).split()], context.match.end()


def speak_day(context: Context) -> Reading:
    """The reading of "den 1.5.": day and month by name."""
    day, month = (int(part) for part in context.match[0].strip(".").split("."))
    return [ordinal(day) + ordinal_ending(context.spoken), MONTHS[month - 1]], context.match.end()


def speak_time(context: Context) -> Reading:
    """The reading of 11:30 Auer, or of a score: 3:0."""
    first, second = re.split(" ?[:.h] ?", context.match[0])
    end = context.match.end()
    oclock = re.compile("[ ]?(?i:auer)").match(context.text, end)
    possible = int(first) <= 24 and len(second) == 2 and int(second) < 60
    clock = possible and (
        context.previous in CLOCK_BEFORE
        or second in _USUAL_MINUTES
        or first[0] == "0"
        or int(second) - int(first) > _WIDEST_SCORE
        or "." in context.match[0]
    )
    if oclock or "h" in context.match[0] or clock:
        minutes = cardinal(int(second)).split() if int(second) else []
        hour = cardinal(int(first), "f").split()
        return [*hour, "Auer", *minutes], oclock.end() if oclock else end
    return [*cardinal(int(first)).split(), "zu", *cardinal(int(second)).split()], end
