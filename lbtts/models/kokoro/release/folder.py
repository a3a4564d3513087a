"""The release folder, and the proof that stock kokoro speaks with it.

config.json  kokoro-<language>.pth  voices/<voice>.pt  README.md  onnx/{model.onnx,voices.bin}
g2p/: the front end that the voice was trained with, see `lbtts.languages.exported`
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kokoro import KModel
from numpy.typing import NDArray
from torch import Tensor

from lbtts.errors import InputError
from lbtts.languages.language import Language
from lbtts.models.kokoro.network.trainable import Kokoro
from lbtts.models.kokoro.release import clients, proof
from lbtts.models.kokoro.release.layout import GRAPH, GRAPH_VOICES
from lbtts.models.kokoro.release.onnx_graph import compare_graph, write_graph
from lbtts.models.kokoro.voices.table import VoiceTable
from lbtts.models.kokoro.weights.checkpoint import save_published
from lbtts.models.kokoro.weights.facts import table_row
from lbtts.models.randomness import seeded_noise
from lbtts.records import write_json

_NOISE = 0  # seed of the noise, the same on both sides of the proof
_SAME_AUDIO = 1e-4  # largest difference of a sample; both run the same operations
_SAME_GRAPH_AUDIO = 0.04  # root mean square, relative; see onnx_graph.compare_graph

Tokens = NDArray[np.int64]


def write(
    folder: Path, model: KModel, table: Tensor, config: dict[str, Any], voice: str, code: str
) -> None:
    """Writes config.json, the checkpoint in published form and the voice table.

    Args:
        folder: made if it does not exist.
        model: every tensor of it is written.
        table: [510, 1, 256] float32.
        config: as Kokoro publishes it.
        voice: its name; stock KPipeline takes `voices/<name>.pt`.
        code: of the language, for the name of the checkpoint.
    """
    (folder / "voices").mkdir(parents=True, exist_ok=True)
    write_json(folder / proof.CONFIG, config | {"model_type": clients.TRANSFORMERS_TYPE})
    save_published(model.state_dict(), weights(folder, code))
    torch.save(table.detach().float().contiguous().clone(), folder / "voices" / f"{voice}.pt")


def weights(folder: Path, code: str) -> Path:
    """The path of the checkpoint of a voice for the language with this code."""
    return folder / proof.WEIGHTS.replace("*", code)


def write_onnx(
    folder: Path,
    model: KModel,
    table: Tensor,
    config: dict[str, Any],
    voice: str,
    language: Language,
) -> None:
    """Writes the graph, and what its clients want beside it; see `clients`."""
    write_graph(model, folder / GRAPH, clients.graph_metadata(config, voice, language))
    clients.write_voices(folder, table.numpy(), voice)
    clients.write_tokenizer(folder, config["vocab"])


def prove(
    folder: Path, model: KModel, table: Tensor, voice: str, tokens: Tokens
) -> dict[str, int | float]:
    """Figures of a new process that has only stock kokoro and the files in `folder`.

    It compares every tensor with the file, and speaks `tokens`. The audio must equal that of the
    training-side network with the same noise, and have the length of its durations.

    Args:
        folder: what `write` wrote.
        model: the training-side network.
        table: its voice table [510, 1, 256].
        voice: its name.
        tokens: [T] int64 with BOS and EOS.

    Raises:
        InputError: something differs; the message says what.
    """
    symbols = {index: symbol for symbol, index in model.vocab.items()}
    phonemes = "".join(symbols[int(token)] for token in tokens[1:-1])
    report, audio = _in_fresh_process(folder, voice, phonemes)
    total, equal = report["tensors_compared"], report["tensors_equal"]
    if equal < total:
        raise _failed(
            folder, f"{total - equal} of {total} tensors differ, first {report['first_difference']}"
        )
    if report["samples"] != report["samples_expected"]:
        raise _failed(
            folder, f"{report['samples']} samples, {report['samples_expected']} by its durations"
        )
    expected, units = _training_side(model, table, tokens)
    if report["units"] != units:
        raise _failed(folder, f"durations {report['units']} are not the training side's {units}")
    difference = float(np.abs(audio - expected).max())
    if not difference <= _SAME_AUDIO:
        raise _failed(folder, f"audio differs from the training side's by up to {difference:g}")
    return {
        "tensors_compared": total,
        "tensors_equal": equal,
        "proof_samples": report["samples"],
        "proof_units": sum(units),
        "proof_audio_difference": round(difference, 9),
    }


def prove_onnx(
    folder: Path, model: KModel, table: Tensor, utterances: list[Tokens]
) -> dict[str, float]:
    """The difference of onnxruntime with the graph in `folder` from the network; see compare_graph.

    Raises:
        InputError: a duration differs, the audio differs more than rounding explains, or the voices
            file is not the table.
    """
    with np.load(folder / GRAPH_VOICES) as voices:
        (stored,) = (voices[name] for name in voices)
    if not np.array_equal(stored, table.numpy()):
        raise _failed(folder, f"{GRAPH_VOICES} does not hold the voice table")
    spoken = [(tokens, table[table_row(len(tokens))]) for tokens in utterances]
    metrics = compare_graph(folder / GRAPH, model, spoken)
    if metrics["onnx_duration_mismatch"]:
        raise _failed(
            folder, f"{GRAPH}: {metrics['onnx_duration_mismatch']:g} durations differ from torch's"
        )
    if not metrics["onnx_audio_difference"] <= _SAME_GRAPH_AUDIO:
        raise _failed(
            folder,
            f"{GRAPH}: audio is off by {metrics['onnx_audio_difference']:.2g} of its size",
        )
    return metrics | {"onnx_audio_difference": round(metrics["onnx_audio_difference"], 3)}


def sizes(folder: Path) -> dict[str, float]:
    """Megabytes of the checkpoint, and of the graph if there is one."""
    files = {"checkpoint_mb": proof.WEIGHTS, "onnx_mb": str(GRAPH)}
    return {
        name: round(path.stat().st_size / 1e6, 1)
        for name, pattern in files.items()
        for path in folder.glob(pattern)
    }


def _in_fresh_process(folder: Path, voice: str, phonemes: str) -> tuple[dict[str, Any], NDArray]:
    """What `proof.py` reports, and its audio [S] float32."""
    # In the folder itself, because the next run removes there what a killed one left.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        audio = Path(scratch).resolve() / "audio.npy"
        script = str(Path(proof.__file__).resolve())
        done = subprocess.run(
            [sys.executable, "-I", script, voice, phonemes, str(_NOISE), str(audio)],
            cwd=folder,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise _failed(folder, f"stock kokoro failed: {reason}")
        return json.loads(done.stdout.splitlines()[-1]), np.load(audio)


def _training_side(model: KModel, table: Tensor, tokens: Tokens) -> tuple[NDArray, list[int]]:
    """Audio [S] and units of `tokens`, spoken by the training-side network."""
    network = Kokoro(model, VoiceTable(table))
    row = table[table_row(len(tokens))]
    with torch.no_grad(), seeded_noise(_NOISE):
        made = network.forward_train(torch.from_numpy(tokens)[None], row)
    return made.audio[0].numpy(), made.durations[0].round().clamp(min=1).int().tolist()


def _failed(folder: Path, reason: str) -> InputError:
    return InputError(
        f"export: {folder} failed its proof: {reason}; run `dvc repro -s -f export`, "
        "and if it fails again, report it"
    )
