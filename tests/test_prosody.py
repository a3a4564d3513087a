import numpy as np
import pytest

from lbtts import params
from lbtts.acoustics.measuring.f0 import track
from lbtts.evaluation.prosody import duration_correlation, f0_correlation, measure
from lbtts.grid import FRAME_RATE, HOP, SAMPLE_RATE
from tests.real import marylux_clips

SECONDS = 2


def melody(semitones):
    """F0 [F] in Hz around 200, and noise of that length."""
    f0 = (200 * 2 ** (np.asarray(semitones) / 12)).astype(np.float32)
    audio = np.random.default_rng(0).normal(0, 0.1, len(f0) * HOP).astype(np.float32)
    return audio, f0


def figures(semitones, phones=20):
    return measure(*melody(semitones), phones)


@pytest.fixture
def time():
    return np.linspace(0, SECONDS, SECONDS * FRAME_RATE, endpoint=False)


def test_a_sine_of_four_semitones_spreads_by_its_middle(time):
    found = figures(4 * np.sin(2 * np.pi * time))
    assert found.spread == pytest.approx(2 * 4 * np.sin(0.4 * np.pi) / 2.563, rel=0.01)
    assert found.slope == pytest.approx(-1.9, abs=0.2)


def test_a_fall_has_its_slope_and_its_end(time):
    found = figures(-3 * time)
    assert found.slope == pytest.approx(-3, rel=0.01)
    assert found.final == pytest.approx(-3 * (SECONDS / 2 - 0.125), rel=0.05)


def test_the_pitch_of_a_voice_changes_nothing(time):
    low, high = figures(3 * np.sin(time)), figures(12 + 3 * np.sin(time))
    for name in ("spread", "final", "slope"):
        assert getattr(low, name) == pytest.approx(getattr(high, name), abs=1e-4)


def test_phones_a_second_leave_the_silence_around_them_out(time):
    audio, f0 = melody(0 * time)
    silence = np.zeros(SAMPLE_RATE, np.float32)
    padded = np.concatenate([silence, audio, silence])
    assert measure(padded, f0, 24).rate == pytest.approx(12, rel=0.02)
    assert np.isnan(measure(padded, f0, 0).rate)


def test_a_whisper_and_silence_have_no_melody(time):
    audio, f0 = melody(0 * time)
    found = measure(audio, 0 * f0, 20)
    assert np.isnan([found.spread, found.final, found.slope]).all()
    assert found.rate == pytest.approx(10)
    assert np.isnan(measure(0 * audio, 0 * f0, 20).rate)


def test_melodies_and_durations_correlate_whatever_their_size():
    f0 = np.array([200, 210, 0, 230, 200, 190], np.float32)
    assert f0_correlation(f0 / 2, f0) == pytest.approx(1)
    assert np.isnan(f0_correlation(0 * f0, f0))
    units = np.array([9, 1, 4, 2, 8, 30])
    assert duration_correlation(2 * units, units) == pytest.approx(1)
    edges = units.copy()
    edges[[0, -1]] = 1, 1
    assert duration_correlation(edges, units) == pytest.approx(1)


def test_a_real_reader_is_livelier_than_her_own_flattened_melody(shared, root):
    f0 = params.load(root / "profiles/demo.yaml").features.f0.model_copy(update={"method": "dio"})
    lively, flat = [], []
    for audio in marylux_clips(shared, root, 6).values():
        found = track(audio, f0)
        lively.append(measure(audio, found, 30).spread)
        level = np.where(found > 0, np.median(found[found > 0]), 0).astype(np.float32)
        flat.append(measure(audio, level, 30).spread)
    assert 1.5 < np.median(lively) < 4
    assert max(flat) < 0.01 < min(lively)
