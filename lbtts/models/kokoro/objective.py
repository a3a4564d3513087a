"""From a batch to its losses: one teacher-forced forward pass, and how far it is from the truth."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from lbtts.acoustics.store.batching import Batch
from lbtts.models.kokoro import discriminators, losses
from lbtts.models.kokoro.discriminators import Discriminators
from lbtts.models.kokoro.network import Crop, Kokoro, Prediction, token_lengths
from lbtts.models.kokoro.perceptual import WavlmLoss
from lbtts.models.randomness import UtteranceNoise

Terms = dict[str, Tensor]
ALWAYS = ("duration", "duration_ce", "f0", "unvoiced", "energy", "mel", "stft", "voice")
ADVERSARIAL = ("adversarial", "feature_matching")  # losses that need discriminators


def adversarial(wanted: Collection[str]) -> bool:
    """Whether the losses `wanted` need discriminators."""
    return not {*ADVERSARIAL}.isdisjoint(wanted)


class Objective(nn.Module):
    """The losses of a batch, each [B]: of one utterance apart from the others.

    It knows the deviation of every utterance's embedding, and so whose voice to train it with.

    Attributes:
        discriminators: None where no loss needs them. They train only in their own turn.
    """

    deviations: Tensor

    def __init__(
        self,
        deviations: Tensor,
        judges: Discriminators | None,
        wavlm: WavlmLoss | None,
        autocast: Callable[[], AbstractContextManager],
    ) -> None:
        """Takes what the losses need.

        Args:
            deviations: [n, E] float32, by index in the feature store; zeros where unknown.
            judges: for the adversarial losses.
            wavlm: for the loss of that name.
            autocast: the precision in which networks compute; losses are taken in float32.
        """
        super().__init__()
        self.register_buffer("deviations", deviations, persistent=False)
        self.spectral = losses.SpectralLoss()
        self.discriminators = judges
        self.wavlm = wavlm
        self._autocast = autocast

    def train_on(
        self,
        network: Kokoro,
        batch: Batch,
        seeds: Sequence[int],
        *,
        taught: float,
        dropped: float,
        wanted: Collection[str],
    ) -> tuple[Prediction, Terms]:
        """The pass of a training step, and its losses.

        Args:
            network: in training mode.
            batch: of B utterances.
            seeds: [B], of each utterance's random numbers.
            taught: share of utterances whose decoder hears the recording's F0 and energy.
            dropped: share of utterances that are said with the voice table alone.
            wanted: losses that count; of those that need another network, only these are computed.
        """
        with UtteranceNoise(seeds, batch.tokens.device) as noise:
            drawn = noise.uniform(2)
            deviations = self.deviations[list(batch.index)] * (drawn[:, :1] >= dropped)
            rows = network.voice.rows(token_lengths(batch.tokens), deviations)
            with self._autocast():
                prediction = _predict(network, batch, rows, drawn[:, 1] < taught)
        return prediction, self._terms(network, prediction, batch) | self._heard(
            prediction.audio, batch.audio, wanted
        )

    def validate_on(self, network: Kokoro, batch: Batch, seeds: Sequence[int]) -> Terms:
        """The losses that need no other network, with the voice table alone, all taught."""
        with torch.no_grad(), UtteranceNoise(seeds, batch.tokens.device):
            rows = network.voice.rows(token_lengths(batch.tokens))
            return self._terms(network, _predict(network, batch, rows, None), batch)

    def names(self, wanted: Collection[str]) -> list[str]:
        """The losses that `train_on` computes, in order."""
        judged = ADVERSARIAL if adversarial(wanted) else ()
        heard = ["wavlm"] if self.wavlm and "wavlm" in wanted else []
        return [*ALWAYS, *judged, *heard]

    def judges(self) -> list[nn.Parameter]:
        """The discriminators' tensors."""
        return list(self.discriminators.parameters()) if self.discriminators else []

    def judge(self, prediction: Prediction, batch: Batch) -> Tensor:
        """The discriminators' own loss, [B], with gradients for them alone.

        Their turn comes after the network's gradients: in that turn they must not train, and torch
        asks only when gradients arrive.
        """
        assert self.discriminators is not None
        self.discriminators.requires_grad_(True)
        with self._autocast():
            real = self.discriminators(batch.audio)
            fake = self.discriminators(prediction.audio.detach())
        return discriminators.discriminator_loss(real, fake)

    def _terms(self, network: Kokoro, prediction: Prediction, batch: Batch) -> Terms:
        units, lengths = batch.units, prediction.lengths
        f0, unvoiced = losses.f0_error(prediction.f0, batch.f0)
        mel, stft = self.spectral(prediction.audio, batch.audio)
        terms = (
            losses.duration_l1(prediction.durations, units, lengths),
            losses.duration_ce(prediction.duration_logits, units, lengths),
            f0,
            unvoiced,
            losses.energy_error(prediction.energy, batch.energy),
            mel,
            stft,
            network.voice.drift().expand(len(units)),
        )
        return dict(zip(ALWAYS, terms, strict=True))

    def _heard(self, audio: Tensor, target: Tensor, wanted: Collection[str]) -> Terms:
        """The losses in which another network listens."""
        terms: Terms = {}
        if self.discriminators and adversarial(wanted):
            self.discriminators.requires_grad_(False)
            with self._autocast():
                with torch.no_grad():
                    real = self.discriminators(target)
                fake = self.discriminators(audio)
            terms["adversarial"] = discriminators.generator_loss(fake)
            terms["feature_matching"] = discriminators.feature_matching(real, fake)
        if self.wavlm and "wavlm" in wanted:
            with self._autocast():
                terms["wavlm"] = self.wavlm(audio, target)
        return terms


def _predict(network: Kokoro, batch: Batch, rows: Tensor, taught: Tensor | None) -> Prediction:
    return network.forward_train(
        batch.tokens,
        rows,
        teacher_dur=batch.units,
        teacher_f0=batch.f0,
        teacher_noise=batch.energy,
        taught=taught,
        crop=Crop(batch.crop_start, batch.crop_units),
    )
