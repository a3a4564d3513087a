"""The characters of a text, reduced to those that the normaliser's rules know.

Every character that comes out remembers where in the source it came from.
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import re
import unicodedata
from dataclasses import dataclass

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzäëéèêöüàâîïôûùç")

_DROPPED = frozenset(
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f*_^~`|•·†‡#[]{}<>©®™\\"
)
# Emoji and their like: pictographs, dingbats, flags; behind them skin tones, tags and joined ones.
# Source: Unicode Technical Standard 51, and the blocks of the Unicode Character Database.
_PICTURE = "[\U0001f000-\U0001faff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299]"
_ADDED = "[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\ufe0e\ufe0f\u20e3]"
_EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
    f"|{_PICTURE}{_ADDED}*(?:\u200d{_PICTURE}{_ADDED}*)*|{_ADDED}"
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


def count_emoji(text: str) -> int:
    """How many emoji `clean` drops from `text`."""
    return len(_EMOJI.findall(text))


def clean(text: str) -> Characters:
    """`text` composed (NFC), with one kind of space, apostrophe, quotation mark and hyphen.

    Latin letters that Luxembourgish spelling does not use lose their diacritics, Greek ones are
    transliterated; soft hyphens, invisible characters and mark-up are dropped, and emoji give way
    to spaces. What is unknown stays, for the normaliser to name.
    """
    pictures = {match.start(): match.end() for match in _EMOJI.finditer(text)}
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        if at in pictures:
            characters.append(" ")
            starts.append(at)
            at = pictures[at]
            ends.append(at)
            continue
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
