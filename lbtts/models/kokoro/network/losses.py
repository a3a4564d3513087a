"""The losses of StyleTTS2 without the adversarial ones, [B] float32, one value per utterance.

A step's loss is their sum over its utterances divided by their number, so it does not depend on how
the step is divided among processes and micro-batches.

Source: Li et al., StyleTTS 2, https://arxiv.org/abs/2306.07691, and the resolutions of its training
code.
"""

import warnings

import librosa
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lbtts.grid import MAX_UNITS, SAMPLE_RATE, SAMPLES_PER_UNIT, UNIT_RATE
from lbtts.models.kokoro.network.trainable import Prediction
from lbtts.models.recipe import Losses

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # fft, hop, window in samples
_MELS = 128
_LOG_FLOOR = 1e-5
_LOG_MEAN, _LOG_SCALE = -4.0, 4.0
_CLOCK_LOWEST = 1000 // UNIT_RATE  # line; below 1 kHz voices themselves keep in step for a while
_POWER_FLOOR = 1e-8  # as in auraloss; below it the magnitude counts as silence and has no gradient


def duration_l1(durations: Tensor, units: Tensor, lengths: Tensor) -> Tensor:
    """Mean absolute error in units over an utterance's tokens except BOS and EOS, [B].

    Args:
        durations: [B, T] float, predicted units.
        units: [B, T] int64, true units.
        lengths: [B] int64, tokens with BOS and EOS.
    """
    position = torch.arange(units.shape[1], device=units.device)
    inner = (position > 0) & (position < lengths[:, None] - 1)
    return ((durations - units).abs() * inner).sum(1) / inner.sum(1)


def duration_ce(logits: Tensor, units: Tensor, lengths: Tensor) -> Tensor:
    """Binary cross-entropy of each of the 50 unit bins with "it lasts longer than this", [B].

    Args:
        logits: [B, T, 50].
        units: [B, T] int64, true units.
        lengths: [B] int64, tokens with BOS and EOS, which count too.
    """
    target = (torch.arange(MAX_UNITS, device=units.device) < units[..., None]).to(logits.dtype)
    real = torch.arange(units.shape[1], device=units.device) < lengths[:, None]
    error = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(-1) * real
    return error.sum(1) / lengths


