"""Trains the miniature as `stages.train` trains the full model; a program, to be killed.

python -m tests.train_small FEATURES SCRATCH RESULT CHANGES

CHANGES: JSON, values of the section `train` that differ from `choices`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from lbtts import params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.models.kokoro.network import miniature
from lbtts.models.kokoro.voices.table import Initial
from lbtts.params import Run, Train
from lbtts.training import trainer
from tests.conftest import ROOT

EMBEDDING = 16


def choices(**changes: Any) -> Train:
    """The demo's section `train`, made for the miniature, with changes, nested ones too."""
    section = params.load(ROOT / "profiles/demo.yaml").train.model_dump()
    section |= {"batch_seconds": 0.8, "crop_seconds": 0.4, "lr": 2e-3, "lr_bert": 2e-4, "warmup": 3}
    section |= {"steps": 12, "teacher": section["teacher"] | {"over": 12}}
    section["frozen"] = dict.fromkeys(section["frozen"], 0)
    section |= {"validate_every": 4, "checkpoint_every": 1, "validation_utterances": 1}
    for name, value in changes.items():
        section[name] = section[name] | value if isinstance(value, dict) else value
    return Train.model_validate(section)


def run_section(**changes: Any) -> Run:
    """The demo's section `run`, with one worker that reads."""
    return params.load(ROOT / "profiles/demo.yaml").run.model_copy(update={"loaders": 1} | changes)


def start(features: Path, choice: Train) -> tuple[trainer.State, FeatureStore, Any]:
    """A miniature before its first step, and what `trainer.fit` takes beside it."""
    store = FeatureStore(features)
    draw = torch.Generator().manual_seed(0)
    voice = Initial(
        table=torch.randn(510, 1, 256, generator=draw) / 8,
        projection=torch.randn(EMBEDDING, 256, generator=draw) / 8,
        deviations=torch.randn(len(store.indices("train")), EMBEDDING, generator=draw),
    )
    accelerator = trainer.accelerate(choice)
    return trainer.setup(miniature.random(), voice, store, choice, accelerator), store, accelerator


def train(features: Path, scratch: Path, run: Run | None = None, **changes: Any) -> trainer.State:
    """The state after training the miniature."""
    choice = choices(**changes)
    state, store, accelerator = start(features, choice)
    scratch.mkdir(parents=True, exist_ok=True)
    trainer.fit(
        state, store, choice, accelerator, scratch, scratch / "curves", run or run_section()
    )
    return state


if __name__ == "__main__":
    torch.set_num_threads(1)
    features, scratch, result, changes = sys.argv[1:]
    run = run_section(loaders=2)
    state = train(Path(features), Path(scratch), run, **json.loads(changes))
    if trainer.accelerate(choices()).is_main_process:
        torch.save(state.averaged().state_dict(), result)
