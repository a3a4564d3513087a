"""From text to speech with an exported folder: needs onnxruntime, no torch."""
