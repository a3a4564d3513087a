"""Trains the miniature as `stages.train` trains the full model; a program, to be killed.

python -m tests.train_small FEATURES SCRATCH RESULT STEPS
"""

import sys
from pathlib import Path

import torch

from lbtts import params
from lbtts.acoustics.features import FeatureStore
from lbtts.params import Train
from lbtts.training import trainer
from tests import miniature
from tests.conftest import ROOT


def choices(**changes: object) -> Train:
    """The demo's section `train`, made for the miniature, with changes."""
    demo = params.load(ROOT / "profiles/demo.yaml").train
    small = {"batch_seconds": 0.8, "crop_seconds": 0.4, "lr": 2e-3, "lr_bert": 2e-4, "warmup": 3}
    every = {"validate_every": 4, "checkpoint_every": 1, "validation_utterances": 1}
    return demo.model_copy(update=small | every | changes)


def train(features: Path, scratch: Path, **changes: object) -> trainer.State:
    """The state after training the miniature."""
    table = torch.randn(510, 1, 256, generator=torch.Generator().manual_seed(0)) / 8
    small = choices(**changes)
    state = trainer.setup(miniature.random(), table, small)
    scratch.mkdir(parents=True, exist_ok=True)
    trainer.fit(state, FeatureStore(features), small, scratch, scratch / "curves")
    return state


if __name__ == "__main__":
    torch.set_num_threads(1)
    features, scratch, result, steps = sys.argv[1:]
    state = train(Path(features), Path(scratch), steps=int(steps))
    torch.save(trainer.averaged(state).state_dict(), result)
