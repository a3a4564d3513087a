"""How numerals are read where they stand: with units, signs and endings, ranges, fractions."""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import re
from collections.abc import Sequence
from decimal import Decimal

from lbtts.languages.luxembourgish.abbreviations import (
    CURRENCIES,
    FRACTIONS,
    MASCULINE_MEASURES,
    MONTHS,
    UNITS,
)
from lbtts.languages.luxembourgish.context import Context, Reading, next_word
from lbtts.languages.luxembourgish.gender import feminine
from lbtts.languages.luxembourgish.numbers import (
    Gender,
    cardinal,
    currency,
    decimal,
    digits,
    drop_n,
    fraction,
    ordinal,
    year,
)
from lbtts.languages.luxembourgish.ordinals import (
    is_before_ordinal,
    is_ordinal_noun,
    ordinal_ending,
)

_UNIT = re.compile(
    r"[ ]?("
    + "|".join(re.escape(unit) for unit in sorted(UNITS | CURRENCIES, key=len, reverse=True))
    + r")(?![\w²³]|-[ei]g)"
)
_SUFFIX = re.compile(r"-?(er|te[nrs]?|mol|x(?![\w-]))\b")
_PERCENT_ADJECTIVE = re.compile(r"(?:[ ]?%-?|-prozent)[ei]g(\w*)")
_SERIES = re.compile(r"\.,?(?: (?:an|a|bis|oder|op de|op den|bis de|bis den) | ?[-–—/] ?)\d+\.")
_COUNTED_NOUN = re.compile(r"\.(?: (?:an|a|bis|oder) \d+\.)* ?([^\W\d_]+)")
_IN_SERIES = re.compile(r"\d\.,? ?(?:an|a|bis|oder|[-–—/]) ?$")

_ARTICLES = frozenset("de den dem der déi zum vum d'".split())
_COUNTED = frozenset(  # after these a number is a name: "Nummer eent"
    "nummer nummero quai guichet schalter sortie kapitel säit zuel zu komma punkt sektioun grupp "
    "moossstaf artikel paragraf".split()
)
_YEAR_BEFORE = frozenset(
    "joer joren zanter zënter säit enn ufank ufanks mëtt vun vu bis no viru virun ëm an am".split()
    + [month.lower() for month in MONTHS]
)
_PHONES = frozenset("telefon telefonsnummer fax faxnummer handy handynummer gsm mobil".split())
_PHONE_DIGITS = 6  # without spaces, from which on a telephone number is read in pairs
CLOCK_BEFORE = frozenset("um ëm géint vun vu bis ab viru no kuerz".split())
_MEASURED = frozenset(
    "euro meter kilometer joer leit deeg stonnen minutten prozent grad kilo liter mol".split()
)
_FRACTIONS_OF = frozenset({12, 16, 20, 100, 1000})
_WON = re.compile(r"\d+ (?:gewonn|verluer|geschloen|géint|fir)")


def _gender(noun: str) -> Gender:
    return "f" if feminine(noun) else "m"


def speak_number(context: Context) -> Reading:
    """The reading of a number, with the unit, sign or ending that belongs to it."""
    written = context.match[0]
    end = context.match.end()
    sign = {"-": ["minus"], "–": ["minus"], "+": ["plus"]}.get(written[0], [])
    bare = re.sub(r"^\D+|,-+$", "", written)
    phone = any(word.lower() in _PHONES for word in context.spoken[-2:])
    if " " in bare and ("plus" in sign or phone):
        return sign + _groups(bare), end
    plain = re.sub(r"\.(?=\d\d?$)", ",", bare.replace(" ", "").replace("'", "."))
    whole, comma, decimals = plain.partition(",")
    if phone and len(whole) >= _PHONE_DIGITS:
        return _groups(" ".join(re.findall("..?", whole))), end
    grouped = "." in whole
    value = int(whole.replace(".", ""))
    prefix = re.match(r"[-–+]?(\D+?) ?\d", written)
    code = CURRENCIES.get(prefix[1].strip()) if prefix else None
    in_code = context.text[context.match.start() - 1 : context.match.start()].isalpha()
    unit = None if in_code else _UNIT.match(context.text, end)
    if unit and unit[1] in CURRENCIES:
        code, end = CURRENCIES[unit[1]], unit.end()
    if code:
        return sign + currency(Decimal(f"{value}.{decimals or 0}"), code).split(), end
    if unit and unit[1] == "h" and not decimals and value <= 24 and _at_clock(context):
        return [*cardinal(value, "f").split(), "Auer"], unit.end()
    if unit:
        return sign + _measure(value, decimals, UNITS[unit[1]]), unit.end()
    adjective = _PERCENT_ADJECTIVE.match(context.text, end)
    if comma and adjective:
        said = decimal(value, decimals).split()
        return [*sign, *said, "prozenteg" + adjective[1]], adjective.end()
    if comma:
        return sign + decimal(value, decimals).split(), end
    if not grouped and not sign:
        special = _ending(context, value, whole)
        if special:
            return special
    if whole.startswith("0") and len(whole) > 1:
        return sign + digits(whole).split(), end
    following = next_word(context.text[end:])
    if not grouped and not sign and _is_year(context, whole, following):
        return year(value).split(), end
    gender = _gender(following)  # in lower-case text only known nouns are recognised
    is_noun = following[:1].isupper() or gender == "f" or following.lower() in _MEASURED
    in_code |= context.text[end : end + 1].isalpha()
    counted = not is_noun or in_code or context.previous in _COUNTED
    return sign + cardinal(value, None if counted else gender).split(), end


