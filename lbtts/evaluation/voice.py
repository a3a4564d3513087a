"""Rendering and measuring the fine-tuned voice."""

from pathlib import Path

from tqdm import tqdm

from lbtts.acoustics.store.features import FeatureStore
from lbtts.evaluation import reference
from lbtts.evaluation.measures import Measures, measure, real_time_factor, summarise
from lbtts.evaluation.renditions import Rendition, render
from lbtts.evaluation.systems import VOICE, read_measures, write_audio, write_measures
from lbtts.models.speech import Synthesiser
from lbtts.params import Params


def measure_voice(
    voice: Synthesiser, store: FeatureStore, p: Params, compared: Path, folder: Path
) -> dict[str, float]:
    """The metrics of the voice, and those of the reference systems with the system as prefix.

    Args:
        voice: fine-tuned.
        store: features.
        p: the parameters.
        compared: the folder that `measure_reference` wrote.
        folder: for audio and measures of each utterance.
    """
    measures: dict[str, Measures] = {}
    spoken: dict[str, Rendition] = {}
    chosen = store.held_out("report", p.evaluate.utterances)
    for index in tqdm(chosen, unit="utt", desc="evaluate"):
        utterance = store[index]
        spoken[utterance.id] = rendition = render(voice, utterance)
        write_audio(folder, VOICE, utterance.id, rendition.free)
        measures[utterance.id] = measure(rendition, utterance, p.features.f0)
    write_measures(folder, {VOICE: measures})
    own = summarise(read_measures(folder)[VOICE]) | {"rtf": real_time_factor(spoken)}
    return {"utterances": len(chosen), **reference.summary(compared), **own}
