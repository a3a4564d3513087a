"""What can be measured of speech by itself, whoever made it: one row an utterance.

A row holds what was counted or measured on one reading; errors and what they are out of stand in
columns of their own, so that rates are ratios of sums. Rows of two systems pair by id.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.speaker import embed
from lbtts.errors import InputError
from lbtts.evaluation import artefacts, prosody, words
from lbtts.evaluation.artefacts import MEASURES, Usual
from lbtts.evaluation.confusions import error_counts
from lbtts.evaluation.naturalness import opinion
from lbtts.evaluation.prompt import Audio, Prompt, Readings
from lbtts.evaluation.recogniser import Recogniser
from lbtts.evaluation.similarity import Likeness
from lbtts.evaluation.words import Listener
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
    """

    f0: F0
    voice: Voice
    recogniser: Recogniser | None = None
    listener: Listener | None = None
    likeness: Likeness | None = None
    usual: Usual | None = None


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
    f0 = track(audio, instruments.f0)
    manner = prosody.measure(audio, f0, len(prompt.phones))
    row |= {name: getattr(manner, name) for name in ("spread", "final", "slope", "rate")}
    row |= opinion(audio)
    if heard is not None:
        errors, units = error_counts([heard], [prompt.phones])
        row |= {"phone_edits": errors[0], "phones": units[0]}
    if instruments.listener is not None and prompt.text:
        text = [instruments.listener.hear(audio)]
        errors, units = words.word_errors(text, [prompt.text])
        row |= {"word_edits": errors[0], "words": units[0]}
        errors, units = words.character_errors(text, [prompt.text])
        row |= {"character_edits": errors[0], "characters": units[0]}
    if instruments.likeness is not None:
        vector = embed(audio, instruments.voice)
        row["similarity"] = instruments.likeness.of(vector, prompt.id)
    if instruments.usual is not None:
        measured = artefacts.measure(audio, f0, len(prompt.phones))
        distances = instruments.usual.distance(measured)
        row |= {f"{DISTANCE}{name}": x for name, x in distances.items()}
    return row
