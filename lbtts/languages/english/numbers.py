"""Numbers, sums of money and clock times of a text as words, in American English.

num2words names the numbers; what stands here is which kind of number it is.
"""

import re
from collections.abc import Callable
from typing import Literal

from num2words import num2words

_MONEY = {"$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent")}
_PLURALS = {"penny": "pence"}
_LARGE = r"thousand|million|billion|trillion"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?![\d,])|\d+"
_YEARS = range(1100, 2100)  # four digits without a comma are a year

Kind = Literal["cardinal", "ordinal", "year"]


def in_words(text: str) -> str:
    """`text` with every number as words: `in 1455` is `in fourteen fifty-five`."""
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return text


def _named(number: str, kind: Kind = "cardinal") -> str:
    """The words of a whole number, without the `and` and the commas that num2words puts there."""
    words = num2words(int(number.replace(",", "")), to=kind)
    return str(words).replace(" and ", " ").replace(",", "")


def _decimal(whole: str, digits: str) -> str:
    return f"{_named(whole or '0')} point {' '.join(_named(digit) for digit in digits)}"


def _money(found: re.Match[str]) -> str:
    unit, part = _MONEY[found["sign"]]
    if found["large"]:
        amount = (
            _decimal(found["whole"], found["part"]) if found["part"] else _named(found["whole"])
        )
        return f"{amount} {found['large']} {unit}s"
    said = [_counted(found["whole"], unit)]
    if int(found["part"] or 0):
        cents = _counted(found["part"].ljust(2, "0"), part)
        said = [cents] if int(found["whole"].replace(",", "")) == 0 else [*said, cents]
    return " and ".join(said)


def _counted(number: str, unit: str) -> str:
    one = int(number.replace(",", "")) == 1
    return f"{_named(number)} {unit if one else _PLURALS.get(unit, unit + 's')}"


def _clock(found: re.Match[str]) -> str:
    hour, minute = _named(found["hour"]), int(found["minute"])
    if minute == 0:
        return hour if found["half"] is not None else f"{hour} o'clock"
    return f"{hour} {'oh ' if minute < 10 else ''}{_named(str(minute))}"


def _decade(found: re.Match[str]) -> str:
    words = _named(found["year"], "year")
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _whole(found: re.Match[str]) -> str:
    number = found[0]
    if len(number) == 4 and int(number.replace(",", "")) in _YEARS and "," not in number:
        return _named(number, "year")
    if len(number) > 1 and number[0] == "0":
        return " ".join(_named(digit) for digit in number)
    return _named(number)


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(
            rf"(?P<sign>[$£€]) ?(?P<whole>{_NUMBER})(?:\.(?P<part>\d+))?(?: (?P<large>{_LARGE})\b)?"
        ),
        _money,
    ),
    (
        re.compile(r"\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b(?P<half>(?= ?[ap]\.?m\b))?"),
        _clock,
    ),
    (re.compile(r"\b(?P<year>\d{3}0)s\b"), _decade),
    (re.compile(rf"\b({_NUMBER})(?:st|nd|rd|th)\b"), lambda m: _named(m[1], "ordinal")),
    (re.compile(rf"({_NUMBER})?\.(\d+)"), lambda m: _decimal(m[1] or "0", m[2])),
    (re.compile(rf"({_NUMBER}) ?%"), lambda m: f"{_named(m[1])} percent"),
    (re.compile(_NUMBER), _whole),
    (re.compile(r"(?<=[a-z]) ?%"), lambda m: " percent"),
    (re.compile(r" ?& ?"), lambda m: " and "),
)
