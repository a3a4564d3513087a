"""The losses of a batch: a teacher-forced forward pass, compared with the recording."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from lbtts.acoustics.store.batching import Batch
from lbtts.models.kokoro.network import losses
from lbtts.models.kokoro.network.replay import Replay
from lbtts.models.kokoro.network.trainable import (
    Crop,
    Kokoro,
    Prediction,
    in_network_time,
    token_lengths,
)
from lbtts.models.kokoro.network.waveform import WaveformLosses
from lbtts.models.randomness import UtteranceNoise
from lbtts.models.recipe import Autocast, Losses, Pass, weighted

PROSODIC = ("duration", "duration_ce", "f0", "unvoiced", "energy")
_DRAWS = 4  # numbers that an utterance draws: deviation, teacher forcing, level, discriminators


@dataclass(frozen=True)
class Conditions:
    """What a step's schedules say.

    Attributes:
        weights: of the losses that count.
        teaches: whether the discriminators train.
        teacher_ratio: share of utterances for which the decoder gets the recording's F0 and energy.
        voice_dropout: share of utterances that use the voice table alone.
        level_db: largest change of an utterance's level.
        replay_weight: of what the base says.
    """

    weights: Mapping[str, float]
    teaches: bool
    teacher_ratio: float
    voice_dropout: float
    level_db: float
    replay_weight: float


class Objective(nn.Module):
    """The losses of a batch, [B] each, one value per utterance.

    It holds the deviation of every utterance's speaker embedding, for the voice table in training.
    """

    deviations: Tensor

    def __init__(
        self,
        deviations: Tensor,
        waveform: WaveformLosses,
        replay: Replay | None,
        autocast: Autocast,
    ) -> None:
        """Takes what the losses need.

        Args:
            deviations: [n, E] float32, by index in the feature store; zeros where unknown.
            waveform: the losses of waveforms.
            replay: what the base says, if that shall be kept.
            autocast: the precision in which networks compute; losses are taken in float32.
        """
        super().__init__()
        self.register_buffer("deviations", deviations, persistent=False)
        self.waveform = waveform
        self.replay = replay
        self._autocast = autocast

    def train_on(
        self, network: Kokoro, batch: Batch, seeds: Sequence[int], conditions: Conditions
    ) -> Pass:
        """The forward pass of a training step.

        Args:
            network: in training mode.
            batch: of B utterances.
            seeds: [B], of each utterance's random numbers.
            conditions: of the step.
        """
        weights = conditions.weights
        with UtteranceNoise(seeds, batch.tokens.device) as noise:
            drawn = noise.uniform(_DRAWS)
            batch = at_level(batch, (2 * drawn[:, 2] - 1) * conditions.level_db)
            batch = replace(batch, units=in_network_time(batch.units))
            known = drawn[:, :1] >= conditions.voice_dropout
            rows = network.voice.rows(
                token_lengths(batch.tokens), self.deviations[list(batch.index)] * known
            )
            forced = drawn[:, 1] < conditions.teacher_ratio
            needed = self.waveform.needed(weights, conditions.teaches)
            learns = self.waveform.needed(weights, teaches=False)
            with self._autocast():
                prediction = _predict(network, batch, rows, forced, needed, learns)
        own, adversary = _own_losses(network, prediction, batch), None
        total = weighted(own, weights)
        if needed:
            compared, found, adversary = self.waveform(
                prediction.audio, batch.audio, weights, conditions.teaches, drawn[:, 3]
            )
            total, own = total + compared, own | found
        if self.replay:
            spectral, crop = self.waveform.spectral, batch.crop_units
            with self._autocast():
                own["replay"] = self.replay(network, seeds, crop, spectral, weights)
            total = total + conditions.replay_weight * own["replay"]
        return Pass(total, own, adversary)

    def validate_on(
        self, network: Kokoro, batch: Batch, seeds: Sequence[int], weights: Mapping[str, float]
    ) -> Losses:
        """The losses with the voice table alone, all teacher-forced; see `WaveformLosses.norms`."""
        batch = replace(batch, units=in_network_time(batch.units))
        with torch.no_grad(), UtteranceNoise(seeds, batch.tokens.device):
            rows = network.voice.rows(token_lengths(batch.tokens))
            prediction = _predict(network, batch, rows, None)
            own = _own_losses(network, prediction, batch)
        return own | self.waveform.norms(prediction.audio, batch.audio, weights)

    def names(self, weights: Mapping[str, float], teaches: bool) -> list[str]:
        """The losses that `train_on` computes."""
        kept = ["replay"] if self.replay else []
        return [*PROSODIC, "voice", *kept, *self.waveform.names(weights, teaches)]


def at_level(batch: Batch, change: Tensor) -> Batch:
    """The batch with every recording `change` [B] dB louder; energy is a logarithm of power."""
    gain = 10 ** (change / 20)
    return replace(
        batch,
        audio=batch.audio * gain[:, None],
        energy=batch.energy + change[:, None] * (math.log(10) / 10),
    )


def _own_losses(network: Kokoro, prediction: Prediction, batch: Batch) -> Losses:
    prosodic = losses.prosodic(prediction, batch.units, batch.f0, batch.energy)
    return prosodic | {"voice": network.voice.drift().expand(len(batch.ids))}


def _predict(
    network: Kokoro,
    batch: Batch,
    rows: Tensor,
    forced: Tensor | None,
    waveform: bool = True,
    waveform_learns: bool = True,
) -> Prediction:
    return network.forward_train(
        batch.tokens,
        rows,
        teacher_dur=batch.units,
        teacher_f0=batch.f0,
        teacher_noise=batch.energy,
        teacher_forced=forced,
        crop=Crop(batch.crop_start, batch.crop_units),
        waveform=waveform,
        waveform_learns=waveform_learns,
    )
