"""The pronunciation that was spoken for each word, and the token plan with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from lbtts.alignment.textgrid import Interval
from lbtts.errors import Reject
from lbtts.text.dictionary import Dictionary
from lbtts.text.inventory import Inventory, Phones
from lbtts.text.tokens import Phone, Token, TokenPlan

_POSITION_MARK = re.compile(r"_[BIES]$")  # Kaldi's, of a phone at a word's beginning, inside, ...
_SILENCES = frozenset({"sil", "sp", "pau", "<eps>", "<sil>", "<p>", "_"})  # of other aligners
_SPACE = " "
_MOST_EDITS = 0.5  # of a word's phones; one that differs more is another word


@dataclass(frozen=True)
class SpokenPhone:
    """A phone of the recording, and the index of its planned phone; None if it was not planned."""

    interval: Interval
    planned: int | None


def pronunciations(plan: TokenPlan, dictionary: Dictionary) -> list[list[Phones]]:
    """The possible pronunciations of each word: the plan's, then those of the dictionary."""
    return [
        [phones, *(p for p in dictionary.get(word, ()) if p != phones)]
        for word, phones in plan.pronunciations()
    ]


def recognised(phones: Sequence[Interval], inventory: Inventory) -> tuple[Interval, ...]:
    """The intervals of any aligner with canonical labels, without silences and position marks.

    Raises:
        Reject: a label is not in the inventory.
    """
    known = []
    for phone in phones:
        if phone.label.lower() in _SILENCES:
            continue
        try:
            label = inventory.canonical([_POSITION_MARK.sub("", phone.label)])
        except ValueError as error:
            raise Reject(f"{error}; map it in {inventory.defined_in} or fix the TextGrid") from None
        if label:
            known.append(Interval(phone.start, phone.end, label[0]))
    return tuple(known)


def follow(
    plan: TokenPlan, phones: Sequence[Interval], dictionary: Dictionary, inventory: Inventory
) -> tuple[TokenPlan, tuple[Interval, ...]]:
    """The plan with the phones that were spoken, and the interval of each of them.

    The cheapest edit from the planned to the spoken phones matches them. Replacing a vowel by a
    vowel or a consonant by a consonant costs one, an insertion or deletion too. A t and an s match
    a planned ʦ at no cost. A spoken phone that may stand for the planned one (`Inventory.finer`)
    is the planned one. An inserted phone belongs to the word before it.

    Args:
        plan: as it was planned.
        phones: that were spoken, canonical.
        dictionary: pronunciations that a word may have, however far they are from the plan's.
        inventory: the language's phones.

    Raises:
        Reject: a word was spoken with none of these, and more than half of its phones differ from
            the plan's; both sequences are shown.
    """
    if tuple(phone.label for phone in phones) == plan.labels:
        return plan, tuple(phones)
    spoken = matched(plan.labels, phones, inventory)
    words: list[list[SpokenPhone]] = [[] for _ in plan.words]
    here = 0
    for phone in spoken:
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
                f"{plan.words[number]!r} was spoken with other phones: "
                f"{' '.join(p.label for p in phones)} | planned: "
                f"{' '.join(p.label for p in plan.phones)}"
            )
    return as_spoken(plan, words, inventory)


def as_spoken(
    plan: TokenPlan, words: Sequence[Sequence[SpokenPhone]], inventory: Inventory
) -> tuple[TokenPlan, tuple[Interval, ...]]:
    """The plan with these phones in its words, without words that have none; their intervals."""
    there = [number for number, word in enumerate(words) if word]
    place = {number: k for k, number in enumerate(there)}
    spoken = replace(
        plan,
        words=tuple(plan.words[number] for number in there),
        phones=tuple(Phone(h.interval.label, place[n]) for n in there for h in words[n]),
        tokens=tuple(
            replace(token, word=None if token.word is None else place[token.word])
            for token in _tokens(plan, words, inventory)
        ),
    )
    return spoken, tuple(h.interval for word in words for h in word)


