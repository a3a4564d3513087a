"""Luxembourgish text to phonemes, with the interface of misaki's G2P classes.

`python -m lbtts.languages.luxembourgish` phonemises its standard input, one utterance a line;
with `--model-only` it prints what the model for unknown words alone makes of each word, as
`word<TAB>phones`.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import groupby, pairwise, zip_longest
from pathlib import Path

from misaki.token import MToken

from lbtts.languages.luxembourgish import foreign
from lbtts.languages.luxembourgish.characters import count_emoji, noises
from lbtts.languages.luxembourgish.lexicon import ORIGIN
from lbtts.languages.luxembourgish.normalize import normalize
from lbtts.languages.luxembourgish.origin import HOME, Languages
from lbtts.languages.luxembourgish.phones import INVENTORY, SYMBOLS, VOICED, VOWELS
from lbtts.languages.luxembourgish.pieces import Piece, space_follows
from lbtts.languages.luxembourgish.pronunciation import Pronouncer, Pronunciation, voiced
from lbtts.languages.luxembourgish.scripts import romanised
from lbtts.languages.luxembourgish.stress import Stress
from lbtts.text.front_end import FrontEnd, nothing_to_pronounce
from lbtts.text.oov.unknown import UnknownWords
from lbtts.text.tokens import Phone, Token, TokenPlan

_SENTENCE_ENDS = frozenset(".!?:")
# Before a vowel speakers voice the consonant that ends a word, where the two words are said as one.
# Of 1,800 final obstruents of the Marylux corpus the aligner, offered both, hears 67 % voiced
# between two words of one syllable, but 28 % before these (and, in, as), where a phrase often
# begins, 13 to 42 % before vowels elsewhere, and 2 % before anything else. So the former are
# planned voiced, and with the plans the aligner gets both to choose from.
_APART = frozenset({"a", "an", "als"})
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
        self._pronouncer = Pronouncer(additions, known)
        self._known = None if known is None else Path(known)
        self._pronunciations: dict[str, Pronunciation] = {}
        self._foreign: dict[tuple[str, ...], list[Pronunciation | None]] = {}

    @property
    def unknown_words(self) -> UnknownWords:
        """The model for words that no lexicon has."""
        return self._pronouncer.unknown_words

    @cached_property
    def languages(self) -> Languages | None:
        """What tells the language of words that no lexicon has."""
        return None if self._known is None else Languages.load(self._known / ORIGIN)

    def __call__(self, text: str) -> tuple[str, list[MToken]]:
        """The phoneme string of `text`, in Kokoro's symbols, and one token per word or mark.

        Raises:
            Reject: `text` has a character that no rule knows.
        """
        tokens = []
        for piece, following, said in self._said(normalize(text)):
            symbols = (token.symbol for token in _tokens(piece, said, 0, 0))
            space = " " * space_follows(piece, following)
            place = MToken.Underscore(start=piece.start, end=piece.end)
            tokens.append(MToken(piece.text, "", space, "".join(symbols), _=place))
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
            found = self._pronunciations[key] = self._pronouncer(key)
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
                and not self._pronouncer.is_form(pieces[i].text.lower())
            ),
        ):
            if run and (places := list(guessed)):
                words = tuple(pieces[i].text for i in places)
                for i, pronunciation in zip(places, self._as_foreign(words), strict=True):
                    said[i] = pronunciation or said[i]
        for i, (word, then) in enumerate(pairwise(said)):
            if word and then and _linked(word, then) and pieces[i + 1].text.lower() not in _APART:
                said[i] = replace(word, phones=voiced(word.phones))
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

    def _in_language(self, word: str, language: str) -> Pronunciation:
        said = foreign.pronounce(word, language)
        return Pronunciation(said[0], "foreign", Stress(said[1])) if said else self.pronounce(word)


def _linked(word: Pronunciation, then: Pronunciation) -> bool:
    """Whether the last consonant of `word` is voiced before `then`."""
    return (
        all(sum(phone in VOWELS for phone in said.phones) == 1 for said in (word, then))
        and word.phones[-1] in VOICED
        and then.phones[0] in VOWELS
        and word.source != "foreign"
    )


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
