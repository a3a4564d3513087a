"""What a voice must keep before it is given away, and which recordings are left out."""

from typing import Annotated, Literal

from pydantic import Field

from lbtts.params.section import Count, NotNegative, Positive, Section, Share


class Gate(Section):
    """Limits of `lbtts.evaluation.gate`; null sets none."""

    phone_errors: NotNegative | None  # %, more than the recordings have
    character_errors: NotNegative | None  # %, by the recogniser of words, more than the recordings
    dnsmos: NotNegative | None  # how far below the recordings, points
    similarity: Share | None  # at least; 0 is the nearest other speaker, 1 a second recording
    spread: Share | None  # of F0, at least this share of the recordings'
    rate: Share | None  # phones a second, at most this share off the recordings' rate
    artefacts: Positive | None  # deviations from the recordings, of the worst measure, at most


AuditMeasure = Literal[
    "comb_12",
    "comb_25",
    "clock",
    "tones",
    "end",
    "high",
    "click",
    "clipping",
    "offset",
    "hum",
    "bandwidth",
    "level",
    "spread",
    "rate",
    "speaker",
    "phone_errors",
    "dnsmos",
]


class Audit(Section):
    """Which utterances the audit takes out; see `lbtts.inspection.audit`."""

    # deviations from the corpus, by measure; what is not named rejects nobody
    reject_beyond: dict[AuditMeasure, Positive]
    dnsmos: bool  # whether opinions are predicted, which takes longer than all the rest


class Words(Section):
    """A recogniser of words; see `lbtts.evaluation.words` for which to take."""

    kind: Literal["whisper", "ctc"]
    model: str  # a folder, or a name on the hub with its commit: name@commit


class Evaluate(Section):
    """Held-out measurement."""

    utterances: Count
    # training sentences that the base reads, so that the phone recogniser understands it too
    readings: Annotated[int, Field(ge=0)]
    words: Words | None
    gate: Gate
