import numpy as np
import pytest
import pyworld

from lbtts.acoustics.measuring import f0
from lbtts.grid import HOP, SAMPLE_RATE
from tests.corpora import HARVEST

METHODS = ["harvest", "dio"]


def choice(method):
    return HARVEST.model_copy(update={"method": method})


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
    assert np.mean(error > 0.2) <= 0.01  # gross errors
    assert np.median(error) < 0.01


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [3e-4, 3e-3, 3e-2])
def test_noise_between_voiced_stretches_is_unvoiced(method, level):
    draw = np.random.default_rng(0)
    wrong = []
    for hertz in (100.0, 220.0):
        voiced = pulse_train(np.full(SAMPLE_RATE, hertz))
        noise = (level * draw.standard_normal(SAMPLE_RATE)).astype(np.float32)
        tracked = f0.track(np.concatenate([noise, voiced, noise, voiced]), choice(method)) > 0
        wrong.append(tracked != np.repeat([False, True, False, True], SAMPLE_RATE // HOP))
    assert np.mean(wrong) <= 0.03  # edges included; Harvest without D4C's Love Train has 4 to 9 %


@pytest.mark.parametrize("method", METHODS)
def test_an_utterance_is_tracked_the_same_whatever_was_tracked_before(method):
    audio = pulse_train(np.full(12_000, 150.0))
    audio[:3_000] = 0
    first = f0.track(audio, choice(method))
    f0.track(pulse_train(np.full(9_000, 210.0)), choice(method))
    np.testing.assert_array_equal(f0.track(audio, choice(method)), first)


def test_frames_are_two_a_unit_and_float32():
    tracked = f0.track(pulse_train(np.full(7 * 600, 150.0)), choice("harvest"))
    assert tracked.shape == (14,)
    assert tracked.dtype == np.float32


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.0, 1e-2])
def test_where_there_is_no_voice_none_is_invented(method, level):
    noise = (level * np.random.default_rng(0).standard_normal(24_000)).astype(np.float32)
    assert not f0.track(noise, choice(method)).any()


@pytest.mark.parametrize("method", METHODS)
def test_hum_far_below_the_voice_is_unvoiced(method):
    hum = 0.002 * pulse_train(np.full(2 * SAMPLE_RATE, 100.0))
    hum[:SAMPLE_RATE] += pulse_train(np.full(SAMPLE_RATE, 150.0))
    voiced = f0.track(hum, choice(method)) > 0
    assert voiced[2:78].all() and not voiced[82:].any()


def test_love_train_decides_as_in_world():
    draw = np.random.default_rng(0)
    hertz = 120 * 2 ** (0.4 * np.sin(np.arange(2 * SAMPLE_RATE) / 9_000))
    samples = pulse_train(hertz).astype(np.float64)
    samples += np.repeat(10 ** draw.uniform(-3, 0.5, 20), 2_400) * draw.standard_normal(48_000)
    pitch = hertz[::HOP].copy()
    times = np.arange(len(pitch)) * HOP / SAMPLE_RATE
    noise = pyworld.d4c(samples, pitch, times, SAMPLE_RATE, threshold=0.85)
    voiced = f0.low_share(samples, np.arange(len(pitch)), pitch) > 0.85
    assert 0.2 < voiced.mean() < 0.8
    np.testing.assert_array_equal(voiced, noise[:, 0] < 0.5)
