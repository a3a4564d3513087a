"""Smaller files of a graph, whose weights are rounded to 16-bit floats or 8-bit integers.

Only the file is smaller: onnxruntime turns the weights back into float32 when it loads them, so
these graphs are as fast as the first one and run wherever it does. Integer arithmetic instead
(`quantize_dynamic`) was slower here and changed durations.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_SMALLEST = 4096  # weights of a tensor that is worth rounding
_LARGEST = 127


def write_rounded(source: Path, target: Path, precision: str) -> None:
    """Writes the graph in `source` with its large tensors rounded.

    Args:
        source: a graph in float32.
        target: where to.
        precision: fp16, or int8 with one scale for each output channel.
    """
    model = onnx.load(source)
    graph = model.graph
    recurrent = {name for node in graph.node if node.op_type == "LSTM" for name in node.input}
    initializers, nodes = list(graph.initializer), list(graph.node)
    del graph.initializer[:], graph.node[:]
    for tensor in initializers:
        large = int(np.prod(tensor.dims)) >= _SMALLEST and len(tensor.dims) > 1
        if tensor.data_type != TensorProto.FLOAT or not large:
            graph.initializer.append(tensor)
            continue
        weights, name = numpy_helper.to_array(tensor), tensor.name
        cast = helper.make_node("Cast", [f"{name}_small"], [name], to=TensorProto.FLOAT)
        if precision == "fp16":
            stored: NDArray = weights.astype(np.float16)
            graph.node.append(cast)
        else:
            stored, scale = _integers(weights, 2 if name in recurrent else 1)
            cast.output[0] = f"{name}_whole"
            graph.node.append(cast)
            graph.node.append(helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [name]))
            graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
        graph.initializer.append(numpy_helper.from_array(stored, f"{name}_small"))
    graph.node.extend(nodes)
    onnx.save(model, target)


def _integers(weights: NDArray, channels: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights from -127 to 127, and what to multiply them by, along the first axes."""
    axes = tuple(range(channels, weights.ndim))
    scale = np.abs(weights).max(axis=axes, keepdims=True) / _LARGEST
    scale[scale == 0] = 1
    return np.rint(weights / scale).astype(np.int8), scale.astype(np.float32)
