"""The fine-tuned voice, rendered, measured and judged by the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import Entry
from lbtts.evaluation import confusions, gate
from lbtts.evaluation import instruments as setting
from lbtts.evaluation.bootstrap import Estimate
from lbtts.evaluation.measures import (
    LESS_IS_BETTER,
    METRICS,
    MORE_IS_BETTER,
    Measures,
    by_system,
    differences,
    estimates,
    measure,
    real_time_factor,
)
from lbtts.evaluation.prompt import Prompt
from lbtts.evaluation.renditions import Rendition, render
from lbtts.evaluation.systems import (
    FLOOR,
    HEARD,
    RECORDING,
    STRANGER,
    VOICE,
    read_measures,
    write_audio,
    write_measures,
    write_summary,
)
from lbtts.models.speech import Synthesiser
from lbtts.params import Params
from lbtts.text.tokens import TokenPlan


def measure_voice(
    voice: Synthesiser,
    store: FeatureStore,
    plans: Sequence[TokenPlan],
    entries: Mapping[str, Entry],
    p: Params,
    compared: Path,
    folder: Path,
    keep: Path,
) -> dict[str, float | bool]:
    """The voice's metrics with intervals, those of what it is compared with, and the gate's.

    Args:
        voice: fine-tuned.
        store: features.
        plans: what is said in the recordings.
        entries: the manifest, by id.
        p: the parameters.
        compared: what `measure_reference` wrote.
        folder: where audio, measures and the summary go; see `systems`.
        keep: where trained recognisers stay.
    """
    distances: dict[str, Measures] = {}
    spoken: dict[str, Rendition] = {}
    chosen = store.held_out("report", p.evaluate.utterances)
    for index in tqdm(chosen, unit="utt", desc="evaluate"):
        utterance = store[index]
        spoken[utterance.id] = rendition = render(voice, utterance)
        write_audio(folder, VOICE, utterance.id, rendition.free)
        distances[utterance.id] = measure(rendition, utterance, p.features.f0)
    instruments = setting.instruments(p, plans, entries, compared, keep)
    said = setting.prompts(plans, [store.ids[index] for index in chosen])
    readings = {name: rendition.free for name, rendition in spoken.items()}
    write_measures(folder, {VOICE: setting.measure(said, readings, instruments, distances)})

    measured = read_measures(compared) | read_measures(folder)
    verdicts = gate.judge(gate.gated(measured[VOICE], measured[RECORDING]), p.evaluate.gate)
    estimated = {system: estimates(table) for system, table in measured.items()}
    write_summary(folder, _summary(measured, estimated, said, verdicts))
    own = estimated[VOICE]
    others = {s: found for s, found in estimated.items() if s not in (VOICE, STRANGER)}
    intervals = {k: v for name, e in own.items() for k, v in e.flat(name).items()}
    return {
        "utterances": len(chosen),
        **by_system(others),
        **intervals,
        "rtf": real_time_factor(spoken),
        **gate.flat(verdicts),
    }


def _summary(
    measured: Mapping[str, pd.DataFrame],
    estimated: Mapping[str, Mapping[str, Estimate]],
    said: Sequence[Prompt],
    verdicts: Sequence[gate.Verdict],
) -> dict[str, Any]:
    """What report and model card show, as JSON."""
    apart = differences(measured[VOICE], measured[FLOOR])
    return {
        "utterances": len(said),
        "metrics": [
            {
                "name": name,
                "meaning": meaning,
                "better": _better(name),
                "systems": {
                    system: _interval(found[name])
                    for system, found in estimated.items()
                    if name in found
                },
                "more_than_chance": name in apart and apart[name].more_than_chance,
            }
            for name, meaning in METRICS.items()
            if name in estimated[VOICE]
        ],
        "gate": {
            "passed": gate.passes(verdicts),
            "lines": [{"met": verdict.met, "line": verdict.line()} for verdict in verdicts],
        },
        "confusions": _confusions(measured, said),
        "checklist": list(gate.CHECKLIST),
    }


def _better(name: str) -> str:
    return "less" if name in LESS_IS_BETTER else "more" if name in MORE_IS_BETTER else ""


def _interval(estimate: Estimate) -> list[float]:
    return [float(f"{x:.4g}") for x in (estimate.value, estimate.low, estimate.high)]


def _confusions(
    measured: Mapping[str, pd.DataFrame], said: Sequence[Prompt]
) -> list[dict[str, Any]]:
    """What the recogniser takes for something else, more often than in the recordings."""
    if any(HEARD not in measured[system] for system in (VOICE, RECORDING)):
        return []
    heard = {
        system: [tuple(str(measured[system][HEARD].get(prompt.id, "")).split()) for prompt in said]
        for system in (VOICE, RECORDING)
    }
    phones = [prompt.phones for prompt in said]
    found = confusions.beyond(heard[VOICE], phones, heard[RECORDING], phones)
    return [asdict(confusion) for confusion in found]
