"""One picture of a run: how its losses fell, and how a sentence came out."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.mel import log_mel
from lbtts.grid import FRAME_RATE
from lbtts.params import F0

_ACROSS = 3
_HIGHEST_HZ = 300


def draw(
    curves: Mapping[str, pandas.DataFrame],
    sounds: Mapping[str, NDArray[np.float32]],
    f0: F0,
    path: Path,
) -> None:
    """Writes a PNG: a chart a loss, below them a spectrogram with F0 a sound.

    Args:
        curves: by loss, with columns `step`, `train`, `validation`.
        sounds: [S] float32 each, by what is shown beside it.
        f0: how F0 is tracked.
        path: of the PNG.
    """
    # What has no validation is no loss: the learning rate and such.
    losses = {name: table for name, table in curves.items() if "validation" in table}
    rows = -(-len(losses) // _ACROSS)
    figure = Figure(figsize=(10, 2 * rows + 1.6 * len(sounds)), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[2 * rows, 1.6 * len(sounds)])
    axes = above.subplots(rows, _ACROSS, squeeze=False).flat
    for (name, table), axis in zip(losses.items(), axes, strict=False):
        for line, width in (("train", 0.4), ("validation", 1.5)):
            drawn = table[["step", line]].dropna()
            axis.plot(drawn["step"], drawn[line], label=line, linewidth=width)
        axis.set_ylim(0, 1.2 * table["validation"].max())
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.legend(fontsize=7)
    for axis in axes:
        axis.set_axis_off()
    _spectrograms(below, sounds, f0)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _spectrograms(figure, sounds, f0) -> None:  # type: ignore[no-untyped-def]
    """One log-mel spectrogram a sound, on one scale and one time axis."""
    mels = {name: log_mel(audio) for name, audio in sounds.items()}
    low, high = np.percentile(next(iter(mels.values())), [1, 99.5])
    axes = figure.subplots(len(mels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, mel) in zip(axes, mels.items(), strict=True):
        seconds, bands = len(mel) / FRAME_RATE, mel.shape[1]
        axis.imshow(
            mel.T,
            origin="lower",
            aspect="auto",
            extent=(0, seconds, 0, bands),
            vmin=low,
            vmax=high,
            cmap="magma",
        )
        pitch = track(sounds[name], f0)
        voiced = np.where(pitch > 0, pitch * bands / _HIGHEST_HZ, np.nan)
        axis.plot(np.arange(len(voiced)) / FRAME_RATE, voiced, color="cyan", linewidth=1)
        axis.set(yticks=[], ylim=(0, bands))
        axis.set_ylabel(name, fontsize=8)
    axes[0].set_title(f"F0 drawn from 0 to {_HIGHEST_HZ} Hz", fontsize=8)
    axes[-1].set_xlim(0, max(map(len, mels.values())) / FRAME_RATE)
    axes[-1].set_xlabel("seconds", fontsize=8)
