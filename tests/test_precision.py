import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from lbtts.models.kokoro.release.layout import GRAPH
from lbtts.models.kokoro.release.precision import write_rounded
from lbtts.models.kokoro.release.session import Graph

PHONEMES = "mˈoiən, vɜɪ ɡˈeːt ˈət?"


@pytest.mark.parametrize(
    ("precision", "share", "step"), [("fp16", 0.7, 2**-11), ("int8", 0.5, 1 / 127)]
)
def test_rounded_weights_are_near_and_the_graph_still_speaks(
    exported, tmp_path, precision, share, step
):
    path = tmp_path / "rounded.onnx"
    write_rounded(exported / GRAPH, path, precision)
    assert path.stat().st_size < share * (exported / GRAPH).stat().st_size
    table = np.zeros((510, 1, 256), np.float32)
    audio, units = Graph(path, 1)(PHONEMES, table, 1.0)
    assert len(audio) == 600 * units.sum() and np.isfinite(audio).all()

    rounded = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    for tensor in onnx.load(exported / GRAPH).graph.initializer:
        if f"{tensor.name}_small" not in rounded:
            continue
        weights = numpy_helper.to_array(tensor)
        stored = numpy_helper.to_array(rounded[f"{tensor.name}_small"]).astype(np.float32)
        if precision == "int8":
            stored = stored * numpy_helper.to_array(rounded[f"{tensor.name}_scale"])
        assert np.abs(stored - weights).max() <= step * np.abs(weights).max()
