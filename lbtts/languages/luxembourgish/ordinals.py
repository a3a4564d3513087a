"""How ordinals end where they stand, and how Roman numerals are read."""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import re

from lbtts.languages.luxembourgish.abbreviations import (
    FEMININE_NAMES,
    MONTHS,
    NUMBERED,
    RULER_NAMES,
    RULERS,
)
from lbtts.languages.luxembourgish.context import Context, Reading, next_word
from lbtts.languages.luxembourgish.gender import feminine
from lbtts.languages.luxembourgish.numbers import cardinal, ordinal

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
_NEUTER = ("Joerhonnert", "Jh", "Joerdausend", "Semester", "Trimester")
_FEMININE_DATIVE = frozenset("der enger senger menger denger hirer eiser ärer dëser där".split())
_BARE = frozenset("d' déi dës eng seng meng deng hir eis är dat säint eist dëst keng s'".split())
_DATIVE = frozenset("dem vum mam beim zum nom virum vun vu mat bei ënner no nieft zanter".split())
_ROMAN = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})")


def ordinal_ending(before: list[str], noun: str = "") -> str:
    """What an ordinal ends in after the words `before`: en, er or nothing.

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


def is_before_ordinal(word: str) -> bool:
    """Whether `word`, lower case, is an article or the like after which an ordinal is usual."""
    return word in _MASCULINE or word in _FEMININE_DATIVE or word in _BARE


def is_ordinal_noun(noun: str) -> bool:
    """Whether a number with a dot before `noun` is an ordinal, whatever comes before."""
    return noun in MONTHS or noun.startswith(_ORDINAL_NOUNS)


def speak_roman(context: Context) -> Reading | None:
    """The reading of a Roman numeral up to 39 after a name or before Joerhonnert, else None."""
    numeral = context.match[0]
    end = context.match.end()
    dotted = context.text[end : end + 1] == "."
    if not _ROMAN.fullmatch(numeral) or not (dotted or len(numeral) > 1):
        return None
    value = _roman_value(numeral)
    following = next_word(context.text[end + dotted :])
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
