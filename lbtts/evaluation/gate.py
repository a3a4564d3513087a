"""Whether a voice may be given away: limits, each met or not, and what only a person can hear.

A limit is met by the measured value; whether its whole interval is on the same side is told with
it, for on six sentences hardly any is. A limit that was not measured stops nothing and is listed.

What it cannot tell: that a voice is good. It keeps out the bad ones. Hence the checklist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lbtts.evaluation.bootstrap import Estimate
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


def judge(measured: Mapping[str, Estimate], gate: Gate) -> list[Verdict]:
    """The verdict on each limit that is set.

    Args:
        measured: from `lbtts.evaluation.speech_metrics.gated`.
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


def checklist() -> str:
    """What a person must still listen for, as Markdown with boxes to tick."""
    return "".join(f"- [ ] {item}\n" for item in CHECKLIST)
