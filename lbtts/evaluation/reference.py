"""The reference systems that a voice is compared with, rendered and measured once."""

from pathlib import Path

from tqdm import tqdm

from lbtts.acoustics.store.features import FeatureStore
from lbtts.evaluation.measures import (
    Measures,
    measure,
    measure_recording,
    real_time_factor,
    summarise,
)
from lbtts.evaluation.renditions import Rendition, render, render_copy
from lbtts.evaluation.systems import (
    CEILING,
    FLOOR,
    RECORDING,
    read_measures,
    write_audio,
    write_measures,
)
from lbtts.models.speech import Synthesiser
from lbtts.params import Params


def measure_reference(
    base: Synthesiser, store: FeatureStore, p: Params, folder: Path
) -> dict[str, float]:
    """The metrics of ceiling and floor; audio and measures of each utterance go into `folder`."""
    f0 = p.features.f0
    measures: dict[str, dict[str, Measures]] = {RECORDING: {}, CEILING: {}, FLOOR: {}}
    spoken: dict[str, Rendition] = {}
    chosen = store.held_out("report", p.evaluate.utterances)
    for index in tqdm(chosen, unit="utt", desc="reference"):
        utterance = store[index]
        spoken[utterance.id] = render(base, utterance)
        renditions = {CEILING: render_copy(utterance, f0), FLOOR: spoken[utterance.id]}
        write_audio(folder, RECORDING, utterance.id, utterance.audio)
        measures[RECORDING][utterance.id] = measure_recording(utterance)
        for system, rendition in renditions.items():
            write_audio(folder, system, utterance.id, rendition.free)
            measures[system][utterance.id] = measure(rendition, utterance, f0)
    write_measures(folder, measures)
    metrics = {"utterances": len(chosen), "floor_rtf": real_time_factor(spoken)}
    return metrics | summary(folder)


def summary(folder: Path) -> dict[str, float]:
    """The metrics of each system in `folder`, each name with the system as prefix."""
    return {
        f"{system}_{name}": value
        for system, table in read_measures(folder).items()
        for name, value in summarise(table).items()
    }
