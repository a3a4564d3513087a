"""Which language a word that no lexicon has is written in: letter n-grams of four languages.

Source of the foreign words: simplemma's dictionaries (MIT), from Wiktionary and others.
"""

import math
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lbtts.errors import InputError
from lbtts.text.oov import kneser_ney
from lbtts.text.oov.kneser_ney import NGrams

HOME = "lb"
FOREIGN = ("fr", "de", "en")
_ORDER = 4
_WORDS = 120_000  # of each foreign language
_UNSEEN = -12.0  # log probability of a letter that a language does not have

# Log odds above which words of no lexicon are taken for foreign, chosen on the sentences of the
# LOD. German is the nearest relative, and the least harmed by our own rules.
_MARGIN = {"fr": 3.5, "en": 7.0, "de": 8.0}
# A name next to foreign ones is taken for one unless its own odds are below the first; of another
# word's neighbours counts so much, up to so much of each
_LEAST, _NEAR, _MOST = -5.0, 0.4, 6.0
_ACCENT = -3.0  # log odds of English for each accent
_NOT_ENGLISH = frozenset("àâçéèêëîïôöùûüäß")  # but in names and loans, which are in its word list

# Learned words are alike in all four languages; with these endings they are said as in our own
_LEARNED = re.compile(
    "(?:ium|[gmnptd]ie|[og]og|ose?|oid|itis|ism(?:us)?|ist|oped|ik)(?:en?|er|s)?$"
)
_LEARNED_ODDS = {"fr": -2.0, "en": -6.0, "de": -6.0}


class Languages:
    """Letter n-grams of each language."""

    def __init__(self, models: dict[str, NGrams]) -> None:
        self._models = models
        self._letters = {name: model.symbols() for name, model in models.items()}

    def guess(self, words: Sequence[str]) -> str:
        """The language of `words` that stand together; HOME unless the evidence is strong."""
        odds = {name: sum(self._odds(word, name) for word in words) for name in FOREIGN}
        best = max(odds, key=lambda name: odds[name] - _MARGIN[name])
        return best if odds[best] > _MARGIN[best] else HOME

    def guess_each(self, words: Sequence[str], names: Sequence[bool]) -> list[str]:
        """The language of each of `words` that stand together, by itself before its neighbours.

        Args:
            words: in lower case.
            names: which are written with a capital: first name and surname are mostly of the same
                language, while an adjective before a foreign noun is our own.
        """
        together = self.guess(words)
        found = []
        for i, (word, name) in enumerate(zip(words, names, strict=True)):
            language = self.guess([word])
            if language == HOME and together != HOME:
                own = self._odds(word, together)
                others = (self._odds(w, together) for k, w in enumerate(words) if k != i)
                near = sum(max(-_MOST, min(_MOST, odds)) for odds in others)
                joins = own > _LEAST if name else own + _NEAR * near > _MARGIN[together]
                language = together if joins else HOME
            found.append(language)
        return found

    def _odds(self, word: str, language: str) -> float:
        odds = self._score(word, language) - self._score(word, HOME)
        if language == "en":
            odds += _ACCENT * sum(letter in _NOT_ENGLISH for letter in word)
        return odds + (_LEARNED_ODDS[language] if _LEARNED.search(word) else 0.0)

    def _score(self, word: str, language: str) -> float:
        letters = self._letters[language]
        known = "".join(letter for letter in word if letter in letters)
        missing = len(word) - len(known)
        return self._models[language].total(known) + missing * _UNSEEN

    def save(self, path: str | Path) -> None:
        """Writes the models; same models, same bytes."""
        arrays: dict[str, NDArray] = {}
        for name, model in self._models.items():
            arrays |= {f"{name}.{key}": array for key, array in model.arrays().items()}
        with Path(path).open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> "Languages":
        """The models in `path`.

        Raises:
            InputError: the file is missing or holds none.
        """
        try:
            with np.load(path) as file:
                models = {
                    name: NGrams.of_arrays(
                        {
                            key.removeprefix(f"{name}."): file[key]
                            for key in file.files
                            if key.startswith(f"{name}.")
                        }
                    )
                    for name in (HOME, *FOREIGN)
                }
        except FileNotFoundError:
            raise InputError(f"{path}: not found; run `dvc repro lexicon`") from None
        except (ValueError, KeyError, OSError, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(f"{path}: no models ({error}); run `dvc repro lexicon`") from None
        return cls(models)


def learn(home: Iterable[str]) -> Languages:
    """The models: of the words `home` and of simplemma's; takes some seconds."""
    from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

    factory = DefaultDictionaryFactory()
    words = {HOME: sorted(set(home))}
    for name in FOREIGN:
        fit = sorted(word for word in factory.get_dictionary(name) if word.isalpha())
        words[name] = sorted({_plain(word) for word in fit[:: math.ceil(len(fit) / _WORDS)]})
    return Languages({name: kneser_ney.train(listed, _ORDER) for name, listed in words.items()})


def _plain(word: str) -> str:
    return unicodedata.normalize("NFC", word).lower()
