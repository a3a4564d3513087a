"""The alignments worth a look: worst first, to see, to hear, and to correct."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lbtts.acoustics.measuring.mel import log_mel
from lbtts.alignment import textgrid
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.errors import InputError
from lbtts.grid import FRAME_RATE
from lbtts.page import panels, png, render, wav

_SHOWN = 16  # with audio and picture: some 10 MB
_LISTED = 500  # rows of the table
_SECONDS_A_LINE = 6.0  # of a spectrogram, so that phones can be told apart

# What each column of the report means, in the order of the page
MEASURES = {
    "trust": "mean distance from the usual, in standard deviations: 0 is usual",
    "score": "goodness, mean over speech",
    "worst": "goodness of the worst third of a second",
    "duration_z_mean": "how unusual its durations are, mean",
    "duration_z_max": "the most unusual one",
    "longest_phone": "longest phone, s",
    "longest_silence": "longest pause, s",
    "shortest_share": "share of phones of 30 ms or less",
    "rate": "phones a second of speech",
    "disagreement_ms": "median distance to the other aligner, ms",
}


def read_report(path: str | Path) -> pd.DataFrame:
    """The stage align's report by id, worst first: those without alignment, then by trust.

    Raises:
        InputError: it is missing or lacks a column.
    """
    try:
        table = pd.read_csv(path, dtype={"id": str, "reason": str}).set_index("id")
        table["reason"] = table["reason"].fillna("")
        return table.sort_values(["trust"], na_position="first", kind="stable")
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: no report of alignments ({error}); run `dvc repro align`"
        ) from None


def page(
    report: pd.DataFrame, manifest: pd.DataFrame, grids: Path, corrections: Path, title: str
) -> str:
    """The whole page as HTML; equal input gives equal bytes.

    Args:
        report: from `read_report`.
        manifest: the corpus's, by id.
        grids: folder of the TextGrids.
        corrections: where corrected ones belong, for the instructions.
        title: its heading.
    """
    columns = [name for name in MEASURES if name in report and report[name].notna().any()]
    doubtful = report[report["verdict"] != "keep"]
    return render(
        "inspection/alignment.html.jinja",
        title=title,
        counts=_counts(report),
        columns={name: MEASURES[name] for name in columns},
        usual={name: _number(report[name].median()) for name in columns},
        rows=[
            {
                "id": name,
                "verdict": row["verdict"] if isinstance(row["verdict"], str) else "rejected",
                "reason": row["reason"],
                "numbers": [_number(row[column]) for column in columns],
            }
            for name, row in doubtful.head(_LISTED).iterrows()
        ],
        doubtful=len(doubtful),
        shown=[
            _entry(str(name), row, manifest, grids, columns)
            for name, row in report.head(_SHOWN).iterrows()
        ],
        grids=grids.as_posix(),
        corrections=corrections.as_posix(),
        charts=png(_charts(report, columns)),
    )


def _entry(
    name: str, row: pd.Series, manifest: pd.DataFrame, grids: Path, columns: list[str]
) -> Mapping[str, object]:
    audio, _ = soundfile.read(manifest.at[name, "audio"], dtype="float32")
    path = grids / f"{name}.TextGrid"
    alignment = textgrid.read(path) if path.exists() else None
    return {
        "id": name,
        "text": manifest.at[name, "text"],
        "reason": row["reason"],
        "numbers": {column: _number(row[column]) for column in columns},
        "audio": wav(audio),
        "picture": png(_spectrogram(audio, alignment)),
    }


def _counts(report: pd.DataFrame) -> dict[str, int]:
    verdicts = report["verdict"].fillna("not aligned").value_counts()
    return {str(name): int(count) for name, count in verdicts.sort_index().items()}


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3g}"


def _spectrogram(audio: NDArray[np.float32], alignment: Alignment | None) -> Figure:
    """The log-mel spectrogram in lines of a few seconds, words and phones over it."""
    mel = log_mel(audio).T
    seconds = mel.shape[1] / FRAME_RATE
    lines = max(1, int(np.ceil(seconds / _SECONDS_A_LINE)))
    figure = Figure(figsize=(12, 2.1 * lines), layout="constrained")
    axes = figure.subplots(lines, 1, squeeze=False)[:, 0]
    low, high = np.percentile(mel, [5, 99.5])
    for k, axis in enumerate(axes):
        begin = k * _SECONDS_A_LINE
        axis.imshow(
            mel,
            origin="lower",
            aspect="auto",
            extent=(0, seconds, 0, len(mel)),
            vmin=low,
            vmax=high,
            cmap="gray_r",
            interpolation="nearest",
        )
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
    """Draws the intervals of one tier over a spectrogram, labels at `height` times its own."""
    begin, end = axis.get_xlim()
    top = axis.get_ylim()[1]
    for interval in intervals:
        for time in (interval.start, interval.end):
            axis.axvline(time, color=colour, linewidth=width)
        middle = (interval.start + interval.end) / 2
        if begin <= middle < end:
            axis.text(middle, height * top, interval.label, color=colour, fontsize=8, ha="center")


def _charts(report: pd.DataFrame, columns: list[str]) -> Figure:
    """How each measure is distributed over the corpus."""
    figure, axes = panels(columns, across=5, width=12, height=1.8)
    for axis, name in zip(axes, columns, strict=True):
        axis.hist(report[name].dropna(), bins=40, color="tab:blue")
    return figure
