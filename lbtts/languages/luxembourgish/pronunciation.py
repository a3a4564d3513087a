"""How a single word is said: by lexicon, n-rule or parts, or by a model that guesses."""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal

from lbtts.languages.luxembourgish.lexicon import (
    LEXICON,
    MODEL,
    NAMES,
    SUPPLEMENT,
    learn_ngrams,
    packaged_entries,
)
from lbtts.languages.luxembourgish.numbers import PARTS
from lbtts.languages.luxembourgish.phones import (
    FINAL_N,
    INVENTORY,
    LINKING_S,
    VOICED,
    VOWELS,
    canonical,
)
from lbtts.languages.luxembourgish.stress import (
    NO_STRESS,
    PARTICLES,
    Stress,
    StressRules,
    read_stress,
)
from lbtts.text.inventory import Phones
from lbtts.text.lexicon import Entries, read_entries
from lbtts.text.oov.unknown import UnknownWords

# Letters of either part of a compound. The parts tell that it is one of ours, and its stress; its
# phones are left to the model for unknown words: of 355 in the LOD's list, not shown to it, it said
# 11 wrong, where the parts put together were wrong for 57.
_SHORTEST_PART = 5
_BEFORE_MUTE_E = {"ie": "iː", "ée": "eː", "ue": "yː"}  # whose plural has a schwa: Kategorie-en
_NUMERAL_ENDS = {
    "t": ("t",),
    "te": ("t", "ə"),
    "ten": ("t", "ə", "n"),
    "ter": ("t", "ɐ"),
    "st": ("s", "t"),
    "ste": ("s", "t", "ə"),
    "sten": ("s", "t", "ə", "n"),
    "ster": ("s", "t", "ɐ"),
    "er": ("ɐ",),
}
_NUMERAL = re.compile("|".join(sorted({*PARTS, *_NUMERAL_ENDS}, key=len, reverse=True)))
_ENDINGS = ("e", "en", "er", "em", "t", "st", "te", "ten", "ste", "sten")  # of our own words
_SHORTEST_STEM = 3  # letters
_ZE = ("ʦ", "ə")
_NO_NUMBER = frozenset({"a", "an", *_NUMERAL_ENDS})


@dataclass(frozen=True)
class Pronunciation:
    """How a word is said, and how that was found."""

    phones: Phones
    source: Literal["lexicon", "n-rule", "compound", "letters", "foreign", "model"]
    stress: Stress = NO_STRESS

    @property
    def is_guess(self) -> bool:
        """Whether the word is in no lexicon, with or without its final n."""
        return self.source not in ("lexicon", "n-rule")