def f0_error(f0: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Smooth L1 in Hz over the voiced and over the unvoiced frames, [B] each.

    They are separate so that neither dominates: the first is about pitch, the second about voicing,
    because the decoder treats less than 10 Hz as unvoiced. A loss is 0 if an utterance has no frame
    of its kind.

    Args:
        f0: [B, F] Hz, predicted.
        target: [B, F] Hz, 0 where unvoiced.
    """
    error = F.smooth_l1_loss(f0, target, reduction="none")
    voiced = (target > 0).to(error.dtype)

    def mean(mask: Tensor) -> Tensor:
        return (error * mask).sum(1) / mask.sum(1).clamp(min=1)

    return mean(voiced), mean(1 - voiced)


def energy_error(energy: Tensor, target: Tensor) -> Tensor:
    """Smooth L1 of log norms [B, F], [B]."""
    return F.smooth_l1_loss(energy, target, reduction="none").mean(1)


def clock_share(audio: Tensor) -> Tensor:
    """How far waveforms [B, S] float32 keep in step with the network's clock, [B]; 1 is not at all.

    Kokoro makes speech in units of 25 ms, and what its layers put into every unit alike sounds as
    lines at multiples of 40 Hz: the comb that makes voices metallic, tones at 4.8 and 9.6 kHz. What
    is said has another phase in each unit. So, line by line from 1 to 12 kHz, the power of the mean
    of n units is compared with a n-th of their mean power, which is what chance leaves of it:
    recordings have 1.0, the base 1.6 to 2.8 above 4 kHz, and regression on recordings makes it 8.
    Only the mean has a gradient, so noise does not lower it.
    """
    return (_in_step(audio) + _in_step(audio[:, SAMPLES_PER_UNIT // 2 :])) / 2


def _in_step(audio: Tensor) -> Tensor:
    """`clock_share` in the middle of each unit; at its ends the window hears nothing."""
    count = audio.shape[1] // SAMPLES_PER_UNIT
    units = audio[:, : count * SAMPLES_PER_UNIT].float().unflatten(1, (count, -1))
    window = torch.hann_window(SAMPLES_PER_UNIT, device=audio.device)
    lines = torch.fft.rfft(units * window)[..., _CLOCK_LOWEST:]
    power = torch.view_as_real(lines).square().sum(-1).mean(1).detach()
    locked = torch.view_as_real(lines.mean(1)).square().sum(-1)
    return (count * locked / power.clamp(min=_POWER_FLOOR)).mean(1)


def prosodic(prediction: Prediction, units: Tensor, f0: Tensor, energy: Tensor) -> Losses:
    """The losses of durations, F0 and energy, [B] each, named as in `kokoro.losses`.

    Args:
        prediction: of the network.
        units: [B, T] int64, true units.
        f0: [B, F] Hz, 0 where unvoiced.
        energy: [B, F] log norm.
    """
    voiced, unvoiced = f0_error(prediction.f0, f0)
    return {
        "duration": duration_l1(prediction.durations, units, prediction.lengths),
        "duration_ce": duration_ce(prediction.duration_logits, units, prediction.lengths),
        "f0": voiced,
        "unvoiced": unvoiced,
        "energy": energy_error(prediction.energy, energy),
    }


class SpectralLoss(nn.Module):
    """Distances of two waveforms at three resolutions, on mels and on the full spectrum.

    auraloss has both, but averages over the batch, and its mel loss uses Slaney's scale and linear
    magnitudes. This one is StyleTTS2's, so published loss weights keep their meaning. Both
    distances share the same three spectra.
    """

    def __init__(self, floor_db: float | None = None) -> None:
        """Takes the level of white noise, dB of full scale, that both waveforms are heard in.

        Its power is added to that of either. Logarithms weigh what is too quiet to be heard as much
        as what is loud, and most of what is quiet is noise, in whose place a network that cannot
        foresee it puts steady tones. None adds none, as StyleTTS2.
        """
        super().__init__()
        self._floor = 0.0 if floor_db is None else 10 ** (floor_db / 10)
        for index, (fft, _, window) in enumerate(RESOLUTIONS):
            with warnings.catch_warnings():  # 128 mels over 257 bins leave a few low filters empty
                warnings.simplefilter("ignore", UserWarning)
                bank = librosa.filters.mel(
                    sr=SAMPLE_RATE, n_fft=fft, n_mels=_MELS, htk=True, norm=None
                )
            self.register_buffer(f"bank{index}", torch.from_numpy(bank), persistent=False)
            self.register_buffer(f"window{index}", torch.hann_window(window), persistent=False)

    def forward(self, audio: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Mel and STFT distance, [B] float32 each, of waveforms [B, S] float32.

        Mel: spectral convergence of log-mels, sum |difference| over sum |target|. STFT: spectral
        convergence of magnitudes + L1 of their natural logarithms. Both are means over resolutions.

        Source: StyleTTS2's training code; Yamamoto et al., https://arxiv.org/abs/1910.11480.
        """
        mels, stfts = [], []
        for index in range(len(RESOLUTIONS)):
            made = self._power(audio, index)
            with torch.no_grad():
                true = self._power(target, index)
            mels.append(self._mel_distance(made, true, index))
            stfts.append(_stft_distance(made, true))
        return torch.stack(mels).mean(0), torch.stack(stfts).mean(0)

    def _power(self, audio: Tensor, index: int) -> Tensor:
        """[B, fft / 2 + 1, frames]."""
        fft, hop, window = RESOLUTIONS[index]
        hann = self.get_buffer(f"window{index}")
        spectrum = torch.stft(audio.float(), fft, hop, window, hann, return_complex=True)
        noise = self._floor * hann.square().sum()
        return torch.view_as_real(spectrum).square().sum(-1) + noise

    def _mel_distance(self, made: Tensor, true: Tensor, index: int) -> Tensor:
        bank = self.get_buffer(f"bank{index}")
        mel, target = (
            ((_LOG_FLOOR + bank @ power).log() - _LOG_MEAN) / _LOG_SCALE for power in (made, true)
        )
        return (target - mel).abs().sum((1, 2)) / target.abs().sum((1, 2))


def _stft_distance(made: Tensor, true: Tensor) -> Tensor:
    magnitude, target = (power.clamp(min=_POWER_FLOOR).sqrt() for power in (made, true))
    convergence = (target - magnitude).flatten(1).norm(dim=1) / target.flatten(1).norm(dim=1)
    return convergence + (target.log() - magnitude.log()).abs().mean((1, 2))
