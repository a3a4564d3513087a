"""The reference systems that a voice is compared with, rendered and measured once."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import Entry
from lbtts.evaluation import instruments as setting
from lbtts.evaluation.measures import Measures, by_system, estimates, measure, real_time_factor
from lbtts.evaluation.renditions import Rendition, render, render_copy
from lbtts.evaluation.scale import measure_scale
from lbtts.evaluation.systems import (
    CEILING,
    FLOOR,
    READINGS,
    RECORDING,
    STRANGER,
    read_measures,
    write_audio,
    write_measures,
)
from lbtts.models.speech import Synthesiser
from lbtts.params import Params
from lbtts.text.tokens import TokenPlan


def measure_reference(
    base: Synthesiser,
    stranger: Synthesiser | None,
    store: FeatureStore,
    plans: Sequence[TokenPlan],
    entries: Mapping[str, Entry],
    p: Params,
    folder: Path,
    keep: Path,
) -> dict[str, float]:
    """The metrics of recordings, ceiling and floor.

    Args:
        base: with the initial voice, untrained: the floor.
        stranger: the base with another speaker's voice; None where it has none.
        store: features.
        plans: what is said in the recordings.
        entries: the manifest, by id.
        p: the parameters.
        folder: where audio, measures and the scale go; see `systems` and `scale`.
        keep: where trained recognisers stay.
    """
    readings: dict[str, dict] = {RECORDING: {}, CEILING: {}, FLOOR: {}}
    if stranger is not None:
        readings[STRANGER] = {}
    distances: dict[str, dict[str, Measures]] = {CEILING: {}, FLOOR: {}}
    spoken: dict[str, Rendition] = {}
    chosen = store.held_out("report", p.evaluate.utterances)
    for index in tqdm(chosen, unit="utt", desc="reference"):
        utterance = store[index]
        spoken[utterance.id] = render(base, utterance)
        renditions = {CEILING: render_copy(utterance, p.features.f0), FLOOR: spoken[utterance.id]}
        readings[RECORDING][utterance.id] = utterance.audio
        for system, rendition in renditions.items():
            readings[system][utterance.id] = rendition.free
            distances[system][utterance.id] = measure(rendition, utterance, p.features.f0)
        if stranger is not None:
            readings[STRANGER][utterance.id] = stranger.speak(utterance.tokens)[0]
    for system, of_system in readings.items():
        for name, audio in of_system.items():
            write_audio(folder, system, name, audio)

    counts = {plan.id: len(plan.phones) for plan in plans}
    scale = measure_scale(store, counts, readings.get(STRANGER, {}), p.voice, p.run)
    scale.save(folder)
    _read(base, [plan for plan in plans if entries[plan.id].split == "train"], p, folder)
    instruments = setting.instruments(p, plans, entries, folder, keep)
    said = setting.prompts(plans, [store.ids[index] for index in chosen])
    tables = {
        system: setting.measure(said, of_system, instruments, distances.get(system, {}))
        for system, of_system in tqdm(readings.items(), unit="system", desc="measure")
    }
    write_measures(folder, tables)
    metrics = {"utterances": len(chosen), "floor_rtf": real_time_factor(spoken)}
    measured = read_measures(folder)
    return metrics | by_system({system: estimates(table) for system, table in measured.items()})


def _read(base: Synthesiser, plans: Sequence[TokenPlan], p: Params, folder: Path) -> None:
    """Has the base read training sentences, evenly chosen, for the recogniser to learn from."""
    count = min(p.evaluate.readings, len(plans))
    for number in tqdm(range(count), unit="utt", desc="read"):
        plan = plans[number * len(plans) // count]
        audio, _ = base.speak(np.array(plan.input_ids))
        write_audio(folder, READINGS, plan.id, audio)
