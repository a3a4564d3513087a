"""The measures of each rendition of an utterance, and the metrics over all utterances."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.mel import log_mel
from lbtts.acoustics.store.features import Utterance
from lbtts.evaluation import metrics, naturalness
from lbtts.evaluation.renditions import Rendition
from lbtts.grid import SAMPLE_RATE
from lbtts.params import F0

Measures = dict[str, float]  # of one utterance

# Metrics over all frames of all utterances, not means over utterances: the two measures that are
# summed over utterances, and the function applied to the ratio of the sums.
_POOLED = {
    "f0_rmse_hz": ("f0_squared_hz", "f0_frames", math.sqrt),
    "f0_rmse_cents": ("f0_squared_cents", "f0_frames", math.sqrt),
    "voicing_error": ("voicing_wrong", "frames", float),
}
_SUMMED = {name for pooled in _POOLED.values() for name in pooled[:2]}


def measure(rendition: Rendition, utterance: Utterance, f0: F0) -> Measures:
    """The distances of `rendition` from the recording of `utterance`."""
    audio = utterance.audio
    measures = {
        "mcd": metrics.mel_cepstral_distance(rendition.timed, audio, warp=False),
        "mcd_free": metrics.mel_cepstral_distance(rendition.free, audio, warp=True),
        "log_mel_l1": metrics.log_mel_l1(log_mel(rendition.timed), utterance.mel),
        "stft": metrics.spectral_distance(rendition.timed, audio),
        **naturalness.opinion(rendition.free),
        **metrics.f0_differences(track(rendition.timed, f0), utterance.f0),
    }
    if rendition.units is not None:
        measures["duration_error"] = metrics.duration_error(rendition.units, utterance.units)
        measures["length_ratio"] = len(rendition.free) / len(audio)
    return measures


def measure_recording(utterance: Utterance) -> Measures:
    """The measures of the recording of `utterance` that need no comparison."""
    return naturalness.opinion(utterance.audio)


def summarise(measures: pd.DataFrame) -> dict[str, float]:
    """The metrics over all utterances, to four digits.

    Undefined ones are left out, for example the F0 error of a voice without voiced frames or the
    cepstral distance of silence.

    Args:
        measures: one row per utterance.
    """
    found = {str(name): float(np.mean(measures[name])) for name in measures if name not in _SUMMED}
    for name, (numerator, denominator, finish) in _POOLED.items():
        if numerator in measures and (total := measures[denominator].sum()):
            found[name] = finish(measures[numerator].sum() / total)
    return {name: float(f"{value:.4g}") for name, value in found.items() if np.isfinite(value)}


def real_time_factor(renditions: Mapping[str, Rendition]) -> float:
    """Seconds of computation per second of speech, to four digits."""
    work = sum(r.seconds or 0.0 for r in renditions.values())
    speech = sum(len(r.free) for r in renditions.values()) / SAMPLE_RATE
    return float(f"{work / speech:.4g}")
