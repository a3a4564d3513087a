"""How numbers that count nothing are read: telephone, bank account, licence plate, postcode."""

import re

from lbtts.languages.luxembourgish.abbreviations import LETTER_NAMES
from lbtts.languages.luxembourgish.context import Context, Reading
from lbtts.languages.luxembourgish.numbers import cardinal, digits

PHONE = r"""
    (?:(?<![\w+])(?:\+|00)(?=(?:[ ./()-]{0,2}\d){8,15}(?!\d))[1-9]\d{0,2}(?:[ ]?\(0\))?
        (?:[ ./-]?\d{1,13})+
      |(?<![\w.,-])6[26789]1[ .-]\d{3}[ .-]\d{3}(?![\d.,]*\d|[ ]?[€$£%])
      |(?<![\w.,:-])\d\d(?P<gap>[ .-])\d\d(?P=gap)\d\d(?P=gap)\d\d(?:-\d{1,4})?
        (?![\d.,:]*\d|[ ]?[€$£%]|[ .-]\d\d\d)
      |(?<![\w.,:-])\d\d(?:[ .-]\d\d){2}-\d{1,3}(?![\d.,:]*\d))(?![^\W\d_])
"""
IBAN = r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[\dA-Z]{4}){3,7}(?:[ ]?[\dA-Z]{1,3})?(?!\w)"
POSTCODE = r"(?<![\w-])(?:[LDFB]|CH|NL)-\d{4,5}(?![\w-])"
_HOME = "352"  # the country's code
PLATE = r"(?<![\w-])[A-Z]{2}[ -]?(?!19|20)\d{4}(?![\w.,:-]*\d|[ ]?[€$£%])"


def speak_phone(context: Context) -> Reading:
    """The groups of a telephone number, as it is written; without spaces, in pairs."""
    written = context.match[0].replace("(0)", "")
    sign = ["plus"] if written[0] == "+" else ["null", "null"] if written[:2] == "00" else []
    bare = re.sub(r"^(?:\+|00)", "", written)
    groups = re.findall(rf"(?<!\d){_HOME}(?=\d{{5}})|\d+", bare)
    return sign + [word for group in groups for word in say_group(group)], context.match.end()


def say_group(group: str) -> list[str]:
    """A group of digits as one number, from four on in pairs; with a zero in front, one by one."""
    if len(group) > 3:
        odd = len(group) % 2
        pairs = [group[:odd], *(group[i : i + 2] for i in range(odd, len(group), 2))]
        return [word for pair in pairs if pair for word in say_group(pair)]
    return (digits(group) if group[0] == "0" else cardinal(int(group))).split()


def speak_iban(context: Context) -> Reading:
    """Letters by name, digits one by one."""
    signs = (c for c in context.match[0] if c != " ")
    return [LETTER_NAMES[c] if c.isalpha() else digits(c) for c in signs], context.match.end()


def speak_plate(context: Context) -> Reading:
    """The letters and then pairs of digits, as postcodes and licence plates are read."""
    letters, number = re.findall("[A-Z]+|[0-9]+", context.match[0])
    names = [LETTER_NAMES[letter] for letter in letters]
    return names + say_group(number), context.match.end()