class Pronouncer:
    """Pronunciations of single words: `pronouncer(word)`."""

    def __init__(
        self, additions: str | Path | None = None, known: str | Path | None = None
    ) -> None:
        """Reads the lexicons.

        Args:
            additions: a file of a person's own pronunciations, which come first.
            known: the folder that the stage `lexicon` wrote. None takes the words of the pip
                package, trains n-grams on them when the first unknown word comes, which takes
                about 20 s.

        Raises:
            InputError: a file is missing or broken.
        """
        self._own: Entries = {}
        self._marked: dict[str, Stress] = {}
        for path in (NAMES, SUPPLEMENT, *([] if additions is None else [additions])):
            entries = read_entries(path, INVENTORY)
            kept = {word: s for word, s in self._marked.items() if word not in entries}
            self._own |= entries
            self._marked = kept | read_stress(path)
        self._known_folder = None if known is None else Path(known)
        self._listed = (
            packaged_entries() if known is None else read_entries(Path(known, LEXICON), INVENTORY)
        )
        self._stress = StressRules(self._known_form)

    @cached_property
    def unknown_words(self) -> UnknownWords:
        """The model for words that no lexicon has."""
        if self._known_folder is not None:
            return UnknownWords.load(self._known_folder / MODEL, INVENTORY)
        return learn_ngrams(sorted(packaged_entries().items()))

    def is_form(self, word: str) -> bool:
        """Whether `word` is a form of a known one of our own, and so of no other language."""
        stems = (word.removesuffix(end) for end in _ENDINGS if word.endswith(end))
        return any(len(stem) >= _SHORTEST_STEM and self._known(stem) for stem in stems)

    def __call__(self, word: str) -> Pronunciation:
        """The pronunciation of `word`; a capital tells a noun, and the letter A from the word a."""
        lower = word.lower()
        known = self._known(word) or self._known(lower)
        if known is not None:
            marked = self._marked.get(word) or self._marked.get(lower)
            return Pronunciation(known, "lexicon", marked or self._stress(word, known))
        with_other_end = self._by_n_rule(lower)
        if with_other_end is not None:
            return Pronunciation(with_other_end, "n-rule", self._stress(word, with_other_end))
        numeral = self._numeral(lower)
        if numeral is not None:
            return numeral
        with_ze = self._with_ze(lower)
        if with_ze is not None:
            return Pronunciation(with_ze, "compound", self._stress(word, with_ze))
        guess = self.unknown_words(lower)
        if any(phone in VOWELS for phone in guess):
            stress = self._stress(word, guess)
            if self._is_compound(lower):
                return Pronunciation(guess, "compound", stress)
            return Pronunciation(guess, "model", stress)
        letters = tuple(phone for c in lower.upper() for phone in self._known(c) or ())
        vowels = [i for i, phone in enumerate(letters) if phone in VOWELS]
        return Pronunciation(letters or guess, "letters", Stress(vowels[-1] if vowels else None))

    def _known_form(self, word: str) -> Phones | None:
        return self._known(word) or self._by_n_rule(word)

    def _known(self, word: str) -> Phones | None:
        return self._own.get(word) or self._listed.get(word)

    def _by_n_rule(self, word: str) -> Phones | None:
        """The pronunciation taken from the same word with more or less final n."""
        for longer in (word + "n", word + "nn"):
            phones = self._known(longer)
            if phones and phones[-1] == FINAL_N:
                return phones[:-1]
        shorter = self._known(word.removesuffix("n"))
        if shorter and word.endswith("n") and shorter[-1] in VOWELS:
            plural = shorter[-1] == _BEFORE_MUTE_E.get(word[-3:-1])
            return (*shorter, *["ə"] * plural, FINAL_N)
        return None

    def _with_ze(self, word: str) -> Phones | None:
        """An infinitive with ze after its particle, by its parts: op-ze-maachen."""
        at = word.find("ze", 1)
        if at < 0 or word[:at] not in PARTICLES:
            return None
        particle, verb = self._known_form(word[:at]), self._known_form(word[at + 2 :])
        if particle is None or verb is None or len(word) - at - 2 < _SHORTEST_STEM:
            return None
        before = particle[:-1] if particle[-1] == "t" else particle  # mat-ze has one t
        return canonical((*before, *_ZE, *verb))

    def _numeral(self, word: str) -> Pronunciation | None:
        """A number word by its parts: siwen-an-drësseg-ste."""
        parts = _NUMERAL.findall(word)
        if len(parts) < 2 or "".join(parts) != word or parts[0] in _NO_NUMBER:
            return None
        said = [_NUMERAL_ENDS.get(part) or self._part(part) or () for part in parts]
        if not all(said):
            return None
        for i, (part, then) in enumerate(pairwise(said)):
            if then[0] in VOWELS:
                said[i] = _before_vowel(parts[i], part)
        phones = canonical(phone for part in said for phone in part)
        return Pronunciation(phones, "compound", self._stress(word, phones))

    def _is_compound(self, word: str) -> bool:
        """Whether two known words, perhaps with an s between them, make up `word`."""
        cuts = range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
        return any(self._part(word[:cut]) and self._part(word[cut:]) for cut in cuts)

    def _part(self, word: str) -> Phones | None:
        """The pronunciation of a part of a compound, with its linking s."""
        known = self._known_form(word)
        if known is None and word.endswith("s") and len(word) > _SHORTEST_PART:
            stem = self._known(word[:-1])
            known = stem and (*stem, LINKING_S)
        return known


def _before_vowel(part: str, phones: Phones) -> Phones:
    """A numeral's part as it is before a vowel, in 81 of 81 words of Gilles' lexicon."""
    if phones[-1] == "ɐ":  # véier-an-
        return (*phones[:-1], "ə", "ʁ")
    spelled_voiced = part[-1] in "fdg"  # fënnef-an-, dausend-eent, achtzeg-er; not honnert-eent
    return voiced(phones) if spelled_voiced and phones[-1] in VOICED else phones


def voiced(phones: Phones) -> Phones:
    """`phones` with the last one voiced."""
    return (*phones[:-1], VOICED[phones[-1]])
