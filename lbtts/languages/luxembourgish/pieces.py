"""The pieces of a spoken text, words and punctuation, and what depends on their neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from lbtts.languages.luxembourgish.numbers import drop_n, keeps_n

_OPENING = frozenset("(“")
_SPACED = _OPENING | {"—"}  # the marks that a space comes before
PUNCTUATION = frozenset(';:,.!?—…"()“”')
# Of the words that rules make, those whose n falls: not zéng, Kilogramm, eelef or Rappen.
_N_WORDS = (
    "een",
    "den",
    "siwen",
    "ten",
    "iounen",
    "iarden",
    "onnen",
    "utten",
    "an",
    "alorien",
    "allwen",
)


@dataclass(frozen=True)
class Piece:
    """A spoken word, or a punctuation symbol that Kokoro knows."""

    text: str
    start: int  # of what it stands for in the source
    end: int
    made: bool = False  # by a rule: such a word loses its n before most consonants

    @property
    def is_word(self) -> bool:
        """Whether it is spoken."""
        return self.text not in PUNCTUATION

    @property
    def is_clitic(self) -> bool:
        """Whether it leans on the next word: d', s', z'."""
        return self.text.endswith("'")


def space_follows(piece: Piece, following: Piece | None) -> bool:
    """Whether there is a space between a piece and the next."""
    if following is None or piece.is_clitic or piece.text in _OPENING:
        return False
    return following.is_word or following.text in _SPACED


def spoken(pieces: Sequence[Piece]) -> str:
    """The pieces as one line of text, spaced as Luxembourgish is written."""
    return "".join(
        piece.text + " " * space_follows(piece, following)
        for piece, following in zip_longest(pieces, pieces[1:])
    )


def eifeler(pieces: list[Piece]) -> list[Piece]:
    """The pieces with the Eifeler Regel applied to the words that rules made."""
    out: list[Piece] = []
    for i, piece in enumerate(pieces):
        following = pieces[i + 1] if i + 1 < len(pieces) else None
        sound = following.text if following is not None and following.is_word else ""
        if piece.made and piece.text.endswith(_N_WORDS) and not keeps_n(sound):
            piece = Piece(drop_n(piece.text), piece.start, piece.end, made=True)
        out.append(piece)
    return out


def quotes(pieces: list[Piece]) -> list[Piece]:
    """The pieces with quotation marks opened and closed in turn."""
    out = []
    opening = True
    for piece in pieces:
        if piece.text == '"':
            piece = Piece("“" if opening else "”", piece.start, piece.end)
            opening = not opening
        out.append(piece)
    return out
