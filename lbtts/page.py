"""HTML pages as single files, with pictures and audio inside, from templates."""

import base64
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import ArrayLike, NDArray

from lbtts.grid import SAMPLE_RATE

TOP_HZ = 500  # of the F0 drawn over a spectrogram

_TEMPLATES = Environment(
    loader=PackageLoader("lbtts", "."),
    autoescape=select_autoescape(["html.jinja"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **values: Any) -> str:
    """The page of `template`, a path within lbtts; values in HTML are escaped."""
    return _TEMPLATES.get_template(template).render(**values)


def panels(
    titles: Sequence[str], across: int, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """A figure with one small chart per title, `across` in a row, and their axes.

    Args:
        titles: of the charts.
        across: most charts in a row.
        width: of the figure, inches.
        height: of a row, inches.
    """
    across = min(across, len(titles))
    rows = -(-len(titles) // across)
    figure = Figure(figsize=(width, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, across, squeeze=False).flat)
    for axis in axes[len(titles) :]:
        axis.set_axis_off()
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(title, fontsize=9)
        axis.tick_params(labelsize=7)
    return figure, axes[: len(titles)]


def histograms(
    table: pd.DataFrame, columns: Sequence[str], across: int, width: float, height: float
) -> Figure:
    """The distribution of each of the columns, without what is undefined; sizes as in `panels`."""
    figure, axes = panels(columns, across, width, height)
    for axis, name in zip(axes, columns, strict=True):
        axis.hist(table[name].dropna(), bins=40, color="#4c6a92")
    return figure


def number(value: float) -> str:
    """Three digits, or a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.3g}"


def spectrogram(
    mel: NDArray[np.floating], f0: NDArray[np.floating] | None = None, zoom: int = 1
) -> NDArray[np.uint8]:
    """A picture of a log-mel spectrogram, [80 zoom, F zoom, 3] RGB, the highest mel at the top.

    Loud is bright. It is drawn pixel by pixel, because an axis of matplotlib takes 0.3 s. To draw
    over it, `imshow` it with the seconds as extent.

    Args:
        mel: [F, 80], natural log.
        f0: [F] in Hz, 0 where unvoiced: a white line, from 0 Hz at the bottom to 500 at the top.
        zoom: pixels per frame and per mel.
    """
    low, high = np.percentile(mel, [1, 99.5])
    shades = np.clip((mel.T - low) / max(high - low, 1e-6), 0, 1)
    pixels: NDArray[np.uint8] = colormaps["magma"](shades, bytes=True)[:, :, :3]
    pixels = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    if f0 is not None:
        heights = np.rint(f0.repeat(zoom) / TOP_HZ * len(pixels)).astype(int)
        drawn = np.flatnonzero((heights > 0) & (heights < len(pixels) - 1))
        for thickness in (0, 1):
            pixels[heights[drawn] + thickness, drawn] = 255
    return pixels[::-1]


def png(figure: Figure) -> str:
    """`figure` as a data URI, without date or version."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return _uri("image/png", file)


def bitmap(pixels: NDArray[np.uint8]) -> str:
    """`pixels`, [height, width, 3], as a data URI of a PNG."""
    file = io.BytesIO()
    imsave(file, pixels, format="png", metadata={"Software": ""})
    return _uri("image/png", file)


def audio_file(path: Path) -> str:
    """The WAV file at `path` as a data URI."""
    return _uri("audio/wav", io.BytesIO(path.read_bytes()))


def wav(audio: ArrayLike) -> str:
    """`audio`, [S] float at 24 kHz, as a data URI of 16-bit WAV, which every browser plays.

    What is louder than 1 is clipped.
    """
    file = io.BytesIO()
    soundfile.write(file, np.clip(audio, -1, 1), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return _uri("audio/wav", file)


def _uri(kind: str, file: io.BytesIO) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
