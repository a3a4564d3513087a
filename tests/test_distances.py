import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbtts.evaluation import distances

SECOND = 24_000


def vowel(f0: float, seconds: float = 0.6, formant: float = 700) -> np.ndarray:
    """A harmonic tone whose spectrum peaks at `formant` Hz, peak 0.5."""
    time = np.arange(int(seconds * SECOND)) / SECOND
    harmonics = np.arange(1, int(10_000 / f0))
    weights = 1 / (1 + ((harmonics * f0 - formant) / 300) ** 2)
    tone = (weights[:, None] * np.sin(2 * np.pi * f0 * harmonics[:, None] * time)).sum(0)
    return (0.5 * tone / np.abs(tone).max()).astype(np.float32)


def noisy(audio: np.ndarray, level: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, level, len(audio))
    return (audio + noise).astype(np.float32)


@pytest.mark.parametrize("warp", [False, True])
def test_cepstral_distance_is_zero_for_the_same_sound_at_any_level(warp):
    audio = noisy(vowel(120), 0.01)
    assert distances.mel_cepstral_distance(0.25 * audio, audio, warp=warp) == pytest.approx(
        0, abs=1e-4
    )


def test_cepstral_distance_grows_with_noise():
    audio = noisy(vowel(120), 0.001)
    found = [
        distances.mel_cepstral_distance(noisy(audio, level), audio, warp=False)
        for level in (0.003, 0.01, 0.03)
    ]
    assert 0 < found[0] < found[1] < found[2]


def test_warped_cepstral_distance_forgives_timing_but_not_timbre():
    def word(first: float, second: float) -> np.ndarray:
        return noisy(np.concatenate([vowel(120, first), vowel(120, second, 2200)]), 0.001)

    slow_fast, fast_slow = word(0.6, 0.3), word(0.3, 0.6)
    in_place = distances.mel_cepstral_distance(slow_fast, fast_slow, warp=False)
    warped = distances.mel_cepstral_distance(slow_fast, fast_slow, warp=True)
    other = distances.mel_cepstral_distance(
        noisy(vowel(120, 0.9, 1400), 0.001), fast_slow, warp=True
    )
    assert warped < 0.3 * in_place
    assert other > 2 * warped


@pytest.mark.parametrize("silent", [np.zeros(SECOND, np.float32), np.ones(10, np.float32)])
def test_cepstral_distance_of_silence_or_a_click_is_undefined(silent):
    assert np.isnan(distances.mel_cepstral_distance(silent, vowel(120), warp=True))
    assert np.isnan(distances.mel_cepstral_distance(vowel(120), silent, warp=False))


@given(
    reference=st.lists(st.floats(60, 500), min_size=1, max_size=50),
    semitones=st.floats(-12, 12),
)
def test_f0_error_in_cents_is_a_hundred_a_semitone_at_any_pitch(reference, semitones):
    reference = np.array(reference)
    shifted = reference * 2 ** (semitones / 12)
    found = distances.f0_differences(shifted, reference)
    squared = found["f0_squared_cents"] / found["f0_frames"]
    assert np.sqrt(squared) == pytest.approx(100 * abs(semitones), abs=1e-6)


def test_f0_errors_look_only_at_frames_voiced_on_both_sides():
    f0 = np.array([100.0, 0, 200, 300, 0])
    reference = np.array([103.0, 150, 0, 304, 0])
    found = distances.f0_differences(f0, reference)
    assert found["f0_squared_hz"] == 9 + 16 and found["f0_frames"] == 2
    assert found["voicing_wrong"] == 2 and found["frames"] == 5


def test_octave_errors_are_counted_apart_from_how_closely_the_rest_follows():
    reference = np.full(5, 200.0)
    f0 = reference * np.array([2.0, 0.5, 2 ** (1 / 12), 2 ** (-1 / 12), 2 ** (5.9 / 12)])
    found = distances.f0_differences(f0, reference)
    assert found["f0_gross"] == 2 and found["f0_fine_frames"] == 3
    assert found["f0_fine_squared_cents"] == pytest.approx(100**2 + 100**2 + 590**2)
    assert found["f0_squared_cents"] == pytest.approx(2 * 1200**2 + 100**2 + 100**2 + 590**2)


def test_there_is_no_f0_error_where_nothing_is_voiced_on_both_sides():
    found = distances.f0_differences(np.array([100.0, 0]), np.array([0, 100.0]))
    assert found["f0_frames"] == found["f0_squared_hz"] == found["f0_squared_cents"] == 0
    assert found["voicing_wrong"] == found["frames"] == 2


def test_duration_error_leaves_out_the_silence_at_the_edges():
    assert distances.duration_error(np.array([50, 3, 5, 1]), np.array([1, 4, 2, 50])) == 2


def test_log_mel_l1_is_the_mean_shift():
    mel = np.random.default_rng(0).normal(size=(7, 80)).astype(np.float32)
    assert distances.log_mel_l1(mel + np.float32(0.5), mel) == pytest.approx(0.5, rel=1e-5)


def test_spectral_distance_matches_its_formula():
    audio, reference = noisy(vowel(130), 0.02), noisy(vowel(120), 0.01)
    expected = []
    for size, hop, width in ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240)):
        window = np.zeros(size)
        start = (size - width) // 2
        window[start : start + width] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)

        def magnitudes(x, size=size, hop=hop, window=window):
            padded = np.pad(x.astype(np.float64), size // 2, mode="reflect")
            frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
            return np.sqrt(np.maximum(np.abs(np.fft.rfft(frames * window)) ** 2, 1e-8))

        x, y = magnitudes(audio), magnitudes(reference)
        expected.append(np.linalg.norm(y - x) / np.linalg.norm(y) + np.abs(np.log(x / y)).mean())
    assert distances.spectral_distance(audio, reference) == pytest.approx(
        np.mean(expected), rel=1e-3
    )
