"""The release folder, and its verification on the shortest sentences."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lbtts import languages
from lbtts.languages import exported
from lbtts.models.kokoro.release import clients, folder, layout
from lbtts.models.kokoro.release.precision import write_rounded
from lbtts.models.kokoro.release.session import Graph
from lbtts.models.kokoro.weights.checkpoint import load_finetuned, read_config
from lbtts.models.kokoro.weights.facts import table_row
from lbtts.params import Params
from lbtts.paths import ADDITIONS, EXPORT, FINETUNED, LEXICON, PLANNED
from lbtts.records import read_json
from lbtts.text.dictionary import read_dictionary
from lbtts.text.tokens import shortest_plans
from lbtts.text.vocab import VOCAB

_ROUNDED = ("fp16", "int8")
_PROVEN = 2  # sentences


def make(p: Params) -> dict[str, Any]:
    """Writes weights, voice, front end and graph into `models/export`, and verifies them.

    Raises:
        InputError: stock kokoro, or the graph, gives other audio than the network.
    """
    language = languages.get(p.language)
    model, table = load_finetuned(FINETUNED)
    spoken = [np.array(plan.input_ids, dtype=np.int64) for plan in shortest_plans(PLANNED, _PROVEN)]
    shutil.rmtree(EXPORT, ignore_errors=True)
    folder.write(EXPORT, model, table, read_config(FINETUNED), p.export.voice, language.code)
    exported.write(EXPORT, language, ADDITIONS, LEXICON)
    metrics: dict[str, Any] = {"base": read_json(FINETUNED / "provenance.json")["base"]}
    metrics |= folder.prove(EXPORT, model, table, p.export.voice, spoken[0])
    print(f"export: stock kokoro loads all {metrics['tensors_equal']} tensors and speaks")
    if p.export.onnx:
        folder.write_onnx(EXPORT, model, table, read_config(FINETUNED), p.export.voice, language)
        lexicon = EXPORT / exported.LEXICON
        words = read_dictionary(lexicon) if lexicon.exists() else {}
        clients.write_sherpa(EXPORT, VOCAB, words, exported.front_end(EXPORT))
        metrics |= folder.prove_onnx(EXPORT, model, table, spoken)
    return metrics | folder.sizes(EXPORT)


def rounded(p: Params) -> Iterator[tuple[str, Path, "GraphSynthesiser"]]:
    """Name, file and speech of each graph with rounded weights, when `make` has been called."""
    if not p.export.onnx:
        return
    table = load_finetuned(FINETUNED)[1].numpy()
    for precision in _ROUNDED:
        path = EXPORT / layout.GRAPHS[precision]
        write_rounded(EXPORT / layout.GRAPH, path, precision)
        yield precision, path, GraphSynthesiser(path, table)


class GraphSynthesiser:
    """A graph with a voice table, which speaks with its own durations only."""

    def __init__(self, path: Path, table: NDArray[np.float32]) -> None:
        """Takes an exported graph and a table [510, 1, 256]."""
        self._graph = Graph(path)
        self._table = table

    def speak(self, tokens: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Audio [S] float32 and units [T] int64 of `tokens` [T]."""
        return self._graph.run(tokens, self._table[table_row(len(tokens))], 1.0)
