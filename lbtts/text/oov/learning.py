"""Learning the model for unknown words, scoring it, and keeping it for the command line."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lbtts.languages.luxembourgish import origin as languages
from lbtts.params import Lexicon, Network
from lbtts.scratch import scratch
from lbtts.text.dictionary import write_dictionary
from lbtts.text.inventory import Phones
from lbtts.text.lexicon import LANGUAGES, LEXICON, MODEL
from lbtts.text.oov import graphones, kneser_ney, transducer, transducer_training, unknown
from lbtts.text.oov.transducer_training import train_transducer
from lbtts.text.oov.unknown import UnknownWords, combine, graphone_sequences, with_and_without_n
from lbtts.text.sources import Words, gather

_CODE = (graphones, kneser_ney, languages, transducer, transducer_training, unknown)


def learn(
    entries: Sequence[tuple[str, Phones]], network: Network, seed: int, workers: int
) -> UnknownWords:
    """The model for unknown words, learnt from (word, phones) entries.

    The n-grams learn the words in -en without their n too; to the networks these would be near
    copies that say nothing new.

    Args:
        entries: by word.
        network: number, size and schedule of the networks.
        seed: of the networks.
        workers: processes for them.
    """
    sequences = graphone_sequences(with_and_without_n(entries))
    listed = {word for word, _ in entries}
    known = [s for s in sequences if "".join(letter for letter, _ in s) in listed]
    return combine(sequences, train_transducer(known, network, seed, workers))


def score(model: UnknownWords, entries: Sequence[tuple[str, Phones]]) -> dict[str, float]:
    """Errors of the model on words that it has not seen, in percent.

    Returns:
        `per`: insertions, deletions and substitutions per phone; `wer`: words not wholly right.
    """
    guesses = [model(word) for word, _ in entries]
    pairs = [(guess, phones) for guess, (_, phones) in zip(guesses, entries, strict=True)]
    errors = sum(distance(guess, phones) for guess, phones in pairs)
    wrong = sum(guess != phones for guess, phones in pairs)
    return {
        "per": round(100 * errors / max(sum(len(phones) for _, phones in pairs), 1), 3),
        "wer": round(100 * wrong / max(len(pairs), 1), 3),
    }


def distance(guess: Sequence[str], truth: Sequence[str]) -> int:
    """The smallest number of insertions, deletions and substitutions between two sequences."""
    row = list(range(len(truth) + 1))
    for i, a in enumerate(guess, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(truth, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def write_known(folder: Path, words: Words, model: UnknownWords) -> None:
    """Writes what LBG2P reads: the words, the model for unknown ones, and those of languages."""
    folder.mkdir(parents=True, exist_ok=True)
    write_dictionary(words.entries.items(), folder / LEXICON)
    languages.learn(words.entries).save(folder / LANGUAGES)
    model.save(folder / MODEL)


def kept(choice: Lexicon, workers: int) -> Path:
    """The folder in scratch with what is learnt from `choice`, see `write_known`.

    The folder's name tells the words, the settings and the code, so that a second call with the
    same finds them there.
    """
    words = gather(choice.sources, choice.test_share)
    entries = words.training()
    digest = hashlib.sha256(choice.model_dump_json(include={"network", "seed"}).encode())
    learnt = {word for word, _ in entries}
    for word, phones in words.entries.items():
        digest.update(f"{word} {' '.join(phones)} {word in learnt}\n".encode())
    for module in _CODE:
        digest.update(Path(str(module.__file__)).read_bytes())
    with scratch(f"lexicon-{digest.hexdigest()[:16]}") as folder:
        if not (folder / "complete").exists():
            write_known(folder, words, learn(entries, choice.network, choice.seed, workers))
            (folder / "complete").touch()
    return folder
