"""The token plan: what Kokoro is given, symbol by symbol, and which phone each symbol belongs to.

Durations travel from the aligner's phones to Kokoro's tokens by the indices kept here; no later
stage parses a phoneme string again.
"""

import heapq
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lbtts.errors import InputError, Reject
from lbtts.grid import MAX_TOKENS
from lbtts.text.vocab import EDGE, encode


@dataclass(frozen=True, slots=True)
class Token:
    """One symbol of Kokoro's vocabulary."""

    symbol: str
    word: int | None  # index into TokenPlan.words; None for spaces and punctuation
    phone: int | None  # index into TokenPlan.phones; None for stress marks too


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone as the aligner knows it."""

    label: str  # canonical, see lbtts.text.inventory
    word: int  # index into TokenPlan.words


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """One utterance, ready for the aligner (`words`, `phones`) and for Kokoro (`tokens`)."""

    id: str
    text: str  # as transcribed
    words: tuple[str, ...]  # as spoken, lower case: the keys of lexicon.dict
    phones: tuple[Phone, ...]
    tokens: tuple[Token, ...]
    emoji: int = 0  # dropped from the text

    def __post_init__(self) -> None:
        """Refuses what Kokoro would cut short.

        Raises:
            Reject: there are more tokens than Kokoro's context holds.
        """
        if len(self.tokens) > MAX_TOKENS:
            raise Reject(
                f"{len(self.tokens)} tokens, Kokoro takes at most {MAX_TOKENS}; "
                "split the recording and its transcript"
            )

    @property
    def phonemes(self) -> str:
        """The phoneme string that KPipeline would pass to KModel."""
        return "".join(token.symbol for token in self.tokens)

    @property
    def input_ids(self) -> list[int]:
        """Ids of all tokens between BOS and EOS: len(tokens) + 2 of them."""
        return [EDGE, *encode(token.symbol for token in self.tokens), EDGE]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its phones."""
        return tuple(phone.label for phone in self.phones)

    def pronunciations(self) -> list[tuple[str, tuple[str, ...]]]:
        """Every word with its phones, in order: the entries that lexicon.dict needs."""
        phones: list[list[str]] = [[] for _ in self.words]
        for phone in self.phones:
            phones[phone.word].append(phone.label)
        return [(word, tuple(labels)) for word, labels in zip(self.words, phones, strict=True)]


def write_token_plans(plans: Iterable[TokenPlan], path: str | Path) -> None:
    """Writes one JSON object a line, sorted by id: tokens as [symbol, word, phone] rows."""
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        for plan in sorted(plans, key=lambda plan: plan.id):
            record = asdict(plan)
            record["phones"] = [[phone.label, phone.word] for phone in plan.phones]
            record["tokens"] = [[token.symbol, token.word, token.phone] for token in plan.tokens]
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_token_plans(path: str | Path) -> list[TokenPlan]:
    """The plans in `path`, in its order; raises as `each_token_plan` does."""
    return list(each_token_plan(path))


def each_token_plan(path: str | Path) -> Iterator[TokenPlan]:
    """The plans in `path` one by one: all of them at once take 1 to 6 kB each.

    Raises:
        InputError: the file is missing or a line is no plan; the message names it.
    """
    path = Path(path)
    try:
        file = path.open(encoding="utf-8", newline="\n")
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run `dvc repro g2p`") from None
    with file:
        try:
            for number, line in enumerate(file, 1):
                if line != "\n":
                    yield _plan(path, number, line)
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8 ({error}); run `dvc repro -s -f g2p`") from None


def shortest_plans(path: str | Path, count: int) -> list[TokenPlan]:
    """At most `count` plans in `path`, those with the fewest tokens, the shortest first.

    Raises:
        InputError: there is none; and as `each_token_plan` does.
    """
    plans = each_token_plan(path)
    found = heapq.nsmallest(count, plans, key=lambda plan: (len(plan.tokens), plan.id))
    if not found:
        raise InputError(f"{path}: no utterance; run `dvc repro g2p`")
    return found


@lru_cache(2**16, typed=True)
def _shared(kind: Callable[..., Any], *row: Any) -> Any:
    """The phone or token of a row; plans share equal ones, which saves most of the memory."""
    return kind(*row)


def _plan(path: Path, number: int, line: str) -> TokenPlan:
    try:
        record = json.loads(line)
        return TokenPlan(
            id=record["id"],
            text=record["text"],
            words=tuple(map(sys.intern, record["words"])),
            phones=tuple(_shared(Phone, *row) for row in record["phones"]),
            tokens=tuple(_shared(Token, *row) for row in record["tokens"]),
            emoji=record["emoji"],
        )
    except (ValueError, KeyError, TypeError, Reject) as error:
        raise InputError(
            f"{path}:{number}: not a token plan ({error}); run `dvc repro g2p`"
        ) from None
