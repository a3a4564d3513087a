"""How figures are read where they stand: numbers, ordinals, dates, times, sums, scores."""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lbtts.languages.luxembourgish.abbreviations import (
    CURRENCIES,
    FEMININE_NAMES,
    FRACTIONS,
    MASCULINE_MEASURES,
    MONTHS,
    NUMBERED,
    RULER_NAMES,
    RULERS,
    UNITS,
)
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


@dataclass(frozen=True)
class Context:
    """A match of the normaliser, with what is before and behind it."""

    text: str  # cleaned
    match: re.Match[str]
    spoken: list[str]  # the last words already said, oldest first

    @property
    def after(self) -> str:
        """The text behind the match."""
        return self.text[self.match.end() :]

    @property
    def previous(self) -> str:
        """The word said before, lower case; empty at the start."""
        return self.spoken[-1].lower() if self.spoken else ""


Spoken = tuple[list[str], int]  # the words, and where in the cleaned text reading goes on

_NEXT_WORD = re.compile(r"[ \"(]*([^\W\d_]+)")
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

_MASCULINE = frozenset(
    "de den dem am um vum zum beim nom virum iwwerem ënnerem mam ufanks säin mäin däin säi mäi däi "
    "hiren hire eisen eise ären äre ee een engem sengem mengem dengem hirem eisem dësem dësen dëse "
    "deen dee keen kee nächsten leschten".split()
)
_ORDINAL_NOUNS = tuple(  # with these a number with a dot is an ordinal, whatever comes before
    "Joerhonnert Jh Joerdausend Weltkrich Joresdag Gebuertsdag Editioun Auflag Etapp Halschent "
    "Minutt Ronn Stack Spilldag Liga Divisioun Klass Plaz Mannschaft Kéier Semester "
    "Trimester".split()
)
_ARTICLES = frozenset("de den dem der déi zum vum d'".split())
_NEUTER = ("Joerhonnert", "Jh", "Joerdausend", "Semester", "Trimester")
_FEMININE_DATIVE = frozenset("der enger senger menger denger hirer eiser ärer dëser där".split())
_BARE = frozenset("d' déi dës eng seng meng deng hir eis är dat säint eist dëst keng s'".split())
_COUNTED = frozenset(  # behind these a number is a name: "Nummer eent"
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
_DATIVE = frozenset("dem vum mam beim zum nom virum vun vu mat bei ënner no nieft zanter".split())
_FRACTIONS_OF = frozenset({12, 16, 20, 100, 1000})
_WON = re.compile(r"\d+ (?:gewonn|verluer|geschloen|géint|fir)")
_ROMAN = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})")


def _next_word(text: str) -> str:
    match = _NEXT_WORD.match(text)
    return match[1] if match else ""


def _gender(noun: str) -> Gender:
    return "f" if feminine(noun) else "m"


def ordinal_ending(before: list[str], noun: str = "") -> str:
    """What an ordinal ends in behind the words `before`: en, er or nothing.

    Where they have no article, `noun` decides: nothing before one that is feminine or neuter.
    """
    for word in reversed([word.lower() for word in before]):
        if word in _FEMININE_DATIVE:
            return "er"
        if word in _BARE:
            return ""
        if word in _MASCULINE:
            return "en"
        if word not in ("an", "a", "bis", "oder") and not word.endswith(("t", "te", "ten", "ter")):
            break
    return "" if noun.startswith(_NEUTER) or feminine(noun) else "en"


def speak_number(context: Context) -> Spoken:
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
    following = _next_word(context.text[end:])
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


def _ending(context: Context, value: int, whole: str) -> Spoken | None:
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
    known = context.previous in _MASCULINE | _FEMININE_DATIVE | _BARE or bool(
        _IN_SERIES.search(context.text[: context.match.start()])
    )
    if following:
        noun = following[1]
        if not (known or noun[0].islower() or _is_ordinal_noun(noun)):
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
    """Up to which number a dot at the end makes an ordinal: behind an article any."""
    return 999 if context.previous in _ARTICLES else 31


def _is_ordinal_noun(noun: str) -> bool:
    return noun in MONTHS or noun.startswith(_ORDINAL_NOUNS)


def _is_year(context: Context, whole: str, following: str) -> bool:
    if len(whole) != 4 or following.lower() in _MEASURED:
        return False
    return not following[:1].isupper() or context.previous in _YEAR_BEFORE


def speak_range(context: Context) -> Spoken:
    """What is said for the dash between two numbers: zu in a score, else bis."""
    before = re.search(r"(?<![\d.,:])(\d{1,2})$", context.text[: context.match.start()])
    after = re.match(r"(\d{1,2})(?![\d.,%°€]|,\d)", context.after)
    falling = before and after and int(before[1]) >= int(after[1])
    won = _WON.match(context.after) if before and after else None
    return ["zu" if falling or won else "bis"], context.match.end()


def speak_fraction(context: Context) -> Spoken:
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
    noun = _next_word(context.text[end:])
    if (parts, whole) == (1, 2) and not wholes:
        if feminine(noun):
            words = ["eng", "hallef"]
        elif noun.lower() in MASCULINE_MEASURES:
            words = ["en", "hallwen"]
    return [*(w for n in wholes for w in (*cardinal(n).split(), "an")), *words], end


def speak_roman(context: Context) -> Spoken | None:
    """The reading of a Roman numeral up to 39 behind a name or before Joerhonnert, else None."""
    numeral = context.match[0]
    end = context.match.end()
    dotted = context.text[end : end + 1] == "."
    if not _ROMAN.fullmatch(numeral) or not (dotted or len(numeral) > 1):
        return None
    value = _roman_value(numeral)
    following = _next_word(context.text[end + dotted :])
    if following.startswith(_ORDINAL_NOUNS[:4]):
        return [ordinal(value) + ordinal_ending(context.spoken, following)], end + dotted
    before = re.search(
        r"(?:([^\W\d_]+) )??(?:([^\W\d_]+) )?([^\W\d_]+)[ ]$",
        context.text[: context.match.start()],
    )
    if not before or not before[3][0].isupper():
        return None
    if before[3].lower() in NUMBERED:
        return cardinal(value).split(), end
    title = (before[2] or "").lower()
    named = title in RULERS or before[3].lower() in RULER_NAMES
    if len(numeral) == 1 and not following and not named:
        return None
    words_before = [w.lower() for w in (before[2], before[1]) if w]
    article = next((w for w in words_before if w in _DATIVE or w in _MASCULINE), "")
    if before[3].lower() in FEMININE_NAMES or before[3].endswith("a"):
        dative = article in ("der", "vun", "mat", "bei", "fir")
        words = ["der", "er"] if dative else ["déi", ""]
    else:
        words = ["dem" if article in _DATIVE else "den", "en"]
    return [words[0], ordinal(value).capitalize() + words[1]], end + dotted


def _roman_value(numeral: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10}[c] for c in numeral]
    return sum(-v if i + 1 < len(values) and v < values[i + 1] else v for i, v in enumerate(values))
