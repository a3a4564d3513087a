"""Whether another form of a voice, such as a graph with rounded weights, is as good by the gate."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import Entry
from lbtts.evaluation import gate
from lbtts.evaluation import instruments as setting
from lbtts.evaluation.systems import RECORDING, VOICE, read_measures
from lbtts.models.speech import Speaker
from lbtts.params import Params
from lbtts.text.tokens import TokenPlan


def lost_limits(
    form: Speaker,
    store: FeatureStore,
    plans: Sequence[TokenPlan],
    entries: Mapping[str, Entry],
    p: Params,
    compared: Path,
    measured: Path,
    keep: Path,
) -> list[str]:
    """The limits of the gate that the voice keeps and this form of it does not.

    Args:
        form: speaks the same held-out utterances as the voice did.
        store: features.
        plans: what is said in the recordings.
        entries: the manifest, by id.
        p: the parameters.
        compared: what the stage `reference` wrote.
        measured: what the stage `evaluate` wrote.
        keep: where trained recognisers stay.
    """
    chosen = [store[index] for index in store.held_out("report", p.evaluate.utterances)]
    readings = {utterance.id: form.speak(utterance.tokens)[0] for utterance in chosen}
    said = setting.prompts(plans, list(readings))
    instruments = setting.instruments(p, plans, entries, compared, keep)
    rows = setting.measure(said, readings, instruments, {})
    recordings = read_measures(compared)[RECORDING]
    own = gate.judge(gate.gated(read_measures(measured)[VOICE], recordings), p.evaluate.gate)
    kept = {verdict.name for verdict in own if verdict.met}
    verdicts = gate.judge(gate.gated(rows, recordings), p.evaluate.gate)
    return [v.line() for v in verdicts if v.met is False and v.name in kept]
