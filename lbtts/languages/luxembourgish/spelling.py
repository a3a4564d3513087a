"""Which words are read letter by letter: acronyms, codes, lone letters; not what is shouted."""

import re
from functools import lru_cache

from lbtts.languages.luxembourgish.abbreviations import ACRONYMS, LETTER_NAMES, SPELLED

_CAPITAL = "[A-ZÄËÉÈÖÜ]"
_CAPITALS = re.compile(
    rf"(?<!\w)(?:{_CAPITAL}+'?(?!\w)[ ,.:;!?'()\"-]+|{_CAPITAL}')*"
    rf"{_CAPITAL}{{2,}}[ ,.:;!?'()\"-]+{_CAPITAL}{{2,}}(?!\w)"
    rf"(?:[ ,.:;!?'()\"-]+{_CAPITAL}+(?!\w))*"
)
_LONGEST_ACRONYM = 6
_LONG_TEXT, _LONG_WORD = 12, re.compile(f"{_CAPITAL}{{5}}")
_PLURAL_OF_LETTERS = re.compile(r"([A-Z]{2,})(en?|er|s)")


@lru_cache(maxsize=1)
def shouted_spans(text: str) -> list[tuple[int, int]]:
    """Where there are words in capitals that are no acronyms, since one among several is long."""
    if text.isupper():
        words = re.findall(f"{_CAPITAL}{{2,}}", text)
        is_word = any(len(word) > 3 and _readable(word) for word in words)
        if len(words) > 1 and (is_word or len(text) > _LONG_TEXT):
            return [(0, len(text))]
    return [m.span() for m in _CAPITALS.finditer(text) if _LONG_WORD.search(m[0])]


def spelled(word: str, coded: bool, shouted: bool) -> list[str]:
    """The names of the letters of an acronym, a code or a lone letter; empty for a word."""
    if word in ACRONYMS:
        return ACRONYMS[word].split()
    if word.lower() in SPELLED and (shouted or word.islower()):
        return spelled(word.upper(), coded, shouted=False)
    plural = _PLURAL_OF_LETTERS.fullmatch(word)
    if plural:
        *names, last = (LETTER_NAMES[letter] for letter in plural[1])
        return [*names, last + plural[2].replace("e", "ë", last.endswith("e"))]
    if not word.isupper() or not all(letter in LETTER_NAMES for letter in word):
        return []
    if len(word) == 1:
        return [LETTER_NAMES[word]] if coded or word not in "AEIOUÄËÉÖÜ" else []
    if shouted or len(word) > _LONGEST_ACRONYM or (len(word) > 3 and not coded and _readable(word)):
        return []
    return [LETTER_NAMES[letter] for letter in word]


def _readable(word: str) -> bool:
    vowels = re.sub("[AEIOUYÄËÉÖÜ]", "a", word)
    return "a" in vowels and not re.search("[^a]{3}|^[^a]{2}|[^a]{2}$", vowels)
