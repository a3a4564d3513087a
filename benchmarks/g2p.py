"""Compares three ways from a word to its phones, on words that none of them has been shown.

    python -m benchmarks.g2p [--lexicon FILE]

FILE is an MFA dictionary, or a table with the columns word, phones and split; by default the
sources in params.yaml. All learn from its training words and are scored on the words held out; what
each says is mapped by the one phone inventory. Learning takes minutes, once: it is kept in
scratch/.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from lbtts import params
from lbtts.espeak import transcribe
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.learning import cached, words_of
from lbtts.languages.luxembourgish.lexicon import LEXICON, MODEL, ORIGIN, learn_ngrams
from lbtts.languages.luxembourgish.phones import canonical
from lbtts.text.dictionary import write_dictionary
from lbtts.text.inventory import Phones

Says = Callable[[str], Phones]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lexicon", metavar="FILE")
    options = parser.parse_args()
    p = params.load()
    choice = p.lexicon
    if options.lexicon:
        source = params.Source(name="given", kind="file", at=options.lexicon)
        choice = choice.model_copy(update={"sources": (source,)})
    words = words_of(choice.sources, choice.test_share)
    training, held_out = words.training(), words.scoring()
    learnt = cached(choice, p.run.workers)
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder)
        write_dictionary(training, known / LEXICON)  # without the words held out
        for name in (MODEL, ORIGIN):
            shutil.copy(learnt / name, known / name)
        g2p = LBG2P(known=known)
        ngrams = learn_ngrams(training)
        listed = dict(training)
        print(f"{len(training)} words to learn from, {len(held_out)} held out\n")
        print("| | PER | WER |\n|---|---|---|")
        show("espeak-ng `lb`", _espeak, held_out)
        show("dictionary + joint-sequence n-grams", lambda w: listed.get(w) or ngrams(w), held_out)
        show("lbtts, the model for unknown words alone", g2p.unknown_words, held_out)
        show("lbtts, the whole front end", lambda word: g2p.pronounce(word).phones, held_out)


def show(name: str, says: Says, held_out: Sequence[tuple[str, Phones]]) -> None:
    """Prints a row: errors in percent of phones and of words."""
    said = [(says(word), phones) for word, phones in held_out]
    errors = sum(Levenshtein.distance(guess, phones) for guess, phones in said)
    wrong = sum(guess != phones for guess, phones in said)
    total = sum(len(phones) for _, phones in held_out)
    print(f"| {name} | {100 * errors / total:.2f} % | {100 * wrong / len(said):.2f} % |")


def _espeak(word: str) -> Phones:
    return canonical(transcribe(word, "lb"))


if __name__ == "__main__":
    main()
