"""How powers, and units that no number comes before, are read."""

import re

from lbtts.languages.luxembourgish.abbreviations import UNITS
from lbtts.languages.luxembourgish.context import Context, Reading
from lbtts.languages.luxembourgish.numbers import cardinal, decimal

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_MANY = {unit for unit in UNITS if re.search("[/²³°%‰]|m[23]$|[a-z][A-Z]|[MGk]W", unit)}
_NAMES = sorted(UNITS, key=len, reverse=True)

# A unit without a number: after a slash any, else one that is no word
_BARE = "|".join(re.escape(unit) for unit in _NAMES if unit in _MANY - {"°", "%", "‰"})
_ANY = "|".join(re.escape(unit) for unit in _NAMES)
UNIT = (
    rf"(?<![\w²³])(?:{_BARE})(?![\w²³])|(?<=/)(?:{_ANY})(?![\w²³])"
    rf"|(?<![\w²³'])(?:{_ANY})(?=/(?:{_ANY})(?![\w²³]))"
)
PER = rf"(?<=Euro)/|(?<=[€$£])/|(?<=[gltmhBW²³%])/(?=(?:{_ANY})(?![\w²³]))"
POWER = r"(?:(?<=\w)|(?<=\)))(?:[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
SCIENTIFIC = r"(?<![\w.,])\d+(?:[.,]\d+)?[eE][-+]?\d{1,3}(?!\w)"
_SQUARE = {"2": "Quadrat", "3": "Kubik"}
_FOOTNOTE = re.compile(r"[^\W\d_]{3,}$")


def _signed(number: str) -> list[str]:
    sign = {"-": ["minus"], "+": ["plus"]}.get(number[0], [])
    return sign + cardinal(int(number.lstrip("+-"))).split()


def speak_unit(context: Context) -> Reading:
    """The unit's name: of one after a slash, else of many."""
    name = UNITS[context.match[0]]
    divided = context.text[: context.match.start()].endswith("/")
    said = name if isinstance(name, str) else name[0 if divided else 1]
    return said.split(), context.match.end()


def speak_power(context: Context) -> Reading:
    """Quadrat, Kubik or héich and the exponent; nothing for a footnote after a word."""
    before = context.text[: context.match.start()]
    number = context.match[0].translate(_RAISED)
    if _FOOTNOTE.search(before):
        return [], context.match.end()
    if number in _SQUARE and not before.endswith("10"):
        return [_SQUARE[number]], context.match.end()
    return ["héich", *_signed(number)], context.match.end()


def speak_scientific(context: Context) -> Reading:
    """1e5: eent mol zéng héich fënnef."""
    mantissa, exponent = re.split("[eE]", context.match[0])
    whole, _, rest = mantissa.replace(".", ",").partition(",")
    said = decimal(int(whole), rest) if rest else cardinal(int(whole))
    return [*said.split(), "mol", "zéng", "héich", *_signed(exponent)], context.match.end()
