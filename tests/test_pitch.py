import numpy as np
import pytest

from lbtts.acoustics.measuring.pitch import Histogram, statistics
from lbtts.params import Check

CHECK = Check(max_outside=0.1, max_jumps=0.5, suspects="keep")


def test_a_histogram_gives_the_quantiles_of_voiced_frames():
    draw = np.random.default_rng(0)
    parts = [draw.uniform(80, 300, 1_000).astype(np.float32) for _ in range(5)]
    histogram = Histogram()
    for part in parts:
        part[:400] = 0
        histogram.add(part)
    metrics = histogram.metrics()
    voiced = np.concatenate([part[400:] for part in parts])
    assert metrics["voiced_share"] == 0.6
    assert metrics["hours"] == pytest.approx(5_000 / 80 / 3600, abs=1e-4)
    assert metrics["f0_median_hz"] == pytest.approx(np.median(voiced), abs=0.2)
    assert metrics["f0_p95_hz"] == pytest.approx(np.quantile(voiced, 0.95), abs=0.2)


def test_a_histogram_without_a_voice_invents_no_pitch():
    assert Histogram().metrics() == {"hours": 0.0, "voiced_share": 0.0}


def speaker():
    """A histogram of a voice between 100 and 140 Hz."""
    histogram = Histogram()
    histogram.add(np.random.default_rng(0).uniform(100, 140, 4_000).astype(np.float32))
    return histogram


def test_the_range_lies_three_interquartile_ranges_of_octaves_around_the_quartiles():
    low, high = speaker().span()
    octaves = np.log2(130 / 110)
    assert low == pytest.approx(110 / 2 ** (3 * octaves), rel=0.02)
    assert high == pytest.approx(130 * 2 ** (3 * octaves), rel=0.02)


def test_a_monotone_voice_still_has_a_range():
    histogram = Histogram()
    histogram.add(np.full(100, 120, np.float32))
    low, high = histogram.span()
    assert low < 110 and high > 130


def test_an_utterance_as_the_speaker_talks_is_not_suspect():
    f0 = np.r_[np.zeros(20), np.linspace(100, 140, 80), np.zeros(20), np.full(40, 110)]
    found = statistics(f0.astype(np.float32), speaker().span())
    assert found.suspicion(CHECK) == ""
    assert (found.outside, found.jumps) == (0, 0)
    assert found.voiced == 0.75


def test_frames_outside_the_range_are_counted():
    f0 = np.r_[np.full(60, 120), np.zeros(5), np.full(40, 400)].astype(np.float32)
    found = statistics(f0, speaker().span())
    assert found.outside == 0.4 and found.jumps == 0  # nothing is known of what lies between
    assert "40 % of its voiced frames" in found.suspicion(CHECK)
    assert "features.check.max_outside: 0.1" in found.suspicion(CHECK)


def test_octave_jumps_between_neighbours_are_counted():
    f0 = np.r_[np.full(40, 120), np.full(3, 60), np.full(37, 120)].astype(np.float32)
    found = statistics(f0, speaker().span())
    assert found.jumps == 2  # in 80 voiced frames, one second
    assert "2.0 octave jumps" in found.suspicion(CHECK)


def test_an_utterance_without_a_voice_has_no_outliers():
    assert statistics(np.zeros(10, np.float32), (80.0, 200.0)).voiced == 0
