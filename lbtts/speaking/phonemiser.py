"""Phonemes of text with markup, each token with the place in the text that it speaks."""

import re
import warnings
from collections.abc import Iterator, Sequence

from misaki.token import MToken

from lbtts.errors import InputError, Reject
from lbtts.speaking.markup import Pause, Written, parse
from lbtts.text.front_end import FrontEnd

Span = tuple[int, int]


def phonemise(text: str, front_end: FrontEnd) -> Iterator[list[MToken] | Pause]:
    """The tokens of `text` up to each pause, and the pauses, in their order.

    The span of a token is that of what it speaks in `text`; see `span`. A part that no rule can
    read is left out with a warning.

    Raises:
        InputError: wrong markup, or given phonemes for part of what is read as one.
    """
    written: list[Written] = []
    for part in [*parse(text), Pause(0)]:
        if isinstance(part, Written):
            written.append(part)
            continue
        try:
            tokens = _tokens(text, written, front_end)
        except Reject as reject:
            warnings.warn(f"not spoken: {reject}", stacklevel=2)
            tokens = []
        if tokens:
            yield tokens
        if part.seconds:
            yield part
        written = []


def span(token: MToken) -> Span:
    """Start and end of what `token` speaks, in the text that was phonemised."""
    assert token._ is not None
    return token._["start"], token._["end"]


def _tokens(text: str, written: Sequence[Written], front_end: FrontEnd) -> list[MToken]:
    plain, origin, given = _readable(text, written, front_end)
    tokens = front_end(plain)[1]
    spoken = [token for token in _located(plain, tokens) if token.phonemes]
    for (start, end), phonemes in given:
        spoken = _replaced(spoken, start, end, phonemes, plain)
    for token in spoken:
        start, end = span(token)
        last = origin[end - 1] + 1 if end > start else origin[start]
        token._ = MToken.Underscore(start=origin[start], end=last)
    return spoken


def _readable(
    text: str, written: Sequence[Written], front_end: FrontEnd
) -> tuple[str, list[int], list[tuple[Span, str]]]:
    """Text that the front end can read.

    Returns:
        It; for each of its characters, and for its end, the place in `text`; and the spans in it
        whose phonemes are given.
    """
    made: list[str] = []
    origin: list[int] = []
    given: list[tuple[Span, str]] = []
    changed: list[str] = []
    for part in written:
        start = len(origin)
        for match in re.finditer(r"\s+|\w+|[^\w\s]+", text[part.start : part.end]):
            word: str = match[0]
            others: list[str] = []
            if not word.isspace() and not word.isascii():
                word, others = front_end.romanised(word)
            places = range(part.start + match.start(), part.start + match.end())
            if len(word) == len(places):
                origin += places
            else:
                origin += [places[i * len(places) // len(word)] for i in range(len(word))]
            made.append(word)
            changed += others if part.phonemes is None else []
        if part.phonemes is not None:
            given.append(((start, len(origin)), part.phonemes))
    if changed:
        words = ", ".join(dict.fromkeys(changed))
        warnings.warn(
            f"not in Latin letters, so the pronunciation may be wrong: {words}", stacklevel=2
        )
    origin.append(written[-1].end if written else 0)
    return "".join(made), origin, given


def _located(plain: str, tokens: Sequence[MToken]) -> Iterator[MToken]:
    """`tokens` with their spans in `plain`: those that the front end gives, else as they come."""
    at = 0
    for token in tokens:
        if token._ is None or "start" not in token._:
            found = plain.find(token.text, at)
            start = at if found < 0 else found
            token._ = MToken.Underscore(start=start, end=start + len(token.text) * (found >= 0))
        at = max(at, token._["end"])
        yield token


def _replaced(
    tokens: list[MToken], start: int, end: int, phonemes: str, plain: str
) -> list[MToken]:
    """`tokens` with `phonemes` in place of those from `start` to `end`."""
    before = [token for token in tokens if span(token)[1] <= start]
    after = [token for token in tokens if span(token)[0] >= end]
    for token in tokens[len(before) : len(tokens) - len(after)]:
        first, last = span(token)
        if first < start or last > end:
            raise InputError(
                f"[{plain[start:end]}](/{phonemes}/): is read together with its neighbours; "
                f"mark all of [{plain[first:last]}]"
            )
    following = plain[end : span(after[0])[0]] if after else ""
    space = " " if following[:1].isspace() else ""
    said = MToken(plain[start:end], "", space, phonemes)
    said._ = MToken.Underscore(start=start, end=end)
    if before and not before[-1].whitespace and plain[span(before[-1])[1] : start].isspace():
        before[-1].whitespace = " "
    return [*before, said, *after]
