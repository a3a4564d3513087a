"""misaki's English with spaCy's tagger where it is installed, and without spaCy where it is not.

misaki asks the tagger for parts of speech: which `read`, which `use`, and `a` as an article. Its
module imports spaCy, which imports torch, and it downloads the tagger. Where the tagger is missing,
misaki gets an empty spaCy, and words their tags from their neighbours.
"""

import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

from misaki.token import MToken

TAGGER = "en_core_web_sm"  # the package that misaki would download

_TOKEN = re.compile(r"\S+")
_OPENING, _CLOSING = "\"“‘'([", "\"”’')],;:.!?…—"
_ABBREVIATION = re.compile(r"(?:[A-Za-z]\.)+")
# Penn Treebank's tags, those that misaki reads
_MARKS = {
    **dict.fromkeys(".!?", "."), ",": ",", **dict.fromkeys(";:—–-…", ":"), "(": "-LRB-",
    ")": "-RRB-", "[": "-LRB-", "]": "-RRB-", "“": "``", "”": "''", "‘": "``", "’": "''",
}  # fmt: skip
_WORDS = {
    **dict.fromkeys(("a", "an", "the", "this", "that", "each", "every", "no", "another"), "DT"),
    **dict.fromkeys(("my", "your", "his", "her", "its", "our", "their"), "PRP$"),
    **dict.fromkeys(("i", "you", "he", "she", "it", "we", "they"), "PRP"),
    **dict.fromkeys(("in", "of", "at", "on", "with", "from", "for", "into", "by"), "IN"),
    **dict.fromkeys(("will", "would", "can", "could", "may", "might", "must", "shall"), "MD"),
    **dict.fromkeys(("should", "do", "does", "did", "don't", "didn't", "cannot"), "MD"),
    **dict.fromkeys(("have", "has", "had", "is", "are", "was", "were", "be", "been"), "VBZ"),
    "to": "TO",
}
_AFTER = {"MD": "VB", "TO": "VB", "VBZ": "VBN", "DT": "NN", "PRP$": "NN"}  # of a word after it


@cache
def misaki_english() -> ModuleType:
    """The module `misaki.en`, with an empty spaCy where there is no tagger."""
    if find_spec(TAGGER) or "misaki.en" in sys.modules:
        return import_module("misaki.en")
    spec = find_spec("misaki.en")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    loaded = sys.modules.get("spacy")
    sys.modules["spacy"] = loaded or ModuleType("spacy")
    try:
        spec.loader.exec_module(module)  # stays out of sys.modules: others may want the whole one
    finally:
        if loaded is None:
            del sys.modules["spacy"]
    return module


def reader(fallback: Any) -> Any:
    """misaki's G2P, which downloads nothing.

    Args:
        fallback: gives the phonemes of a token that is in no lexicon, and their rating.
    """
    module = misaki_english()
    if find_spec(TAGGER):
        return module.G2P(fallback=fallback)
    untagged = type("Untagged", (module.G2P,), {"__init__": _begin, "tokenize": _tokenize})
    return untagged(module.Lexicon(british=False), fallback)


def _begin(self: Any, lexicon: Any, fallback: Any) -> None:
    """Sets what misaki's own constructor sets, except the tagger."""
    self.version, self.british, self.unk = None, False, "❓"
    self.lexicon, self.fallback = lexicon, fallback


def _tokenize(self: Any, text: str, tokens: Sequence[str], features: object) -> list[MToken]:
    """The words and marks of `text` with their tags, as misaki expects them of spaCy."""
    pieces = [piece for word in _TOKEN.finditer(text) for piece in _pieces(word[0])]
    return [
        MToken(
            piece,
            tag=tag,
            whitespace=space,
            _=MToken.Underscore(is_head=True, num_flags="", prespace=False),
        )
        for (piece, space), tag in zip(pieces, tags(pieces), strict=True)
    ]


def tags(pieces: Sequence[tuple[str, str]]) -> list[str]:
    """The tag of each word or mark; empty where none can be told."""
    found: list[str] = []
    for number, (piece, space) in enumerate(pieces):
        before = found[-1] if found else ""
        if piece == '"':
            opens = not number or pieces[number - 1][1] or before == "-LRB-"
            found.append("``" if opens else "''")
        elif piece in _MARKS:
            found.append(_MARKS[piece])
        elif piece.lower() == "a" and not space:  # the letter
            found.append("NN")
        elif piece.lower() == "used":
            following = pieces[number + 1][0].lower() if number + 1 < len(pieces) else ""
            found.append("VBD" if following == "to" and before != "VBZ" else "VBN")
        else:
            found.append(_WORDS.get(piece.lower()) or _AFTER.get(before, ""))
    return found


def _pieces(word: str) -> list[tuple[str, str]]:
    """What stands between two spaces: marks, the word, marks, each with the space after it."""
    before: list[str] = []
    after: list[str] = []
    while len(word) > 1 and word[0] in _OPENING:
        before.append(word[0])
        word = word[1:]
    while len(word) > 1 and word[-1] in _CLOSING and not _is_abbreviation(word):
        after.insert(0, word[-1])
        word = word[:-1]
    pieces = [*before, word, *after]
    return [(piece, " " * (number == len(pieces) - 1)) for number, piece in enumerate(pieces)]


def _is_abbreviation(word: str) -> bool:
    if _ABBREVIATION.fullmatch(word) and len(word) > 2:
        return True
    return word.lower() in ("mr.", "mrs.", "ms.", "dr.", "esq.", "etc.")
