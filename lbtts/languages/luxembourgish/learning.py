"""What is learnt from a lexicon: the model for unknown words, and that of their origin."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lbtts.languages.luxembourgish import origin
from lbtts.languages.luxembourgish.lexicon import (
    LEXICON,
    MODEL,
    ORIGIN,
    packaged_entries,
    without_n,
)
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.params import Lexicon, Source
from lbtts.scratch import scratch
from lbtts.text.dictionary import write_dictionary
from lbtts.text.oov import learning
from lbtts.text.sources import Words, gather

# Raise it when the same words and parameters give other models, or these other files, than before:
# what `cached` keeps is then learnt again.
VERSION = 1


def learn(lexicon: Lexicon, workers: int, folder: Path) -> dict[str, float]:
    """Writes the known words and the models into `folder`; metrics of the words and the models.

    Raises:
        InputError: a source is missing or broken, or there are no words to learn from.
    """
    words = words_of(lexicon.sources, lexicon.test_share)
    training = words.training()
    model = learning.learn(
        training, without_n(training), INVENTORY, lexicon.network, lexicon.seed, workers
    )
    write_dictionary(words.entries.items(), folder / LEXICON)
    origin.learn(words.entries).save(folder / ORIGIN)
    model.save(folder / MODEL)
    return learning.metrics(model, words)


def words_of(sources: Sequence[Source], test_share: float) -> Words:
    """The words of `sources`; see `lbtts.text.sources.gather`."""
    return gather(sources, test_share, INVENTORY, packaged_entries)


def cached(lexicon: Lexicon, workers: int) -> Path:
    """The folder in scratch that `learn` has filled, which it does once for each choice."""
    words = words_of(lexicon.sources, lexicon.test_share)
    chosen = lexicon.model_dump_json(include={"network", "seed"})
    digest = hashlib.sha256(f"{VERSION} {chosen}\n".encode())
    learnt = {word for word, _ in words.training()}
    for word, phones in words.entries.items():
        digest.update(f"{word} {' '.join(phones)} {word in learnt}\n".encode())
    with scratch(f"lexicon-{digest.hexdigest()[:16]}") as folder:
        if not (folder / "complete").exists():
            learn(lexicon, workers, folder)
            (folder / "complete").touch()
    return folder
