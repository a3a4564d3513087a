"""How Kokoro is fine-tuned: its parameter groups, losses and schedules, and what is saved."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from kokoro import KModel
from torch import Tensor, nn

from lbtts.acoustics.store.batching import Batch
from lbtts.acoustics.store.features import FeatureStore, Utterance
from lbtts.errors import InputError
from lbtts.grid import UNIT_RATE
from lbtts.models.kokoro.network import adapters, schedules
from lbtts.models.kokoro.network.discriminators import Discriminators
from lbtts.models.kokoro.network.losses import SpectralLoss
from lbtts.models.kokoro.network.objective import Conditions, Objective
from lbtts.models.kokoro.network.perceptual import WavlmLoss, load_wavlm
from lbtts.models.kokoro.network.recomputation import recompute
from lbtts.models.kokoro.network.replay import Replay, speak
from lbtts.models.kokoro.network.trainable import Kokoro, make_trainable, token_lengths
from lbtts.models.kokoro.network.waveform import WaveformLosses
from lbtts.models.kokoro.voices.table import InitialVoice, VoiceTable
from lbtts.models.kokoro.weights import checkpoint, facts
from lbtts.models.randomness import seeded_noise
from lbtts.models.recipe import Autocast, Group, Losses, Pass, Recipe, Speech, changes
from lbtts.params import KokoroTraining, Params, Train
from lbtts.paths import BASE, VOICE
from lbtts.records import read_json


def build(p: Params, store: FeatureStore, device: torch.device, autocast: Autocast) -> Recipe:
    """The recipe for the base in `models/base` and the voice in `models/voice`.

    Raises:
        InputError: one of them is missing or damaged, or the voice was made from other utterances.
    """
    base, voice = checkpoint.load_base(BASE), InitialVoice.load(VOICE)
    voices = checkpoint.load_tensors(BASE / "voices.safetensors")
    return KokoroRecipe(base, voices, voice, store, p.train, p.kokoro, device, autocast)


def inputs() -> list[Path]:
    """The files, besides the features, that the result of training depends on."""
    return [*(BASE / name for name in ("config.json", "model.pth", "voices.safetensors")), VOICE]


class KokoroRecipe(Recipe):
    """Kokoro and its voice table, trained together; see `Recipe`."""

    version = 3
    network: Kokoro
    criterion = "stft"

    def __init__(
        self,
        model: KModel,
        voices: Mapping[str, Tensor],
        voice: InitialVoice,
        store: FeatureStore,
        train: Train,
        kokoro: KokoroTraining,
        device: torch.device,
        autocast: Autocast,
    ) -> None:
        """Makes the base trainable, in place, with the initial voice.

        Args:
            model: the base.
            voices: its own tables [510, 1, 256], by name, for replay.
            voice: the initial voice, made from the training utterances of the store.
            store: features.
            train: the section `train`.
            kokoro: the section `kokoro`.
            device: where it computes.
            autocast: the precision in which networks compute.

        Raises:
            InputError: the voice was made from other utterances than the store's.
        """
        self._train, self._kokoro = train, kokoro
        components = dict(kokoro.components)
        self.network = make_trainable(model, VoiceTable(voice.table, voice.projection))
        replay = self._replay(voices)
        ranks = {name: part.rank for name, part in components.items() if part.rank}
        with seeded_noise(train.seed):
            adapters.adapt(model, ranks)
        self.network.to(device)
        self.objective = self._objective(_deviations(voice, store), replay, autocast).to(device)
        self.adversary = self.objective.waveform.discriminators
        self.adversary_lr = kokoro.discriminators.lr
        self._groups = [
            Group(
                name,
                parameters,
                lr=train.lr * components[name].lr,
                weight_decay=0.0 if name == "voice" else train.weight_decay,
                frozen_until=components[name].frozen,
                anchor=components[name].anchor,
            )
            for name, parameters in self.network.components().items()
        ]

    def _replay(self, voices: Mapping[str, Tensor]) -> Replay | None:
        """What the base says, before it is adapted."""
        if not self._kokoro.replay.share:
            return None
        shortest = round(self._train.crop_seconds * UNIT_RATE)
        sentences = speak(self.network, voices, shortest, self._train.seed)
        return Replay(sentences, self._kokoro.replay.share)

    def _objective(
        self, deviations: Tensor, replay: Replay | None, autocast: Autocast
    ) -> Objective:
        """The losses that count in any step, with the networks that they need."""
        losses, settings = self._kokoro.losses, self._kokoro.discriminators
        adversary = None
        if losses.adversarial.weight or losses.feature_matching.weight:
            with seeded_noise(self._train.seed):
                adversary = Discriminators(settings.width)
        wavlm = WavlmLoss(load_wavlm(self._kokoro.wavlm)) if losses.wavlm.weight else None
        spectral = SpectralLoss(self._kokoro.floor_db)
        waveform = WaveformLosses(settings, spectral, adversary, wavlm, autocast)
        return Objective(deviations, waveform, replay, autocast)

    def groups(self) -> list[Group]:
        """One group for each component of Kokoro, and one for the voice table."""
        return self._groups

    def weights(self, step: int) -> dict[str, float]:
        """As the section `kokoro.losses` says."""
        return schedules.weights(step, self._kokoro.losses)

    def loss_names(self, step: int) -> list[str]:
        """See `Objective.names`."""
        return self.objective.names(self.weights(step), self.adversary_at(step))

    def settled(self) -> int:
        """The step from which all losses count, all components train, and no ratio changes."""
        return schedules.settled(self._kokoro)

    def forward(self, batch: Batch, step: int, seeds: Sequence[int]) -> Pass:
        """The pass on whole utterances for durations, on crops for all else; see `Kokoro`."""
        conditions = Conditions(
            weights=self.weights(step),
            teaches=self.adversary_at(step),
            teacher_ratio=schedules.teacher_ratio(step, self._kokoro.teacher_forcing),
            voice_dropout=self._kokoro.voice_dropout,
            level_db=self._kokoro.level_db,
            replay_weight=self._kokoro.replay.weight,
        )
        return self.objective.train_on(self.network, batch, seeds, conditions)

    def adversary_at(self, step: int) -> bool:
        """Whether the discriminators train in this step."""
        return self.adversary is not None and step >= self._kokoro.discriminators.start

    def validate(self, network: nn.Module, batch: Batch, seeds: Sequence[int]) -> Losses:
        """The losses with the voice table alone, all teacher-forced, and their gradients' norms."""
        assert isinstance(network, Kokoro)
        return self.objective.validate_on(network, batch, seeds, self.weights(self.settled()))

    def speak(self, network: nn.Module, utterance: Utterance, seed: int) -> Speech:
        """The sentence as stock kokoro speaks it, with the source's noise drawn from `seed`."""
        assert isinstance(network, Kokoro)
        device = next(network.parameters()).device
        tokens = torch.from_numpy(utterance.tokens)[None].to(device)
        row = network.voice.rows(token_lengths(tokens)).detach()
        with seeded_noise(seed):
            audio, units = network.model.forward_with_tokens(tokens, row)
        return Speech(audio.cpu().numpy(), units.cpu().numpy())

    def save(self, network: nn.Module, folder: Path, seed: int, steps: int) -> dict[str, float]:
        """Writes the model, its voice table and provenance, as `checkpoint.save_finetuned`."""
        assert isinstance(network, Kokoro)
        provenance = read_json(BASE / "provenance.json") | {"steps": steps, "seed": seed}
        table, config = network.voice.table().cpu(), checkpoint.read_config(BASE)
        adapters.merge(network.model)
        checkpoint.save_finetuned(folder, network.model, table, config, provenance)
        now, base = network.model.state_dict(), checkpoint.load_base(BASE).state_dict()
        return changes(now, base, facts.part_of) | {"voice": network.voice.drift().item() ** 0.5}

    def recompute(self) -> None:
        """Makes the generator's residual blocks keep only their inputs."""
        recompute(self.network.model)


def _deviations(voice: InitialVoice, store: FeatureStore) -> Tensor:
    """The deviation of each utterance of the store, [n, E]; zeros for those held out."""
    trained = store.indices("train")
    if voice.ids != tuple(store.ids[i] for i in trained):
        raise InputError(
            f"{VOICE}: made from other utterances than the features; run `dvc repro -s -f voice`"
        )
    deviations = torch.zeros(len(store), voice.deviations.shape[1])
    deviations[trained] = voice.deviations
    return deviations
