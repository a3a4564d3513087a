"""The network as an ONNX graph for kokoro-onnx, and the check that both are the same.

Inputs `input_ids` int64 [1, n+2], `style` float32 [1, 256] and `speed` float32 [1]; outputs `audio`
float32 [S] and `durations` int64 [n+2] units.
"""

import warnings
from collections.abc import Iterable, Iterator
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
from lbtts.models.randomness import seeded_noise

_OPSET = 17
_EXAMPLE_TOKENS = 12  # any; the axis is dynamic
_NOISE = 0  # seed of the noise, the same on both sides


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


def write_graph(model: KModel, path: Path) -> None:
    """Traces `model`, which is in eval mode, into `path`.

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
            output_names=["audio", "durations"],
            dynamic_axes={
                "input_ids": {1: "tokens"},
                "audio": {0: "samples"},
                "durations": {0: "tokens"},
            },
        )


def compare_graph(
    path: Path, model: KModel, utterances: Iterable[tuple[NDArray[np.int64], Tensor]]
) -> dict[str, float]:
    """The difference of the graph in `path` from stock `model` with torch.stft and the same noise.

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
    graph, drawn = _noise_as_input(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    mismatch, difference = 0, 0.0
    for tokens, row in utterances:
        with seeded_noise(_NOISE), _Draws() as draws:
            audio, units = model.forward_with_tokens(torch.from_numpy(tokens)[None], row)
        feed = {"input_ids": tokens[None], "style": row.numpy(), "speed": np.ones(1, np.float32)}
        feed |= {name: draw.numpy() for name, draw in zip(drawn, draws.tensors, strict=False)}
        other_audio, other_units = session.run(["audio", "durations"], feed)
        wrong = int((other_units != units.numpy()).sum())
        mismatch += wrong
        if not wrong:  # else the audio has another length
            error = np.sqrt(np.mean((other_audio - audio.numpy()) ** 2))
            difference = max(difference, float(error / audio.square().mean().sqrt()))
    return {"onnx_duration_mismatch": mismatch, "onnx_audio_difference": difference}


def _noise_as_input(path: Path) -> tuple[bytes, list[str]]:
    """The graph with its random numbers as inputs, and the names of these in order of drawing."""
    model = onnx.load(path)
    random = [node for node in model.graph.node if node.op_type.startswith("Random")]
    for node in random:
        model.graph.node.remove(node)
        value = onnx.helper.make_tensor_value_info(node.output[0], onnx.TensorProto.FLOAT, None)
        model.graph.input.append(value)
    return model.SerializeToString(), [node.output[0] for node in random]


class _Draws(TorchFunctionMode):
    """Keeps the tensors that SineGen draws, in order; the graph lacks the last, which is unused."""

    def __init__(self) -> None:
        super().__init__()
        self.tensors: list[Tensor] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.rand, torch.randn_like):
            self.tensors.append(result)
        return result
