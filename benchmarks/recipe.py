"""Which settings give the best voice? Variants of training on one corpus, side by side.

    python -m benchmarks.recipe PROJECT [VARIANT …] [--plan cores] [--steps N] [--speak]
                                        [--at-once N] [--set NAME=VALUE …] [--seed 0]
    python -m benchmarks.recipe PROJECT --cut MINUTES FOLDER

PROJECT is a folder whose data stages, `base`, `voice` and `reference` are done; its `params.yaml`
is what all variants start from, with what they compare set back to regression alone, and then
changed as `benchmarks.variants` says. Each trains equally many steps from the same seed, as a plan
says, speaks the held-out utterances of the report with its last averaged weights, and is measured
as the stage `evaluate` measures. What is done stays in PROJECT/scratch/recipe/PLAN: an interrupted
variant continues, a finished one is not repeated, and without VARIANT the table of all finished
ones is printed. Beside it come recording, copy synthesis and zero shot, and one picture of the
curves, curves.png.

With --speak it ends when the speech is written, for a machine with a GPU and without what measures
speech: PLAN's folder, brought back, is measured by the same command without it. --at-once N trains
N variants side by side, a process each: one alone leaves a large GPU waiting for Python.

With --cut, FOLDER becomes such a project with MINUTES of the training recordings, drawn at random,
and the same held-out ones; its variant "zero shot" has the voice table of these minutes.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from ruamel.yaml import YAML

from benchmarks import variants
from benchmarks.spoken import UNITS, Spoken, speak
from benchmarks.tables import as_table
from benchmarks.variants import COMMON, PLANS, SPEAKS, ZERO_SHOT, Plan, each, start
from lbtts import params
from lbtts.acoustics.store.features import FeatureStore, Utterance
from lbtts.alignment.timing import read_timings, write_timings
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import Reject
from lbtts.evaluation.bootstrap import Estimate
from lbtts.evaluation.measures import estimates
from lbtts.evaluation.speech_metrics import DISTANCE
from lbtts.evaluation.systems import CEILING, FLOOR, RECORDING, VOICE, read_measures
from lbtts.evaluation.voice import measure_voice
from lbtts.grid import SAMPLE_RATE
from lbtts.models.kokoro.network import adapters
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.weights import checkpoint
from lbtts.params import Params
from lbtts.paths import (
    ALIGNMENT,
    AUDIT,
    BASE,
    CORPUS,
    DURATIONS,
    FEATURES,
    MANIFEST,
    REFERENCE,
    SPOKEN,
)
from lbtts.records import read_json, write_json
from lbtts.scratch import scratch, scratch_folder
from lbtts.text.tokens import read_token_plans
from lbtts.training import resume, session, trainer
from lbtts.training.choice import LeastLoss

ROOT = Path(__file__).resolve().parent.parent
HISTORY = "history.json"
COLUMNS = {
    "phone_errors": "phone errors, %",
    "similarity": "likeness",
    "dnsmos": "DNSMOS",
    "dnsmos_p808": "P.808",
    "f0_rmse_cents": "F0 error, cents",
    "f0_rmse_fine_cents": "F0 error, fine, cents",
    "f0_gross_error": "F0 gross errors, %",
    "spread": "F0 spread",
    "duration_error": "duration error, units",
    "mcd": "MCD",
    "artefact": "worst artefact, deviations",
}
CURVES = ("validation/mel", "validation/stft", "validation/f0", "validation/duration")


def changed(p: dict[str, Any], name: str, value: Any) -> None:
    """Sets `a.b.c` in a tree of mappings."""
    *path, last = name.split(".")
    for part in path:
        p = p[part]
    if last not in p:
        raise SystemExit(f"{name}: there is no such parameter")
    p[last] = value


def settings(plan: Plan, changes: dict[str, Any], seed: int) -> Params:
    """The project's parameters with the common changes and a variant's."""
    tree = params.load("params.yaml").model_dump(mode="json")
    forcing = {"hold": 0, "decay": plan.prosody or plan.steps // 2, "final_ratio": 0.5}
    planned = {
        "train.steps": plan.steps,
        "train.seed": seed,
        "kokoro.teacher_forcing": forcing,
        **each((*SPEAKS, "text_encoder"), "frozen", plan.prosody),
        **start(plan.prosody, "mel", "stft"),
    }
    for name, value in (COMMON | plan.common | planned | changes).items():
        changed(tree, name, value)
    return Params.model_validate(tree)


def train(name: str, p: Params, folder: Path) -> None:
    """Trains a variant, or what is left of it, and lets it speak into `folder`."""
    state, store, accelerator = session.begin(p)
    if name != ZERO_SHOT:
        rule = LeastLoss(state.recipe.criterion)
        trainer.fit(state, store, p, accelerator, rule, folder, folder / "curves")
    network = state.averaged()
    adapters.merge(network.model)
    table = network.voice.table().detach().cpu()
    speak(KokoroSynthesiser(network.model, table), held_out(store, p), folder / "spoken")
    saved = resume.load(folder / trainer.CHECKPOINT) or {"history": []}
    write_json(folder / HISTORY, {"history": saved["history"]})
    checkpoint.save_finetuned(
        folder / "model",
        network.model.cpu(),
        table,
        checkpoint.read_config(BASE),
        {"variant": name},
    )
    for path in (folder / trainer.CHECKPOINT, *folder.glob("candidate-*")):
        path.unlink(missing_ok=True)  # gigabytes


def held_out(store: FeatureStore, p: Params) -> list[Utterance]:
    """The utterances of the report."""
    return [store[int(index)] for index in store.held_out("report", p.evaluate.utterances)]


def run(name: str, p: Params, label: str, only_speak: bool) -> None:
    """Trains a variant, and measures it unless it shall only speak."""
    with scratch(label) as folder:
        if not (folder / "spoken" / UNITS).exists():
            train(name, p, folder)
        if only_speak or (folder / "speech/summary.json").exists():
            return
        store = FeatureStore(FEATURES, p.features.f0)
        plans, entries = read_token_plans(SPOKEN), read_manifest(MANIFEST)
        voice = Spoken(folder / "spoken", held_out(store, p))
        keep = scratch_folder("recogniser")
        measure_voice(voice, store, plans, entries, p, REFERENCE, folder / "speech", keep)


def cut(project: Path, minutes: float, folder: Path) -> None:
    """Makes `folder` a project with so many minutes of the training recordings of another."""
    entries = read_manifest(project / MANIFEST)
    timings = read_timings(project / DURATIONS)
    training = [t.id for t in timings if entries[t.id].split == "train"]
    kept: set[str] = set()
    seconds = 0.0
    for name in np.random.default_rng(0).permutation(training):
        longer = seconds + entries[name].samples / SAMPLE_RATE
        if longer <= 60 * minutes:
            kept.add(name)
            seconds = longer
    for path in (CORPUS, ALIGNMENT, REFERENCE, AUDIT, BASE):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if not (folder / path).exists():
            (folder / path).symlink_to((project / path).resolve())
    (folder / "params.yaml").write_bytes((project / "params.yaml").read_bytes())
    other = Reject("left out of this cut")
    chosen = (t if t.id in kept or t.id not in training else (t.id, other) for t in timings)
    write_timings(chosen, folder / DURATIONS)
    for stage in ("features", "voice"):
        command = [sys.executable, "-m", f"stages.{stage}"]
        here = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=folder, env=here, check=True)
    print(f"{folder}: {len(kept)} training utterances, {seconds / 60:.1f} minutes")


def measured(folders: list[Path]) -> dict[str, pd.DataFrame]:
    """The measures of what the variants are compared with, and of the finished ones."""
    reference = read_measures(REFERENCE)
    return {
        "recording": reference[RECORDING],
        "copy synthesis": reference[CEILING],
        "zero shot": reference[FLOOR],
    } | {folder.name: read_measures(folder / "speech")[VOICE] for folder in folders}


def table(found: dict[str, pd.DataFrame]) -> str:
    """Rows of values with their intervals."""
    rows: dict[str, dict[str, Estimate | str]] = {}
    for name, measures in found.items():
        estimated = estimates(measures)
        artefacts = {n: e.value for n, e in estimated.items() if n.startswith(DISTANCE)}
        worst = max(artefacts, key=lambda name: artefacts[name])
        of_worst = f"{artefacts[worst]:.2g}, {worst.removeprefix(DISTANCE)}"
        rows[name] = {**estimated, "artefact": of_worst}
    return as_table(rows, COLUMNS)


def picture(folders: list[Path], path: Path) -> None:
    """The validation curves of the finished variants."""
    figure, axes = plt.subplots(2, 2, figsize=(12, 8), constrained_layout=True)
    for folder in folders:
        history = read_json(folder / HISTORY)["history"]
        for axis, curve in zip(axes.flat, CURVES, strict=True):
            points = [(s, m[curve]) for s, m in history if curve in m]
            if points:
                axis.plot(*zip(*points, strict=True), label=folder.name)
            axis.set_title(curve)
    axes.flat[0].legend(fontsize="x-small")
    figure.savefig(path)


def each_alone(project: str, names: list[str], count: int) -> None:
    """Runs this command once for each variant, so many at a time."""
    options = [x for x in sys.argv[1:] if x not in (project, *names)]
    command = [sys.executable, "-m", "benchmarks.recipe", project]

    def one(name: str) -> int:
        return subprocess.call([*command, name, *options, "--at-once", "1"])

    with ThreadPoolExecutor(count) as pool:
        failed = [n for n, code in zip(names, pool.map(one, names), strict=True) if code]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project")
    parser.add_argument("variants", nargs="*", metavar="VARIANT")
    parser.add_argument("--plan", choices=list(PLANS), default="cores")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--speak", action="store_true")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cut", nargs=2, metavar=("MINUTES", "FOLDER"))
    given = parser.parse_args()
    if given.cut:
        return cut(Path(given.project), float(given.cut[0]), Path(given.cut[1]))
    plan = PLANS[given.plan]
    plan = replace(plan, steps=given.steps or plan.steps)
    known = variants.variants(plan)
    if unknown := set(given.variants) - set(known):
        parser.error(f"no such variant: {', '.join(unknown)}; there are: {', '.join(known)}")
    if given.at_once > 1:
        return each_alone(given.project, given.variants, given.at_once)
    os.chdir(given.project)
    torch.set_num_threads(1)
    more = dict(line.split("=", 1) for line in given.set)
    yaml = YAML(typ="safe")
    more = {name: yaml.load(value) for name, value in more.items()}
    suffix = "".join(f", {name.split('.')[-1]} {value}" for name, value in more.items())
    suffix += f", {given.steps} steps" * bool(given.steps)
    suffix += f", seed {given.seed}" * bool(given.seed)
    root = f"recipe/{given.plan}"
    for name in given.variants:
        p = settings(plan, known[name] | more, given.seed)
        run(name, p, f"{root}/{name}{suffix}", given.speak)
    if given.speak:
        return
    finished = scratch_folder(root)
    done = sorted(
        (path.parent.parent for path in finished.glob("*/speech/summary.json")),
        key=lambda path: ([*known, path.name].index(path.name), path.name),
    )
    print(table(measured(done)))
    picture(done, finished / "curves.png")


if __name__ == "__main__":
    main()
