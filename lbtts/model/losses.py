"""The losses of StyleTTS2 short of its adversarial ones.

Source: Li et al., StyleTTS 2, https://arxiv.org/abs/2306.07691, and the resolutions of its training
code.
"""

import warnings

import librosa
import torch
import torch.nn.functional as F
from auraloss.freq import MultiResolutionSTFTLoss
from torch import Tensor, nn

from lbtts.grid import MAX_UNITS, SAMPLE_RATE

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # fft, hop, window in samples
_MELS = 128
_LOG_FLOOR = 1e-5
_LOG_MEAN, _LOG_SCALE = -4.0, 4.0


def duration_l1(durations: Tensor, units: Tensor, lengths: Tensor) -> Tensor:
    """Mean absolute error in units over all tokens but BOS and EOS, averaged over utterances.

    Args:
        durations: [B, T] float, predicted units.
        units: [B, T] int64, true units.
        lengths: [B] int64, tokens with BOS and EOS.
    """
    position = torch.arange(units.shape[1], device=units.device)
    inner = (position > 0) & (position < lengths[:, None] - 1)
    error = (durations - units).abs() * inner
    return (error.sum(1) / inner.sum(1)).mean()


def duration_ce(logits: Tensor, units: Tensor, lengths: Tensor) -> Tensor:
    """Binary cross-entropy of each of the 50 unit bins with "the token lasts longer than this".

    Args:
        logits: [B, T, 50].
        units: [B, T] int64, true units.
        lengths: [B] int64, tokens with BOS and EOS; all of them count.
    """
    target = (torch.arange(MAX_UNITS, device=units.device) < units[..., None]).to(logits.dtype)
    real = torch.arange(units.shape[1], device=units.device) < lengths[:, None]
    error = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(-1) * real
    return (error.sum(1) / lengths).mean()


class MelLoss(nn.Module):
    """Spectral convergence of log-mels at three resolutions: sum |difference| over sum |target|.

    auraloss has a mel loss of its own, on Slaney's scale and linear magnitudes; this one is the
    ancestor's, so that published weights keep their meaning.
    """

    def __init__(self) -> None:
        super().__init__()
        for index, (fft, _, window) in enumerate(RESOLUTIONS):
            with warnings.catch_warnings():  # 128 mels over 257 bins leave a few low filters empty
                warnings.simplefilter("ignore", UserWarning)
                bank = librosa.filters.mel(
                    sr=SAMPLE_RATE, n_fft=fft, n_mels=_MELS, htk=True, norm=None
                )
            self.register_buffer(f"bank{index}", torch.from_numpy(bank), persistent=False)
            self.register_buffer(f"window{index}", torch.hann_window(window), persistent=False)

    def forward(self, audio: Tensor, target: Tensor) -> Tensor:
        """The loss between waveforms [B, S] float32."""
        losses = []
        for index in range(len(RESOLUTIONS)):
            mel, true = self._log_mel(audio, index), self._log_mel(target, index)
            losses.append((true - mel).abs().sum() / true.abs().sum())
        return torch.stack(losses).mean()

    def _log_mel(self, audio: Tensor, index: int) -> Tensor:
        fft, hop, window = RESOLUTIONS[index]
        hann = self.get_buffer(f"window{index}")
        spectrum = torch.stft(audio, fft, hop, window, hann, return_complex=True).abs().square()
        mel = self.get_buffer(f"bank{index}") @ spectrum
        return ((_LOG_FLOOR + mel).log() - _LOG_MEAN) / _LOG_SCALE


class StftLoss(nn.Module):
    """Spectral convergence of magnitudes plus L1 between their logs, mean of three resolutions.

    Where the mel loss hears bands, this one hears every bin, fine harmonics too. auraloss holds
    magnitudes above 1e-4, about the rounding noise of 16-bit audio, so that digital silence has
    neither a log of zero nor an endless gradient.

    Source: Yamamoto et al., Parallel WaveGAN, arXiv:1910.11480, equations 4 to 6.
    """

    def __init__(self) -> None:
        super().__init__()
        ffts, hops, windows = (list(sizes) for sizes in zip(*RESOLUTIONS, strict=True))
        self.loss = MultiResolutionSTFTLoss(ffts, hops, windows)

    def forward(self, audio: Tensor, target: Tensor) -> Tensor:
        """The loss between waveforms [B, S] float32; its scale is the target's."""
        return self.loss(audio[:, None], target[:, None])
