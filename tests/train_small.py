"""Trains the miniature as `stages.train` trains the full model; a program, to be killed.

python -m tests.train_small FEATURES SCRATCH RESULT CHANGES

CHANGES: JSON, values of the sections `train` and `kokoro` that differ from `choices`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from kokoro import KModel

from benchmarks import miniature
from lbtts import params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.models.kokoro.recipe import KokoroRecipe
from lbtts.models.kokoro.voices.table import InitialVoice
from lbtts.params import KokoroTraining, Params
from lbtts.training import trainer
from lbtts.training.choice import LeastLoss
from tests.conftest import ROOT

EMBEDDING = 16


def choices(**changes: Any) -> Params:
    """The demo's parameters, made for the miniature, with changes of training, nested ones too."""
    demo = params.load(ROOT / "profiles/demo.yaml").model_dump()
    train, kokoro = demo["train"], demo["kokoro"]
    train |= {"batch_seconds": 0.8, "crop_seconds": 0.4, "lr": 2e-3, "warmup": 3, "steps": 12}
    train |= {"validate_every": 4, "checkpoint_every": 1, "validation_utterances": 1}
    for component in kokoro["components"].values():
        component |= {"lr": 1, "frozen": 0}
    kokoro["components"]["bert"]["lr"] = 0.1
    kokoro["components"]["voice"]["lr"] = 0.5
    kokoro["teacher_forcing"]["decay"] = 12
    demo["run"]["loaders"] = 1
    for name, value in changes.items():
        section = kokoro if name in KokoroTraining.model_fields else train
        section[name] = merged(section[name], value)
    return Params.model_validate(demo)


def merged(old: Any, new: Any) -> Any:
    """`new`, where it is a mapping with the keys of `old` that it lacks, at every depth."""
    if not isinstance(new, dict):
        return new
    return old | {key: merged(old[key], value) for key, value in new.items()}


def with_loaders(p: Params, loaders: int) -> Params:
    """The same, with so many processes that read."""
    return p.model_copy(update={"run": p.run.model_copy(update={"loaders": loaders})})


def begin(
    model: KModel, voice: InitialVoice, store: FeatureStore, p: Params
) -> tuple[trainer.State, Accelerator]:
    """A run at its first step."""
    accelerator = trainer.accelerate(p.train)
    device, autocast = accelerator.device, accelerator.autocast
    draw = torch.Generator().manual_seed(1)
    voices = {name: torch.randn(510, 1, 256, generator=draw) / 8 for name in ("one", "other")}
    recipe = KokoroRecipe(model, voices, voice, store, p.train, p.kokoro, device, autocast)
    return trainer.setup(recipe, p.train, device), accelerator


def start(features: Path, p: Params) -> tuple[trainer.State, FeatureStore, Accelerator]:
    """A miniature before its first step, and what `trainer.fit` takes beside it."""
    store = FeatureStore(features)
    trained = store.indices("train")
    draw = torch.Generator().manual_seed(0)
    voice = InitialVoice(
        ids=tuple(store.ids[i] for i in trained),
        table=torch.randn(510, 1, 256, generator=draw) / 8,
        projection=torch.randn(EMBEDDING, 256, generator=draw) / 8,
        deviations=torch.randn(len(trained), EMBEDDING, generator=draw),
        embeddings=torch.zeros(len(trained), EMBEDDING),
    )
    state, accelerator = begin(miniature.random(), voice, store, p)
    return state, store, accelerator


def train(features: Path, scratch: Path, p: Params | None = None, **changes: Any) -> trainer.State:
    """The state after training the miniature."""
    p = p or choices(**changes)
    state, store, accelerator = start(features, p)
    scratch.mkdir(parents=True, exist_ok=True)
    rule = LeastLoss(state.recipe.criterion)
    trainer.fit(state, store, p, accelerator, rule, scratch, scratch / "curves")
    return state


if __name__ == "__main__":
    torch.set_num_threads(1)
    features, scratch, result, changes = sys.argv[1:]
    p = with_loaders(choices(**json.loads(changes)), 2)
    state = train(Path(features), Path(scratch), p)
    if trainer.accelerate(p.train).is_main_process:
        torch.save(state.averaged().state_dict(), result)
