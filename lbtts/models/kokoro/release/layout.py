"""Where an exported folder keeps what speaking needs. It imports no torch.

config.json  kokoro-<language>.pth  voices/<voice>.pt  README.md
onnx/{model.onnx,voices.bin}: the graph, and the tables of its voices by name (an .npz file)
g2p/: the front end that the voice was trained with
"""

from collections.abc import Sequence
from pathlib import Path

from lbtts.records import read_json

FRONT_END, ADDITIONS, LANGUAGE = Path("g2p"), "additions.tsv", "language.json"
LEXICON = "lexicon.dict"  # in `FRONT_END`, of languages that have one
GRAPH, GRAPH_VOICES = Path("onnx/model.onnx"), Path("onnx/voices.bin")
# The other precisions of the graph, named as transformers.js looks for them.
GRAPHS = {
    "fp32": GRAPH,
    "fp16": Path("onnx/model_fp16.onnx"),
    "int8": Path("onnx/model_quantized.onnx"),
}


def language_of(folder: Path) -> str | None:
    """The ISO 639 code of the voice's language; None where the folder does not say."""
    path = folder / FRONT_END / LANGUAGE
    return str(read_json(path)["language"]) if path.exists() else None


def front_end(folder: Path, learnt: Sequence[str]) -> tuple[Path | None, Path | None]:
    """The exported additions, and the folder of the exported lexicon; None if missing."""
    additions, known = folder / FRONT_END / ADDITIONS, folder / FRONT_END
    complete = all((known / name).exists() for name in learnt)
    return additions if additions.exists() else None, known if complete else None
