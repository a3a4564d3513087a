"""The characters of a text, reduced to those that the normaliser's rules know.

Every character that comes out remembers where in the source it came from.
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import unicodedata
from dataclasses import dataclass

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzäëéèêöüàâîïôûùç")

_DROPPED = frozenset(
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f*_^~`|•·†‡#[]{}<>©®™\\"
)
_REPLACED = {
    **dict.fromkeys("\t\n\r\v\f\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000", " "),
    **{chr(code): " " for code in range(0x2000, 0x200B)},
    **dict.fromkeys("’‘‚‛′´ʼ＇", "'"),
    **dict.fromkeys("“”„‟«»″‹›", '"'),
    **dict.fromkeys("‐‑‒−", "-"),
    **dict.fromkeys("—―", "—"),
    "¿": "?", "¡": "!", "º": "°", "µ": "μ",
}  # fmt: skip
_FOLDED = {
    "ß": "ss", "ø": "ö", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "ng",
    "œ": "oe", "æ": "ae", "ſ": "s", "ĳ": "ij",
}  # fmt: skip
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψω",
        "a b g d e z e th i k l m n x o p r s s t y f ch ps o".split(),
        strict=True,
    )
)


@dataclass(frozen=True)
class Characters:
    """A cleaned text; `starts[i]` and `ends[i]` bound the source of its i-th character."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The source span of the cleaned text's `start` to `end`, which must not be empty."""
        return self.starts[start], self.ends[end - 1]


def _letter(character: str) -> str:
    lower = character.lower()
    if lower in LETTERS:
        return character
    folded = _FOLDED.get(lower)
    if folded is None:
        base = unicodedata.normalize("NFKD", lower)[0]
        folded = _GREEK.get(base, base)
    if len(folded) == 1 and folded not in LETTERS:
        return character
    return folded.capitalize() if character != lower else folded


def clean(text: str) -> Characters:
    """`text` composed (NFC), with one kind of space, apostrophe, quotation mark and hyphen.

    Latin letters that Luxembourgish spelling does not use lose their diacritics, Greek ones are
    transliterated; soft hyphens, invisible characters and mark-up are dropped. What is unknown
    stays, for the normaliser to name.
    """
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        for composed in unicodedata.normalize("NFC", text[at:end]):
            if composed in _DROPPED or unicodedata.combining(composed):
                continue
            new = _REPLACED.get(composed, composed)
            if composed.isalpha():
                new = _letter(composed)
            characters.append(new)
            starts += [at] * len(new)
            ends += [end] * len(new)
        at = end
    return Characters("".join(characters), tuple(starts), tuple(ends))
