"""Gathers the known words, and trains the model that pronounces unknown ones."""

from pathlib import Path

from lbtts import params
from lbtts.errors import InputError
from lbtts.records import write_json
from lbtts.text.oov.learning import learn, score, write_known
from lbtts.text.sources import counts, gather
from stages import run

OUT = Path("data/lexicon")


def main() -> None:
    """Writes data/lexicon and metrics/lexicon.json."""
    p = params.load()
    words = gather(p.lexicon.sources, p.lexicon.test_share)
    training, scoring = words.training(), words.scoring()
    if not training:
        raise InputError(
            "params.yaml: lexicon: no words to learn from; add a source or lower test_share"
        )
    model = learn(training, p.lexicon.network, p.lexicon.seed, p.run.workers)
    write_known(OUT, words, model)
    measured: dict[str, float] = {f"words_{name}": n for name, n in counts(words).items()}
    measured |= {"words_learnt": len(training), "words_held_out": len(scoring)}
    write_json(Path("metrics/lexicon.json"), measured | score(model, scoring))


if __name__ == "__main__":
    run(main)
