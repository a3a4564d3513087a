"""From text as written to words as spoken, each with the span of the source it came from.

Numbers, dates, times, sums, units, abbreviations and acronyms become words; words that this module
makes obey the Eifeler Regel, words of the writer stay as written. What no rule knows is refused.

`python -m lbtts.languages.luxembourgish.normalize` speaks its standard input, one utterance a line.
"""

import re
import sys
import unicodedata
from collections.abc import Callable

from lbtts.errors import Reject
from lbtts.languages.luxembourgish.abbreviations import (
    ABBREVIATIONS,
    BEFORE_NUMBERS,
    FRACTIONS,
    LETTER_NAMES,
    SENTENCE_OPENERS,
    SYMBOLS,
)
from lbtts.languages.luxembourgish.addresses import ADDRESS, parts_of_address
from lbtts.languages.luxembourgish.characters import LETTERS, Characters, clean
from lbtts.languages.luxembourgish.codes import (
    IBAN,
    PHONE,
    PLATE,
    POSTCODE,
    speak_iban,
    speak_phone,
    speak_plate,
)
from lbtts.languages.luxembourgish.context import Context, Reading
from lbtts.languages.luxembourgish.dates import speak_date, speak_day, speak_time
from lbtts.languages.luxembourgish.measures import (
    PER,
    POWER,
    SCIENTIFIC,
    UNIT,
    speak_power,
    speak_scientific,
    speak_unit,
)
from lbtts.languages.luxembourgish.numerals import speak_fraction, speak_number, speak_range
from lbtts.languages.luxembourgish.ordinals import speak_roman
from lbtts.languages.luxembourgish.pieces import PUNCTUATION, Piece, eifeler, quotes, spoken
from lbtts.languages.luxembourgish.spelling import shouted_spans, spelled

_LETTER = f"[{''.join(sorted(LETTERS))}{''.join(sorted(LETTERS)).upper()}]"
_ABBREVIATION = "|".join(
    re.escape(written) + ("" if written.endswith((".", ";")) else r"(?!\w)")
    for written in sorted(ABBREVIATIONS, key=len, reverse=True)
)
_BEFORE = "|".join(map(re.escape, BEFORE_NUMBERS))
# What begins a name, not the next sentence
_NAME = rf"[ ](?!(?:{'|'.join(SENTENCE_OPENERS)})\b)(?=[A-ZÄËÉÖÜ])"
_DECIMAL_UNIT = r"(?:[kc]?m|kg|g|l|Euro|Meter|Kilo\w*|Liter|Prozent|Grad|Mi[ol]\w*|Mrd)\b"
_PATTERN = re.compile(
    rf"""
    (?P<address>{ADDRESS})
  | (?P<iban>{IBAN})
  | (?P<postcode>{POSTCODE})
  | (?P<plate>{PLATE})
  | (?P<phone>{PHONE})
  | (?P<scientific>{SCIENTIFIC})
  | (?P<date>(?<![\d.])\d{{1,2}}(?:(?P<stop>[./])\d{{1,2}}(?P=stop)|\.[ ]\d{{1,2}}\.[ ])
        (?:\d{{4}}|\d\d)(?![\d.]\d|\d))
  | (?P<iso>(?<![\d-])\d{{4}}-(?:0\d|1[0-2])-[0-3]\d(?![\d-]))
  | (?P<day>(?:(?<=\bden[ ])|(?<=\bde[ ])|(?<=\bvum[ ])|(?<=\bdem[ ])|(?<=\bbis[ ])|(?<=\bvirum[ ]))
        \d{{1,2}}\.(?:0?[1-9]|1[0-2])\.(?![\d.]))
  | (?P<time>(?<![\d.])(?:[01]?\d|2[0-4])(?:[:.][0-5]\d
        (?=[ ]?(?i:auer)\b|[ ]?[-–][ ]?\d{{1,2}}[.:]\d\d[ ]?(?i:auer)\b)|h[0-5]\d\b))
  | (?P<score>\d+:\d+|\d+[ ]:[ ]\d+)
  | (?P<fraction>(?<![\d./,])(?:\d+[ ])?\d{{1,2}}/\d{{1,3}}(?![\d/])
        |(?:\d+[ ]?)?[{"".join(FRACTIONS)}])
  | (?P<to>(?:(?<=\d)|(?<=\d\.)|(?<=\dh))[ ]?[-–—][ ]?(?=\d))
  | (?P<times>(?<=\d)[ ]?[x×·][ ]?(?=\d))
  | (?P<compare>(?<=\d)[ ]?[<>][ ]?(?=\d))
  | (?P<space>[ ]+|mailto:)
  | (?P<unit>{UNIT})
  | (?P<power>{POWER})
  | (?P<number>(?:(?<![\w)%°])[-+–](?=[\d€$£]))?
        (?:(?:[€$£¥]|(?<!\w)(?:CHF|EUR|USD|GBP))[ ]?(?=\d))?
        (?:\d{{1,3}}(?:(?:\.\d{{3}})+|(?:'\d{{3}})+)(?!\d)|[1-9]\d{{0,2}}(?:[ ]\d{{3}})+(?!\d)
          |\d+\.\d{{1,2}}(?=[ ]?(?:[€$£%°]|{_DECIMAL_UNIT}))|\d+)
        (?:,\d+|,-+)?)
  | (?<!\w)(?P<before>{_BEFORE})(?=[ ]?\d)
  | (?<!\w)(?P<abbreviation>{_ABBREVIATION})
  | (?<!\w)(?P<monsieur>M\.)(?={_NAME})
  | (?P<initials>(?<!\w)(?:[A-Z]\.){{2,}})
  | (?P<clitic>(?<!\w)(?:[dszlmnjtcDSZLMNJTC]|[qQ]u)'(?=\w))
  | (?P<word>{_LETTER}+(?:'{_LETTER}+)*)
  | (?P<dot>(?:(?<=[^\W\d_])|(?<![^ ]))\.(?=[a-z])|(?<=\d)\.(?=\d))
  | (?P<ellipsis>\.\.\.+|…)
  | (?P<dash>(?<![^ ])[-–—]+(?![^ ])|[—–])
  | (?P<per>{PER})
  | (?P<silent>[-'/_#<>^·]|(?:(?<=[ (-][A-Z])|(?<=^[A-Z]))\.(?=-[A-Z]|[ ][a-zäëé]|{_NAME}))
  | (?P<mark>[.,;:!?()"])
  | (?P<sections>§§)
  | (?P<symbol>[{re.escape("".join(SYMBOLS))}])
    """,
    re.VERBOSE,
)


