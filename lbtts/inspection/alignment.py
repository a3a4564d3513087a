"""The page of alignments, worst first: spectrogram, audio and measures."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lbtts.acoustics.measuring.mel import log_mel
from lbtts.alignment import textgrid
from lbtts.alignment.report import Row
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.corpus.manifest import Entry
from lbtts.grid import FRAME_RATE
from lbtts.page import histograms, number, png, render, spectrogram, wav

_SHOWN = 16  # with audio and picture: some 10 MB
_LISTED = 500  # rows of the table
_SECONDS_A_LINE = 6.0  # of a spectrogram, so that phones are wide enough to see

# What each column of the report means, in the order of the page
MEASURES = {
    "confidence": "alignment confidence: 0 is usual, lower is worse",
    "score": "goodness, mean over speech",
    "worst": "goodness of the worst 0.3 s",
    "duration_z_mean": "how unusual the durations are, mean",
    "duration_z_max": "how unusual the most unusual duration is",
    "longest_phone": "longest phone, s",
    "longest_silence": "longest pause, s",
    "shortest_share": "share of phones of 30 ms or less",
    "rate": "phones a second of speech",
    "disagreement_ms": "mean distance to the other aligner, ms",
}


def worst_first(report: Iterable[Row]) -> list[Row]:
    """The rows, those without alignment first, then by confidence."""
    return sorted(report, key=lambda row: (not math.isnan(row.confidence), row.confidence))


def page(
    report: Sequence[Row],
    entries: Mapping[str, Entry],
    grids: Path,
    corrections: Path,
    title: str,
) -> str:
    """The whole page as HTML; equal input gives equal bytes.

    Args:
        report: of the stage align.
        entries: of the manifest, by id.
        grids: folder of the TextGrids.
        corrections: folder for corrected TextGrids, shown in the instructions.
        title: its heading.
    """
    table = pd.DataFrame(map(asdict, report))
    columns = [name for name in MEASURES if table[name].notna().any()]
    ordered = worst_first(report)
    doubtful = [row for row in ordered if row.status != "keep"]
    return render(
        "inspection/alignment.html.jinja",
        title=title,
        counts=dict(sorted(Counter(row.status or "not aligned" for row in report).items())),
        columns={name: MEASURES[name] for name in columns},
        usual={name: number(table[name].median()) for name in columns},
        rows=[
            {
                "id": row.id,
                "status": row.status or "rejected",
                "reason": row.reason,
                "numbers": [number(getattr(row, column)) for column in columns],
            }
            for row in doubtful[:_LISTED]
        ],
        doubtful=len(doubtful),
        shown=[_shown(row, entries[row.id], grids, columns) for row in ordered[:_SHOWN]],
        grids=grids.as_posix(),
        corrections=corrections.as_posix(),
        charts=png(histograms(table, columns, across=5, width=12, height=1.8)),
    )


def _shown(row: Row, entry: Entry, grids: Path, columns: list[str]) -> Mapping[str, object]:
    audio, _ = soundfile.read(entry.audio, dtype="float32")
    path = grids / f"{row.id}.TextGrid"
    alignment = textgrid.read(path) if path.exists() else None
    return {
        "id": row.id,
        "text": entry.text,
        "reason": row.reason,
        "numbers": {column: number(getattr(row, column)) for column in columns},
        "audio": wav(audio),
        "picture": png(_picture(audio, alignment)),
    }


def _picture(audio: NDArray[np.float32], alignment: Alignment | None) -> Figure:
    """The log-mel spectrogram in lines of a few seconds, words and phones over it."""
    picture = spectrogram(log_mel(audio))
    seconds = picture.shape[1] / FRAME_RATE
    lines = max(1, int(np.ceil(seconds / _SECONDS_A_LINE)))
    figure = Figure(figsize=(12, 2.1 * lines), layout="constrained")
    axes = figure.subplots(lines, 1, squeeze=False)[:, 0]
    for k, axis in enumerate(axes):
        begin = k * _SECONDS_A_LINE
        extent = (0, seconds, 0, len(picture))
        axis.imshow(picture, aspect="auto", extent=extent, interpolation="nearest")
        axis.set_xlim(begin, begin + min(seconds, _SECONDS_A_LINE))
        axis.set(yticks=[])
        axis.tick_params(labelsize=7)
        axis.set_title(" ", fontsize=16)  # room for the labels
        if alignment is not None:
            _mark(axis, alignment.words, "tab:red", 1.13, 1.4)
            _mark(axis, alignment.phones, "tab:blue", 1.02, 0.6)
    axes[-1].set_xlabel("seconds", fontsize=8)
    return figure


def _mark(
    axis: Axes, intervals: Sequence[Interval], colour: str, height: float, width: float
) -> None:
    """Draws the intervals of one tier over a spectrogram, labels at `height` times its height."""
    begin, end = axis.get_xlim()
    top = axis.get_ylim()[1]
    for interval in intervals:
        for time in (interval.start, interval.end):
            axis.axvline(time, color=colour, linewidth=width)
        middle = (interval.start + interval.end) / 2
        if begin <= middle < end:
            axis.text(middle, height * top, interval.label, color=colour, fontsize=8, ha="center")
