"""How the baseline is trained: its losses, what becomes of its history, and what is saved."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from lbtts.acoustics.store.batching import Batch
from lbtts.acoustics.store.features import FeatureStore, Utterance
from lbtts.models.recipe import Autocast, Group, Losses, Pass, Recipe, Speech, changes, weighted
from lbtts.models.transformer import losses, weights
from lbtts.models.transformer.data import Mels
from lbtts.models.transformer.network.model import Transformer
from lbtts.models.transformer.noise import SequenceNoise
from lbtts.models.transformer.speech import TransformerSynthesiser
from lbtts.models.transformer.vocoders import GriffinLim
from lbtts.params import Params, Train, TransformerTraining
from lbtts.paths import BASE
from lbtts.records import read_json, write_json

FREE = "mel_free"  # the mel loss without teacher forcing, with the recording's durations


def build(p: Params, store: FeatureStore, device: torch.device, autocast: Autocast) -> Recipe:
    """The recipe for the network in `models/base`.

    Raises:
        InputError: it is missing or damaged.
    """
    return TransformerRecipe(weights.load(BASE), store, p.train, p.transformer, device, autocast)


def inputs() -> list[Path]:
    """The files, besides the features, that the result of training depends on."""
    return [BASE / weights.CONFIG, BASE / weights.WEIGHTS]


class TransformerRecipe(Recipe):
    """The baseline; see `Recipe`.

    It trains on whole utterances: `train.crop_seconds` only limits what counts in
    `train.batch_seconds`, so set it to the longest utterance.
    """

    version = 1
    network: Transformer
    criterion = FREE

    def __init__(
        self,
        network: Transformer,
        store: FeatureStore,
        train: Train,
        section: TransformerTraining,
        device: torch.device,
        autocast: Autocast,
    ) -> None:
        """Tells the network the mean and spread of the corpus's mels.

        Args:
            network: to be trained, changed in place.
            store: features.
            train: the section `train`.
            section: the section `transformer`.
            device: where it computes.
            autocast: the precision in which networks compute.
        """
        self._train, self._section, self._autocast = train, section, autocast
        self._mels = Mels(store)
        mean, scale = self._mels.statistics(store.indices("train"))
        network.mean.copy_(mean)
        network.scale.copy_(scale)
        self._start = {name: t.detach().clone() for name, t in network.named_parameters()}
        self.network = network.to(device)

    def groups(self) -> list[Group]:
        """One group for each part of the network."""
        train = self._train
        return [
            Group(name, list(part.parameters()), train.lr, train.weight_decay, 0)
            for name, part in self.network.named_children()
        ]

    def weights(self, step: int) -> dict[str, float]:
        """As the section `transformer.losses` says, at every step."""
        return self._section.losses.model_dump()

    def loss_names(self, step: int) -> list[str]:
        """Mel, duration and stop."""
        return list(losses.NAMES)

    def settled(self) -> int:
        """The step from which the network also gets its own frames."""
        return self._section.history.own_from

    def forward(self, batch: Batch, step: int, seeds: Sequence[int]) -> Pass:
        """The pass under teacher forcing with a history that is noisy, gappy and partly its own.

        The network would otherwise rely on perfect earlier frames, which it has only in training.
        """
        history = self._section.history
        noise = SequenceNoise(seeds, batch.tokens.device)
        mel, frames = self._target(batch)
        before = self.network.shifted(mel)
        steps = -(-frames // self._section.architecture.frames_per_step)
        with noise.over(steps) as here:
            before = before + history.noise * torch.randn_like(before)
            kept = here.uniform(before.shape[1]) >= history.dropout
            own = here.uniform(before.shape[1]) < history.own if step >= self.settled() else None
        before = before * kept.unsqueeze(-1)
        with self._autocast():
            made = self.network(batch.tokens, batch.units, before, noise, own)
        found = losses.losses(made, mel, frames, batch.units)
        return Pass(weighted(found, self.weights(step)), found)

    @torch.no_grad()
    def validate(self, network: nn.Module, batch: Batch, seeds: Sequence[int]) -> Losses:
        """The losses with the recording's history, and the mel loss with the network's own."""
        assert isinstance(network, Transformer)
        mel, frames = self._target(batch)
        with self._autocast():
            made = network(batch.tokens, batch.units, network.shifted(mel))
        free = []
        for row, count in enumerate(frames.tolist()):
            there = int((batch.units[row] > 0).sum())
            tokens, units = (x[row : row + 1, :there] for x in (batch.tokens, batch.units))
            spoken = network.normalised(network.inference(tokens, units).mel)
            free.append((spoken - mel[row, :count]).abs().mean())
        return losses.losses(made, mel, frames, batch.units) | {FREE: torch.stack(free)}

    def speak(self, network: nn.Module, utterance: Utterance, seed: int) -> Speech:
        """The sentence, by Griffin-Lim: a sample for the ear, whatever the vocoder of the voice."""
        assert isinstance(network, Transformer)
        return Speech(*TransformerSynthesiser(network, GriffinLim()).speak(utterance.tokens))

    def save(self, network: nn.Module, folder: Path, seed: int, steps: int) -> dict[str, float]:
        """Writes network, configuration and provenance."""
        assert isinstance(network, Transformer)
        weights.save(network, folder)
        provenance = read_json(BASE / "provenance.json") | {"steps": steps, "seed": seed}
        write_json(folder / "provenance.json", provenance)
        now = {name: tensor.detach() for name, tensor in network.named_parameters()}
        return changes(now, self._start, lambda name: name.partition(".")[0])

    def recompute(self) -> None:
        """Makes encoder and decoder keep only the inputs of four segments."""
        self.network.recomputes = True

    def _target(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Normalised mels [B, F, 80] and frames [B] of a batch's whole utterances."""
        per_step = self._section.architecture.frames_per_step
        mel, frames = self._mels.batch(batch.index, per_step)
        device = batch.tokens.device
        return self.network.normalised(mel.to(device)), frames.to(device)
