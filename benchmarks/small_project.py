"""A clone of this repository whose whole pipeline takes three minutes of one core.

It is the demo with fewer sentences, words, words to test and steps, with random weights, and with a
miniature in Kokoro's place: its code, its stages and its files are those of the demo.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lbtts.languages.luxembourgish.lexicon import packaged_entries
from lbtts.text.dictionary import write_dictionary

ROOT = Path(__file__).resolve().parent.parent
SENTENCES, EVERY = 16, 40  # sentences of the demo; each so many-th word is in the lexicon
WORDS = "data/raw/demo/words.dict"
CHANGES: dict[str, Any] = {
    "run": {"jobs": 2, "loaders": 1, "max_rejected": 0.5},
    "lexicon": {
        "sources": [{"name": "few", "kind": "file", "at": WORDS}],
        "test_share": 0.1,
        "network": {"epochs": 1},
    },
    "base": {"source": "random"},
    "train": {
        "steps": 12,
        "batch_seconds": 1,
        "crop_seconds": 0.5,
        "checkpoint_every": 2,
        "validate_every": 4,
        "validation_utterances": 1,
    },
    "evaluate": {"utterances": 1, "readings": 2},
    "report": {"samples": 1},
}
MINIATURE = """
import kokoro.model

from benchmarks import miniature
from lbtts.models.kokoro.weights import facts

kokoro.model.Decoder = miniature.SmallDecoder
_small = miniature.config()
facts.config = lambda: _small
"""
PROOF = "import sys\n\nsys.path.insert(0, {folder!r})\nimport lbtts.models.kokoro  # noqa: F401\n\n"


def make(folder: Path) -> None:
    """Clones the repository into `folder`, which must not exist, and makes its demo small."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    params, yaml = folder / "params.yaml", YAML()
    content = yaml.load(params.read_text(encoding="utf-8"))
    _change(content, CHANGES)
    yaml.dump(content, params)
    sentences = folder / "data/raw/demo/sentences.txt"
    lines = sentences.read_text(encoding="utf-8").splitlines(keepends=True)
    sentences.write_text("".join(lines[:SENTENCES]), encoding="utf-8")
    write_dictionary(sorted(packaged_entries().items())[::EVERY], folder / WORDS)
    with (folder / "lbtts/models/kokoro/__init__.py").open("a", encoding="utf-8") as code:
        code.write(MINIATURE)
    proof = folder / "lbtts/models/kokoro/release/proof.py"
    code = proof.read_text(encoding="utf-8")
    proof.write_text(PROOF.format(folder=str(folder)) + code, encoding="utf-8")
    author = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    for command in (["add", "--all"], [*author, "commit", "--quiet", "--message", "Small"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def _change(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Writes the values of `new` into `old`, at every depth."""
    for name, value in new.items():
        if isinstance(value, dict):
            _change(old[name], value)
        else:
            old[name] = value


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
