"""What does not belong into speech, each as a distance from what is usual in the recordings.

A number such as "hum 6 dB" says nothing; that recordings of this speaker have 2 ± 1 does. So every
measure comes with its distance: how many standard deviations of the recordings it is worse than
their median, the deviation being robust, so that a corpus that has the fault in a tenth of its
clips does not hide it. A distance of up to 3 is unremarkable, beyond 6 a recording is hardly ever.

What it cannot tell: whether a fault is heard; a distance is about how unusual it is, and where the
recordings are very much alike a small one is unusual. Nor does it know a fault that all recordings
have: a corpus that hums in every clip does not hum.

Source: Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", JASA 88, 1993, on the
robust deviation and its factor.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lbtts.evaluation import prosody, signal_measures
from lbtts.evaluation.prompt import Audio
from lbtts.evaluation.prosody import F0
from lbtts.grid import HOP

_NORMAL = 1.4826  # standard deviations of a normal distribution in its median absolute deviation
_FRAME = 300  # samples: half a decoder's unit, and its hop

Row = dict[str, float]


@dataclass(frozen=True)
class Measure:
    """What is known of a measure.

    Attributes:
        meaning: what it tells, with its unit.
        bad: which side of what is usual is the worse.
        least: the smallest standard deviation that is taken for real, in its unit: about what half
            of the listeners would not notice.
    """

    meaning: str
    bad: Literal["high", "low", "either"]
    least: float


MEASURES = {
    "comb_12": Measure("comb at 12.5 ms, dB", "high", 1.5),
    "comb_25": Measure("comb at 25 ms, dB", "high", 1.5),
    "clock": Measure("what keeps in step with 25 ms, dB", "high", 1.0),
    "tones": Measure("tones at multiples of 2.4 kHz, dB", "high", 0.7),
    "end": Measure("level after the last word, dB below loud speech", "high", 3.0),
    "high": Measure("energy above 4 kHz against below, dB", "either", 1.0),
    "click": Measure("most marked click, dB", "high", 2.0),
    "clipping": Measure("samples at the peak, log10 of thousandths", "high", 0.15),
    "offset": Measure("mean against root mean square, dB", "high", 6.0),
    "hum": Measure("mains hum, dB", "high", 1.0),
    "bandwidth": Measure("highest frequency that is used, kHz", "low", 0.3),
    "level": Measure("level of loud speech, dB of full scale", "either", 1.0),
    "spread": Measure("spread of F0, semitones", "low", 0.25),
    "rate": Measure("phones a second", "either", 0.7),
}


def measure(audio: Audio, f0: F0 | None = None, phones: int = 0, end: float | None = None) -> Row:
    """Every measure of `MEASURES` of one reading; NaN for what cannot be told.

    Args:
        audio: [S] at 24 kHz; silence has no measures.
        f0: [F] of it, Hz, 0 where unvoiced; None: without `spread`.
        phones: in its text; 0: without `rate`.
        end: second at which the last word ends; None looks at the last tenth of a second.
    """
    if not audio.any():
        return dict.fromkeys(MEASURES, float("nan"))
    melody = np.zeros(len(audio) // HOP, np.float32) if f0 is None else f0
    manner = prosody.measure(audio, melody, phones)
    return {
        "comb_12": signal_measures.comb(audio, _FRAME),
        "comb_25": signal_measures.comb(audio, 2 * _FRAME),
        "clock": signal_measures.clock(audio, 2 * _FRAME),
        "tones": signal_measures.tones(audio),
        "end": signal_measures.ending(audio, end),
        "high": signal_measures.high_share(audio),
        "click": signal_measures.click(audio),
        "clipping": signal_measures.clipping(audio),
        "offset": signal_measures.offset(audio),
        "hum": signal_measures.hum(audio),
        "bandwidth": signal_measures.bandwidth(audio),
        "level": 10 * float(np.log10(signal_measures.loudness(audio))),
        "spread": manner.spread,
        "rate": manner.rate,
    }


class Usual:
    """What is usual in recordings."""

    def __init__(
        self, rows: Iterable[Mapping[str, float]], measures: Mapping[str, Measure] = MEASURES
    ) -> None:
        """Takes the measures of the recordings, one row each."""
        table = pd.DataFrame(rows, columns=list(measures)).astype(float)
        self._measures = measures
        self._centre = table.median()
        spread = _NORMAL * (table - self._centre).abs().median()
        least = pd.Series({name: m.least for name, m in measures.items()})
        self._scale = spread.clip(lower=least)

    def distance(self, row: Mapping[str, float]) -> Row:
        """How many standard deviations each measure is worse than usual; below 0 it is better.

        On a measure that can be bad on both sides it is the distance to either. NaN where the
        measure is undefined, here or in all recordings.
        """
        found = {}
        for name, kind in self._measures.items():
            apart = (row[name] - self._centre[name]) / self._scale[name]
            found[name] = float(_WORSE[kind.bad](apart))
        return found


_WORSE: dict[str, Callable[[float], float]] = {
    "high": lambda apart: apart,
    "low": lambda apart: -apart,
    "either": abs,
}
