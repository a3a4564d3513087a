"""Whether a voice may be given away: limits, each met or not, and what only a person can hear.

A limit is met by the measured value; whether its whole interval is on the same side is told with
it, for on six sentences hardly any is. A limit that was not measured stops nothing and is listed.

What it cannot tell: that a voice is good. It keeps out the bad ones. Hence the checklist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lbtts.evaluation import bootstrap
from lbtts.evaluation.artefacts import MEASURES
from lbtts.evaluation.bootstrap import Estimate
from lbtts.evaluation.measures import differences, estimates
from lbtts.evaluation.speech_metrics import DISTANCE
from lbtts.params.evaluation import Gate

# What each limit is about, and whether it is a least or a most.
LIMITS: Mapping[str, tuple[str, Literal["most", "least"]]] = {
    "phone_errors": ("phones misheard beyond the recordings', %", "most"),
    "character_errors": ("characters misheard beyond the recordings', %", "most"),
    "dnsmos": ("DNSMOS below the recordings'", "most"),
    "similarity": ("likeness, 0 another speaker, 1 a second recording", "least"),
    "spread": ("spread of F0, share of the recordings'", "least"),
    "rate": ("speaking rate off the recordings', share", "most"),
    "artefacts": ("worst artefact, deviations from the recordings", "most"),
}

CHECKLIST = (
    "Ten sentences of a text that nobody prepared: no word is wrong, missing or said twice.",
    "Questions sound like questions, lists like lists, and sentences end.",
    "Names, numbers, dates, abbreviations and French and German words are said as people say them.",
    "The shortest utterance (one word) and the longest (500 characters) are whole.",
    "With headphones: no buzz, metal, whistle, click or echo, nothing after the last word.",
    "The speaker, or somebody who knows the voice, takes it for the speaker's.",
    "A listener who does not know the text writes down what is said, without asking back.",
    "After two minutes of listening it does not tire.",
    "The speaker agreed to this voice and to its licence.",
)


@dataclass(frozen=True)
class Verdict:
    """One limit and how the voice stands to it.

    Attributes:
        name: key of the section `evaluate.gate`.
        limit: its value.
        estimate: what was measured; None where nothing was.
    """

    name: str
    limit: float
    estimate: Estimate | None

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None where it was not measured."""
        return None if self.estimate is None else self._within(self.estimate.value)

    @property
    def certain(self) -> bool:
        """Whether the whole interval is on one side of the limit."""
        if self.estimate is None:
            return False
        return self._within(self.estimate.low) == self._within(self.estimate.high)

    def line(self) -> str:
        """One line for the report and the model card."""
        meaning, side = LIMITS[self.name]
        limit = f"limit: at {side} {self.limit:g}"
        if self.estimate is None:
            return f"not measured: {meaning} ({limit})"
        e = self.estimate
        doubt = "" if self.certain else ", too few utterances to be sure"
        return (
            f"{'met' if self.met else 'NOT MET'}: {meaning}: {e.value:.3g} "
            f"({e.low:.3g} to {e.high:.3g}; {limit}{doubt})"
        )

    def _within(self, value: float) -> bool:
        return value <= self.limit if LIMITS[self.name][1] == "most" else value >= self.limit


def gated(ours: pd.DataFrame, recordings: pd.DataFrame) -> dict[str, Estimate]:
    """What the limits of the section `evaluate.gate` are about, by its keys.

    Errors and opinions are differences from the recordings of the same texts, `spread` and `rate`
    are shares of theirs; `artefacts` is the measure with the largest mean distance, so that the
    more measures there are, the larger it is by chance alone.
    """
    both = ours.index.intersection(recordings.index)
    one, other = ours.loc[both], recordings.loc[both]
    apart = differences(one, other)
    errors = ("phone_errors", "character_errors")
    found: dict[str, Estimate] = {n: apart[n].estimate for n in errors if n in apart}
    if "dnsmos" in apart:
        found["dnsmos"] = apart["dnsmos"].estimate.times(-1)
    own = estimates(one)
    if "similarity" in own:
        found["similarity"] = own["similarity"]
    shares = {name: bootstrap.rate(one[name], other[name]) for name in ("spread", "rate")}
    found["spread"] = shares["spread"]
    found["rate"] = _off_one(shares["rate"])
    faults = [f"{DISTANCE}{name}" for name in MEASURES if name not in shares]
    distances = [own[name] for name in faults if name in own]
    if distances:
        found["artefacts"] = max(distances, key=lambda estimate: estimate.value)
    return {name: estimate for name, estimate in found.items() if estimate.utterances}


def judge(measured: Mapping[str, Estimate], gate: Gate) -> list[Verdict]:
    """The verdict on each limit that is set.

    Args:
        measured: from `gated`.
        gate: the limits.
    """
    limits = gate.model_dump()
    return [
        Verdict(name, limits[name], measured.get(name))
        for name in LIMITS
        if limits[name] is not None
    ]


def passes(verdicts: Sequence[Verdict]) -> bool:
    """Whether no limit is broken."""
    return all(verdict.met is not False for verdict in verdicts)


def flat(verdicts: Sequence[Verdict]) -> dict[str, float | bool]:
    """Entries for metrics/evaluate.json: `gate`; of each limit value, interval and `_met`."""
    entries: dict[str, float | bool] = {"gate": passes(verdicts)}
    for verdict in verdicts:
        if verdict.estimate is not None:
            name = f"gate_{verdict.name}"
            entries |= verdict.estimate.flat(name)
            entries[f"{name}_met"] = bool(verdict.met)
    return entries


def _off_one(share: Estimate) -> Estimate:
    """How far a share is from one, to either side."""
    ends = np.abs([share.low - 1, share.high - 1])
    low = 0.0 if share.low <= 1 <= share.high else float(ends.min())
    return Estimate(abs(share.value - 1), low, float(ends.max()), share.utterances)
