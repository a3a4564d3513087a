"""A training session from params.yaml: estimate, training in one or several processes, replay."""

import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path

import torch
from accelerate import Accelerator

from lbtts import child, models
from lbtts.acoustics.store.batching import padding
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.params import Params
from lbtts.paths import CURVES, FEATURES, FINETUNED, metrics
from lbtts.records import write_json
from lbtts.scratch import scratch, scratch_folder
from lbtts.training import choice, cost, nonfinite, resume, trainer
from lbtts.training.recorder import Recorder
from lbtts.training.state import State

# cuBLAS is deterministic only with a workspace of fixed size, set before it is loaded.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def begin(p: Params) -> tuple[State, FeatureStore, Accelerator]:
    """The run at its first step."""
    store = FeatureStore(FEATURES, p.features.f0)
    accelerator = trainer.accelerate(p.train)
    device, autocast = accelerator.device, accelerator.autocast
    recipe = models.part(p.model, "recipe").build(p, store, device, autocast)
    return trainer.setup(recipe, p.train, device), store, accelerator


def estimate(p: Params) -> cost.Cost:
    """The cost of the training, estimated from a few of its steps."""
    state, store, accelerator = begin(p)
    folder = scratch_folder("train")
    return cost.estimate(state, store, p.train, accelerator, folder, p.run.processes)


def replay(path: Path) -> None:
    """Runs a failed step again, with the parameters that it had, and prints what is found.

    Raises:
        InputError: the record is missing, or the step does not fail in the same way.
    """
    failed = nonfinite.Record.load(path)
    state, _, accelerator = begin(Params.model_validate(failed.params))
    then, now = nonfinite.replay(state, failed, accelerator)
    for name, extreme in now.extremes.items():
        print(f"{extreme:12.4g}  {name}")
    print(f"now:  {now}\nthen: {then}")
    if (now.utterance, now.place) != (then.utterance, then.place):
        raise InputError(f"{path}: not reproduced; check that code, base and device are the same")


def train(p: Params) -> None:
    """Trains, or continues an interrupted run, and writes the best checkpoint.

    With `run.processes` above 1 it starts that many processes, which share each step.
    """
    if p.run.processes > 1 and "RANK" not in os.environ:
        _launch(p.run.processes)
        return
    state, store, accelerator = begin(p)
    name = f"train/{_fingerprint(p, state)}"
    main = accelerator.is_main_process
    criterion = state.recipe.criterion
    rule = choice.rule(p, criterion) if main else choice.LeastLoss(criterion)
    with scratch(name) if main else nullcontext(scratch_folder(name)) as folder:
        recorder = trainer.fit(state, store, p, accelerator, rule, folder, CURVES)
        if main:
            kept, network = trainer.choose(state, store, p.train, rule, recorder, folder)
            _copy_samples(recorder, folder / trainer.SAMPLES)
            changed = state.recipe.save(network, FINETUNED, p.train.seed, kept)
            write_json(metrics("train"), _metrics(p, state, store, recorder, kept, changed))
    accelerator.end_training()


def _launch(processes: int) -> None:
    """Starts the stage on this machine, once for each process; they end when this one does."""
    if 0 < torch.cuda.device_count() < processes:
        raise InputError(
            f"run.processes: {processes}, but this machine has {torch.cuda.device_count()} GPUs"
        )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={processes}", "-m", "stages.train"]
    if code := child.run(command, os.environ, sys.stderr):
        sys.exit(code)


def _fingerprint(p: Params, state: State) -> str:
    """The name of the run, from all that affects it except its length."""
    shaping = p.model_dump(mode="json", include={"model", "train", p.model})
    del shaping["train"]["steps"]
    inputs = [FEATURES, *models.part(p.model, "recipe").inputs()]
    return resume.fingerprint(shaping, inputs, state.recipe.version)


def _copy_samples(recorder: Recorder, samples: Path) -> None:
    """Copies the samples of this run's validations beside the model."""
    validated = dict(recorder.validations())
    (FINETUNED / trainer.SAMPLES).mkdir(parents=True, exist_ok=True)
    for path in sorted(samples.iterdir()):
        if int(path.name.split("-")[1]) in validated:
            shutil.copy(path, FINETUNED / trainer.SAMPLES)


def _metrics(
    p: Params,
    state: State,
    store: FeatureStore,
    recorder: Recorder,
    kept: int,
    changed: dict[str, float],
) -> dict[str, float]:
    trained = store.indices("train")
    epoch = trainer.steps(store, p.train).schedule.epoch(0)
    validated = dict(recorder.validations())
    first, last = validated[0], validated[kept]
    return {
        "steps": state.step,
        "kept_step": kept,
        "utterances": len(trained),
        "steps_per_epoch": len(epoch),
        "padding_of_tokens": round(padding(store.tokens_total[trained], epoch), 4),
        **{f"changed_{name}": float(f"{value:.3g}") for name, value in changed.items()},
        **{f"first_{name.replace('/', '_')}": round(v, 5) for name, v in first.items()},
        **{name.replace("/", "_"): round(v, 5) for name, v in last.items()},
    }
