"""The baseline's mels, its time grid and its vocoders."""

import librosa
import numpy as np
import pytest
import torch
from transformers import FastSpeech2ConformerHifiGan, FastSpeech2ConformerHifiGanConfig

from lbtts.errors import InputError
from lbtts.models.transformer import mel as mels
from lbtts.models.transformer.vocoders import GriffinLim, HifiGan, on_grid, vocoder

pytestmark = pytest.mark.usefixtures("one_thread")


def tone(units: int) -> np.ndarray:
    """A vibrating note with overtones, [600 units] float32 at 24 kHz."""
    time = np.arange(600 * units) / 24_000
    phase = 2 * np.pi * (180 * time + 2 * np.sin(5 * time))
    return (0.2 * sum(np.sin(k * phase) / k for k in range(1, 9))).astype(np.float32)


def test_the_mel_is_the_definition_computed_in_double_precision():
    audio = tone(20)
    resampled = librosa.resample(audio.astype(float), orig_sr=24_000, target_sr=22_050)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    padded = np.pad(resampled, 512, mode="reflect")
    bank = librosa.filters.mel(
        sr=22_050, n_fft=1024, n_mels=80, fmin=80, fmax=7600, dtype=np.float64
    )
    found = mels.log_mel(audio)
    assert found.shape == (mels.frames([20])[0], 80)
    for frame in (5, 20, 40):
        spectrum = np.fft.rfft(padded[256 * frame : 256 * frame + 1024] * window)
        expected = np.log10(np.maximum(bank @ np.abs(spectrum), 1e-5))
        assert np.abs(found[frame] - expected).max() < 0.02  # two resamplers


def test_there_are_always_enough_frames_for_the_units():
    for units in range(1, 130):
        audio = np.zeros(600 * units, np.float32)
        assert len(mels.log_mel(audio)) == mels.frames([units]).sum()


def test_griffin_lim_gives_back_the_mel_and_the_length():
    mel = mels.log_mel(tone(40))
    audio = GriffinLim().audio(mel)
    assert audio.dtype == np.float32 and len(audio) == 256 * len(mel)
    again = mels.log_mel(on_grid(audio, 600 * 40))
    loud = mel > -2
    assert np.abs(again - mel)[loud].mean() < 0.15
    assert np.array_equal(audio, GriffinLim().audio(mel))


@pytest.fixture
def random_hifigan(tmp_path):
    """A HiFi-GAN of the right shape that nobody has trained: its weights cannot be had offline."""
    torch.manual_seed(0)
    small = FastSpeech2ConformerHifiGanConfig(upsample_initial_channel=32)
    FastSpeech2ConformerHifiGan(small).save_pretrained(tmp_path / "hifigan")
    return str(tmp_path / "hifigan")


def test_hifigan_takes_the_same_mels(random_hifigan):
    mel = mels.log_mel(tone(10))
    audio = vocoder("hifigan", random_hifigan).audio(mel)
    assert audio.dtype == np.float32 and audio.shape == (256 * len(mel),)
    assert np.abs(audio).max() <= 1


def test_a_vocoder_for_other_mels_is_refused(tmp_path):
    other = FastSpeech2ConformerHifiGanConfig(upsample_initial_channel=32, model_in_dim=100)
    FastSpeech2ConformerHifiGan(other).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="is for hop 256 and 100 mels, not 256 and 80"):
        HifiGan(str(tmp_path))


def test_a_vocoder_that_is_not_there_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"transformer.hifigan: .*none: no such folder"):
        HifiGan(str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"transformer.hifigan: .* cannot be loaded") as raised:
        HifiGan(str(tmp_path))
    assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match="names no weights"):
        vocoder("hifigan", None)
