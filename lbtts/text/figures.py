"""How figures are read where they stand: numbers, ordinals, dates, times, sums, scores."""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lbtts.text.numbers import Gender, cardinal, currency, decimal, digits, ordinal, year
from lbtts.text.written import CURRENCIES, FEMININE_ENDINGS, MONTHS, UNITS


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
    + r")(?![\w²³])"
)
_SUFFIX = re.compile(r"-?(er|te[nrs]?|ten|mol)\b")
_SERIES = re.compile(r"\.,? (?:an|a|bis|oder|op de|op den|bis de|bis den) \d+\.")

_MASCULINE = frozenset(
    "de den dem am um vum zum beim nom virum iwwerem ënnerem mam ufanks säin mäin däin säi mäi däi "
    "hiren hire eisen eise ären äre ee een engem sengem mengem dengem hirem eisem dësem dësen dëse "
    "deen dee keen kee nächsten leschten".split()
)
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
_CLOCK_BEFORE = frozenset("um ëm géint vun vu bis ab viru no kuerz".split())
_MEASURED = frozenset(
    "euro meter kilometer joer leit deeg stonnen minutten prozent grad kilo liter mol".split()
)
_ROMAN = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})")


def _next_word(text: str) -> str:
    match = _NEXT_WORD.match(text)
    return match[1] if match else ""


def _gender(noun: str) -> Gender:
    return "f" if noun.lower().endswith(tuple(FEMININE_ENDINGS)) else "m"


def ordinal_ending(before: list[str]) -> str:
    """What an ordinal ends in behind the words `before`: en, er or nothing."""
    for word in reversed([word.lower() for word in before]):
        if word in _FEMININE_DATIVE:
            return "er"
        if word in _BARE:
            return ""
        if word in _MASCULINE:
            return "en"
        if word not in ("an", "a", "bis", "oder") and not word.endswith("ten"):
            break
    return "en"


def speak_number(context: Context) -> Spoken:
    """The reading of a number, with the unit, sign or ending that belongs to it."""
    written = context.match[0]
    end = context.match.end()
    sign = {"-": ["minus"], "–": ["minus"], "+": ["plus"]}.get(written[0], [])
    plain = written.lstrip("-–+€$£ ").replace(" ", "")
    whole, comma, fraction = plain.partition(",")
    grouped = "." in whole
    value = int(whole.replace(".", ""))
    code = next((CURRENCIES[c] for c in written if c in CURRENCIES), None)
    in_code = context.text[context.match.start() - 1 : context.match.start()].isalpha()
    unit = None if in_code else _UNIT.match(context.text, end)
    if unit and unit[1] in CURRENCIES:
        code, end = CURRENCIES[unit[1]], unit.end()
    if code:
        return sign + currency(Decimal(f"{value}.{fraction or 0}"), code).split(), end
    if unit:
        return sign + _measure(value, fraction, UNITS[unit[1]]), unit.end()
    if comma:
        return sign + decimal(value, fraction).split(), end
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
    counted = not is_noun or context.previous in _COUNTED
    return sign + cardinal(value, None if counted else gender).split(), end


def _measure(value: int, fraction: str, unit: str | Sequence[str]) -> list[str]:
    one, many = (unit, unit) if isinstance(unit, str) else unit
    if fraction:
        return [*decimal(value, fraction).split(), *many.split()]
    name = one if value == 1 else many
    return [*cardinal(value, _gender(name)).split(), *name.split()]


def _ending(context: Context, value: int, whole: str) -> Spoken | None:
    """The reading of "80er", "19te", "800-mol" and "24."; None for a plain number."""
    end = context.match.end()
    suffix = _SUFFIX.match(context.text, end)
    if suffix:
        if suffix[1] == "mol":
            return [cardinal(value).replace(" ", "") + "mol"], suffix.end()
        if suffix[1] == "er":
            base = year(value) if len(whole) == 4 else cardinal(value)
            return [base.replace(" ", "") + "er"], suffix.end()
        return [ordinal(value) + ordinal_ending(context.spoken)], suffix.end()
    if context.text[end : end + 1] != "." or len(whole) > 3 or value == 0:
        return None
    ending = ordinal_ending(context.spoken)
    following = re.match(r" ?([^\W\d_]+)", context.text[end + 1 :])
    known = context.previous in _MASCULINE | _FEMININE_DATIVE | _BARE
    if following:
        noun = following[1]
        if not (known or noun[0].islower() or _is_ordinal_noun(noun)):
            return None
    elif _SERIES.match(context.text, end):
        pass
    elif not (known and value <= 31) or context.text[end + 1 :].lstrip()[:1].isdigit():
        return None
    return [ordinal(value) + ending], end + 1


def _is_ordinal_noun(noun: str) -> bool:
    return noun in MONTHS or noun.startswith(("Joerhonnert", "Jh", "Joerdausend"))


def _is_year(context: Context, whole: str, following: str) -> bool:
    if len(whole) != 4 or following.lower() in _MEASURED:
        return False
    return not following[:1].isupper() or context.previous in _YEAR_BEFORE


def speak_date(context: Context) -> Spoken:
    """The reading of 24.02.2006: day, month by name, year."""
    day, month, in_year = (int(part) for part in re.split("[./]", context.match[0]))
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return digits(re.sub(r"\D", "", context.match[0])).split(), context.match.end()
    ending = ordinal_ending(context.spoken)
    return [ordinal(day) + ending, MONTHS[month - 1], *year(in_year).split()], context.match.end()


def speak_time(context: Context) -> Spoken:
    """The reading of 11:30 Auer, or of a score: 3:0."""
    first, second = re.split("[:.h]", context.match[0])
    end = context.match.end()
    oclock = re.compile("[ ]?[Aa]uer").match(context.text, end)
    clock = context.previous in _CLOCK_BEFORE and int(first) <= 24 and len(second) == 2
    if oclock or "h" in context.match[0] or (clock and int(second) < 60):
        minutes = cardinal(int(second)).split() if int(second) else []
        hour = cardinal(int(first), "f").split()
        return [*hour, "Auer", *minutes], oclock.end() if oclock else end
    return [*cardinal(int(first)).split(), "zu", *cardinal(int(second)).split()], end


def speak_roman(context: Context) -> Spoken | None:
    """The reading of a Roman numeral up to 39 behind a name or before Joerhonnert, else None."""
    numeral = context.match[0]
    end = context.match.end()
    dotted = context.text[end : end + 1] == "."
    if not _ROMAN.fullmatch(numeral) or not (dotted or len(numeral) > 1):
        return None
    value = _roman_value(numeral)
    following = _next_word(context.text[end + dotted :])
    if following.startswith(("Joerhonnert", "Jh")):
        return [ordinal(value) + ordinal_ending(context.spoken)], end + dotted
    before = re.search(r"([^\W\d_]+ )?([^\W\d_]+)[ ]$", context.text[: context.match.start()])
    if not before or not before[2][0].isupper() or (len(numeral) == 1 and not following):
        return None
    dative = (before[1] or "").strip().lower() in ("dem", "vum", "mam", "beim", "zum", "nom")
    return ["dem" if dative else "den", ordinal(value).capitalize() + "en"], end + dotted


def _roman_value(numeral: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10}[c] for c in numeral]
    return sum(-v if i + 1 < len(values) and v < values[i + 1] else v for i, v in enumerate(values))
