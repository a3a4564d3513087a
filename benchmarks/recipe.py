"""Which settings give the best voice? Variants of training on one corpus, side by side.

    python -m benchmarks.recipe PROJECT [VARIANT …] [--set NAME=VALUE …] [--seed 0]
    python -m benchmarks.recipe PROJECT --cut MINUTES FOLDER

PROJECT is a folder whose data stages, `base`, `voice` and `reference` are done; its `params.yaml`
is what all variants start from, changed by `COMMON` and by their own lines in `VARIANTS`. Each
trains equally many steps from the same seed, speaks the held-out utterances of the report with
its last averaged weights, and is measured as the stage `evaluate` measures. What is done stays in
PROJECT/scratch/recipe: an interrupted variant continues, a finished one is not repeated, and
without VARIANT the table of all finished ones is printed. Beside it come recording, copy synthesis
and zero shot, and one picture of the curves, PROJECT/scratch/recipe/curves.png.

With --cut, FOLDER becomes such a project with MINUTES of the training recordings, drawn at random,
and the same held-out ones; its variant "zero shot" has the voice table of these minutes.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from ruamel.yaml import YAML

from benchmarks.tables import as_table
from lbtts import params
from lbtts.alignment.timing import read_timings, write_timings
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import Reject
from lbtts.evaluation.measures import estimates
from lbtts.evaluation.speech_metrics import DISTANCE
from lbtts.evaluation.systems import CEILING, FLOOR, RECORDING, VOICE, read_measures
from lbtts.evaluation.voice import measure_voice
from lbtts.grid import SAMPLE_RATE
from lbtts.models.kokoro.network import adapters
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.weights import checkpoint
from lbtts.params import Params
from lbtts.paths import ALIGNMENT, AUDIT, BASE, CORPUS, DURATIONS, MANIFEST, REFERENCE, SPOKEN
from lbtts.records import read_json, write_json
from lbtts.scratch import scratch, scratch_folder
from lbtts.text.tokens import read_token_plans
from lbtts.training import resume, session, trainer
from lbtts.training.choice import LeastLoss

ROOT = Path(__file__).resolve().parent.parent
HISTORY = "history.json"
PROSODY, REST, STEPS = 200, 230, 320  # steps: the waveform counts, the generator trains, the end
NETWORK = ("bert", "bert_encoder", "text_encoder", "predictor", "decoder", "generator")
NETWORK = (*NETWORK, "upsampling")
SPEAKS = ("decoder", "generator", "upsampling")
ADVERSARY = {"kokoro.losses.adversarial.weight": 1, "kokoro.losses.feature_matching.weight": 2}


def each(parts: tuple[str, ...], name: str, value: Any) -> dict[str, Any]:
    """One setting of several components."""
    return {f"kokoro.components.{part}.{name}": value for part in parts}


def start(step: int, *losses: str) -> dict[str, Any]:
    """The step from which losses count."""
    return {f"kokoro.losses.{loss}.start": step for loss in losses}


# First prosody alone, whose steps are cheap; then the waveform too.
COMMON = {
    "train.steps": STEPS,
    "train.precision": "bf16",
    "train.batch_seconds": 6,
    "train.crop_seconds": 2,
    "train.lr": 1e-4,
    "train.warmup": 20,
    "train.ema": 0.98,
    "train.validate_every": 80,
    "train.checkpoint_every": 20,
    "train.validation_utterances": 4,
    "train.validation_speech": 1,
    "train.choose": "loss",
    "train.patience": None,
    "kokoro.teacher_forcing": {"hold": 0, "decay": PROSODY, "final_ratio": 0.5},
    **each(NETWORK, "frozen", 0),
    **each((*SPEAKS, "text_encoder"), "frozen", PROSODY),
    **start(PROSODY, "mel", "stft"),
}
EARLY = ADVERSARY | start(PROSODY, "adversarial", "feature_matching")
EARLY |= {"kokoro.discriminators.start": PROSODY, "kokoro.discriminators.most_share": None}
# The discriminators learn before the generator does, which keeps still for 30 steps.
LATE = ADVERSARY | start(REST, "mel", "stft", "adversarial", "feature_matching")
LATE |= {"kokoro.discriminators.start": PROSODY}
LATE |= each((*SPEAKS, "text_encoder"), "frozen", REST)
SLOW = each(SPEAKS, "lr", 0.1)
BETAS = {"train.betas": [0.0, 0.99], "train.eps": 1e-9, "train.weight_decay": 1e-4}
ZERO_SHOT = "zero shot"
BALANCED = LATE | {"kokoro.discriminators.least_share": 0.5}
VARIANTS: dict[str, dict[str, Any]] = {
    ZERO_SHOT: {},
    "voice only": each(NETWORK, "frozen", None),
    "regression": {},
    "regression, slow decoder": SLOW,
    "adversary early": EARLY,
    "adversary late": LATE,
    "adversary late, slow decoder": LATE | SLOW,
    "adversary late, slow decoder, betas": LATE | SLOW | BETAS,
    "adversary late, upsampling fixed": LATE | each(("upsampling",), "frozen", None),
    "adversary late, anchored": LATE | each(SPEAKS, "anchor", 100),
    "adversary balanced": BALANCED,
    "adversary balanced, mel alone": BALANCED | {"kokoro.losses.stft.weight": 0},
    "LoRA": LATE
    | each(("bert", "bert_encoder", "predictor", "decoder", "generator"), "rank", 16)
    | each(("text_encoder", "upsampling"), "frozen", None),
    "adversary late, slow decoder, replay": LATE | SLOW | {"kokoro.replay.share": 0.34},
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


def settings(changes: dict[str, Any], seed: int) -> Params:
    """The project's parameters with the common changes and a variant's."""
    tree = params.load("params.yaml").model_dump(mode="json")
    for name, value in (COMMON | changes | {"train.seed": seed}).items():
        changed(tree, name, value)
    return Params.model_validate(tree)


def run(name: str, p: Params) -> None:
    """Trains a variant, or what is left of it, and measures it."""
    with scratch(f"recipe/{name}") as folder:
        if (folder / "speech/summary.json").exists():
            return
        state, store, accelerator = session.begin(p)
        if name != ZERO_SHOT:
            rule = LeastLoss(state.recipe.criterion)
            trainer.fit(state, store, p, accelerator, rule, folder, folder / "curves")
        network = state.averaged()
        adapters.merge(network.model)
        voice = KokoroSynthesiser(network.model, network.voice.table())
        plans, entries = read_token_plans(SPOKEN), read_manifest(MANIFEST)
        keep = scratch_folder("recogniser")
        saved = resume.load(folder / trainer.CHECKPOINT) or {"history": []}
        write_json(folder / HISTORY, {"history": saved["history"]})
        checkpoint.save_finetuned(
            folder / "model",
            network.model,
            network.voice.table(),
            checkpoint.read_config(BASE),
            {"variant": name},
        )
        measure_voice(voice, store, plans, entries, p, REFERENCE, folder / "speech", keep)
        for path in (folder / trainer.CHECKPOINT, *folder.glob("candidate-*")):
            path.unlink(missing_ok=True)  # gigabytes


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


def measured(names: list[str]) -> dict[str, pd.DataFrame]:
    """The measures of what the variants are compared with, and of the finished ones."""
    reference = read_measures(REFERENCE)
    found = {
        "recording": reference[RECORDING],
        "copy synthesis": reference[CEILING],
        "zero shot": reference[FLOOR],
    }
    for name in names:
        folder = scratch_folder(f"recipe/{name}") / "speech"
        if (folder / "summary.json").exists():
            found[name] = read_measures(folder)[VOICE]
    return found


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


def picture(names: list[str], path: Path) -> None:
    """The validation curves of the finished variants."""
    figure, axes = plt.subplots(2, 2, figsize=(12, 8), constrained_layout=True)
    for name in names:
        history = read_json(scratch_folder(f"recipe/{name}") / HISTORY)["history"]
        for axis, curve in zip(axes.flat, CURVES, strict=True):
            points = [(s, m[curve]) for s, m in history if curve in m]
            if points:
                axis.plot(*zip(*points, strict=True), label=name)
            axis.set_title(curve)
    axes.flat[0].legend(fontsize="x-small")
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("variants", nargs="*", choices=[[], *VARIANTS], metavar="VARIANT")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cut", nargs=2, metavar=("MINUTES", "FOLDER"))
    given = parser.parse_args()
    if given.cut:
        return cut(given.project, float(given.cut[0]), Path(given.cut[1]))
    os.chdir(given.project)
    torch.set_num_threads(1)
    more = dict(line.split("=", 1) for line in given.set)
    yaml = YAML(typ="safe")
    more = {name: yaml.load(value) for name, value in more.items()}
    suffix = "".join(f", {name.split('.')[-1]} {value}" for name, value in more.items())
    suffix += f", seed {given.seed}" * bool(given.seed)
    for name in given.variants:
        run(name + suffix, settings(VARIANTS[name] | more, given.seed))
    done = sorted(
        (path.parent.parent.name for path in Path("scratch/recipe").glob("*/speech/summary.json")),
        key=lambda name: ([*VARIANTS, name].index(name), name),
    )
    print(table(measured(done)))
    picture(done, Path("scratch/recipe/curves.png"))


if __name__ == "__main__":
    main()
