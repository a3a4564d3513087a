"""What a voice must keep before it is given away, and which recordings are left out."""

from lbtts.params.section import NotNegative, Positive, Section, Share


class Gate(Section):
    """Limits of `lbtts.evaluation.gate`; null sets none."""

    phone_errors: NotNegative | None  # %, more than the recordings have
    character_errors: NotNegative | None  # %, by the recogniser of words, more than the recordings
    dnsmos: NotNegative | None  # how far below the recordings, points
    similarity: Share | None  # at least; 0 is the nearest other speaker, 1 a second recording
    spread: Share | None  # of F0, at least this share of the recordings'
    rate: Share | None  # phones a second, at most this share off the recordings' rate
    artefacts: Positive | None  # deviations from the recordings, of the worst measure, at most


class Audit(Section):
    """Which utterances the audit takes out; see `lbtts.inspection.audit`."""

    reject_beyond: dict[str, Positive]  # deviations from the corpus by measure; others reject none
    dnsmos: bool  # whether opinions are predicted, which takes longer than all the rest


# Proposed for profiles/*.yaml.
GATE = Gate(
    phone_errors=10,
    character_errors=5,
    dnsmos=0.5,
    similarity=0.5,
    spread=0.7,
    rate=0.25,
    artefacts=6,
)
AUDIT = Audit(
    reject_beyond={
        "speaker": 8,
        "phone_errors": 3,
        "bandwidth": 6,
        "hum": 5,
        "comb_12": 4,
        "comb_25": 4,
        "clipping": 5,
        "click": 5,
        "end": 12,
        "spread": 3,
        "rate": 5,
    },
    dnsmos=False,
)
