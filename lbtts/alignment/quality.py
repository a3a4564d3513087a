"""The confidence in an alignment, by comparing it with the rest of its corpus."""

from array import array
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lbtts.alignment.pronunciation import matched
from lbtts.alignment.report import Status
from lbtts.alignment.textgrid import AlignmentResult, Interval
from lbtts.params import Quality
from lbtts.text.inventory import Inventory

# Seconds. Kaldi's monophones need at least three frames of 10 ms, MFA 3 needs one. How far a phone
# falls short of three frames depends on the aligner and not on the speech; on a logarithmic scale
# a phone of one frame would be farther from the median than any phone that is too long.
_SHORTEST = 0.03
_ROUNDING = 1e-3  # seconds
_ENOUGH = 20  # durations of a phone from which its own distribution is estimated
_NARROWEST = 0.15  # standard deviation of log durations, for phones that are all alike
_NORMAL = 1.4826  # standard deviations of a normal distribution in its median absolute deviation

# What goes into the confidence: the sign (1: more is better) and the smallest standard deviation
# that is used. The Marylux sample and espeak-ng's speech vary at least as much.
_EVIDENCE = {
    "score": (1, 0.2),
    "worst": (1, 0.8),
    "duration_z_mean": (-1, 0.1),
    "duration_z_max": (-1, 0.4),
    "shortest_share": (-1, 0.05),
}
_MEASURES = [
    "beam", "score", "worst", "longest_phone", "longest_silence", "shortest_share", "rate"
]  # fmt: skip


class Measures:
    """The measures of all alignments; of each only its durations are held until the table."""

    def __init__(self) -> None:
        """Starts with no alignment."""
        self._rows: dict[str, tuple[float | None, ...]] = {}
        self._labels: dict[str, int] = {}  # number of each
        self._phones = array("H")  # label of each phone of all utterances
        self._logs = array("d")  # its log duration
        self._counts = array("I")  # phones of each utterance

    def add(self, name: str, result: AlignmentResult) -> None:
        """Measures the alignment of the utterance `name`."""
        seconds = np.array([phone.end - phone.start for phone in result.phones])
        gaps = [after.start - before.end for before, after in pairwise(result.phones)]
        self._rows[name] = (
            result.beam,
            result.score,
            result.worst,
            float(seconds.max()),
            max(gaps, default=0.0),
            float(np.mean(seconds <= _SHORTEST + _ROUNDING)),
            float(len(seconds) / seconds.sum()),
        )
        numbers = self._labels
        self._phones.extend(numbers.setdefault(p.label, len(numbers)) for p in result.phones)
        self._logs.extend(np.log(np.maximum(seconds, _SHORTEST)).tolist())
        self._counts.append(len(seconds))

    def table(self) -> pd.DataFrame:
        """One row per utterance, by id, in the order in which they were added.

        beam, score, worst: see `textgrid.AlignmentResult`; the latter two are goodness.
        longest_phone, longest_silence: seconds; silence at the edges of the audio does not count.
        shortest_share: share of phones that last at most 30 ms.
        rate: phones per second of speech.
        duration_z_mean, duration_z_max: how unusual the durations of its phones are, as distances
            from the median of all phones of that label in robust standard deviations of log
            seconds; what lasts less than 30 ms counts as 30 ms.
        """
        table = pd.DataFrame.from_dict(self._rows, orient="index", columns=_MEASURES).astype(float)
        phones, logs = np.array(self._phones), np.array(self._logs)
        z = np.empty(len(logs))
        for number in self._labels.values():
            here = phones == number
            own = logs[here]
            median, deviation = _median_and_deviation(own if len(own) >= _ENOUGH else logs)
            z[here] = np.abs((own - median) / deviation)
        parts = np.split(z, np.cumsum(self._counts)[:-1]) if len(z) else []
        table["duration_z_mean"] = [part.mean() for part in parts]
        table["duration_z_max"] = [part.max() for part in parts]
        return table


def confidence(table: pd.DataFrame) -> pd.Series:
    """The alignment confidence of each row of `Measures.table`: 0 is usual, lower is worse.

    The mean distance of its evidence (`_EVIDENCE`) from the mode of the corpus, in standard
    deviations of the better side of the corpus. So the better half sets the scale, even if half of
    the corpus is broken.
    """
    if table.empty:
        return pd.Series(index=table.index, dtype=float)
    parts = [
        _distance(sign * table[name], least)
        for name, (sign, least) in _EVIDENCE.items()
        if table[name].notna().any()
    ]
    return pd.concat(parts, axis=1).mean(axis=1)


def status_of(confidence: float, quality: Quality) -> tuple[Status, str]:
    """The status of an utterance with this confidence, and the reason if it is not kept."""
    if confidence >= quality.suspect_below:
        return "keep", ""
    return (
        "suspect" if confidence >= quality.reject_below else "reject",
        f"confidence {confidence:.2f}: check that the transcript says exactly what is spoken",
    )


def disagreement(one: Sequence[Interval], other: Sequence[Interval], inventory: Inventory) -> float:
    """Mean distance in ms between the starts of phones in two alignments; NaN if none is shared.

    Only phones that both alignments share are compared. The mean, not the median: both aligners
    have frames of 10 ms, so only a few distances are possible, and the median would be one of
    them in every utterance.
    """
    apart = [
        abs(one[spoken.planned].start - spoken.interval.start)
        for spoken in matched([phone.label for phone in one], other, inventory)
        if spoken.planned is not None and spoken.interval.label == one[spoken.planned].label
    ]
    return 1000 * float(np.mean(apart)) if apart else float("nan")


def _median_and_deviation(values: NDArray[np.float64]) -> tuple[float, float]:
    median = float(np.median(values))
    return median, max(_NARROWEST, _NORMAL * float(np.median(np.abs(values - median))))


def _distance(values: pd.Series, least: float) -> pd.Series:
    """How many standard deviations of the better side each value lies from the mode."""
    mode = _mode(values.dropna())
    better = values[values > mode] - mode
    scale = _NORMAL * float(better.median()) if len(better) else 0.0
    return (values - mode) / max(scale, least)


def _mode(values: ArrayLike) -> float:
    """The median of the shortest interval that holds half of the values.

    Source: P. Rousseeuw and A. Leroy, "Robust Regression and Outlier Detection" (1987), section
    4.1, on the shorth.
    """
    ordered: NDArray[np.float64] = np.sort(np.asarray(values, float))
    half = len(ordered) // 2
    first = int((ordered[half:] - ordered[: len(ordered) - half]).argmin())
    return float(np.median(ordered[first : first + half + 1]))
