"""What a word may sound like, what it was heard as, and the plan that follows the ear."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from lbtts.alignment.textgrid import Interval
from lbtts.errors import InputError, Reject
from lbtts.text.graphones import Phones
from lbtts.text.phones import STRESS, SYMBOLS, VOWELS, canonical
from lbtts.text.tokens import Phone, Plan, Token

Dictionary = Mapping[str, tuple[Phones, ...]]

_POSITION_MARK = re.compile(r"_[BIES]$")  # Kaldi's, of a phone at a word's beginning, inside, ...
_SILENCES = frozenset({"sil", "sp", "pau", "<eps>", "<sil>", "<p>", "_"})  # of other aligners
_MOST_EDITS = 0.5  # of a word's phones; one that differs more is another word


@dataclass(frozen=True)
class _Heard:
    """A phone of the recording and which of the plan's it is, None for one that the plan lacks."""

    interval: Interval
    planned: int | None


def read_dictionary(path: str | Path) -> Dictionary:
    """The pronunciations of each word in `data/g2p/lexicon.dict`.

    Raises:
        InputError: the file is missing.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run `dvc repro g2p`") from None
    found: dict[str, tuple[Phones, ...]] = defaultdict(tuple)
    for line in lines:
        word, phones = line.split("\t")
        found[word] += (tuple(phones.split()),)
    return found


def pronunciations(plan: Plan, dictionary: Dictionary) -> list[list[Phones]]:
    """Of each word the pronunciations it may have: the plan's, then those of the dictionary."""
    return [
        [phones, *(p for p in dictionary.get(word, ()) if p != phones)]
        for word, phones in plan.pronunciations()
    ]


def recognised(phones: Sequence[Interval]) -> tuple[Interval, ...]:
    """Intervals of any aligner under canonical labels, without silences and position marks.

    Raises:
        Reject: a label has no place in the phoneme contract.
    """
    known = []
    for phone in phones:
        if phone.label.lower() in _SILENCES:
            continue
        try:
            label = canonical([_POSITION_MARK.sub("", phone.label)])
        except ValueError as error:
            raise Reject(f"{error}; map it in lbtts/text/phones.py or mend the TextGrid") from None
        if label:
            known.append(Interval(phone.start, phone.end, label[0]))
    return tuple(known)


def follow(
    plan: Plan, phones: Sequence[Interval], dictionary: Dictionary
) -> tuple[Plan, tuple[Interval, ...]]:
    """The plan with the phones that were heard, and these, one interval a phone of it.

    The cheapest edit of one sequence into the other says which phone is which: another vowel for a
    vowel or consonant for a consonant costs one, as does one too many or too few; a t and an s
    where ʦ is planned are that ʦ and cost nothing. A phone too many belongs to the word before it.

    Args:
        plan: what was to be said.
        phones: what was heard, canonical.
        dictionary: pronunciations that a word may have, however far they are from the plan's.

    Raises:
        Reject: a word was heard with none of these, and more than half of its phones differ from
            the plan's; both sequences are shown.
    """
    if [phone.label for phone in phones] == [phone.label for phone in plan.phones]:
        return plan, tuple(phones)
    heard = _matched(plan, phones)
    words: list[list[_Heard]] = [[] for _ in plan.words]
    here = 0
    for phone in heard:
        here = here if phone.planned is None else plan.phones[phone.planned].word
        words[here].append(phone)
    for number, group in groupby(range(len(plan.phones)), key=lambda k: plan.phones[k].word):
        planned = list(group)
        labels = tuple(h.interval.label for h in words[number])
        kept = sum(
            h.planned is not None and h.interval.label == plan.phones[h.planned].label
            for h in words[number]
        )
        length = max(len(planned), len(labels))
        known = labels in dictionary.get(plan.words[number], ())
        if not known and (not labels or length - kept > _MOST_EDITS * length):
            raise Reject(
                f"{plan.words[number]!r} was heard as other phones: "
                f"{' '.join(p.label for p in phones)} | planned: "
                f"{' '.join(p.label for p in plan.phones)}"
            )
    followed = replace(
        plan,
        phones=tuple(Phone(h.interval.label, number) for number, w in enumerate(words) for h in w),
        tokens=tuple(_tokens(plan, words)),
    )
    return followed, tuple(h.interval for w in words for h in w)


def _matched(plan: Plan, phones: Sequence[Interval]) -> list[_Heard]:
    """Every phone heard with its phone of the plan, by dynamic programming."""
    planned = [phone.label for phone in plan.phones]
    found = [phone.label for phone in phones]
    cost = np.full((len(planned) + 1, len(found) + 1), np.inf)
    move = np.zeros((*cost.shape, 2), np.int64)
    cost[0, 0] = 0
    for i in range(len(planned) + 1):
        for j in range(len(found) + 1):
            ways = [(1, 0, 1.0), (0, 1, 1.0)]
            if i and j:
                ways.append((1, 1, _difference(planned[i - 1], found[j - 1])))
            if i and j > 1 and canonical(found[j - 2 : j]) == (planned[i - 1],):
                ways.append((1, 2, 0.0))
            for down, right, price in ways:
                if down <= i and right <= j and cost[i - down, j - right] + price < cost[i, j]:
                    cost[i, j] = cost[i - down, j - right] + price
                    move[i, j] = down, right
    heard: list[_Heard] = []
    i, j = len(planned), len(found)
    while i or j:
        down, right = move[i, j].tolist()
        i, j = i - down, j - right
        if right == 1:
            heard.append(_Heard(phones[j], i if down else None))
        elif right == 2:
            joined = Interval(phones[j].start, phones[j + 1].end, planned[i])
            heard.append(_Heard(joined, i))
    return heard[::-1]


def _difference(one: str, other: str) -> float:
    if one == other:
        return 0
    return 1 if (one in VOWELS) == (other in VOWELS) else 2


def _tokens(plan: Plan, words: Sequence[Sequence[_Heard]]) -> list[Token]:
    """The plan's tokens with those of each word made anew from its phones."""
    tokens: list[Token] = []
    phone = 0
    for word, group in groupby(plan.tokens, key=lambda token: token.word):
        old = list(group)
        if word is None:
            tokens += old
            continue
        marks = _marks(old, words[word])
        for k, heard in enumerate(words[word]):
            if k in marks:
                tokens.append(Token(marks[k], word, None))
            tokens += (Token(symbol, word, phone) for symbol in SYMBOLS[heard.interval.label])
            phone += 1
    return tokens


def _marks(tokens: Sequence[Token], heard: Sequence[_Heard]) -> dict[int, str]:
    """The marks of stress that the plan put on phones of a word, by the phones that were heard.

    A main stress whose vowel was not said goes to the first one, a second stress is lost.
    """
    places = {h.planned: k for k, h in enumerate(heard) if h.planned is not None}
    marks: dict[int, str] = {}
    for token, following in pairwise(tokens):
        if token.phone is None and following.phone in places:
            marks.setdefault(places[following.phone], token.symbol)
        elif token.symbol == STRESS:
            vowels = [k for k, h in enumerate(heard) if h.interval.label in VOWELS]
            marks[vowels[0] if vowels else 0] = STRESS
    return marks
