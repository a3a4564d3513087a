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
def test_a_clip_is_tracked_the_same_whatever_was_tracked_before(method):
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
def test_audio_without_a_voice_is_rejected_and_not_invented(method, level):
    noise = (level * np.random.default_rng(0).standard_normal(24_000)).astype(np.float32)
    with pytest.raises(Reject, match=r"no voiced frame between 60 and 500 Hz"):
        f0.track(noise, choice(method))


def test_a_histogram_gives_the_quantiles_of_voiced_frames():
    draw = np.random.default_rng(0)
    parts = [draw.uniform(80, 300, 1_000).astype(np.float32) for _ in range(5)]
    histogram = f0.Histogram()
    for part in parts:
        part[:400] = 0
        histogram.add(part)
    figures = histogram.figures()
    voiced = np.concatenate([part[400:] for part in parts])
    assert figures["voiced_share"] == 0.6
    assert figures["hours"] == pytest.approx(5_000 / 80 / 3600, abs=1e-4)
    assert figures["f0_median_hz"] == pytest.approx(np.median(voiced), abs=0.2)
    assert figures["f0_p95_hz"] == pytest.approx(np.quantile(voiced, 0.95), abs=0.2)


def test_a_histogram_without_a_voice_invents_no_pitch():
    assert f0.Histogram().figures() == {"hours": 0.0, "voiced_share": 0.0}
