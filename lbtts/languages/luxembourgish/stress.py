"""Where a word is stressed, by rule and by list: no reachable source of pronunciations marks it.

Kokoro was trained on phonemes of misaki and espeak-ng, which put the mark directly before the
stressed vowel, not before its syllable; so does lbtts.

stress.tsv has the words that the rules would get wrong, with the number of the stressed syllable;
a line holds for the inflected forms of its word, too. function_words.tsv has the words that are not
stressed in a sentence.
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lbtts.errors import InputError
from lbtts.languages.luxembourgish.loans import (
    CLOSED,
    GROUP,
    LAST_STRESSED,
    full_vowels,
    stressed_in_simple,
)
from lbtts.languages.luxembourgish.phones import (
    NASALS,
    SCHWAS,
    SECOND_STRESS,
    STRESS,
    VOWELS,
    canonical,
)
from lbtts.text.inventory import Phones
from lbtts.text.lexicon import read_lines

LISTED = Path(__file__).with_name("stress.tsv")
UNSTRESSED = Path(__file__).with_name("function_words.tsv")

_INFLECTIONS = ("", *"s t e n en er em es te ten ter st nen ne ë ën ens in innen inne".split())
_MARKS = (STRESS, SECOND_STRESS)
_PLURALS = ("", "en", "e", "er", "s")
_UNSTRESSED_PREFIX = re.compile("be|ge|ver|zer|er|ent|emp")
_OPEN_SYLLABLE = re.compile("e[^aeiouyäëéèêöüàâîôûù]{1,2}(?<!l[^l])[aeiouyäëéèêöüàâîôûù]")
PARTICLES = frozenset(  # the first part of a verb, or of what is made from one, is stressed
    "un u of op aus bäi ëm no vir mat eran eraus erof erop erëm zou wech ewech zeréck "
    "zréck fort weider hannert fest fräi lass nei iwwer ënner duerch on vun heem dout "
    "voll a an ab auf ur".split()
)
_WITHIN = re.compile("iwwer|ënner|widder|hanner")  # of a verb: its stem is stressed
_NO_VERB = re.compile(
    "ge(?!he|l).*|ze[bdfghklmnprstvwz].*|.*(?:lech|(?<!e)eg|esch|bar)(?:e[nrm]?|t)?"
)
_OF_VERB = re.compile(".{3,}(?:ung(?:en?)?|er(?:in)?)")
_TOWARDS = re.compile(  # adverbs that are stressed on their second part
    "(?:do|hei|hin|der|duer|her|vir|no)r?(?:un|u|of|op|aus|ëm|iwwer|ënner|an|a|bäi|mat|fir|vun|vu|"
    "zou|no|hin|hier|heem|bannen?|baussen?|uewen?|hannen?|hanner|hinner|robber|ropper|rëmmer|ënnen?|duerch|"
    "géint|drun|dru|tëscht|niewent|widder)"
)
_BEFORE = re.compile("(?:vir|der)(?:un|bäi|aus|drun|dru|vu|zou)(?=$|[bcdfgklmnpqrstvwz])")
_LAST_PART = re.compile(  # and on their last one
    "(?:esou|sou|iergend|aller|alle(?=béi)|iwwer(?=all|eens)|wouer|hautdes|e(?=lo)|bis|"
    "(?:hannen|uewen|ënnen|virnen|bannen|baussen|niewen)(?:dr)?|(?:op|un|aus|mat|iwwer|ënner|no|vun|"
    "bei|duerch)e(?=ne))((?:bal|vill|laang|wäit|wuel|guer|wéi|wou|een|wann|eppes|wéini|wisou|"
    "hand|déngs|hier|béids?|all|eens|recht|daags|lo|elo|aus|un|of|op|erof|erop|ëm|an|eran|nee?n?))"
)
_NO_PART = re.compile(  # endings that are words too
    "(?:éier|ioun|éit|ell|ist|esch|ung|är|ur|ett|ent|ant|inn?|iv|al|at|er|ech|eg|anz|enz|e?rei|lei)"
    "(?:[ent]|en|em|er|es|s|te[nmrs]?|st|t)?"
)
_TENS = re.compile(".*an?(?:zwanzeg|drësseg|véierzeg|fofzeg|sechzeg|siwwenzeg|achtzeg|nonzeg).*")
_SHORTEST_PART, _SURE_PART, _LONG = 3, 5, 7  # letters
_LEARNED = frozenset(  # words too, but what begins so is mostly a loan
    "pro per kon par sub inter trans des dis mono kap dia kra sol kont komp kons konf komm".split()
)
_NO_NOUN = re.compile(f"{_NO_PART.pattern}|[bcdfglmnprstvz]{{0,2}}éier(?:en?|t|te[nrm]?)")


@dataclass(frozen=True)
class Stress:
    """Indices of a word's stressed vowels among its phones."""

    main: int | None = None
    second: int | None = None

    def mark(self, phone: int) -> str:
        """The mark that stands before the phone of this index; mostly none."""
        return STRESS if phone == self.main else SECOND_STRESS if phone == self.second else ""


