"""The audio and spectrogram of a held-out sentence that the network speaks at a validation."""

from pathlib import Path

import numpy as np
import soundfile
from matplotlib.axes import Axes
from numpy.typing import NDArray

from lbtts.acoustics.measuring.mel import log_mel
from lbtts.acoustics.store.features import Utterance
from lbtts.grid import SAMPLE_RATE, UNIT_RATE
from lbtts.models.recipe import Speech
from lbtts.page import panels, spectrogram
from lbtts.text.vocab import VOCAB

_SYMBOLS = {number: symbol for symbol, number in VOCAB.items()}


def save(recording: Utterance, speech: Speech, folder: Path, step: int) -> None:
    """Writes `step-<step>-<id>.wav` and `.png` of one held-out utterance.

    The audio has the network's own durations. The picture shows its mel spectrogram below that of
    the recording, each with its tokens at their durations.

    Args:
        recording: of the utterance.
        speech: of the network.
        folder: made if it does not exist.
        step: number in the files' names.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"step-{step:07d}-{recording.id}.wav"
    soundfile.write(path, speech.audio, SAMPLE_RATE, subtype="PCM_16")
    _picture(recording, speech, path.with_suffix(".png"), step)


def _picture(recording: Utterance, speech: Speech, path: Path, step: int) -> None:
    figure, (above, below) = panels(
        [f"{recording.id}: recording", f"step {step}"], across=1, width=9, height=2.2
    )
    _draw(above, recording.mel, recording.tokens, recording.units)
    _draw(below, log_mel(speech.audio), recording.tokens, speech.units)
    figure.savefig(path, dpi=90, metadata={"Software": None})


def _draw(
    axis: Axes,
    mel: NDArray[np.float32],
    tokens: NDArray[np.int64],
    units: NDArray[np.int64],
) -> None:
    """Draws a mel [F, 80] over seconds, with a line at the end of each token [T] and its symbol."""
    ends = units.cumsum() / UNIT_RATE
    extent = (0.0, float(ends[-1]), 0.0, float(mel.shape[1]))
    axis.imshow(spectrogram(mel), aspect="auto", extent=extent)
    axis.set_yticks([])
    for token, end, length in zip(tokens, ends, units, strict=True):
        axis.axvline(end, color="white", linewidth=0.3)
        middle = end - length / UNIT_RATE / 2
        axis.text(middle, 2, _SYMBOLS.get(int(token), ""), color="white", fontsize=6, ha="center")
