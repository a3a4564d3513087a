"""The exported network, run by onnxruntime."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from lbtts.errors import InputError
from lbtts.models.kokoro.weights.facts import table_row
from lbtts.text.vocab import EDGE, encode


class Graph:
    """An exported graph; the same phonemes always give the same audio."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Loads it.

        Args:
            path: of the graph.
            threads: that share a run; 0 is one for each core.

        Raises:
            InputError: it is missing, or no graph that lbtts has exported.
        """
        if not path.exists():
            raise InputError(f"{path}: not found; export with `export.onnx: true`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # its warnings are about its own optimisations
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own have no common base
            raise InputError(f"{path}: onnxruntime cannot load it ({error})") from error
        if "duration" not in {output.name for output in self._session.get_outputs()}:
            raise InputError(f"{path}: has no output `duration`; run `dvc repro export` again")

    def __call__(
        self, phonemes: str, table: NDArray[np.float32], speed: float
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Audio [S] float32 at 24 kHz, and units [n + 2] of BOS, `phonemes` and EOS.

        Args:
            phonemes: n symbols of Kokoro's, 1 to 510.
            table: [510, 1, 256] of the voice.
            speed: 1 is the voice's own.
        """
        tokens = np.array([[EDGE, *encode(phonemes), EDGE]], dtype=np.int64)
        feed = {
            "input_ids": tokens,
            "style": table[table_row(tokens.shape[1])],
            "speed": np.array([speed], dtype=np.float32),
        }
        audio, units = self._session.run(["waveform", "duration"], feed)
        return audio, units.astype(np.int64)
