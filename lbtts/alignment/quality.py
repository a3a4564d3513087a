"""The confidence in an alignment, by comparing it with the rest of its corpus."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lbtts.alignment.pronunciation import matched
from lbtts.alignment.report import Status
from lbtts.alignment.textgrid import AlignmentResult
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
    "score", "worst", "duration_z_mean", "duration_z_max", "longest_phone", "longest_silence",
    "shortest_share", "rate",
]  # fmt: skip


def measures(results: Mapping[str, AlignmentResult]) -> pd.DataFrame:
    """The measures of each alignment, one row per utterance, by id.

    score, worst: goodness, see `textgrid.AlignmentResult`.
    duration_z_mean, duration_z_max: how unusual the durations of its phones are, as distances from
        the median of all phones of that label in robust standard deviations of log seconds; what
        lasts less than 30 ms counts as 30 ms.
    longest_phone, longest_silence: seconds; silence at the edges of the audio does not count.
    shortest_share: share of phones that last at most 30 ms.
    rate: phones per second of speech.
    """
    usual = _usual_durations(results)
    rows = {}
    for name, utterance in results.items():
        seconds = np.array([phone.end - phone.start for phone in utterance.phones])
        z = np.abs(
            [
                (np.log(length) - usual[phone.label][0]) / usual[phone.label][1]
                for phone, length in zip(utterance.phones, _floored(seconds), strict=True)
            ]
        )
        gaps = [after.start - before.end for before, after in pairwise(utterance.phones)]
        rows[name] = {
            "score": utterance.score,
            "worst": utterance.worst,
            "duration_z_mean": z.mean(),
            "duration_z_max": z.max(),
            "longest_phone": seconds.max(),
            "longest_silence": max(gaps, default=0.0),
            "shortest_share": np.mean(seconds <= _SHORTEST + _ROUNDING),
            "rate": len(seconds) / seconds.sum(),
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=_MEASURES).astype(float)


def confidence(table: pd.DataFrame) -> pd.Series:
    """The alignment confidence of each row of `measures`: 0 is usual, lower is worse.

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


def disagreement(one: AlignmentResult, other: AlignmentResult, inventory: Inventory) -> float:
    """Mean distance in ms between the starts of phones in two alignments; NaN if none is shared.

    Only phones that both alignments share are compared. The mean, not the median: both aligners
    have frames of 10 ms, so only a few distances are possible, and the median would be one of
    them in every utterance.
    """
    apart = [
        abs(one.phones[spoken.planned].start - spoken.interval.start)
        for spoken in matched([phone.label for phone in one.phones], other.phones, inventory)
        if spoken.planned is not None and spoken.interval.label == one.phones[spoken.planned].label
    ]
    return 1000 * float(np.mean(apart)) if apart else float("nan")


def _usual_durations(results: Mapping[str, AlignmentResult]) -> dict[str, tuple[float, float]]:
    """Median and robust standard deviation of each phone's log duration."""
    logs: dict[str, list[float]] = defaultdict(list)
    for utterance in results.values():
        for phone in utterance.phones:
            logs[phone.label].append(float(np.log(_floored(phone.end - phone.start))))
    everything = [x for values in logs.values() for x in values]
    return {
        label: _median_and_deviation(values if len(values) >= _ENOUGH else everything)
        for label, values in logs.items()
    }


def _floored(seconds: ArrayLike) -> NDArray[np.float64]:
    """Durations for comparison, at least the shortest that every aligner can find."""
    return np.maximum(np.asarray(seconds, float), _SHORTEST)


def _median_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    median = float(np.median(values))
    return median, max(_NARROWEST, _NORMAL * float(np.median(np.abs(np.subtract(values, median)))))


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
