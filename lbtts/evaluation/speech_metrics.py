"""All metrics of a system: one row an utterance, and from rows to estimates and differences.

A row holds what was counted or measured on one reading; errors and what they are out of stand in
columns of their own, so that rates are ratios of sums. Rows of two systems pair by id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.speaker import embed
from lbtts.errors import InputError
from lbtts.evaluation import artefacts, bootstrap, prosody, words
from lbtts.evaluation.artefacts import MEASURES, Usual
from lbtts.evaluation.bootstrap import Difference, Estimate
from lbtts.evaluation.confusions import error_counts
from lbtts.evaluation.naturalness import opinion
from lbtts.evaluation.prompt import Audio, Prompt, Readings
from lbtts.evaluation.recogniser import Recogniser
from lbtts.evaluation.similarity import Likeness
from lbtts.evaluation.words import Listener
from lbtts.grid import HOP
from lbtts.params import F0, Voice
from lbtts.text.inventory import Phones

# Errors and what they are out of; told in percent.
RATES = {
    "phone_errors": ("phone_edits", "phones"),
    "word_errors": ("word_edits", "words"),
    "character_errors": ("character_edits", "characters"),
}
MEANS = {
    "dnsmos": "naturalness by DNSMOS, overall, 1 to 5",
    "dnsmos_p808": "naturalness by DNSMOS P.808, 1 to 5",
    "similarity": "likeness to the speaker, 0 another speaker, 1 a second recording",
    "spread": "spread of F0, semitones",
    "final": "F0 at the end, semitones from the median",
    "slope": "slope of F0, semitones a second",
    "rate": "phones a second",
}
DISTANCE = "distance_"  # before the names of artefacts, in deviations from the recordings
SPEECH_METRICS = {
    "phone_errors": "phones misheard, %",
    "word_errors": "words misheard, %",
    "character_errors": "characters misheard, %",
    **MEANS,
    **{f"{DISTANCE}{name}": f"{m.meaning}: deviations" for name, m in MEASURES.items()},
}
_PERCENT = 100


@dataclass(frozen=True)
class Instruments:
    """What measures; each that is None leaves its metrics out.

    Attributes:
        f0: how F0 is tracked.
        voice: the section `voice`, which names the speaker encoder.
        recogniser: of phones.
        listener: of words.
        likeness: the speaker's scale.
        usual: what is usual in recordings.
        normalise: what is done to texts before words are compared.
    """

    f0: F0
    voice: Voice
    recogniser: Recogniser | None = None
    listener: Listener | None = None
    likeness: Likeness | None = None
    usual: Usual | None = None
    normalise: Callable[[str], str] = words.plain


def measure(
    prompts: Sequence[Prompt], readings: Readings, instruments: Instruments
) -> tuple[pd.DataFrame, dict[str, Phones]]:
    """One row a prompt that was read, by id, and the phones that were heard in it.

    The columns are those of `RATES` and `MEANS` and the distances of the artefacts; NaN for what
    there is no instrument for.

    Raises:
        InputError: audio has samples that are NaN or infinite.
    """
    rows, heard = {}, {}
    for prompt in prompts:
        if prompt.id in readings:
            audio = readings[prompt.id]
            if not np.isfinite(audio).all():
                raise InputError(
                    f"{prompt.id}: the system made samples that are no numbers; synthesise it again"
                )
            if instruments.recogniser is not None and prompt.phones:
                heard[prompt.id] = instruments.recogniser.hear(audio)
            rows[prompt.id] = _row(prompt, audio, heard.get(prompt.id), instruments)
    return pd.DataFrame.from_dict(rows, orient="index").astype(float), heard


def _row(
    prompt: Prompt, audio: Audio, heard: Phones | None, instruments: Instruments
) -> dict[str, float]:
    columns = [*(c for pair in RATES.values() for c in pair), *SPEECH_METRICS]
    row = dict.fromkeys((c for c in columns if c not in RATES), float("nan"))
    f0 = track(audio[: len(audio) // HOP * HOP], instruments.f0)
    manner = prosody.measure(audio, f0, len(prompt.phones))
    row |= {name: getattr(manner, name) for name in ("spread", "final", "slope", "rate")}
    row |= opinion(audio)
    if heard is not None:
        errors, units = error_counts([heard], [prompt.phones])
        row |= {"phone_edits": errors[0], "phones": units[0]}
    if instruments.listener is not None and prompt.text:
        text = [instruments.listener.hear(audio)]
        errors, units = words.word_errors(text, [prompt.text], instruments.normalise)
        row |= {"word_edits": errors[0], "words": units[0]}
        errors, units = words.character_errors(text, [prompt.text], instruments.normalise)
        row |= {"character_edits": errors[0], "characters": units[0]}
    if instruments.likeness is not None:
        vector = embed(audio, instruments.voice)
        row["similarity"] = instruments.likeness.of(vector, prompt.id)
    if instruments.usual is not None:
        measured = artefacts.measure(audio, f0, len(prompt.phones))
        distances = instruments.usual.distance(measured)
        row |= {f"{DISTANCE}{name}": x for name, x in distances.items()}
    return row


def summary(rows: pd.DataFrame, seed: int = 0) -> dict[str, Estimate]:
    """Every metric of `SPEECH_METRICS` that was measured, with its interval; rates in percent."""
    found = {
        name: _times(bootstrap.rate(rows[over], rows[under], seed), _PERCENT)
        for name, (over, under) in RATES.items()
    }
    found |= {
        name: bootstrap.mean(rows[name], seed) for name in SPEECH_METRICS if name not in RATES
    }
    return {name: estimate for name, estimate in found.items() if estimate.utterances}


def differences(ours: pd.DataFrame, theirs: pd.DataFrame, seed: int = 0) -> dict[str, Difference]:
    """How much higher each metric of `ours` is, on the utterances that both have."""
    both = ours.index.intersection(theirs.index)
    one, other = ours.loc[both], theirs.loc[both]
    found = {}
    for name, (over, under) in RATES.items():
        apart = bootstrap.difference(one[over], other[over], one[under], seed)
        found[name] = Difference(_times(apart.estimate, _PERCENT), apart.p)
    for name in SPEECH_METRICS:
        if name not in RATES:
            found[name] = bootstrap.difference(one[name], other[name], seed=seed)
    return {name: apart for name, apart in found.items() if apart.estimate.utterances}


def gated(ours: pd.DataFrame, recordings: pd.DataFrame, seed: int = 0) -> dict[str, Estimate]:
    """What the limits of the section `evaluate.gate` are about, by its keys.

    Errors and opinions are differences from the recordings of the same texts, `spread` and `rate`
    are shares of theirs; `artefacts` is the measure with the largest mean distance, so that the
    more measures there are, the larger it is by chance alone.
    """
    both = ours.index.intersection(recordings.index)
    one, other = ours.loc[both], recordings.loc[both]
    apart = differences(one, other, seed)
    errors = ("phone_errors", "character_errors")
    found: dict[str, Estimate] = {n: apart[n].estimate for n in errors if n in apart}
    if "dnsmos" in apart:
        found["dnsmos"] = _times(apart["dnsmos"].estimate, -1)
    estimates = summary(one, seed)
    if "similarity" in estimates:
        found["similarity"] = estimates["similarity"]
    shares = {name: bootstrap.rate(one[name], other[name], seed) for name in ("spread", "rate")}
    found["spread"] = shares["spread"]
    found["rate"] = _off_one(shares["rate"])
    faults = [f"{DISTANCE}{name}" for name in MEASURES if name not in shares]
    distances = [estimates[name] for name in faults if name in estimates]
    if distances:
        found["artefacts"] = max(distances, key=lambda estimate: estimate.value)
    return {name: estimate for name, estimate in found.items() if estimate.utterances}


def _times(estimate: Estimate, factor: float) -> Estimate:
    low, high = sorted((factor * estimate.low, factor * estimate.high))
    return Estimate(factor * estimate.value, low, high, estimate.utterances)


def _off_one(share: Estimate) -> Estimate:
    """How far a share is from one, to either side."""
    ends = np.abs([share.low - 1, share.high - 1])
    low = 0.0 if share.low <= 1 <= share.high else float(ends.min())
    return Estimate(abs(share.value - 1), low, float(ends.max()), share.utterances)
