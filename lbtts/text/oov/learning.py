"""Learning the model for unknown words, and scoring it. Needs torch."""

from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from lbtts.errors import InputError
from lbtts.params import Network
from lbtts.text.inventory import Inventory, Phones
from lbtts.text.oov.transducer_training import train_transducer
from lbtts.text.oov.unknown import UnknownWords, combine, graphone_sequences
from lbtts.text.sources import Words

Entry = tuple[str, Phones]


def learn(
    entries: Sequence[Entry],
    derived: Sequence[Entry],
    inventory: Inventory,
    network: Network,
    seed: int,
    workers: int,
) -> UnknownWords:
    """The model for unknown words, learnt from (word, phones) entries.

    Args:
        entries: the words of a lexicon.
        derived: forms of these that the language tells and a lexicon leaves out. Only the n-grams
            learn them; to the networks they would be near copies that say nothing new.
        inventory: of the language.
        network: number, size and schedule of the networks.
        seed: of the networks.
        workers: processes for them.

    Raises:
        InputError: there are no entries.
    """
    if not entries:
        raise InputError(
            "params.yaml: lexicon: no words to learn from; add a source or lower test_share"
        )
    listed = dict(entries)
    sequences = graphone_sequences(sorted((dict(derived) | listed).items()))
    known = [s for s in sequences if "".join(letter for letter, _ in s) in listed]
    return combine(sequences, inventory, train_transducer(known, network, seed, workers))


def metrics(model: UnknownWords, words: Words) -> dict[str, float]:
    """Numbers of words from each source, learnt and held out, and the errors on the last."""
    sources = Counter(words.source.values())
    found: dict[str, float] = {f"words_{name}": n for name, n in sorted(sources.items())}
    scoring = words.scoring()
    found |= {"words_learnt": len(words.training()), "words_held_out": len(scoring)}
    return found | score(model, scoring)


def score(model: UnknownWords, entries: Sequence[Entry]) -> dict[str, float]:
    """Errors of the model on words that it has not seen, in percent.

    Returns:
        `per`: insertions, deletions and substitutions per phone; `wer`: words not wholly right.
    """
    guesses = [model(word) for word, _ in entries]
    pairs = [(guess, phones) for guess, (_, phones) in zip(guesses, entries, strict=True)]
    errors = sum(Levenshtein.distance(guess, phones) for guess, phones in pairs)
    wrong = sum(guess != phones for guess, phones in pairs)
    return {
        "per": round(100 * errors / max(sum(len(phones) for _, phones in pairs), 1), 3),
        "wer": round(100 * wrong / max(len(pairs), 1), 3),
    }
