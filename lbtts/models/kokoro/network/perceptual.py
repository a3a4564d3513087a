"""A perceptual loss: how differently WavLM hears generated and real speech."""

from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from scipy.signal import firwin, kaiserord
from torch import Tensor, nn
from transformers import WavLMModel

from lbtts.errors import InputError, first_line
from lbtts.grid import SAMPLE_RATE

WAVLM_RATE = 16_000  # Hz
_UP, _DOWN = 2, 3  # 24 kHz to 16 kHz by way of 48 kHz
_PASS, _STOP = 7_200, 8_000  # Hz; the low-pass filter falls between them
_REJECTION = 100.0  # dB, of what would fold back below 8 kHz
_UNTRAINED = {"masked_spec_embed"}  # only used to mask training input; some checkpoints lack it


class WavlmLoss(nn.Module):
    """Mean absolute difference between WavLM's hidden states of two waveforms, over all layers.

    WavLM is frozen, and stays in evaluation mode whatever its parent does: dropout would tell
    equal sounds apart. StyleTTS2 sums over layers (13 in a base model); divide its weight so.

    Args:
        model: takes raw 16 kHz waveforms, as WavLM's base models do; see `load_wavlm`.

    Source: Li et al., StyleTTS 2, arXiv:2306.07691, its published training code; Chen et al.,
    WavLM, arXiv:2110.13900.
    """

    def __init__(self, model: WavLMModel) -> None:
        super().__init__()
        self.resample = Resampler()
        self.model = model.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Itself, in evaluation mode always."""
        return super().train(False)

    def forward(self, audio: Tensor, target: Tensor) -> Tensor:
        """[B], between waveforms [B, S] float32, 24 kHz; gradients reach `audio` alone."""
        with torch.no_grad():
            true = self._hidden_states(target)
        states = self._hidden_states(audio)
        layers = (
            (a.float() - b.float()).abs().mean((1, 2)) for a, b in zip(states, true, strict=True)
        )
        return torch.stack(list(layers)).mean(0)

    def _hidden_states(self, audio: Tensor) -> tuple[Tensor, ...]:
        return self.model(self.resample(audio), output_hidden_states=True).hidden_states


class Resampler(nn.Module):
    """From 24 kHz to 16 kHz, with gradients: a windowed sinc at 48 kHz in its two phases.

    soxr, which resamples everywhere else, has no gradients. Source: Crochiere and Rabiner,
    Multirate Digital Signal Processing, 1983, on polyphase filters.
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.from_numpy(_phases())[:, None], persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Waveforms [B, ceil(2S/3)] float32 of waveforms [B, S]; beyond their ends is silence."""
        reach = self.kernel.shape[-1] // 2
        with torch.autocast(audio.device.type, enabled=False):  # bf16 would leave 50 dB of 100
            phases = F.conv1d(audio[:, None], self.kernel, stride=_DOWN, padding=reach)
        samples = -(-audio.shape[1] * _UP // _DOWN)
        return phases.mT.flatten(1)[:, :samples]


def load_wavlm(name: str) -> WavLMModel:
    """WavLM without a head, from the hub at a pinned commit, or from a folder.

    Args:
        name: `repository@commit`.

    Raises:
        InputError: it cannot be fetched, or its checkpoint leaves weights without values.
    """
    repo, _, revision = name.partition("@")
    remedy = "check the network and the name, or set train.losses.wavlm.weight to 0"
    try:
        loaded: Any = WavLMModel.from_pretrained(
            repo, revision=revision, dtype=torch.float32, output_loading_info=True
        )
    except OSError as error:
        raise InputError(
            f"train.wavlm: {name} cannot be loaded ({first_line(error)}); {remedy}"
        ) from error
    model, report = loaded
    lacking = sorted(set(report["missing_keys"]) - _UNTRAINED)
    if lacking:  # transformers fills them with random numbers
        raise InputError(
            f"train.wavlm: {name} is no WavLM: {len(lacking)} weights are missing, "
            f"{lacking[0]} first; {remedy}"
        )
    return model


def _phases() -> np.ndarray:
    """Two kernels [2, taps] float32: output 2k lies at input 3k, output 2k + 1 at 3k + 1.5."""
    virtual = SAMPLE_RATE * _UP
    taps, beta = kaiserord(_REJECTION, (_STOP - _PASS) / (virtual / 2))
    middle = taps // 2
    sinc = _UP * firwin(2 * middle + 1, (_PASS + _STOP) / 2, window=("kaiser", beta), fs=virtual)
    reach = -(-(middle + _DOWN) // _UP)  # input samples to either side
    offset = np.arange(-reach, reach + 1)
    at = middle + _DOWN * np.arange(_UP)[:, None] - _UP * offset
    inside = (at >= 0) & (at < len(sinc))
    return np.where(inside, sinc[at.clip(0, len(sinc) - 1)], 0).astype(np.float32)