def _groups(written: str) -> list[str]:
    """A telephone number, group by group."""
    return [
        word
        for group in written.split()
        for word in (digits(group) if group[0] == "0" else cardinal(int(group))).split()
    ]


def _at_clock(context: Context) -> bool:
    """Whether an hour is meant, not a number of hours."""
    until = re.match(r"[ ]?h[ ]?[-–][ ]?\d+[ ]?h\b", context.after)
    if until or context.previous in CLOCK_BEFORE or "Auer" in context.spoken:
        return True
    return [word.lower() for word in context.spoken[-2:]] == ["et", "ass"]


def _measure(value: int, decimals: str, unit: str | Sequence[str]) -> list[str]:
    one, many = (unit, unit) if isinstance(unit, str) else unit
    if decimals:
        return [*decimal(value, decimals).split(), *many.split()]
    name = one if value == 1 else many
    return [*cardinal(value, _gender(name)).split(), *name.split()]


def _ending(context: Context, value: int, whole: str) -> Reading | None:
    """The reading of "80er", "19te", "800-mol" and "24."; None for a plain number."""
    end = context.match.end()
    suffix = _SUFFIX.match(context.text, end)
    if suffix:
        if suffix[1] in ("mol", "x"):
            times = "ee" if value == 1 else cardinal(value).replace(" ", "")
            return [drop_n(times) + "mol"], suffix.end()
        if suffix[1] == "er":
            base = year(value) if len(whole) == 4 else cardinal(value)
            return [base.replace(" ", "") + "er"], suffix.end()
        return [ordinal(value) + suffix[1].removeprefix("t")], suffix.end()
    adjective = _PERCENT_ADJECTIVE.match(context.text, end)
    if adjective:
        percent = cardinal(value).replace(" ", "") + "prozenteg"
        return [percent + adjective[1]], adjective.end()
    if context.text[end : end + 1] != "." or len(whole) > 3 or value == 0:
        return None
    following = re.match(r" ?([^\W\d_]+)", context.text[end + 1 :])
    known = is_before_ordinal(context.previous) or bool(
        _IN_SERIES.search(context.text[: context.match.start()])
    )
    if following:
        noun = following[1]
        if not (known or noun[0].islower() or is_ordinal_noun(noun)):
            return None
    elif _SERIES.match(context.text, end):
        pass
    elif (
        not (known and value <= _last_day(context))
        or context.text[end + 1 :].lstrip()[:1].isdigit()
    ):
        return None
    counted = _COUNTED_NOUN.match(context.text, end)
    ending = ordinal_ending(context.spoken, counted[1] if counted else "")
    return [ordinal(value) + ending], end + 1


def _last_day(context: Context) -> int:
    """Up to which number a dot at the end makes an ordinal: after an article any."""
    return 999 if context.previous in _ARTICLES else 31


def _is_year(context: Context, whole: str, following: str) -> bool:
    if len(whole) != 4 or following.lower() in _MEASURED:
        return False
    return not following[:1].isupper() or context.previous in _YEAR_BEFORE


def speak_range(context: Context) -> Reading:
    """What is said for the dash between two numbers: zu in a score, else bis."""
    before = re.search(r"(?<![\d.,:])(\d{1,2})$", context.text[: context.match.start()])
    after = re.match(r"(\d{1,2})(?![\d.,%°€]|,\d)", context.after)
    falling = before and after and int(before[1]) >= int(after[1])
    won = _WON.match(context.after) if before and after else None
    return ["zu" if falling or won else "bis"], context.match.end()


def speak_fraction(context: Context) -> Reading:
    """The reading of 3/4, 2 1/2 and ½; of what only looks so, its first number."""
    written = context.match[0]
    end = context.match.end()
    numbers = [int(number) for number in re.findall(r"[0-9]+", written)]
    if written[-1] in FRACTIONS:
        numbers += FRACTIONS[written[-1]]
    *wholes, parts, whole = numbers
    if not (0 < parts < whole and (whole <= 10 or whole in _FRACTIONS_OF)):
        first = re.match(r"\d+", written)
        assert first is not None
        return cardinal(int(first[0])).split(), context.match.start() + first.end()
    words = fraction(parts, whole)
    noun = next_word(context.text[end:])
    if (parts, whole) == (1, 2) and not wholes:
        if feminine(noun):
            words = ["eng", "hallef"]
        elif noun.lower() in MASCULINE_MEASURES:
            words = ["en", "hallwen"]
    return [*(w for n in wholes for w in (*cardinal(n).split(), "an")), *words], end
