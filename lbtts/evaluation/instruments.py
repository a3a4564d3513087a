"""The instruments of the evaluation, set up for a corpus, and all that they say of one system."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lbtts.corpus.manifest import Entry
from lbtts.evaluation import recogniser, speech_metrics, words
from lbtts.evaluation.measures import Measures
from lbtts.evaluation.prompt import Prompt, Readings, from_plan
from lbtts.evaluation.scale import Scale
from lbtts.evaluation.speech_metrics import Instruments
from lbtts.evaluation.systems import HEARD, READINGS, audio_path
from lbtts.params import Params
from lbtts.text.tokens import TokenPlan
from lbtts.workers import workers

_FEWEST = 12  # recordings from which a recogniser can learn anything


def instruments(
    p: Params,
    plans: Sequence[TokenPlan],
    entries: Mapping[str, Entry],
    compared: Path,
    keep: Path,
) -> Instruments:
    """What measures the voices of a corpus.

    Args:
        p: the parameters.
        plans: what is said in its recordings; the recogniser of phones learns from the training
            split, and from what the base reads of it.
        entries: its manifest, by id.
        compared: what the stage `reference` has written so far: scale and readings.
        keep: where trained recognisers stay.
    """
    training = [plan for plan in plans if entries[plan.id].split == "train"]
    heard = None
    if len(training) >= _FEWEST:
        audio = {plan.id: entries[plan.id].audio for plan in training}
        readings = ((plan, audio_path(compared, READINGS, plan.id)) for plan in training)
        read = [(plan, path) for plan, path in readings if path.exists()]
        with workers(p.run) as parallel:
            heard = recogniser.train_on_readings(training, audio, read, parallel, keep)
    scale = Scale.load(compared)
    return Instruments(
        f0=p.features.f0.quick(),
        voice=p.voice,
        recogniser=heard,
        listener=words.listener(p.evaluate.words, p.language),
        likeness=scale.likeness(),
        usual=scale.artefacts(),
    )


def prompts(plans: Sequence[TokenPlan], ids: Sequence[str]) -> list[Prompt]:
    """The sentences of these utterances."""
    by_id = {plan.id: plan for plan in plans}
    return [from_plan(by_id[name]) for name in ids]


def measure(
    said: Sequence[Prompt],
    readings: Readings,
    chosen: Instruments,
    distances: Mapping[str, Measures],
) -> pd.DataFrame:
    """All measures of one system, a row an utterance, and the phones that were heard in it.

    Args:
        said: what it was to say.
        readings: audio by id.
        chosen: the instruments.
        distances: what else is known, by id.
    """
    rows, heard = speech_metrics.measure(said, readings, chosen)
    rows = rows.join(pd.DataFrame.from_dict(distances, orient="index"))
    rows[HEARD] = pd.Series({name: " ".join(phones) for name, phones in heard.items()}, dtype=str)
    return rows
