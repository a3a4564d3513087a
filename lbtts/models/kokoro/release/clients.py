"""What other programs look for in an exported folder, besides the checkpoint and the graph.

transformers.js and kokoro-js: `tokenizer.json`, `tokenizer_config.json`, `model_type` in
`config.json`, and `voices/<voice>.bin`. sherpa-onnx: that too, the graph's metadata, and
`sherpa/{tokens.txt,lexicon.txt}`. kokoro-onnx: the vocabulary in the graph's metadata, and
`onnx/voices.bin`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lbtts.errors import Reject
from lbtts.grid import SAMPLE_RATE
from lbtts.languages.language import Language
from lbtts.models.kokoro.release.layout import GRAPH_VOICES
from lbtts.models.kokoro.weights.facts import STYLE, TABLE_ROWS
from lbtts.records import write_json
from lbtts.text.front_end import FrontEnd
from lbtts.text.vocab import EDGE

TRANSFORMERS_TYPE = "style_text_to_speech_2"  # `model_type` by which transformers.js knows Kokoro
SHERPA = Path("sherpa")
_EDGE_SYMBOL = "$"  # how the tokenizer of Kokoro's ONNX release writes BOS and EOS


def graph_metadata(config: Mapping[str, Any], voice: str, language: Language) -> dict[str, str]:
    """The metadata of the graph.

    Source: `embedded_vocab` of kokoro-onnx 0.6.1; `OfflineTtsKokoroModel::Init` of sherpa-onnx.
    An empty `voice` lets sherpa-onnx read the lexicon; with another it would ask espeak-ng.
    """
    return {
        "kokoro_config": json.dumps(config, ensure_ascii=False),
        "model_type": "kokoro",
        "language": language.name,
        "sample_rate": str(SAMPLE_RATE),
        "version": "2",
        "has_espeak": "1",
        "voice": "",
        "n_speakers": "1",
        "speaker_names": voice,
        "style_dim": f"{TABLE_ROWS},1,{STYLE}",
    }


def write_voices(folder: Path, table: NDArray[np.float32], voice: str) -> None:
    """Writes the table [510, 1, 256] for those who do not read torch's files.

    `onnx/voices.bin` is an .npz file. `voices/<voice>.bin` is raw float32, one row later: its
    readers (kokoro-js 1.2.1, sherpa-onnx) take row n for n symbols, where kokoro takes row n - 1.
    """
    path = folder / GRAPH_VOICES
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **{voice: table})
    later = np.concatenate([table[:1], table[:-1]])
    later.astype("<f4").tofile(folder / "voices" / f"{voice}.bin")


def write_tokenizer(folder: Path, vocab: Mapping[str, int]) -> None:
    """Writes `tokenizer.json`: one token per symbol, unknown symbols dropped, as kokoro does."""
    edge = {"SpecialToken": {"id": _EDGE_SYMBOL, "type_id": 0}}
    symbols = "".join(f"\\u{{{ord(symbol):x}}}" for symbol in vocab)
    write_json(
        folder / "tokenizer.json",
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": {
                "type": "Replace",
                "pattern": {"Regex": f"[^{symbols}]"},
                "content": "",
            },
            "pre_tokenizer": {
                "type": "Split",
                "pattern": {"Regex": ""},
                "behavior": "Isolated",
                "invert": False,
            },
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [edge, {"Sequence": {"id": "A", "type_id": 0}}, edge],
                "special_tokens": {
                    _EDGE_SYMBOL: {"id": _EDGE_SYMBOL, "ids": [EDGE], "tokens": [_EDGE_SYMBOL]}
                },
            },
            "decoder": None,
            "model": {"vocab": {_EDGE_SYMBOL: EDGE, **vocab}},
        },
    )
    write_json(
        folder / "tokenizer_config.json",
        {
            "model_max_length": TABLE_ROWS + 2,
            "pad_token": _EDGE_SYMBOL,
            "tokenizer_class": "PreTrainedTokenizer",
            "unk_token": _EDGE_SYMBOL,
        },
    )


def write_sherpa(
    folder: Path, vocab: Mapping[str, int], words: Iterable[str], front_end: FrontEnd
) -> None:
    """Writes the symbols, and the pronunciation of each of `words` by `front_end`."""
    out = folder / SHERPA
    out.mkdir(parents=True, exist_ok=True)
    tokens = "".join(f"{symbol} {index}\n" for symbol, index in vocab.items())
    (out / "tokens.txt").write_text(tokens, encoding="utf-8", newline="\n")
    with (out / "lexicon.txt").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_entries(words, front_end))


def _entries(words: Iterable[str], front_end: FrontEnd) -> Iterator[str]:
    """A line for each word: it and its symbols, apart by spaces; not those read as several."""
    for word in sorted(set(words)):
        try:
            phonemes, said = front_end(word)
        except Reject:
            continue
        if len(said) == 1 and phonemes and " " not in phonemes:
            yield f"{word} {' '.join(phonemes)}\n"
