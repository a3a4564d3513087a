import numpy as np
import pytest

from lbtts.acoustics import f0
from lbtts.errors import Reject
from lbtts.grid import HOP, SAMPLE_RATE
from lbtts.params import F0

METHODS = ["harvest", "dio"]


def choice(method):
    return F0(method=method, floor=60, ceiling=500)


def pulse_train(hertz):
    """Pulses through a vowel-like resonance, at a pitch given for every sample."""
    phase = np.cumsum(hertz / SAMPLE_RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    t = np.arange(480) / SAMPLE_RATE
    vowel = np.exp(-t * 600) * (np.sin(2 * np.pi * 700 * t) + 0.5 * np.sin(2 * np.pi * 1200 * t))
    return 0.3 * np.convolve(pulses, vowel)[: len(hertz)].astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("mean", [90.0, 130.0, 220.0, 350.0])
def test_a_pulse_train_is_tracked_within_one_per_cent(method, mean):
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    hertz = mean * 2 ** (0.2 * np.sin(2 * np.pi * 1.5 * t))
    tracked = f0.track(pulse_train(hertz), choice(method))
    inner = slice(8, -8)
    true = hertz[::HOP][inner]
    error = np.abs(tracked[inner] / true - 1)
    assert np.mean(tracked[inner] > 0) == 1
    assert np.mean(error > 0.2) == 0  # gross errors
    assert np.median(error) < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_noise_between_voiced_stretches_is_unvoiced(method):
    draw = np.random.default_rng(0)
    voiced = pulse_train(np.full(SAMPLE_RATE, 140.0))
    noise = (0.003 * draw.standard_normal(SAMPLE_RATE)).astype(np.float32)
    tracked = f0.track(np.concatenate([voiced, noise, voiced]), choice(method)) > 0
    truth = np.repeat([True, False, True], SAMPLE_RATE // HOP)
    edges = np.isin(np.arange(len(truth)) % 80, [*range(4), *range(76, 80)])
    assert np.mean(tracked[~edges] != truth[~edges]) <= 0.03


def test_frames_are_two_a_unit_and_float32():
    tracked = f0.track(pulse_train(np.full(7 * 600, 150.0)), choice("harvest"))
    assert tracked.shape == (14,)
    assert tracked.dtype == np.float32


def test_audio_without_a_voice_is_rejected_and_not_invented():
    noise = (1e-4 * np.random.default_rng(0).standard_normal(24_000)).astype(np.float32)
    noise[:] = 0
    with pytest.raises(Reject, match="no voiced frame"):
        f0.track(noise, choice("harvest"))