NO_STRESS = Stress()
Known = Callable[[str], Phones | None]


class StressRules:
    """The stress of words, by what is listed, prefixes, parts of compounds, endings and weight."""

    def __init__(self, known: Known) -> None:
        """Takes a function that gives the phones of known words."""
        self._known = known

    def __call__(self, word: str, phones: Sequence[str]) -> Stress:
        """The stress of `word`; a capital tells a noun from a verb."""
        vowels = [i for i, phone in enumerate(phones) if phone in VOWELS]
        is_letter = len(word) == 1  # A the letter, not a the word
        if not vowels or (word if is_letter else word.lower()) in function_words():
            return NO_STRESS
        said = [phones[i] for i in vowels]
        if vowels[-1] < len(phones) - 1:
            said[-1] += CLOSED
        main, second = self._ordinals(word, said)
        return Stress(vowels[main], None if second is None else vowels[second])

    def _ordinals(self, word: str, vowels: list[str]) -> tuple[int, int | None]:
        """Which of a word's vowels bear the main and the second stress."""
        noun = word[:1].isupper()
        word = word.lower()
        last = len(vowels) - 1
        if last == 0:
            return 0, None
        number = _listed(word)
        if number is not None:
            return min(number, last), None
        second_part = _LAST_PART.fullmatch(word)
        if second_part:
            return max(0, last + 1 - len(GROUP.findall(second_part[1]))), None
        if _TOWARDS.fullmatch(word) or _BEFORE.match(word):
            return 1, None
        if _TENS.fullmatch(word):
            return 0, full_vowels(word, vowels)[-1]
        within = _WITHIN.match(word)
        if within and last >= 2:
            rest = word[within.end() :]
            if _OF_VERB.fullmatch(rest) or not (noun or _NO_VERB.fullmatch(rest)):
                return self._shifted(2, rest, vowels)
            return 0, None
        parts = self._parts(word, vowels)
        if parts:
            return parts
        prefix = _unstressed_prefix(word, vowels)
        if prefix:
            return self._shifted(1, word[prefix:], vowels)
        return stressed_in_simple(word, vowels), None

    def _shifted(self, by: int, rest: str, vowels: list[str]) -> tuple[int, int | None]:
        main, second = self._ordinals(rest, vowels[by:])
        return main + by, None if second is None else second + by

    def _parts(
        self, word: str, vowels: list[str], shortest: int = 1
    ) -> tuple[int, int | None] | None:
        """The stresses of a compound of known words, or of a particle and what it goes with."""
        found: list[tuple[int, int, int | None]] = []
        for cut in range(shortest, len(word) - _SHORTEST_PART + 1):
            first, rest = word[:cut], word[cut:]
            particle = first in PARTICLES
            if not particle and cut < _SHORTEST_PART:
                continue
            if (_NO_PART if particle else _NO_NOUN).fullmatch(rest):
                continue
            size = len(GROUP.findall(first))
            if particle:  # before it a vocalised r: vir, iwwer
                size += first.endswith("ir") and vowels[size : size + 1] == ["ɐ"]
            elif min(cut, len(rest)) == _SHORTEST_PART and len(word) <= _LONG:
                continue
            else:
                phones = self._first(first)
                size = len(phones or ())
                sure = min(cut, len(rest)) >= _SURE_PART
                if not phones or not (sure or _alike(phones, vowels[:size])):
                    continue
            if not 0 < size < len(vowels):
                continue
            if not self._rest(rest, vowels[size:], particle):
                continue
            main, _ = self._ordinals(first, vowels[:size])
            second, _ = self._ordinals(rest, vowels[size:])
            second += size
            reduced = second not in full_vowels(word, vowels)
            even = min(cut, len(word) - cut)  # of several ways to part a word the most even one
            found.append((even, main, None if reduced else second))
        return max(found, key=lambda each: each[0])[1:] if found else None

    def _first(self, part: str) -> list[str] | None:
        for stem in (part, part + "n", *(part.removesuffix(link) for link in ("s", "es", "er"))):
            if (
                part in _LEARNED
                or stem in _LEARNED
                or (len(stem) < _SHORTEST_PART and stem != part)
            ):
                continue
            phones = self._known(stem)
            if phones:
                made = [p for p in phones if p in VOWELS]
                extra = part[len(stem) :]
                return made + ["ə" if extra == "es" else "ɐ"] * (extra in ("es", "er"))
        return None

    def _rest(self, part: str, vowels: list[str], particle: bool) -> bool:
        """Whether `part` may be the last one: it is known, or a form of a known word."""
        for ending in _INFLECTIONS if particle or len(part) > _LONG else _PLURALS:
            stem = part.removesuffix(ending)
            if not part.endswith(ending) or len(stem) < _SHORTEST_PART:
                continue
            for form in (stem, stem + "en") if particle else (stem,):
                made = [p for p in self._known(form) or () if p in VOWELS]
                if made and _alike(made[: len(vowels)], vowels[: len(made)]):
                    return True
        if particle and part.startswith(("ge", "ze", "be", "ver", "er")) and vowels[0] in SCHWAS:
            loan = LAST_STRESSED.search(part) and not self._known(part[2:])
            return len(vowels) > 1 and not loan
        return len(part) > _LONG and self._parts(part, vowels, _SHORTEST_PART) is not None


