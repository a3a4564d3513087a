"""Pages of one file: templates beside the modules that fill them, pictures and sounds inside."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import ArrayLike, NDArray

from lbtts.grid import SAMPLE_RATE

_TEMPLATES = Environment(
    loader=PackageLoader("lbtts", "."),
    autoescape=select_autoescape(["html.jinja"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **values: Any) -> str:
    """The page of `template`, a path within lbtts; what goes into HTML is escaped."""
    return _TEMPLATES.get_template(template).render(**values)


def panels(
    titles: Sequence[str], across: int, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """A figure with one small chart a title, `across` in a row, and their axes.

    Args:
        titles: of the charts.
        across: charts in a row at the most.
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


def png(figure: Figure) -> str:
    """`figure` as a data URI; no date or version goes in."""
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
