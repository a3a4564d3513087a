"""Fine-tunes Kokoro and its voice table.

python -m stages.train                  trains; `run.processes` of them share each step
python -m stages.train --plan           what that will take, from a few steps tried
python -m stages.train --replay FILE    runs a step again that failed
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from accelerate import Accelerator

from lbtts import params
from lbtts.acoustics.store.batching import padding
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.models.kokoro.network.trainable import changes
from lbtts.models.kokoro.voices.table import Initial
from lbtts.models.kokoro.weights import checkpoint
from lbtts.params import Params
from lbtts.records import read_json, write_json
from lbtts.scratch import scratch, scratch_folder
from lbtts.training import nonfinite as flight
from lbtts.training import plan, resume, trainer
from lbtts.training.recorder import Recorder
from stages import run

# cuBLAS repeats itself only with a workspace of fixed size, set before it is loaded.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

FEATURES = Path("data/features.h5")
BASE = Path("models/base")
VOICE = Path("models/voice/voice.safetensors")
OUT = Path("models/finetuned")
CURVES = Path("metrics/train")


def main(options: Sequence[str] = ()) -> None:
    """Trains, plans or replays, as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--plan", action="store_true", help="say what the training will take")
    choice.add_argument("--replay", type=Path, metavar="FILE", help="run a failed step again")
    arguments = parser.parse_args(options)
    p = params.load()
    if arguments.plan:
        state, store, accelerator = begin(p)
        folder = scratch_folder("train")
        print(plan.plan(state, store, p.train, accelerator, folder, p.run.processes))
    elif arguments.replay:
        failed = flight.Record.load(arguments.replay)
        then_params = params.Train.model_validate(failed.params)
        state, _, accelerator = begin(p.model_copy(update={"train": then_params}))
        then, now = flight.replay(state, failed, accelerator)
        for name, extreme in now.extremes.items():
            print(f"{extreme:12.4g}  {name}")
        print(f"now:  {now}\nthen: {then}")
        if (now.utterance, now.place) != (then.utterance, then.place):
            raise InputError(
                f"{arguments.replay}: not reproduced; are code, base and device the same?"
            )
    elif p.run.processes > 1 and "RANK" not in os.environ:
        launch(p.run.processes)
    else:
        train(p)


def launch(processes: int) -> None:
    """Starts this stage once for each process, on this machine, and waits for all.

    Raises:
        InputError: there are GPUs, but fewer than processes.
    """
    if 0 < torch.cuda.device_count() < processes:
        raise InputError(
            f"run.processes: {processes}, but this machine has {torch.cuda.device_count()} GPUs"
        )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={processes}", "-m", "stages.train"]
    if code := subprocess.call(command):
        sys.exit(code)


def begin(p: Params) -> tuple[trainer.State, FeatureStore, Accelerator]:
    """The run at its first step."""
    store = FeatureStore(FEATURES, p.features.f0)
    accelerator = trainer.accelerate(p.train)
    voice = Initial.load(VOICE)
    state = trainer.setup(checkpoint.load_base(BASE), voice, store, p.train, accelerator)
    return state, store, accelerator


def train(p: Params) -> None:
    """Trains, or goes on with a run that was interrupted, and writes what was best."""
    state, store, accelerator = begin(p)
    horizonless = p.train.model_dump(mode="json", exclude={"steps"})
    inputs = [FEATURES, BASE / "config.json", BASE / "model.pth", VOICE]
    name = f"train/{resume.fingerprint(horizonless, inputs)}"
    main = accelerator.is_main_process
    with scratch(name) if main else nullcontext(scratch_folder(name)) as folder:
        recorder = trainer.fit(state, store, p.train, accelerator, folder, CURVES, p.run)
        if main:
            write(p, state, store, recorder, folder)
    accelerator.end_training()


def write(
    p: Params, state: trainer.State, store: FeatureStore, recorder: Recorder, folder: Path
) -> None:
    """Writes the model, its samples, and the figures."""
    (OUT / trainer.SAMPLES).mkdir(parents=True, exist_ok=True)
    validated = dict(recorder.validations())
    for path in sorted((folder / trainer.SAMPLES).iterdir()):
        if int(path.name.split("-")[1]) in validated:
            shutil.copy(path, OUT / trainer.SAMPLES)
    kept, network = trainer.chosen(state, recorder)
    provenance = read_json(BASE / "provenance.json") | {"steps": kept, "seed": p.train.seed}
    checkpoint.save_finetuned(
        OUT, network.model, network.voice.table().cpu(), checkpoint.read_config(BASE), provenance
    )
    base = checkpoint.load_base(BASE)
    changed = {
        **changes(network.model.cpu(), base),
        "voice": network.voice.drift().item() ** 0.5,
    }
    chosen = store.indices("train")
    epoch = trainer.steps(store, p.train).schedule.epoch(0)
    first, last = validated[0], validated[kept]
    write_json(
        "metrics/train.json",
        {
            "steps": state.step,
            "kept_step": kept,
            "utterances": len(chosen),
            "steps_per_epoch": len(epoch),
            "padding_of_tokens": round(padding(store.tokens_total[chosen], epoch), 4),
            **{f"changed_{name}": float(f"{value:.3g}") for name, value in changed.items()},
            **{f"first_{name.replace('/', '_')}": round(v, 5) for name, v in first.items()},
            **{name.replace("/", "_"): round(v, 5) for name, v in last.items()},
        },
    )


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]), resumes=True)
