"""The network as an ONNX graph for onnxruntime, and the check that both are the same.

Inputs `input_ids` int64 [1, n+2], `style` float32 [1, 256] and `speed` float32 [1]; outputs
`waveform` float32 [S] and `duration` int64 [n+2] units. Clients take the outputs by place
(sherpa-onnx), by the name `waveform` (transformers.js) or `duration` (kokoro-onnx).

The noise in the graph is a table, so that the same inputs always give the same audio.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from kokoro import KModel
from kokoro.custom_stft import CustomSTFT
from kokoro.model import KModelForONNX
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

from lbtts.models.kokoro.weights.facts import STYLE

_OPSET = 17
_EXAMPLE_TOKENS = 12  # any; the axis is dynamic
_OUTPUTS = ("waveform", "duration")
# Values in the table of normal noise, a prime. Nine harmonics take turns in it, so it comes again
# after 1.2 s, in the next harmonic.
_NORMAL, _UNIFORM = 262_147, 61


class RealSTFT(CustomSTFT):
    """torch.stft and istft as real convolutions, because ONNX has no complex numbers.

    kokoro's CustomSTFT, which `KModel(disable_complex=True)` uses, is not equal to them. Its
    inverse counts the mirrored bins once and leaves out the sum of the windows, so the bins of 0
    and 12 kHz are 6 dB louder than the others. And rounding flips the sign of their phase, +pi or
    -pi, which the network reads as a number. Here the difference is rounding, except in the
    outermost half window.
    """

    def __init__(self, filter_length: int, hop_length: int, win_length: int) -> None:
        super().__init__(filter_length, hop_length, win_length, pad_mode="reflect")
        self.weight_forward_imag[[0, -1]] = 0
        windows = float(self.window.square().sum()) / hop_length
        for weight in (self.weight_backward_real, self.weight_backward_imag):
            weight[1:-1] *= 2
            weight /= windows


@contextmanager
def _without_complex(model: KModel) -> Iterator[KModel]:
    """`model` with RealSTFT; leaving the context puts torch.stft back.

    The stock module is replaced in place, because a network with weight norm cannot be copied.
    """
    generator = model.decoder.generator
    stock = generator.stft
    generator.stft = RealSTFT(stock.filter_length, stock.hop_length, stock.win_length)
    try:
        yield model
    finally:
        generator.stft = stock


def write_graph(model: KModel, path: Path, metadata: Mapping[str, str]) -> None:
    """Traces `model`, which is in eval mode, into `path`, with `metadata` inside.

    The exporter sets all modules to the mode of the outermost one, and a new wrapper is in training
    mode, so the wrapper is set to eval mode. Only the TorchScript exporter works; dynamo=True fails
    on the data-dependent length.
    """
    tokens = torch.ones(1, _EXAMPLE_TOKENS, dtype=torch.int64)
    tokens[0, 0] = tokens[0, -1] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), _without_complex(model):
        warnings.simplefilter("ignore")  # about its deprecation, and about traced constants
        torch.onnx.export(
            KModelForONNX(model).eval(),
            (tokens, torch.zeros(1, STYLE), torch.ones(1)),
            str(path),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["input_ids", "style", "speed"],
            output_names=[*_OUTPUTS],
            dynamic_axes={
                "input_ids": {1: "tokens"},
                "waveform": {0: "samples"},
                "duration": {0: "tokens"},
            },
        )
    graph = onnx.load(path)
    _fix_noise(graph.graph)
    onnx.helper.set_model_props(graph, dict(metadata))
    onnx.save(graph, path)


def _tables() -> dict[str, NDArray[np.float32]]:
    """The noise, by the kind of node that it stands for."""
    draw = np.random.default_rng(0)
    return {
        "RandomNormalLike": draw.standard_normal(_NORMAL, dtype=np.float32),
        "RandomUniformLike": draw.random(_UNIFORM, dtype=np.float32),
    }


def _fix_noise(graph: onnx.GraphProto) -> None:
    """Lets every node that draws noise read a table, again from its start where it ends."""
    tables = _tables()
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        if node.op_type not in tables:
            graph.node.append(node)
            continue
        table, name = tables[node.op_type], node.output[0]
        constants = {"table": table, "zero": np.int64(0), "one": np.int64(1)}
        constants["size"] = np.int64(len(table))
        for key, value in constants.items():
            graph.initializer.append(
                onnx.numpy_helper.from_array(np.asarray(value), f"{name}_{key}")
            )
        steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
            ("Shape", [node.input[0]], "shape", {}),
            ("ReduceProd", [f"{name}_shape"], "count", {"keepdims": 0}),
            ("Range", [f"{name}_zero", f"{name}_count", f"{name}_one"], "places", {}),
            ("Mod", [f"{name}_places", f"{name}_size"], "turns", {}),
            ("Gather", [f"{name}_table", f"{name}_turns"], "flat", {}),
        ]
        for kind, inputs, output, attributes in steps:
            graph.node.append(
                onnx.helper.make_node(kind, inputs, [f"{name}_{output}"], **attributes)
            )
        graph.node.append(
            onnx.helper.make_node("Reshape", [f"{name}_flat", f"{name}_shape"], [name])
        )


def compare_graph(
    path: Path, model: KModel, utterances: Iterable[tuple[NDArray[np.int64], Tensor]]
) -> dict[str, float]:
    """The difference of the graph in `path` from stock `model` with torch.stft and its noise.

    Args:
        path: the graph.
        model: the one given to `write_graph`.
        utterances: tokens [T] int64 with BOS and EOS, and style row [1, 256], for each comparison.

    Returns:
        `onnx_duration_mismatch`: tokens whose units differ; `onnx_audio_difference`: largest root
        mean square difference of the audio, relative to its root mean square. With Kokoro's weights
        it is 0.007 to 0.019 (twelve renditions), not 1e-6: where a bin's phase lies on atan2's cut,
        rounding decides between +pi and -pi.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    mismatch, difference = 0, 0.0
    for tokens, row in utterances:
        with FixedNoise():
            audio, units = model.forward_with_tokens(torch.from_numpy(tokens)[None], row)
        feed = {"input_ids": tokens[None], "style": row.numpy(), "speed": np.ones(1, np.float32)}
        other_audio, other_units = session.run(_OUTPUTS, feed)
        wrong = int((other_units != units.numpy()).sum())
        mismatch += wrong
        if not wrong:  # else the audio has another length
            error = np.sqrt(np.mean((other_audio - audio.numpy()) ** 2))
            difference = max(difference, float(error / audio.square().mean().sqrt()))
    return {"onnx_duration_mismatch": mismatch, "onnx_audio_difference": difference}


class FixedNoise(TorchFunctionMode):
    """In this context torch draws the noise of the graph."""

    def __init__(self) -> None:
        super().__init__()
        tables = _tables()
        self._tables = {
            torch.rand: torch.from_numpy(tables["RandomUniformLike"]),
            torch.randn_like: torch.from_numpy(tables["RandomNormalLike"]),
        }

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        table = self._tables.get(func)
        if table is None:
            return result
        turns = torch.arange(result.numel()) % len(table)
        return table[turns].reshape(result.shape)
