"""Luxembourgish text to phonemes, with the interface of misaki's G2P classes.

`python -m lbtts.languages.luxembourgish.g2p` phonemises its standard input, one utterance a line;
with `--model-only` it prints what the model for unknown words alone makes of each word, as
`word<TAB>phones`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, pairwise, zip_longest
from pathlib import Path
from typing import Literal

from misaki.token import MToken

from lbtts.languages.luxembourgish import foreign
from lbtts.languages.luxembourgish.characters import count_emoji, noises
from lbtts.languages.luxembourgish.lexicon import (
    LEXICON,
    MODEL,
    NAMES,
    ORIGIN,
    SUPPLEMENT,
    learn_ngrams,
    packaged_entries,
)
from lbtts.languages.luxembourgish.normalize import normalize
from lbtts.languages.luxembourgish.numbers import PARTS
from lbtts.languages.luxembourgish.origin import HOME, Languages
from lbtts.languages.luxembourgish.phones import (
    FINAL_N,
    INVENTORY,
    LINKING_S,
    SYMBOLS,
    VOICED,
    VOWELS,
    canonical,
)
from lbtts.languages.luxembourgish.pieces import Piece, space_follows
from lbtts.languages.luxembourgish.scripts import romanised
from lbtts.languages.luxembourgish.stress import (
    NO_STRESS,
    PARTICLES,
    Stress,
    StressRules,
    read_stress,
)
from lbtts.text.front_end import FrontEnd, nothing_to_pronounce
from lbtts.text.inventory import Phones
from lbtts.text.lexicon import Entries, read_entries
from lbtts.text.oov.unknown import UnknownWords
from lbtts.text.tokens import Phone, Token, TokenPlan

_SENTENCE_ENDS = frozenset(".!?:")
# Letters of either part of a compound. The parts tell that it is one of ours, and its stress; its
# phones are left to the model for unknown words: of 355 in the LOD's list, not shown to it, it said
# 11 wrong, where the parts put together were wrong for 57.
_SHORTEST_PART = 5
# Before a vowel speakers voice the consonant that ends a word, where the two words are said as one.
# Of 1,800 final obstruents of the Marylux corpus the aligner, offered both, hears 67 % voiced
# between two words of one syllable, but 28 % before these (and, in, as), where a phrase often
# begins, 13 to 42 % before vowels elsewhere, and 2 % before anything else. So the former are
# planned voiced, and with the plans the aligner gets both to choose from.
_APART = frozenset({"a", "an", "als"})
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


_MARK = Pronunciation((), "letters")


class LBG2P(FrontEnd):
    """Luxembourgish G2P: `g2p(text) -> (phonemes, tokens)`, as kokoro's KPipeline calls it."""

    inventory = INVENTORY

    def __init__(
        self, additions: str | Path | None = None, known: str | Path | None = None
    ) -> None:
        """Reads the lexicons.

        Args:
            additions: a file of one's own pronunciations, which come first.
            known: the folder that the stage `lexicon` wrote. None takes the words of the pip
                package, trains n-grams on them when the first unknown word comes, which takes
                about 20 s, and takes no word for a foreign one.

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
        self._pronunciations: dict[str, Pronunciation] = {}
        self._foreign: dict[tuple[str, ...], list[Pronunciation | None]] = {}

    @cached_property
    def unknown_words(self) -> UnknownWords:
        """The model for words that no lexicon has."""
        if self._known_folder is not None:
            return UnknownWords.load(self._known_folder / MODEL, INVENTORY)
        return learn_ngrams(sorted(packaged_entries().items()))

    @cached_property
    def languages(self) -> Languages | None:
        """What tells the language of words that no lexicon has."""
        folder = self._known_folder
        return None if folder is None else Languages.load(folder / ORIGIN)

    def __call__(self, text: str) -> tuple[str, list[MToken]]:
        """The phoneme string of `text`, in Kokoro's symbols, and one token per word or mark.

        Raises:
            Reject: `text` has a character that no rule knows.
        """
        tokens = []
        for piece, following, said in self._said(normalize(text)):
            symbols = (token.symbol for token in _tokens(piece, said, 0, 0))
            space = " " * space_follows(piece, following)
            tokens.append(MToken(piece.text, tag="", whitespace=space, phonemes="".join(symbols)))
        return "".join(f"{token.phonemes}{token.whitespace}" for token in tokens), tokens

    def token_plan(self, id: str, text: str) -> TokenPlan:
        """The token plan of one utterance.

        Raises:
            Reject: a character that no rule knows, nothing to pronounce, or too many tokens.
        """
        words: list[str] = []
        phones: list[Phone] = []
        tokens: list[Token] = []
        for piece, following, said in self._said(normalize(text)):
            tokens += _tokens(piece, said, len(words), len(phones))
            if said is not None:
                phones += (Phone(label, len(words)) for label in said.phones)
                words.append(piece.text.lower())
            if space_follows(piece, following):
                tokens.append(Token(" ", None, None))
        if not phones:
            raise nothing_to_pronounce(text)
        emoji = count_emoji(text)
        return TokenPlan(id, text, tuple(words), tuple(phones), tuple(tokens), emoji)

    def is_guess(self, word: str) -> bool:
        """Whether a spoken word is in no lexicon, with or without its final n."""
        return self.pronounce(word).is_guess

    def noises(self, text: str) -> list[str]:
        """What stands in square brackets, braces or tags that are no HTML, and is not spoken."""
        return noises(text)

    def romanised(self, text: str) -> tuple[str, list[str]]:
        """`text` in characters that the rules know, and the words that were changed for it."""
        return romanised(text)

    def pronounce(self, word: str, sentence_start: bool = False) -> Pronunciation:
        """The pronunciation of one spoken word.

        Case tells letters from words ("A", the letter, from "a", and) but at a sentence's start.
        """
        key = word.lower() if sentence_start else word
        found = self._pronunciations.get(key)
        if found is None:
            found = self._pronunciations[key] = self._find(key)
        return found

    def _said(
        self, pieces: list[Piece]
    ) -> Iterator[tuple[Piece, Piece | None, Pronunciation | None]]:
        """Every piece with the next one and, for a word, its pronunciation."""
        said: list[Pronunciation | None] = [
            self.pronounce(piece.text, starts) if piece.is_word else None
            for piece, starts in _with_sentence_starts(pieces)
        ]
        for run, guessed in groupby(
            range(len(pieces)),
            lambda i: (
                (said[i] or _MARK).source == "model"
                and not pieces[i].made
                and not self._is_form(pieces[i].text.lower())
            ),
        ):
            if run and (places := list(guessed)):
                words = tuple(pieces[i].text for i in places)
                for i, pronunciation in zip(places, self._as_foreign(words), strict=True):
                    said[i] = pronunciation or said[i]
        for i, (word, then) in enumerate(pairwise(said)):
            if word and then and _linked(word, then) and pieces[i + 1].text.lower() not in _APART:
                said[i] = replace(word, phones=_voiced(word.phones))
        yield from zip_longest(pieces, pieces[1:], said)

    def _as_foreign(self, words: tuple[str, ...]) -> list[Pronunciation | None]:
        """How foreign ones among words that stand side by side are said; None for each other."""
        if words not in self._foreign:
            lower = [word.lower() for word in words]
            names = [word[0].isupper() for word in words]
            known = self.languages
            guessed = known.guess_each(lower, names) if known else [HOME] * len(words)
            self._foreign[words] = [
                None if language == HOME else self._in_language(word, language)
                for word, language in zip(lower, guessed, strict=True)
            ]
        return self._foreign[words]

    def _is_form(self, word: str) -> bool:
        """Whether `word` is a form of a known one of our own, and so of no other language."""
        stems = (word.removesuffix(end) for end in _ENDINGS if word.endswith(end))
        return any(len(stem) >= _SHORTEST_STEM and self._known(stem) for stem in stems)

    def _in_language(self, word: str, language: str) -> Pronunciation:
        said = foreign.pronounce(word, language)
        return Pronunciation(said[0], "foreign", Stress(said[1])) if said else self.pronounce(word)

    def _find(self, word: str) -> Pronunciation:
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
        """An infinitive with ze behind its particle, by its parts: op-ze-maachen."""
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
        known = self._known(word) or self._by_n_rule(word)
        if known is None and word.endswith("s") and len(word) > _SHORTEST_PART:
            stem = self._known(word[:-1])
            known = stem and (*stem, LINKING_S)
        return known


def _before_vowel(part: str, phones: Phones) -> Phones:
    """A numeral's part as it is before a vowel, in 81 of 81 words of Gilles' lexicon."""
    if phones[-1] == "ɐ":  # véier-an-
        return (*phones[:-1], "ə", "ʁ")
    spelled_voiced = part[-1] in "fdg"  # fënnef-an-, dausend-eent, achtzeg-er; not honnert-eent
    return _voiced(phones) if spelled_voiced and phones[-1] in VOICED else phones


def _linked(word: Pronunciation, then: Pronunciation) -> bool:
    """Whether the last consonant of `word` is voiced before `then`."""
    return (
        all(sum(phone in VOWELS for phone in said.phones) == 1 for said in (word, then))
        and word.phones[-1] in VOICED
        and then.phones[0] in VOWELS
        and word.source != "foreign"
    )


def _voiced(phones: Phones) -> Phones:
    """`phones` with the last one voiced."""
    return (*phones[:-1], VOICED[phones[-1]])


def _tokens(piece: Piece, said: Pronunciation | None, word: int, phone: int) -> list[Token]:
    """The tokens of a piece; `word` and `phone` are the indices at which it starts."""
    if said is None:
        return [Token(piece.text, None, None)]
    tokens = []
    for i, label in enumerate(said.phones):
        mark = said.stress.mark(i)
        if mark:
            tokens.append(Token(mark, word, None))
        tokens += (Token(symbol, word, phone + i) for symbol in SYMBOLS[label])
    return tokens


def _with_sentence_starts(pieces: list[Piece]) -> Iterator[tuple[Piece, bool]]:
    """Every piece and whether it starts a sentence."""
    starts = True
    for piece in pieces:
        yield piece, starts
        starts = piece.text in _SENTENCE_ENDS or (starts and not piece.is_word)


if __name__ == "__main__":
    from lbtts.languages.luxembourgish.cli import main

    main()
