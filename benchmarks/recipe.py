"""Which settings give the best voice? Variants of training on one corpus, side by side.

    python -m benchmarks.recipe PROJECT [VARIANT …] [--plan cores] [--steps N] [--speak]
                                        [--set NAME=VALUE …] [--seed 0]
    python -m benchmarks.recipe PROJECT --cut MINUTES FOLDER

PROJECT is a folder whose data stages, `base`, `voice` and `reference` are done; its `params.yaml`
is what all variants start from, changed by `COMMON` and by their own lines in `VARIANTS`. Each
trains equally many steps from the same seed, as one of `PLANS` says, speaks the held-out utterances
of the report with its last averaged weights, and is measured as the stage `evaluate` measures. What
is done stays in PROJECT/scratch/recipe/PLAN: an interrupted variant continues, a finished one is
not repeated, and without VARIANT the table of all finished ones is printed. Beside it come
recording, copy synthesis and zero shot, and one picture of the curves, curves.png.

With --speak it ends when the speech is written, for a machine with a GPU and without what measures
speech: PLAN's folder, brought back, is measured by the same command without it.

With --cut, FOLDER becomes such a project with MINUTES of the training recordings, drawn at random,
and the same held-out ones; its variant "zero shot" has the voice table of these minutes.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile
import torch
from numpy.typing import NDArray
from ruamel.yaml import YAML

from benchmarks.tables import as_table
from lbtts import params
from lbtts.acoustics.store.features import FeatureStore, Utterance
from lbtts.alignment.timing import read_timings, write_timings
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import Reject
from lbtts.evaluation.measures import estimates
from lbtts.evaluation.renditions import render
from lbtts.evaluation.speech_metrics import DISTANCE
from lbtts.evaluation.systems import CEILING, FLOOR, RECORDING, VOICE, read_measures
from lbtts.evaluation.voice import measure_voice
from lbtts.grid import SAMPLE_RATE
from lbtts.models.kokoro.network import adapters
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.weights import checkpoint
from lbtts.models.speech import Synthesiser
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
HISTORY, UNITS = "history.json", "units.json"
NETWORK = ("bert", "bert_encoder", "text_encoder", "predictor", "decoder", "generator")
NETWORK = (*NETWORK, "upsampling")
SPEAKS = ("decoder", "generator", "upsampling")
ADVERSARY = {"kokoro.losses.adversarial.weight": 1, "kokoro.losses.feature_matching.weight": 2}


@dataclass(frozen=True)
class Plan:
    """How long variants train, and on how much.

    Attributes:
        prosody: steps before the waveform counts.
        rest: step from which the generator trains where the discriminators are to learn first.
        steps: in all.
        common: what all variants change in the project's parameters.
    """

    prosody: int
    rest: int
    steps: int
    common: dict[str, Any]


def each(parts: tuple[str, ...], name: str, value: Any) -> dict[str, Any]:
    """One setting of several components."""
    return {f"kokoro.components.{part}.{name}": value for part in parts}


def start(step: int, *losses: str) -> dict[str, Any]:
    """The step from which losses count."""
    return {f"kokoro.losses.{loss}.start": step for loss in losses}


PLANS = {
    # About an hour: first prosody alone, whose steps are cheap; then the waveform too.
    "cores": Plan(
        200,
        230,
        320,
        {
            "train.batch_seconds": 6,
            "train.warmup": 20,
            "train.ema": 0.98,
            "train.validate_every": 80,
            "train.checkpoint_every": 20,
            "train.validation_utterances": 4,
        },
    ),
    # Minutes of a GPU that all variants share.
    "gpu": Plan(
        0,
        60,
        100,
        {
            "train.batch_seconds": 16,
            "train.warmup": 50,
            "train.ema": 0.99,
            "train.validate_every": 200,
            "train.checkpoint_every": 200,
            "train.validation_utterances": 8,
            "run.loaders": 1,
        },
    ),
}
COMMON = {
    "train.precision": "bf16",
    "train.crop_seconds": 2,
    "train.lr": 1e-4,
    "train.validation_speech": 1,
    "train.choose": "loss",
    "train.patience": None,
    **each(NETWORK, "frozen", 0),
}
ZERO_SHOT = "zero shot"


def variants(plan: Plan) -> dict[str, dict[str, Any]]:
    """What each variant changes, by its name."""
    prosody, rest = plan.prosody, plan.rest
    early = ADVERSARY | start(prosody, "adversarial", "feature_matching")
    early |= {"kokoro.discriminators.start": prosody, "kokoro.discriminators.most_share": None}
    # The discriminators learn before the generator does, which keeps still.
    late = ADVERSARY | start(rest, "mel", "stft", "adversarial", "feature_matching")
    late |= {"kokoro.discriminators.start": prosody}
    late |= each((*SPEAKS, "text_encoder"), "frozen", rest)
    slow = each(SPEAKS, "lr", 0.1)
    betas = {"train.betas": [0.0, 0.99], "train.eps": 1e-9, "train.weight_decay": 1e-4}
    balanced = late | {"kokoro.discriminators.least_share": 0.5}
    return {
        ZERO_SHOT: {},
        "voice only": each(NETWORK, "frozen", None),
        "regression": {},
        "regression, slow decoder": slow,
        "adversary early": early,
        "adversary late": late,
        "adversary late, slow decoder": late | slow,
        "adversary late, slow decoder, betas": late | slow | betas,
        "adversary late, upsampling fixed": late | each(("upsampling",), "frozen", None),
        "adversary late, anchored": late | each(SPEAKS, "anchor", 100),
        "adversary balanced": balanced,
        "adversary balanced, slow decoder": balanced | slow,
        "adversary balanced, mel alone": balanced | {"kokoro.losses.stft.weight": 0},
        "LoRA": late
        | each(("bert", "bert_encoder", "predictor", "decoder", "generator"), "rank", 16)
        | each(("text_encoder", "upsampling"), "frozen", None),
        "adversary late, replay": late | {"kokoro.replay.share": 0.34},
    }


COLUMNS = {
    "phone_errors": "phone errors, %",
    "similarity": "likeness",
    "dnsmos": "DNSMOS",
    "dnsmos_p808": "P.808",
    "f0_rmse_cents": "F0 error, cents",
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


class Spoken:
    """A variant's speech of held-out utterances, which it spoke before: a `Synthesiser`."""

    def __init__(self, folder: Path, utterances: Iterable[Utterance]) -> None:
        """Takes the folder that `speak` wrote, of these utterances."""
        self._folder = folder
        self._names = {utterance.tokens.tobytes(): utterance.id for utterance in utterances}

    def speak(self, tokens: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        name = self._names[tokens.tobytes()]
        units = np.array(read_json(self._folder / UNITS)[name])
        return self._read("free", name), units

    def speak_in_time(
        self, tokens: NDArray[np.int64], units: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        return self._read("timed", self._names[tokens.tobytes()])

    def _read(self, kind: str, name: str) -> NDArray[np.float32]:
        return soundfile.read(self._folder / f"{name}.{kind}.flac", dtype="float32")[0]


def speak(voice: Synthesiser, utterances: Iterable[Utterance], folder: Path) -> None:
    """Writes what `Spoken` reads; the list of durations last."""
    folder.mkdir(exist_ok=True)
    durations = {}
    for utterance in utterances:
        made = render(voice, utterance)
        assert made.units is not None
        durations[utterance.id] = made.units.tolist()
        for kind, audio in (("free", made.free), ("timed", made.timed)):
            path = folder / f"{utterance.id}.{kind}.flac"
            soundfile.write(path, audio.clip(-1, 1), SAMPLE_RATE, subtype="PCM_16")
    write_json(folder / UNITS, durations)


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
    rows = {}
    for name, measures in found.items():
        estimated = estimates(measures)
        rows[name] = {
            key: f"{e.value:.3g} ({e.low:.3g}–{e.high:.3g})"
            for key in COLUMNS
            if (e := estimated.get(key))
        }
        artefacts = {n: e.value for n, e in estimated.items() if n.startswith(DISTANCE)}
        worst = max(artefacts, key=lambda name: artefacts[name])
        rows[name]["artefact"] = f"{artefacts[worst]:.2g}, {worst.removeprefix(DISTANCE)}"
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("variants", nargs="*", metavar="VARIANT")
    parser.add_argument("--plan", choices=list(PLANS), default="cores")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--speak", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cut", nargs=2, metavar=("MINUTES", "FOLDER"))
    given = parser.parse_args()
    if given.cut:
        return cut(given.project, float(given.cut[0]), Path(given.cut[1]))
    plan = PLANS[given.plan]
    plan = replace(plan, steps=given.steps or plan.steps)
    known = variants(plan)
    if unknown := set(given.variants) - set(known):
        parser.error(f"no such variant: {', '.join(unknown)}; there are: {', '.join(known)}")
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
