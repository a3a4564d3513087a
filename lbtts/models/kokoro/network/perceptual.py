"""A perceptual loss: the distance of generated from real speech in WavLM's features."""

from typing import Any, Self

import torch
from julius import ResampleFrac
from torch import Tensor, nn
from transformers import WavLMModel

from lbtts.errors import InputError, first_line
from lbtts.grid import SAMPLE_RATE

WAVLM_RATE = 16_000  # Hz
# Of the resampler's windowed sinc. With them it differs from soxr, which has no gradients, by 1e-6
# of full scale, and aliasing is below -120 dB.
_ZEROS, _ROLLOFF = 128, 0.95
_UNTRAINED = {"masked_spec_embed"}  # only used to mask training input; some checkpoints lack it


class WavlmLoss(nn.Module):
    """Mean absolute difference between WavLM's hidden states of two waveforms, over all layers.

    WavLM is frozen and always in evaluation mode: with dropout, equal audio would have a distance.
    StyleTTS2 sums over layers (13 in a base model): its loss weight corresponds to 13 times as much
    here.

    Args:
        model: takes raw 16 kHz waveforms, as WavLM's base models do; see `load_wavlm`.

    Source: Li et al., StyleTTS 2, arXiv:2306.07691, its published training code; Chen et al.,
    WavLM, arXiv:2110.13900.
    """

    def __init__(self, model: WavLMModel) -> None:
        super().__init__()
        self.resample = ResampleFrac(SAMPLE_RATE, WAVLM_RATE, zeros=_ZEROS, rolloff=_ROLLOFF)
        self.model = model.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Returns itself, always in evaluation mode."""
        return super().train(False)

    def forward(self, audio: Tensor, target: Tensor) -> Tensor:
        """The loss [B] of waveforms [B, S] float32, 24 kHz; only `audio` gets gradients."""
        with torch.no_grad():
            true = self._hidden_states(target)
        states = self._hidden_states(audio)
        layers = (
            (a.float() - b.float()).abs().mean((1, 2)) for a, b in zip(states, true, strict=True)
        )
        return torch.stack(list(layers)).mean(0)

    def _hidden_states(self, audio: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast(audio.device.type, enabled=False):  # bf16 would leave 50 dB of 120
            resampled = self.resample(audio)
        return self.model(resampled, output_hidden_states=True).hidden_states


def load_wavlm(name: str) -> WavLMModel:
    """WavLM without a head, from the hub at a pinned commit, or from a folder.

    Args:
        name: `repository@commit`.

    Raises:
        InputError: it cannot be downloaded, or its checkpoint lacks weights.
    """
    repo, _, revision = name.partition("@")
    remedy = "check the network and the name, or set kokoro.losses.wavlm.weight to 0"
    try:
        loaded: Any = WavLMModel.from_pretrained(
            repo, revision=revision, dtype=torch.float32, output_loading_info=True
        )
    except OSError as error:
        raise InputError(
            f"kokoro.wavlm: {name} cannot be loaded ({first_line(error)}); {remedy}"
        ) from error
    model, report = loaded
    lacking = sorted(set(report["missing_keys"]) - _UNTRAINED)
    if lacking:  # transformers fills them with random numbers
        raise InputError(
            f"kokoro.wavlm: {name} is not a WavLM model: {len(lacking)} weights are missing, "
            f"{lacking[0]} first; {remedy}"
        )
    return model
