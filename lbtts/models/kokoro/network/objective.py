"""The losses of a batch: a teacher-forced forward pass, compared with the recording."""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn

from lbtts.acoustics.store.batching import Batch
from lbtts.models.kokoro.network import discriminators, losses
from lbtts.models.kokoro.network.discriminators import Discriminators
from lbtts.models.kokoro.network.perceptual import WavlmLoss
from lbtts.models.kokoro.network.trainable import Crop, Kokoro, Prediction, token_lengths
from lbtts.models.randomness import UtteranceNoise
from lbtts.models.recipe import Autocast, Losses

ALWAYS = ("duration", "duration_ce", "f0", "unvoiced", "energy", "mel", "stft", "voice")
ADVERSARIAL = ("adversarial", "feature_matching")  # losses that need discriminators


def adversarial(wanted: Collection[str]) -> bool:
    """Whether the losses `wanted` need discriminators."""
    return not {*ADVERSARIAL}.isdisjoint(wanted)


class Objective(nn.Module):
    """The losses of a batch, [B] each, one value per utterance.

    It holds the deviation of every utterance's speaker embedding, for the voice table in training.

    Attributes:
        discriminators: None if no loss needs them. Only their own loss trains them.
    """

    deviations: Tensor

    def __init__(
        self,
        deviations: Tensor,
        adversary: Discriminators | None,
        wavlm: WavlmLoss | None,
        autocast: Autocast,
    ) -> None:
        """Takes what the losses need.

        Args:
            deviations: [n, E] float32, by index in the feature store; zeros where unknown.
            adversary: discriminators, for the adversarial losses.
            wavlm: for the loss of that name.
            autocast: the precision in which networks compute; losses are taken in float32.
        """
        super().__init__()
        self.register_buffer("deviations", deviations, persistent=False)
        self.spectral = losses.SpectralLoss()
        self.discriminators = adversary
        self.wavlm = wavlm
        self._autocast = autocast

    def train_on(
        self,
        network: Kokoro,
        batch: Batch,
        seeds: Sequence[int],
        *,
        teacher_ratio: float,
        voice_dropout: float,
        wanted: Collection[str],
    ) -> tuple[Prediction, Losses]:
        """The forward pass of a training step, and its losses.

        Args:
            network: in training mode.
            batch: of B utterances.
            seeds: [B], of each utterance's random numbers.
            teacher_ratio: share of utterances for which the decoder gets the recording's F0 and
            energy. voice_dropout: share of utterances that use the voice table alone. wanted:
            losses that count; those that need another network are computed only if they count.
        """
        with UtteranceNoise(seeds, batch.tokens.device) as noise:
            drawn = noise.uniform(2)
            deviations = self.deviations[list(batch.index)] * (drawn[:, :1] >= voice_dropout)
            rows = network.voice.rows(token_lengths(batch.tokens), deviations)
            with self._autocast():
                prediction = _predict(network, batch, rows, drawn[:, 1] < teacher_ratio)
        return prediction, self._own_losses(network, prediction, batch) | self._network_losses(
            prediction.audio, batch.audio, wanted
        )

    def validate_on(self, network: Kokoro, batch: Batch, seeds: Sequence[int]) -> Losses:
        """The losses that need no other network, with the voice table alone, all teacher-forced."""
        with torch.no_grad(), UtteranceNoise(seeds, batch.tokens.device):
            rows = network.voice.rows(token_lengths(batch.tokens))
            return self._own_losses(network, _predict(network, batch, rows, None), batch)

    def names(self, wanted: Collection[str]) -> list[str]:
        """The losses that `train_on` computes, in order."""
        gan = ADVERSARIAL if adversarial(wanted) else ()
        perceptual = ["wavlm"] if self.wavlm and "wavlm" in wanted else []
        return [*ALWAYS, *gan, *perceptual]

    def discriminator_loss(self, audio: Tensor, target: Tensor) -> Tensor:
        """The discriminators' own loss [B] for waveforms [B, S], with gradients for them only.

        Call it after the backward pass of the network's losses, in which the discriminators must
        not get gradients: torch checks `requires_grad` of parameters during the backward pass.
        """
        assert self.discriminators is not None
        self.discriminators.requires_grad_(True)
        with self._autocast():
            real = self.discriminators(target)
            fake = self.discriminators(audio.detach())
        return discriminators.discriminator_loss(real, fake)

    def _own_losses(self, network: Kokoro, prediction: Prediction, batch: Batch) -> Losses:
        units, lengths = batch.units, prediction.lengths
        f0, unvoiced = losses.f0_error(prediction.f0, batch.f0)
        mel, stft = self.spectral(prediction.audio, batch.audio)
        distances = (
            losses.duration_l1(prediction.durations, units, lengths),
            losses.duration_ce(prediction.duration_logits, units, lengths),
            f0,
            unvoiced,
            losses.energy_error(prediction.energy, batch.energy),
            mel,
            stft,
            network.voice.drift().expand(len(units)),
        )
        return dict(zip(ALWAYS, distances, strict=True))

    def _network_losses(self, audio: Tensor, target: Tensor, wanted: Collection[str]) -> Losses:
        """The losses that another network computes."""
        found: Losses = {}
        if self.discriminators and adversarial(wanted):
            self.discriminators.requires_grad_(False)
            with self._autocast():
                with torch.no_grad():
                    real = self.discriminators(target)
                fake = self.discriminators(audio)
            found["adversarial"] = discriminators.generator_loss(fake)
            found["feature_matching"] = discriminators.feature_matching(real, fake)
        if self.wavlm and "wavlm" in wanted:
            with self._autocast():
                found["wavlm"] = self.wavlm(audio, target)
        return found


def _predict(network: Kokoro, batch: Batch, rows: Tensor, forced: Tensor | None) -> Prediction:
    return network.forward_train(
        batch.tokens,
        rows,
        teacher_dur=batch.units,
        teacher_f0=batch.f0,
        teacher_noise=batch.energy,
        teacher_forced=forced,
        crop=Crop(batch.crop_start, batch.crop_units),
    )
