"""Discriminators that tell real speech from generated speech, and the losses of both sides.

Shapes: B waveforms of S samples. One forward pass of real and of generated speech serves both
sides of a training step: `discriminator_loss` trains the discriminators, `generator_loss` and
`feature_matching` the network.

Losses are [B], one for each utterance. They are unweighted sums over the eight discriminators, so
the weights of the literature keep their meaning (HiFi-GAN and StyleTTS2 give feature matching the
weight 2, the others 1). StyleTTS2 adds a relativistic loss with the median over the batch; with it,
a step would depend on how it is divided.

Source: Kong et al., HiFi-GAN, arXiv:2010.05646 (periods); Jang et al., UnivNet, arXiv:2106.07889
(spectrograms); widths, strides and resolutions as in StyleTTS2, arXiv:2306.07691.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from lbtts.models.kokoro.network.losses import RESOLUTIONS

PERIODS = (2, 3, 5, 7, 11)  # samples; primes, so no two discriminators read the same columns
_SLOPE = 0.1  # of the leaky ReLU below zero


@dataclass(frozen=True)
class Output:
    """The output of one discriminator for a batch.

    Attributes:
        logits: [B, N], near 1 where the audio sounds real, near 0 where it sounds generated.
        maps: the output of each layer, the logits last; [B, channels, height, width].
    """

    logits: Tensor
    maps: tuple[Tensor, ...]


class Period(nn.Module):
    """Scores every `period`-th sample: the waveform is folded into columns, each read alone."""

    def __init__(self, period: int, width: int) -> None:
        super().__init__()
        self.period = period
        channels = (1, width, 4 * width, 16 * width, 32 * width, 32 * width)
        strides = (3, 3, 3, 3, 1)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (5, 1), (stride, 1), padding=(2, 0)))
            for before, after, stride in zip(channels, channels[1:], strides, strict=False)
        )
        self.last = weight_norm(nn.Conv2d(channels[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, audio: Tensor) -> Output:
        """The output for waveforms [B, S], S at least the period."""
        missing = -audio.shape[1] % self.period
        folded = F.pad(audio[:, None], (0, missing), "reflect")
        return _output(folded.unflatten(2, (-1, self.period)), self.layers, self.last)


class Resolution(nn.Module):
    """Scores a linear magnitude spectrogram; three of its layers halve the frequencies."""

    window: Tensor

    def __init__(self, fft: int, hop: int, window: int, width: int) -> None:
        super().__init__()
        self.fft, self.hop = fft, hop
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        shapes = ((1, 9, 1), (width, 9, 2), (width, 9, 2), (width, 9, 2), (width, 3, 1))
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, width, (3, high), (1, stride), padding=(1, high // 2)))
            for before, high, stride in shapes
        )
        self.last = weight_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, audio: Tensor) -> Output:
        """The output for waveforms [B, S], S more than half the FFT's length."""
        spectrum = torch.stft(
            audio, self.fft, self.hop, len(self.window), self.window, return_complex=True
        )
        return _output(spectrum.abs().mT[:, None], self.layers, self.last)


class MultiPeriod(nn.ModuleList):
    """One discriminator for each of `PERIODS`."""

    def __init__(self, width: int) -> None:
        super().__init__(Period(period, width) for period in PERIODS)


class MultiResolution(nn.ModuleList):
    """One discriminator for each spectrogram of the waveform losses."""

    def __init__(self, width: int) -> None:
        super().__init__(Resolution(*resolution, width) for resolution in RESOLUTIONS)


class Discriminators(nn.Module):
    """All eight discriminators. At the published width of 32: 41.1 M and 0.3 M parameters.

    Args:
        width: channels of the first layers, from which all others follow.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.periods = MultiPeriod(width)
        self.resolutions = MultiResolution(width)

    def forward(self, audio: Tensor) -> list[Output]:
        """The outputs for waveforms [B, S] float32, periods first, then resolutions."""
        return [discriminator(audio) for discriminator in (*self.periods, *self.resolutions)]


def discriminator_loss(real: Sequence[Output], fake: Sequence[Output]) -> Tensor:
    """The discriminators' loss [B]: squared distance of real speech from 1, of generated from 0.

    Source: Mao et al., LSGAN, arXiv:1611.04076, equation 9, without the factors 1/2, as HiFi-GAN.
    """
    return _sum(
        (1 - true.logits).square().mean(1) + false.logits.square().mean(1)
        for true, false in zip(real, fake, strict=True)
    )


def generator_loss(fake: Sequence[Output]) -> Tensor:
    """The generator's loss [B]: squared distance of generated speech from 1.

    Source: Mao et al., LSGAN, arXiv:1611.04076, equation 9, without the factor 1/2, as HiFi-GAN.
    """
    return _sum((1 - false.logits).square().mean(1) for false in fake)


def feature_matching(real: Sequence[Output], fake: Sequence[Output]) -> Tensor:
    """Mean absolute difference of each layer's outputs, summed over layers, [B].

    The outputs for real speech are targets and get no gradient.

    Source: Kong et al., HiFi-GAN, arXiv:2010.05646, equation 5.
    """
    return _sum(
        (generated.float() - target.detach().float()).abs().flatten(1).mean(1)
        for true, false in zip(real, fake, strict=True)
        for target, generated in zip(true.maps, false.maps, strict=True)
    )


def _output(x: Tensor, layers: nn.ModuleList, last: nn.Module) -> Output:
    maps = []
    for layer in layers:
        x = F.leaky_relu(layer(x), _SLOPE, inplace=True)  # in place: half the memory
        maps.append(x)
    logits = last(x)
    return Output(logits.float().flatten(1), (*maps, logits))


def _sum(losses: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(losses)).sum(0)
