"""The characters of a text, reduced to those that the normaliser's rules know.

Every character that comes out remembers where in the source it came from.
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzäëéèêöüàâîïôûùç")

_DROPPED = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f*~`|•†‡[]{}©®™\\")
# Emoji and their like: pictographs, dingbats, flags; followed by skin tones, tags and joined ones.
# Source: Unicode Technical Standard 51, and the blocks of the Unicode Character Database.
_PICTURE = "[\U0001f000-\U0001faff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299]"
_ADDED = "[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\ufe0e\ufe0f\u20e3]"
_EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
    f"|{_PICTURE}{_ADDED}*(?:\u200d{_PICTURE}{_ADDED}*)*|{_ADDED}"
)

# Markup: tags, entities, and in brackets sounds that are not words
_TAG = r"</?(?P<tag>[a-zA-Z][\w-]*)(?:[ ][^<>]*)?/?>|<!--.*?-->"
_ENTITY = r"&(?:amp;)*(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,12}\d{0,2});"
_NOISE = r"\[(?P<noise>[^][]*)\]|\{(?P<braced>[^{}]*)\}"
_MARKUP = re.compile(
    rf"<sup>[ ]?(?P<sup>[-+]?\d+)[ ]?</sup>|\^(?P<raised>[-+]?\d+)|{_TAG}"
    rf"|(?P<entity>{_ENTITY})|{_NOISE}",
    re.DOTALL,
)
_INLINE = frozenset(
    "a abbr b big cite code del em font i ins kbd mark q s small span strong sub sup tt u "
    "var".split()
)
_BLOCK = frozenset("br p div li ul ol td tr th table hr h1 h2 h3 h4 h5 h6 img body html".split())
_RAISE = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+-")
_KEPT = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞…°μ™")  # whose other form says something else

_REPLACED = {
    **dict.fromkeys("\t\n\r\v\f\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000", " "),
    **{chr(code): " " for code in range(0x2000, 0x200B)},
    **dict.fromkeys("’‘‚‛′´ʼ＇", "'"),
    **dict.fromkeys("“”„‟«»″‹›", '"'),
    **dict.fromkeys("‐‑‒−", "-"), "№": "Nr. ", "⁄": "/",
    **dict.fromkeys("⋅∙", "·"),
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
        bases = unicodedata.normalize("NFKD", lower)
        plain = [_GREEK.get(c, c) for c in bases if not unicodedata.combining(c)]
        folded = "".join(plain) if LETTERS.issuperset("".join(plain)) else plain[0]
    if len(folded) == 1 and folded not in LETTERS:
        return character
    return folded.capitalize() if character != lower else folded


def count_emoji(text: str) -> int:
    """How many emoji `clean` drops from `text`."""
    return len(_EMOJI.findall(text))


def noises(text: str) -> list[str]:
    """What stands in square brackets, braces or tags that are no HTML, and is not spoken."""
    found = []
    for match in _MARKUP.finditer(text):
        tag = match["tag"]
        inside = match["noise"] or match["braced"]
        if tag and tag.lower() not in _INLINE | _BLOCK and not match[0].startswith("</"):
            inside = tag
        if inside and inside.strip():
            found.append(inside.strip())
    return found


def clean(text: str) -> Characters:
    """`text` composed (NFC), with one kind of space, apostrophe, quotation mark and hyphen.

    Latin letters that Luxembourgish spelling does not use lose their diacritics, Greek ones are
    transliterated; soft hyphens and invisible characters are dropped. Tags and what stands in
    square brackets are taken out, entities become what they stand for, and emoji give way to
    spaces. What is unknown stays, for the normaliser to name.
    """
    found = [*((m, " ") for m in _EMOJI.finditer(text)), *_read_markup(text)]
    instead = {match.start(): (match.end(), new) for match, new in found}
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        if at in instead:
            end, new = instead[at]
        else:
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            new = text[at:end]
        for composed in unicodedata.normalize("NFC", new):
            for plain in _plain(composed):
                characters.append(plain)
                starts.append(at)
                ends.append(end)
        at = end
    return Characters("".join(characters), tuple(starts), tuple(ends))


def _read_markup(text: str) -> Iterator[tuple[re.Match[str], str]]:
    if not any(sign in text for sign in "<&[{^"):
        return
    for match in _MARKUP.finditer(text):
        tag = (match["tag"] or "").lower()
        raised = match["sup"] or match["raised"]
        if raised:
            yield match, raised.translate(_RAISE)
        elif match["entity"]:
            read = html.unescape(
                match[0].replace("amp;", "") if "amp;" in match[0][1:-4] else match[0]
            )
            if read != match[0]:
                yield match, read
        else:
            yield match, "" if tag in _INLINE else " "


def _plain(character: str) -> str:
    """The characters known to the rules that `character` is written by; empty for none."""
    if character in _DROPPED or unicodedata.combining(character):
        return ""
    if character.isalpha():
        return _letter(character)
    new = _REPLACED.get(character, character).translate(_LOWERED)
    if new == character and not character.isascii() and character not in _KEPT:
        compatible = unicodedata.normalize("NFKC", character)
        if compatible != character and compatible.replace("°", "").isascii():
            return compatible
    return new