def _alike(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether vowels are the same except for their length."""
    return [_short(vowel) for vowel in some] == [_short(vowel) for vowel in others]


def _short(vowel: str) -> str:
    vowel = vowel.removesuffix(CLOSED)
    return {"aː": "ɑ", "ɛː": "æ"}.get(vowel, vowel.removesuffix("ː"))


def _unstressed_prefix(word: str, vowels: list[str]) -> int:
    """How many letters of `word` are before the stem, in a syllable that is never stressed."""
    match = _UNSTRESSED_PREFIX.match(word)
    if match and match.end() < len(word) - 2 and GROUP.search(word, match.end()):
        reduced = vowels[0] in SCHWAS or match[0] in ("ent", "emp")
        if reduced and vowels[0] not in NASALS:
            return match.end()
    first = GROUP.search(word)
    if first and vowels[0] == "ə" and _OPEN_SYLLABLE.match(word, first.start()):
        return first.end()
    return 0


def _listed(word: str) -> int | None:
    """The stressed syllable of a listed word or of an inflected form of it, from 0 on."""
    numbers = listed_stress()
    stems = (word.removesuffix(end) for end in _INFLECTIONS if word.endswith(end))
    return next((numbers[s] for s in stems if s in numbers), None)


def read_stress(path: str | Path) -> dict[str, Stress]:
    """The stress of the words whose phones bear marks, in a file that `read_entries` reads."""
    found: dict[str, Stress] = {}
    for line in read_lines(path):
        word, *fields = line.strip().split("\t")
        if line.startswith("#") or not fields or STRESS not in fields[-1]:
            continue
        phones = fields[-1].split()
        before = {mark: [i for i, p in enumerate(phones) if p[0] == mark] for mark in _MARKS}
        at = {mark: len(canonical(phones[: where[0]])) for mark, where in before.items() if where}
        found.setdefault(word, Stress(at.get(STRESS), at.get(SECOND_STRESS)))
    return found


@cache
def listed_stress() -> dict[str, int]:
    """The stressed syllables in stress.tsv, from 0 on.

    Raises:
        InputError: a line is not `word<TAB>number`.
    """
    found: dict[str, int] = {}
    for number, line in enumerate(read_lines(LISTED), 1):
        if not line or line.startswith("#"):
            continue
        word, _, syllable = line.partition("\t")
        if not syllable.isdigit() or syllable == "0":
            raise InputError(f"{LISTED}:{number}: expected word<TAB>syllable, got {line!r}")
        found[word] = int(syllable) - 1
    return found


@cache
def function_words() -> frozenset[str]:
    """The words that are not stressed in a sentence."""
    lines = read_lines(UNSTRESSED)
    return frozenset(word for line in lines if line[:1] != "#" for word in line.split())
