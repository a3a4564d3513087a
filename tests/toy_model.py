"""An acoustic model of one layer: what another model has to bring, and nothing more.

It says each token as a hum whose pitch it learns; registered as `lbtts.models.toy` by the tests.
"""

from pathlib import Path
from types import ModuleType

import numpy as np
import safetensors.torch
import torch
from torch import nn

from lbtts.grid import FRAMES_PER_UNIT, SAMPLE_RATE, SAMPLES_PER_UNIT
from lbtts.models.recipe import Group, Pass, Recipe, Speech
from lbtts.paths import FINETUNED
from lbtts.records import read_json, write_json

UNITS = 4  # of every token
TYPICAL = 5.3  # log Hz


class Hum(nn.Module):
    """Log F0 of each token."""

    def __init__(self) -> None:
        super().__init__()
        self.pitch = nn.Embedding(256, 1)

    def forward(self, tokens):
        return TYPICAL + self.pitch(tokens).squeeze(-1) / 4

    def speak(self, tokens, units):
        """Audio [600 x sum of units], and the units."""
        with torch.no_grad():
            pitch = self(torch.from_numpy(tokens)).exp().numpy()
        f0 = np.repeat(pitch.clip(50, 500), units * SAMPLES_PER_UNIT)
        return (0.3 * np.sin(2 * np.pi * np.cumsum(f0) / SAMPLE_RATE)).astype(np.float32), units


def untrained(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Hum()


class ToyRecipe(Recipe):
    version = 1
    criterion = "pitch"

    def __init__(self, train, device):
        self._train = train
        self.network = untrained(train.seed).to(device)

    def groups(self):
        return [Group("pitch", list(self.network.parameters()), self._train.lr, 0.0, 0)]

    def weights(self, step):
        return {"pitch": 1.0}

    def loss_names(self, step):
        return ["pitch"]

    def forward(self, batch, step, seeds):
        losses = self._losses(self.network, batch)
        return Pass(losses["pitch"], losses)

    def validate(self, network, batch, seeds):
        with torch.no_grad():
            return self._losses(network, batch)

    def _losses(self, network, batch):
        ends = batch.units.cumsum(1)
        place = batch.crop_start[:, None] + torch.arange(batch.crop_units)
        pitch = network(batch.tokens).gather(1, torch.searchsorted(ends, place, right=True))
        target = batch.f0[:, ::FRAMES_PER_UNIT]
        wrong = (pitch - target.clamp(min=1).log()).abs() * (target > 0)
        return {"pitch": wrong.sum(1) / (target > 0).sum(1).clamp(min=1)}

    def settled(self):
        return 0

    def speak(self, network, utterance, seed):
        return Speech(*network.speak(utterance.tokens, np.full(len(utterance.tokens), UNITS)))

    def save(self, network, folder, seed, steps):
        safetensors.torch.save_file(network.state_dict(), folder / "hum.safetensors")
        write_json(folder / "provenance.json", {"base": "toy", "steps": steps, "seed": seed})
        return {"pitch": 1.0}


class ToySynthesiser:
    def __init__(self, network):
        self._network = network

    def speak(self, tokens):
        return self._network.speak(tokens, np.full(len(tokens), UNITS))

    def speak_in_time(self, tokens, units):
        return self._network.speak(tokens, units)[0]


def parts() -> dict[str, ModuleType]:
    """The modules `lbtts.models.toy.<part>` by their full names."""
    recipe, speech = (ModuleType(f"lbtts.models.toy.{name}") for name in ("recipe", "speech"))
    recipe.build = lambda p, store, device, autocast: ToyRecipe(p.train, device)
    recipe.inputs = list[Path]
    speech.base = lambda: ToySynthesiser(untrained(seed=0))
    speech.finetuned = _finetuned
    speech.stranger = lambda: None
    return {module.__name__: module for module in (recipe, speech)}


def _finetuned() -> ToySynthesiser:
    assert read_json(FINETUNED / "provenance.json")["base"] == "toy"
    network = Hum()
    network.load_state_dict(safetensors.torch.load_file(FINETUNED / "hum.safetensors"))
    return ToySynthesiser(network)
