"""What is measured of each reading beside its recording, and the estimates over utterances.

One row an utterance. Errors and what they are out of, squares and frames, stand in columns of their
own, so that rates and RMS errors are ratios of sums over all utterances.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.mel import log_mel
from lbtts.acoustics.store.features import Utterance
from lbtts.evaluation import bootstrap, distances, prosody, speech_metrics
from lbtts.evaluation.bootstrap import Difference, Estimate
from lbtts.evaluation.renditions import Rendition
from lbtts.grid import SAMPLE_RATE
from lbtts.params import F0

METRICS = {
    **speech_metrics.SPEECH_METRICS,
    "mcd": "mel-cepstral distance, reference durations",
    "mcd_free": "mel-cepstral distance, own durations, warped",
    "log_mel_l1": "log-mel L1",
    "stft": "multi-resolution STFT distance",
    "f0_rmse_hz": "F0 error, Hz, RMS over frames voiced in both",
    "f0_rmse_cents": "F0 error, cents, likewise",
    "f0_rmse_fine_cents": "F0 error, cents, without frames half an octave off",
    "f0_gross_error": "frames whose F0 is more than half an octave off, %",
    "f0_correlation": "correlation of F0 with the recording's, its durations",
    "voicing_error": "share of frames with the wrong voicing",
    "duration_error": "duration error per token, units of 25 ms",
    "duration_correlation": "correlation of log durations with the recording's",
    "length_ratio": "length relative to the recording",
}
LESS_IS_BETTER = frozenset(
    {name for name in METRICS if name.endswith(("errors", "error", "mcd", "mcd_free", "stft"))}
    | {name for name in METRICS if name.startswith(("f0_rmse", "log_mel", speech_metrics.DISTANCE))}
)
MORE_IS_BETTER = frozenset(
    {"dnsmos", "dnsmos_p808", "similarity", "f0_correlation", "duration_correlation"}
)

Measures = dict[str, float]  # of one utterance

# Ratios of sums: two columns, the power to which their ratio is raised, and what it is told in.
_RATIOS = {
    "f0_rmse_hz": ("f0_squared_hz", "f0_frames", 0.5, 1.0),
    "f0_rmse_cents": ("f0_squared_cents", "f0_frames", 0.5, 1.0),
    "f0_rmse_fine_cents": ("f0_fine_squared_cents", "f0_fine_frames", 0.5, 1.0),
    "f0_gross_error": ("f0_gross", "f0_frames", 1.0, 100.0),
    "voicing_error": ("voicing_wrong", "frames", 1.0, 1.0),
    **{name: (*columns, 1.0, 100.0) for name, columns in speech_metrics.RATES.items()},
}


def measure(rendition: Rendition, utterance: Utterance, f0: F0) -> Measures:
    """The distances of `rendition` from the recording of `utterance`."""
    audio, pitch = utterance.audio, track(rendition.timed, f0)
    measures = {
        "mcd": distances.mel_cepstral_distance(rendition.timed, audio, warp=False),
        "mcd_free": distances.mel_cepstral_distance(rendition.free, audio, warp=True),
        "log_mel_l1": distances.log_mel_l1(log_mel(rendition.timed), utterance.mel),
        "stft": distances.spectral_distance(rendition.timed, audio),
        "f0_correlation": prosody.f0_correlation(pitch, utterance.f0),
        **distances.f0_differences(pitch, utterance.f0),
    }
    if rendition.units is not None:
        units, reference = rendition.units, utterance.units
        measures["duration_error"] = distances.duration_error(units, reference)
        measures["duration_correlation"] = prosody.duration_correlation(units, reference)
        measures["length_ratio"] = len(rendition.free) / len(audio)
    return measures


def estimates(measures: pd.DataFrame) -> dict[str, Estimate]:
    """Each metric of `METRICS` over the utterances, with its 95 % interval.

    Undefined ones are left out, for example the F0 error of a voice without voiced frames or the
    cepstral distance of silence.

    Args:
        measures: one row per utterance.
    """
    found = {}
    for name in METRICS:
        if name in _RATIOS:
            over, under, power, factor = _RATIOS[name]
            if over in measures and measures[under].sum():
                ratio = bootstrap.rate(measures[over], measures[under])
                found[name] = _raised(ratio, power, factor)
        elif name in measures:
            found[name] = bootstrap.mean(measures[name])
    return {name: e for name, e in found.items() if e.utterances and np.isfinite(e.value)}


def differences(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, Difference]:
    """How much higher each metric of `ours` is, paired by utterance; RMS errors are left out."""
    both = ours.index.intersection(theirs.index)
    one, other = ours.loc[both], theirs.loc[both]
    found = {}
    for name in METRICS:
        if name in _RATIOS:
            over, under, power, factor = _RATIOS[name]
            if power == 1 and over in one and over in other:
                apart = bootstrap.difference(one[over], other[over], one[under])
                found[name] = Difference(apart.estimate.times(factor), apart.p)
        elif name in one and name in other:
            found[name] = bootstrap.difference(one[name], other[name])
    return {name: apart for name, apart in found.items() if apart.estimate.utterances}


def by_system(estimated: Mapping[str, Mapping[str, Estimate]]) -> dict[str, float]:
    """The values of several systems, their names after the system's."""
    return {
        f"{system}_{name}": value
        for system, found in estimated.items()
        for name, value in values(found).items()
    }


def values(estimated: Mapping[str, Estimate]) -> dict[str, float]:
    """The values alone, to four digits."""
    return {name: float(f"{estimate.value:.4g}") for name, estimate in estimated.items()}


def real_time_factor(renditions: Mapping[str, Rendition]) -> float:
    """Seconds of work a second of speech in the system's own time, to four digits."""
    work = sum(r.seconds or 0.0 for r in renditions.values())
    speech = sum(len(r.free) for r in renditions.values()) / SAMPLE_RATE
    return float(f"{work / speech:.4g}")


def _raised(ratio: Estimate, power: float, factor: float) -> Estimate:
    value, low, high = (factor * max(x, 0.0) ** power for x in (ratio.value, ratio.low, ratio.high))
    return Estimate(value, low, high, ratio.utterances)
