"""Text that somebody wants to hear, written so that the rules know each character.

In a corpus an unknown character rejects the utterance, since nobody can tell what was said; a text
that is to be spoken loses at most the word that it stands in. Source of the transliteration:
anyascii (ISC licence).
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from lbtts.errors import Reject
from lbtts.languages.luxembourgish.normalize import normalize

_MARKS = str.maketrans("。．，、；：！？؟،؛।॥・「」『』《》【】（）～", '..,,;:!??,;.. """"""""()-')


def romanised(text: str) -> tuple[str, list[str]]:
    """`text` in characters that the rules know, and the words that were changed for it.

    Punctuation of other scripts becomes ours, letters are transliterated; what has no
    transliteration is dropped.
    """
    text = text.translate(_MARKS) if not text.isascii() else text
    changed: list[str] = []

    def known(match: re.Match[str]) -> str:
        word = match[0]
        if all(_is_known(character) for character in word):
            return word
        changed.append(word)
        return "".join(c if _is_known(c) else _in_latin(c) for c in word)

    return re.sub(r"\S+", known, text), changed


@lru_cache(maxsize=4096)
def _is_known(character: str) -> bool:
    if unicodedata.combining(character):
        return True
    try:
        normalize(character)
    except Reject:
        return False
    return True


def _in_latin(character: str) -> str:
    """The character in Latin letters, digits and marks that the rules know; else nothing."""
    plain = anyascii(character).lower()
    return plain if all(map(_is_known, plain)) else ""
