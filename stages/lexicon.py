"""Gathers the known words, and learns how to pronounce the unknown ones."""

from pathlib import Path

from lbtts import languages, params
from lbtts.records import write_json
from stages import run

OUT = Path("data/lexicon")


def main() -> None:
    """Writes data/lexicon and metrics/lexicon.json."""
    p = params.load()
    OUT.mkdir(parents=True, exist_ok=True)
    metrics = languages.get(p.language).learn(p.lexicon, p.run.workers, OUT)
    write_json(Path("metrics/lexicon.json"), metrics)


if __name__ == "__main__":
    run(main)
