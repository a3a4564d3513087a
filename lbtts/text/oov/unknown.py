"""Pronunciations of words that no lexicon has: two models of letters and phones, decoded jointly.

An n-gram model over graphones knows what comes after what; networks, where there are some, know the
whole word on both sides of a letter. A beam search finds the graphones whose log probabilities by
both have the largest sum.
"""

import unicodedata
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lbtts.errors import InputError
from lbtts.text.inventory import Inventory, Phones
from lbtts.text.oov import kneser_ney
from lbtts.text.oov.graphones import Graphone, align, alignable
from lbtts.text.oov.kneser_ney import END, FIRST, START, NGrams
from lbtts.text.oov.transducer import Decoding, Transducer

ORDER = 6  # 8 scores no better on unseen words and takes twice the room
_BEAM = 16
_WIDTH = 8.0  # nats below the best hypothesis, or below a letter's best output


class UnknownWords:
    """A trained model: `model(word)` guesses the pronunciation of a word."""

    def __init__(
        self,
        graphones: Sequence[Graphone],
        ngrams: NGrams,
        inventory: Inventory,
        network: Transducer | None = None,
    ) -> None:
        """Puts the models together.

        Args:
            graphones: in the order of their symbols in `ngrams`, from FIRST on.
            ngrams: of graphones.
            inventory: of the language.
            network: None leaves the n-grams alone.
        """
        self._graphones = list(graphones)
        self._ngrams = ngrams
        self._inventory = inventory
        self._network = network
        self._makes = {chr(FIRST + i): phones for i, (_, phones) in enumerate(graphones)}
        outputs = network.outputs if network else dict.fromkeys(self._makes.values())
        columns = {phones: i for i, phones in enumerate(outputs)}
        self._choices: dict[str, list[tuple[str, int]]] = defaultdict(list)  # symbol, output
        for i, (letter, phones) in enumerate(graphones):
            if phones in columns:
                self._choices[letter].append((chr(FIRST + i), columns[phones]))

    def __call__(self, word: str) -> Phones:
        """The phones of `word`, lower case; empty where it has no letter that was trained on.

        They are canonical across letters too: f made by both parts of a compound is one f, as in
        every lexicon.
        """
        made = (phone for symbol in self._decode(word) for phone in self._makes[symbol])
        return self._inventory.canonical(made)

    def _decode(self, word: str) -> str:
        """The best sequence of graphones."""
        letters = "".join(map(self._trained, word))
        decoding = self._network.encode(letters) if self._network else None
        order = self._ngrams.order
        hypotheses = [(0.0, START)]
        for letter in letters:
            best: dict[str, tuple[float, str, int, int]] = {}
            for i, tried in enumerate(self._tried(letter, decoding, hypotheses)):
                history = hypotheses[i][1]
                context = history[1 - order :]
                for symbol, output, score in tried:
                    new = score + self._ngrams.score(context, symbol)
                    state = (context + symbol)[1 - order :]
                    if state not in best or new > best[state][0]:
                        best[state] = (new, history + symbol, i, output)
            ranked = sorted(best.values(), reverse=True)[:_BEAM]
            kept = [h for h in ranked if h[0] > ranked[0][0] - _WIDTH]
            hypotheses = [(score, history) for score, history, _, _ in kept]
            if decoding is not None:
                decoding.advance([parent for _, _, parent, _ in kept], [made for *_, made in kept])
        ended = [(s + self._ngrams.score(h[1 - order :], END), h) for s, h in hypotheses]
        return max(ended)[1][1:]

    def _tried(
        self, letter: str, decoding: Decoding | None, hypotheses: list[tuple[float, str]]
    ) -> Iterator[list[tuple[str, int, float]]]:
        """For every hypothesis what `letter` may make: symbol, output and score so far.

        The network leaves out what it finds hopeless.
        """
        choices = self._choices[letter]
        if decoding is None:
            for score, _ in hypotheses:
                yield [(symbol, output, score) for symbol, output in choices]
            return
        scores = decoding.scores()[:, [output for _, output in choices]]
        for (score, _), row in zip(hypotheses, scores, strict=True):
            worth = np.flatnonzero(row > row.max() - _WIDTH).tolist()
            yield [(*choices[k], score + float(row[k])) for k in worth]

    def _trained(self, letter: str) -> str:
        base = unicodedata.normalize("NFD", letter)[0]
        return next((c for c in (letter, base) if c in self._choices), "")

    def save(self, path: str | Path) -> None:
        """Writes the model; same model, same bytes."""
        arrays: dict[str, NDArray] = {
            "letters": np.array([letter for letter, _ in self._graphones]),
            "phones": np.array([" ".join(phones) for _, phones in self._graphones]),
        }
        arrays |= {f"ngrams.{name}": array for name, array in self._ngrams.arrays().items()}
        if self._network is not None:
            arrays |= {f"network.{name}": array for name, array in self._network.arrays().items()}
        with Path(path).open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | Path, inventory: Inventory) -> "UnknownWords":
        """The model in `path`, of the language with this inventory.

        Raises:
            InputError: the file is missing or is no model.
        """
        try:
            with np.load(path) as file:
                arrays = dict(file)
            graphones = [
                (str(letter), tuple(str(phones).split()))
                for letter, phones in zip(arrays["letters"], arrays["phones"], strict=True)
            ]
            ngrams = NGrams.of_arrays(_part(arrays, "ngrams."))
            network = _part(arrays, "network.")
            transducer = Transducer.of_arrays(network) if network else None
            return cls(graphones, ngrams, inventory, transducer)
        except FileNotFoundError:
            raise InputError(f"{path}: not found; run `dvc repro lexicon`") from None
        except (ValueError, KeyError, OSError, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(f"{path}: no model ({error}); run `dvc repro lexicon`") from None


def _part(arrays: dict[str, NDArray], prefix: str) -> dict[str, NDArray]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def graphone_sequences(entries: Sequence[tuple[str, Phones]]) -> list[list[Graphone]]:
    """The graphones of every entry whose letters can make its phones; acronyms mostly cannot."""
    return align([(word, phones) for word, phones in entries if alignable(word, phones)])


def combine(
    sequences: Sequence[Sequence[Graphone]],
    inventory: Inventory,
    network: Transducer | None = None,
) -> UnknownWords:
    """A model whose n-grams are those of `sequences`, one a word, beside `network` if there is one.

    A graphone whose output the network has never seen is left out of the search.
    """
    characters: dict[Graphone, str] = {}
    strings = [
        "".join(characters.setdefault(g, chr(FIRST + len(characters))) for g in graphones)
        for graphones in sequences
    ]
    ngrams = kneser_ney.train(strings, ORDER)
    return UnknownWords(list(characters), ngrams, inventory, network)
