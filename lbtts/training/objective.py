"""From a batch to its losses: one teacher-forced forward pass, and how far it is from the truth."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lbtts.acoustics.batching import Batch
from lbtts.model import losses
from lbtts.model.network import Crop, Kokoro, Prediction, token_lengths
from lbtts.model.randomness import UtteranceNoise

Terms = dict[str, Tensor]


class Objective(nn.Module):
    """The losses of a batch, each [B]: of one utterance apart from the others.

    It knows the deviation of every utterance's embedding, and so whose voice to train it with.
    """

    deviations: Tensor
    names = ("duration", "duration_ce", "f0", "unvoiced", "energy", "mel", "stft", "voice")

    def __init__(self, deviations: Tensor) -> None:
        """Takes deviations [n, E] float32, by index in the feature store; zeros where unknown."""
        super().__init__()
        self.register_buffer("deviations", deviations, persistent=False)
        self.spectral = losses.SpectralLoss()

    def train_on(
        self, network: Kokoro, batch: Batch, seeds: Sequence[int], taught: float, dropped: float
    ) -> tuple[Prediction, Terms]:
        """The pass of a training step.

        Args:
            network: in training mode.
            batch: of B utterances.
            seeds: [B], of each utterance's random numbers.
            taught: share of utterances whose decoder hears the recording's F0 and energy.
            dropped: share of utterances that are said with the voice table alone.
        """
        with UtteranceNoise(seeds, batch.tokens.device) as noise:
            drawn = noise.uniform(2)
            deviations = self.deviations[batch.index] * (drawn[:, :1] >= dropped)
            rows = network.voice.rows(token_lengths(batch.tokens), deviations)
            prediction = _predict(network, batch, rows, drawn[:, 1] < taught)
        return prediction, self._terms(network, prediction, batch)

    def validate_on(self, network: Kokoro, batch: Batch, seeds: Sequence[int]) -> Terms:
        """The losses with the voice table alone, every decoder taught."""
        with torch.no_grad(), UtteranceNoise(seeds, batch.tokens.device):
            rows = network.voice.rows(token_lengths(batch.tokens))
            return self._terms(network, _predict(network, batch, rows, None), batch)

    def _terms(self, network: Kokoro, prediction: Prediction, batch: Batch) -> Terms:
        units, lengths = batch.units, prediction.lengths
        f0, unvoiced = losses.f0_error(prediction.f0, batch.f0)
        mel, stft = self.spectral(prediction.audio, batch.audio)
        return {
            "duration": losses.duration_l1(prediction.durations, units, lengths),
            "duration_ce": losses.duration_ce(prediction.duration_logits, units, lengths),
            "f0": f0,
            "unvoiced": unvoiced,
            "energy": losses.energy_error(prediction.energy, batch.energy),
            "mel": mel,
            "stft": stft,
            "voice": network.voice.drift().expand(len(units)),
        }


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