def normalize(text: str) -> list[Piece]:
    """The words and punctuation of `text` in order of speaking.

    Raises:
        Reject: a character that no rule knows; the message names it and the word it stands in.
    """
    source = clean(text)
    pieces: list[Piece] = []
    at = 0
    while at < len(source.text):
        match = _PATTERN.match(source.text, at)
        if match is None:
            raise _unknown(source.text, at)
        at = match.end()
        rule = match.lastgroup
        assert rule is not None
        if rule in ("space", "silent"):
            continue
        context = Context(source.text, match, [piece.text for piece in pieces[-3:]])
        roman = speak_roman(context) if rule == "word" else None
        if rule == "word" and roman is None:
            pieces += _words(source, match)
            continue
        if rule == "address":
            pieces += _address(source, match)
            continue
        words, at = roman or _RULES[rule](context)
        span = source.span(match.start(), at)
        pieces += (Piece(word, *span, made=word not in PUNCTUATION) for word in words)
    return quotes(eifeler(pieces))


def _words(source: Characters, match: re.Match[str]) -> list[Piece]:
    """The word in a run of letters and apostrophes, or the names of its letters."""
    word = match[0].replace("'", "")
    span = source.span(*match.span())
    neighbours = source.text[max(match.start() - 1, 0) : match.end() + 1]
    coded = neighbours[0].isdigit() or neighbours[-1].isdigit()
    shouted = any(start <= match.start() < end for start, end in shouted_spans(source.text))
    letters = spelled(word, coded, shouted)
    return [Piece(name, *span, made=True) for name in letters] or [Piece(word, *span)]


def _address(source: Characters, match: re.Match[str]) -> list[Piece]:
    """The pieces of a web address, its runs of letters read as words or spelled."""
    for at in range(*match.span()):
        if source.text[at].isalpha() and source.text[at].lower() not in LETTERS:
            raise _unknown(source.text, at)
    span = source.span(*match.span())
    pieces: list[Piece] = []
    for part, is_name in parts_of_address(match[0]):
        letters = spelled(part, coded=False, shouted=False) if is_name else []
        if is_name and part.isascii() and not re.search("[aeiouyAEIOUY]", part):
            letters = [LETTER_NAMES[letter] for letter in part.upper()]
        is_word = is_name and not letters
        pieces += (Piece(word, *span, made=not is_word) for word in letters or [part])
    return pieces


def _each(say: Callable[[str], list[str]]) -> Callable[[Context], Reading]:
    return lambda context: (say(context.match[0]), context.match.end())


def _monsieur(context: Context) -> Reading:
    """The reading of "M." before a name: after another name it is an initial."""
    last = context.spoken[-1] if context.spoken else ""
    named = last[:1].isupper() and last not in SENTENCE_OPENERS
    return [LETTER_NAMES["M"] if named else "Monsieur"], context.match.end()


_RULES: dict[str, Callable[[Context], Reading]] = {
    "date": speak_date,
    "time": speak_time,
    "score": speak_time,
    "clitic": _each(lambda written: [written]),
    "iso": speak_date,
    "day": speak_day,
    "fraction": speak_fraction,
    "to": speak_range,
    "times": _each(lambda _: ["mol"]),
    "per": _each(lambda _: ["pro"]),
    "compare": _each(lambda written: ["méi", "kleng" if "<" in written else "grouss", "ewéi"]),
    "iban": speak_iban,
    "postcode": speak_plate,
    "plate": speak_plate,
    "phone": speak_phone,
    "scientific": speak_scientific,
    "unit": speak_unit,
    "power": speak_power,
    "sections": _each(lambda _: ["Paragrafen"]),
    "before": _each(lambda written: [BEFORE_NUMBERS[written]]),
    "number": speak_number,
    "abbreviation": _each(lambda written: ABBREVIATIONS[written].split()),
    "monsieur": _monsieur,
    "initials": _each(lambda written: [LETTER_NAMES[c] for c in written if c != "."]),
    "dot": _each(lambda _: ["Punkt"]),
    "ellipsis": _each(lambda _: ["…"]),
    "dash": _each(lambda _: ["—"]),
    "mark": _each(lambda written: [written]),
    "symbol": _each(lambda written: SYMBOLS[written].split()),
}


def _unknown(text: str, at: int) -> Reject:
    start = text.rfind(" ", 0, at) + 1
    end = text.find(" ", at)
    word = text[start : end if end >= 0 else len(text)]
    name = unicodedata.name(text[at], "no name")
    return Reject(
        f"character U+{ord(text[at]):04X} ({name}) in {word!r} is known to no rule; "
        "write it in Latin letters or take it out"
    )


def main() -> None:
    """Speaks standard input, one utterance a line."""
    for line in sys.stdin:
        try:
            print(spoken(normalize(line.rstrip("\n"))))
        except Reject as reject:
            print(f"rejected: {reject}", file=sys.stderr)
            print()


if __name__ == "__main__":
    main()
