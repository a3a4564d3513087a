"""Where an exported folder keeps what speaking needs. It imports no torch.

config.json  kokoro-<language>.pth  voices/<voice>.pt  README.md
onnx/{model.onnx,voices.bin}: the graph, and the tables of its voices by name (an .npz file)
g2p/: the front end that the voice was trained with, see `lbtts.languages.exported`
"""

from pathlib import Path

GRAPH, GRAPH_VOICES = Path("onnx/model.onnx"), Path("onnx/voices.bin")
# The other precisions of the graph, named as transformers.js looks for them.
GRAPHS = {
    "fp32": GRAPH,
    "fp16": Path("onnx/model_fp16.onnx"),
    "int8": Path("onnx/model_quantized.onnx"),
}
