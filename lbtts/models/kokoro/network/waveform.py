"""The losses of a waveform, each differentiated at the waveform before the network is.

The gradients of spectral and adversarial losses are taken at the output of the decoder and added
there; then one pass through the network goes on with the sum. So the share of the adversary can be
measured and kept within bounds for each utterance, which no sum of losses can do, and the
discriminators' forward pass serves both sides: their own loss, and the network's.

Source of the bounds: Defossez et al., EnCodec, https://arxiv.org/abs/2210.13438, section 3.4, which
scales every loss to a share; here only an adversary that is too weak or too strong is scaled.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lbtts.grid import SAMPLE_RATE
from lbtts.models.kokoro.network import discriminators as adversary
from lbtts.models.kokoro.network.discriminators import Discriminators, Output
from lbtts.models.kokoro.network.losses import SpectralLoss, clock_share
from lbtts.models.kokoro.network.perceptual import WavlmLoss
from lbtts.models.recipe import Autocast, Losses, weighted
from lbtts.params import Discriminators as Settings

SPECTRAL = ("mel", "stft")
ADVERSARIAL = ("adversarial", "feature_matching")
OPTIONAL = ("clock", *ADVERSARIAL, "wavlm")
SHARE = "adversary_share"  # of the adversarial gradient in the spectral one, before the bounds
_RANGE = 2.0**10  # keeps small gradients in fp16's range; exact, because it is a power of two
_TINY = 1e-12


class WaveformLosses(nn.Module):
    """The losses that compare waveforms [B, S] float32 at 24 kHz.

    Attributes:
        discriminators: None if no loss needs them.
    """

    def __init__(
        self,
        settings: Settings,
        spectral: SpectralLoss,
        discriminators: Discriminators | None,
        wavlm: WavlmLoss | None,
        autocast: Autocast,
    ) -> None:
        """Takes what the losses need.

        Args:
            settings: the section `kokoro.discriminators`.
            spectral: the losses `mel` and `stft`.
            discriminators: for the adversarial losses.
            wavlm: for the loss of that name.
            autocast: the precision in which networks compute; losses are taken in float32.
        """
        super().__init__()
        self.spectral = spectral
        self.discriminators = discriminators
        self.wavlm = wavlm
        self._settings = settings
        self._autocast = autocast

    def names(self, weights: Mapping[str, float], teaches: bool) -> list[str]:
        """The losses that `forward` gives for these weights, in order."""
        if not self.needed(weights, teaches):
            return []
        own = [*SPECTRAL, *(name for name in OPTIONAL if name in weights)]
        return own + [SHARE] * self._judged(weights)

    @staticmethod
    def needed(weights: Mapping[str, float], teaches: bool) -> bool:
        """Whether a step needs the waveform."""
        return teaches or not weights.keys().isdisjoint((*SPECTRAL, *OPTIONAL))

    def forward(
        self,
        audio: Tensor,
        target: Tensor,
        weights: Mapping[str, float],
        teaches: bool,
        places: Tensor,
    ) -> tuple[Tensor, Losses, Tensor | None]:
        """The weighted sum [B] with its gradient, the losses [B], the discriminators' own loss [B].

        Args:
            audio: [B, S], generated.
            target: [B, S], recorded.
            weights: of the losses that count.
            teaches: whether the discriminators train; otherwise they have no loss.
            places: [B] in [0, 1), where in the crop the discriminators listen.
        """
        counts = self.needed(weights, teaches=False)
        leaf = audio.detach().requires_grad_(audio.requires_grad and counts)
        losses = dict(zip(SPECTRAL, self.spectral(leaf, target), strict=True))
        gradient = slope(weighted(losses, weights), leaf)
        if "clock" in weights:
            losses["clock"] = clock_share(leaf)
            gradient = gradient + weights["clock"] * slope(losses["clock"], leaf)
        own = None
        if self._judged(weights) or teaches:
            window = self._window(places, leaf.shape[1])
            judged, own = self._judge(leaf, target, window, weights, teaches)
            losses |= judged
            if judged:
                theirs = slope(weighted(judged, weights), leaf, keep=teaches)
                factor, losses[SHARE] = self._bounded(theirs, gradient, window)
                gradient = gradient + factor[:, None] * theirs
        if "wavlm" in weights:
            losses |= self._perceived(leaf, target)
            gradient = gradient + weights["wavlm"] * slope(losses["wavlm"], leaf)
        losses = {name: loss.detach() for name, loss in losses.items()}
        total = weighted(losses, weights)
        if counts:
            total = _Differentiated.apply(audio, gradient, total)
        return total, losses, own

    def norms(self, audio: Tensor, target: Tensor, weights: Mapping[str, float]) -> Losses:
        """Losses of whole waveforms, and norms of their weighted gradients at `audio`, [B] each.

        The norms are named `gradient_` and the loss.
        """
        leaf = audio.detach().requires_grad_()
        with torch.enable_grad():
            losses = dict(zip(SPECTRAL, self.spectral(leaf, target), strict=True))
            losses["clock"] = clock_share(leaf)
            if self._judged(weights):
                losses |= self._heard(leaf, target)
            if "wavlm" in weights:
                losses |= self._perceived(leaf, target)
            slopes = {
                f"gradient_{name}": weights[name] * slope(loss, leaf, keep=True).norm(dim=1)
                for name, loss in losses.items()
                if name in weights
            }
        return {name: loss.detach() for name, loss in losses.items()} | slopes

    def _judged(self, weights: Mapping[str, float]) -> bool:
        return self.discriminators is not None and not weights.keys().isdisjoint(ADVERSARIAL)

    def _judge(
        self,
        leaf: Tensor,
        target: Tensor,
        window: Tensor,
        weights: Mapping[str, float],
        teaches: bool,
    ) -> tuple[Losses, Tensor | None]:
        """The adversarial losses that count, and the discriminators' own."""
        assert self.discriminators is not None
        with self._autocast():
            real = self.discriminators(target.gather(1, window))
            fake = self.discriminators(leaf.gather(1, window))
        own = adversary.discriminator_loss(real, fake) if teaches else None
        if not self._judged(weights):
            return {}, own
        found = _adversarial(real, fake)
        return {name: loss for name, loss in found.items() if name in weights}, own

    def _heard(self, leaf: Tensor, target: Tensor) -> Losses:
        assert self.discriminators is not None
        with torch.no_grad():
            real = self.discriminators(target)
        return _adversarial(real, self.discriminators(leaf))

    def _perceived(self, leaf: Tensor, target: Tensor) -> Losses:
        assert self.wavlm is not None
        with self._autocast():
            return {"wavlm": self.wavlm(leaf, target)}

    def _window(self, places: Tensor, samples: int) -> Tensor:
        """The samples [B, W] of each utterance that the discriminators hear."""
        heard = min(samples, round(self._settings.crop_seconds * SAMPLE_RATE))
        start = (places * (samples - heard + 1)).long()
        return start[:, None] + torch.arange(heard, device=places.device)

    def _bounded(self, theirs: Tensor, spectral: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
        """The factor [B] of the adversarial gradient, and its share [B] before.

        Norms are compared where the discriminators listen: elsewhere their gradient is 0.
        """
        norm = theirs.norm(dim=1)
        share = norm / spectral.gather(1, window).norm(dim=1).clamp(min=_TINY)
        bounded = share.clamp(self._settings.least_share, self._settings.most_share)
        return bounded / share.clamp(min=_TINY), share


def _adversarial(real: Sequence[Output], fake: Sequence[Output]) -> Losses:
    """The network's losses against the discriminators, [B] each."""
    return {
        "adversarial": adversary.generator_loss(fake),
        "feature_matching": adversary.feature_matching(real, fake),
    }


def slope(loss: Tensor, leaf: Tensor, keep: bool = False) -> Tensor:
    """The gradient [B, S] of losses [B] at a waveform [B, S]; zeros if it needs none.

    Args:
        loss: each of its values depends on the waveform of the same row alone.
        leaf: the waveform.
        keep: whether the graph is needed again.
    """
    if not (leaf.requires_grad and loss.requires_grad):
        return torch.zeros_like(leaf)
    return torch.autograd.grad(_RANGE * loss.sum(), leaf, retain_graph=keep)[0] / _RANGE


class _Differentiated(torch.autograd.Function):
    """Losses [B] of a waveform whose gradient [B, S] is known."""

    @staticmethod
    def forward(ctx: Any, audio: Tensor, gradient: Tensor, loss: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return grad[:, None] * gradient, None, None
