"""Tokens of a front end in chunks that Kokoro can speak at once: sentences, or parts of them."""

import math
from collections.abc import Iterator, Sequence

from misaki.token import MToken

from lbtts.grid import MAX_TOKENS
from lbtts.text.inventory import Inventory

_ENDS = (".!?…", ";:", ",—")  # where to split, best first: sentences, clauses, phrases
_MARKS = (Inventory.stress, Inventory.second_stress)  # belong to the symbol after them
_JOINED = "ː\u0303"  # belongs to the symbol before it
_CLOSING = '"”)'  # stays with the punctuation before it


def phonemes_of(tokens: Sequence[MToken]) -> str:
    """The phoneme string of `tokens`, as KPipeline would pass it to KModel."""
    return "".join(
        (token.phonemes or "") + (" " if token.whitespace else "") for token in tokens
    ).strip()


def chunks(tokens: list[MToken], limit: int = MAX_TOKENS) -> Iterator[list[MToken]]:
    """`tokens` by sentences; a sentence over `limit` phonemes is split at the best place.

    That is after a clause, else after a phrase, in the second half of the part that fits; else
    between words, into parts of similar length, so no word is left alone. A word over the limit is
    split before a vowel if possible.
    """
    fitting_tokens = [part for token in tokens for part in _fitted(token, limit)]
    for sentence in _split(fitting_tokens, _ENDS[0]):
        while (length := _length(sentence)) > limit:
            fitting = _fitting(sentence, limit)
            ends = ([*_boundaries(sentence[:fitting], marks)] for marks in _ENDS[1:])
            late = (found[-1] for found in ends if found and found[-1] > fitting / 2)
            even = math.ceil(length / math.ceil(length / limit))
            cut = next(late, None) or _fitting(sentence, even) or fitting
            yield sentence[:cut]
            sentence = sentence[cut:]
        yield sentence


def _fitted(token: MToken, limit: int) -> Iterator[MToken]:
    """`token`, or parts of it of similar length; the first has its text, the last its space."""
    phonemes = token.phonemes or ""
    if len(phonemes) <= limit:
        yield token
        return
    size = math.ceil(len(phonemes) / math.ceil(len(phonemes) / limit))
    starts = [0]
    while starts[-1] + size < len(phonemes):
        cut = starts[-1] + size
        marked = phonemes.rfind(Inventory.stress, starts[-1] + 1, cut)
        joined = phonemes[cut] in _JOINED or phonemes[cut - 1] in _MARKS
        starts.append(marked if joined and marked > 0 else cut - joined or cut)
    for start, end in zip(starts, [*starts[1:], len(phonemes)], strict=True):
        text = token.text if start == 0 else ""
        space = token.whitespace if end == len(phonemes) else ""
        yield MToken(text, token.tag, space, phonemes[start:end], _=token._)


def _fitting(tokens: list[MToken], limit: int) -> int:
    """The number of `tokens`, from the first, that have at most `limit` phonemes together."""
    return next(n for n in range(len(tokens), -1, -1) if _length(tokens[:n]) <= limit)


def _split(tokens: list[MToken], marks: str) -> Iterator[list[MToken]]:
    """`tokens` cut after each of `marks`."""
    start = 0
    for end in _boundaries(tokens, marks):
        yield tokens[start:end]
        start = end
    if start < len(tokens):
        yield tokens[start:]


def _boundaries(tokens: list[MToken], marks: str) -> Iterator[int]:
    """The number of tokens up to each run of `marks`, closing punctuation after it included."""
    ended = False
    for index, token in enumerate(tokens):
        if _is_mark(token, marks):
            ended = True
        elif ended and not (_is_mark(token, _CLOSING) and not tokens[index - 1].whitespace):
            yield index
            ended = False
    if ended:
        yield len(tokens)


def _is_mark(token: MToken, marks: str) -> bool:
    return bool(token.phonemes) and token.phonemes in marks


def _length(tokens: list[MToken]) -> int:
    """The number of phonemes that KModel would get."""
    return len(phonemes_of(tokens))
