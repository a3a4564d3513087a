"""Where a word without parts is stressed: our own on the first vowel, a loan by its weight."""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import re

from lbtts.languages.luxembourgish.phones import NASALS, SCHWAS

_OURS = re.compile(  # particles that hardly a loan begins with
    "(?:auf|aus(?!tr|ter|p)|ëm|bäi|fort|zou|vir(?!tu|us|ol|gul)|op(?!er|ti|iu|po|al|us|pr)|"
    "un(?=[bdfghklmprsvwz]))(?=.*[bcdfghklmnpqrstvwxz])"
)
_NATIVE_SUFFIX = re.compile(
    "(?:heet|keet|ung|eng|schaft|lech|sam|saam|bar|los|haft|leng|tum|mo+ls?|weis|zéng|"
    "(?:(?<=er|nt|st|är|ur|or|og)|(?<=dat|kat|mat|rat))inn?)"
    "(?:e[nmrs]?|te[nmrs]?|[nst]|st|nen?)?$"
)
LAST_STRESSED = re.compile(  # a loan that ends so is stressed on its last full vowel
    "(?:ioun|éit|éier|éis|[^é]ei|aasch|oun|ell|iv|[ai]bel|enz|anz|(?<!o)ur|ett|ist|är|ant|ent|esk)"
    "(?:e[nmrs]?|te[nmrs]?|[nst]|ë|ën)?$"
)
_LAST_BUT_ONE = re.compile(  # and one that ends so on the vowel before
    "(?:[aoui]s?|y|(?:um|us|is|as|or|(?<!é)ik|ek|ick|ian|iker)(?:s|en|e|in)?)$"
)
_I_BEFORE = re.compile("i(?:um|a|o|us)s?$")  # one syllable further to the front: Stadium
_FRENCH_END = re.compile(
    "(?:[éè]|ée|[ae]u|eau|e[rt]|ier|o[rt]|op|oir|our|ours|ès|u[it]|i[ts]|eil|ais?|[aio]n|"
    "ent|ant|eur|age)s?$"
)
GROUP = re.compile("aa|au|ai|äi|ää|ee|ei|éi|eu|ie|ii|oo|ou|oi|ue|uu|üü|[aeiouyäëéèêöüàâîôûù]")
_OWN_FIRST = frozenset("aa ee ii oo uu äi ää éi ue ie ei".split())  # a first syllable of our own
_OWN_LATER = frozenset("aa ii uu ue äi ää".split())  # a later syllable of a word of our own
_OPEN = frozenset("e eː ɛ ɛː o oː u uː y yː i iː ɑ aː æ".split())
CLOSED = "-"  # after the last vowel of a word that ends in a consonant


def stressed_in_simple(word: str, vowels: list[str]) -> int:
    """The stressed vowel of a word that has no parts: native on the first, loans by weight."""
    full = full_vowels(word, vowels)
    stem = word
    while (suffix := _NATIVE_SUFFIX.search(stem)) and suffix.start() > 1:
        if not suffix[0].startswith("lech"):
            full = full[:-1]
        stem = stem[: suffix.start()]
    if len(full) < 2:
        return full[0] if full else 0
    groups = [*GROUP.findall(stem), *[""] * len(vowels)]
    if stem.endswith("ing"):  # English
        return full[0]
    if stem.endswith("ant"):
        return full[-1]
    if vowels[full[-1]].removesuffix(CLOSED) in NASALS or _is_french(stem, vowels, full):
        return full[0]
    if LAST_STRESSED.search(stem):
        return full[-1]
    if len(full) == 2 and "ə" in vowels[full[0] + 1 : full[-1]]:
        return full[0]  # a reduced vowel between them, as between the parts of a compound
    if (
        groups[0] in _OWN_FIRST
        or _OURS.match(stem)
        or any(group in _OWN_LATER for group in groups[1:])
    ):
        return full[0]
    if _LAST_BUT_ONE.search(stem) and stem[-3:] != "ieu":
        early = _I_BEFORE.search(stem) and vowels[full[-2]] in ("i", "iː") and len(full) > 2
        return full[-3 if early else -2]
    return full[-1]


def _is_french(word: str, vowels: list[str], full: list[int]) -> bool:
    """Whether a word is French and so stressed in front, as speakers of Luxembourgish do."""
    if not _FRENCH_END.search(word) or full[-1] != len(vowels) - 1:
        return False
    return vowels[-1] in _OPEN or (
        len(vowels) == 2 and word.endswith(("eur", "oir", "our", "ours", "eil"))
    )


def full_vowels(word: str, vowels: list[str]) -> list[int]:
    """Which vowels are not reduced; written ë, the schwa is not."""
    groups = [*GROUP.findall(word), *[""] * len(vowels)]
    return [
        i
        for i, vowel in enumerate(vowels)
        if vowel.removesuffix(CLOSED) not in SCHWAS
        or (vowel == "ə" and groups[i] == "ë" and i + 1 < len(vowels))
    ]
