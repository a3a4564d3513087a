"""Gathers the known words and learns to pronounce unknown ones."""

from lbtts import languages, params, paths
from lbtts.records import write_json
from stages import run


def main() -> None:
    """Writes data/lexicon and metrics/lexicon.json."""
    p = params.load()
    paths.LEXICON.mkdir(parents=True, exist_ok=True)
    metrics = languages.get(p.language).learn(p.lexicon, p.run.workers, paths.LEXICON)
    write_json(paths.metrics("lexicon"), metrics)


if __name__ == "__main__":
    run(main)
