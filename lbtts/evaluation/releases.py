"""Whether other forms of a voice, such as graphs with rounded weights, are as good by the gate."""

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


def keep_as_good(files: Mapping[str, Path], lost: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Megabytes of the files of the forms that lose no limit, as `<name>_mb`.

    It removes the others' files, and prints which limits they lose.

    Args:
        files: of the forms, by name.
        lost: the limits that each loses, see `lost_limits`.
    """
    sizes = {}
    for name, path in files.items():
        if lost[name]:
            path.unlink()
            print(f"export: {name} is left out, for it does not keep:", *lost[name], sep="\n  ")
        else:
            sizes[f"{name}_mb"] = round(path.stat().st_size / 1e6, 1)
    return sizes


def lost_limits(
    forms: Mapping[str, Speaker],
    store: FeatureStore,
    plans: Sequence[TokenPlan],
    entries: Mapping[str, Entry],
    p: Params,
    compared: Path,
    measured: Path,
    keep: Path,
) -> dict[str, list[str]]:
    """The limits of the gate that the voice keeps and a form of it does not, by its name.

    Args:
        forms: by name; each speaks the same held-out utterances as the voice did.
        store: features.
        plans: what is said in the recordings.
        entries: the manifest, by id.
        p: the parameters.
        compared: what the stage `reference` wrote.
        measured: what the stage `evaluate` wrote.
        keep: where trained recognisers stay.
    """
    chosen = [store[index] for index in store.held_out("report", p.evaluate.utterances)]
    said = setting.prompts(plans, [utterance.id for utterance in chosen])
    instruments = setting.instruments(p, plans, entries, compared, keep)
    recordings = read_measures(compared)[RECORDING]
    own = gate.judge(gate.gated(read_measures(measured)[VOICE], recordings), p.evaluate.gate)
    kept = {verdict.name for verdict in own if verdict.met}
    found = {}
    for name, form in forms.items():
        readings = {utterance.id: form.speak(utterance.tokens)[0] for utterance in chosen}
        rows = setting.measure(said, readings, instruments, {})
        verdicts = gate.judge(gate.gated(rows, recordings), p.evaluate.gate)
        found[name] = [v.line() for v in verdicts if v.met is False and v.name in kept]
    return found
