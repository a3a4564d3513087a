"""Gathers the known words and learns to pronounce unknown ones."""

from lbtts import languages, params, paths
from lbtts.records import write_json
from stages import run


def main() -> None:
    """Writes data/lexicon and metrics/lexicon.json."""
    p = params.load()
    paths.LEXICON.mkdir(parents=True, exist_ok=True)
    language = languages.get(p.language)
    metrics = language.learn(p.lexicon, p.run.workers, paths.LEXICON)
    nothing = {"lexicon": f"nothing to do: {language.name} learns nothing"}
    write_json(paths.metrics("lexicon"), metrics or nothing)


if __name__ == "__main__":
    run(main)