def matched(
    planned: Sequence[str], phones: Sequence[Interval], inventory: Inventory
) -> list[SpokenPhone]:
    """Every spoken phone with its planned phone, by the cheapest edit, see `follow`."""
    found = [phone.label for phone in phones]
    cost = np.full((len(planned) + 1, len(found) + 1), np.inf)
    move = np.zeros((*cost.shape, 2), np.int64)
    cost[0, 0] = 0
    for i in range(len(planned) + 1):
        for j in range(len(found) + 1):
            ways = [(1, 0, 1.0), (0, 1, 1.0)]
            if i and j:
                ways.append((1, 1, _difference(planned[i - 1], found[j - 1], inventory)))
            if i and j > 1 and inventory.canonical(found[j - 2 : j]) == (planned[i - 1],):
                ways.append((1, 2, 0.0))
            for down, right, price in ways:
                if down <= i and right <= j and cost[i - down, j - right] + price < cost[i, j]:
                    cost[i, j] = cost[i - down, j - right] + price
                    move[i, j] = down, right
    spoken: list[SpokenPhone] = []
    i, j = len(planned), len(found)
    while i or j:
        down, right = move[i, j].tolist()
        i, j = i - down, j - right
        if right == 1:
            interval = phones[j]
            if down and planned[i] in inventory.finer.get(interval.label, ()):
                interval = replace(interval, label=planned[i])
            spoken.append(SpokenPhone(interval, i if down else None))
        elif right == 2:
            joined = Interval(phones[j].start, phones[j + 1].end, planned[i])
            spoken.append(SpokenPhone(joined, i))
    return spoken[::-1]


def _difference(one: str, other: str, inventory: Inventory) -> float:
    if one == other or one in inventory.finer.get(other, ()):
        return 0
    return 1 if (one in inventory.vowels) == (other in inventory.vowels) else 2


def _tokens(
    plan: TokenPlan, words: Sequence[Sequence[SpokenPhone]], inventory: Inventory
) -> list[Token]:
    """The plan's tokens, those of each word made anew from its spoken phones.

    A word without phones is removed, and the space before it too, unless the next word follows
    without a space.
    """
    tokens: list[Token] = []
    phone = 0
    groups = [(word, list(g)) for word, g in groupby(plan.tokens, key=lambda token: token.word)]
    for k, (word, old) in enumerate(groups):
        if word is None:
            tokens += old[not tokens and old[0].symbol == _SPACE :]
            continue
        if not words[word]:
            apart = k + 1 == len(groups) or groups[k + 1][0] is None
            if apart and tokens and tokens[-1].symbol == _SPACE:
                tokens.pop()
            continue
        marks = _marks(plan, old, words[word], inventory)
        for number, spoken in enumerate(words[word]):
            if number in marks:
                tokens.append(Token(marks[number], word, None))
            symbols = inventory.symbols[spoken.interval.label]
            tokens += (Token(symbol, word, phone) for symbol in symbols)
            phone += 1
    return tokens


def _marks(
    plan: TokenPlan, tokens: Sequence[Token], spoken: Sequence[SpokenPhone], inventory: Inventory
) -> dict[int, str]:
    """The plan's stress marks of a word, by the index of the spoken phone.

    A secondary stress is lost if its vowel was not spoken; the main stress moves to the nearest
    vowel.
    """
    marks: dict[int, str] = {}
    for token, following in pairwise(tokens):
        if token.phone is not None or following.phone is None:
            continue
        main = token.symbol == inventory.stress
        place = _stressed(plan, tokens, spoken, following.phone, inventory, nearest=main)
        if place is not None and (main or place not in marks):
            marks[place] = token.symbol
    return marks


def _stressed(
    plan: TokenPlan,
    tokens: Sequence[Token],
    spoken: Sequence[SpokenPhone],
    planned: int,
    inventory: Inventory,
    *,
    nearest: bool,
) -> int | None:
    """The index of the spoken phone with the stress that the plan has on the phone `planned`.

    It is the vowel of the same syllable. If the word was spoken with another number of syllables,
    it is the phone itself; if that is missing and `nearest` is set, the vowel of the nearest
    syllable, preferably not a schwa.
    """
    symbols = [token.phone for token in tokens if token.phone is not None]
    nuclei = [p for p in dict.fromkeys(symbols) if plan.phones[p].label in inventory.vowels]
    vowels = [k for k, h in enumerate(spoken) if h.interval.label in inventory.vowels]
    if len(vowels) == len(nuclei) and planned in nuclei:
        return vowels[nuclei.index(planned)]
    same = [k for k, h in enumerate(spoken) if h.planned == planned]
    if same:
        return same[0]
    if not nearest:
        return None
    before = sum(nucleus < planned for nucleus in nuclei)
    choices = [
        (spoken[k].interval.label in inventory.schwas, abs(number - before), k)
        for number, k in enumerate(vowels)
    ]
    return min(choices)[-1] if choices else 0
