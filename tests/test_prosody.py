import numpy as np
import pytest

from lbtts import params
from lbtts.acoustics.measuring.f0 import track
from lbtts.evaluation import prosody
from lbtts.evaluation.prompt import Prompt
from lbtts.evaluation.prosody import duration_correlation, f0_correlation, following, measure
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


def test_a_fall_has_its_slope_its_end_and_its_beginning(time):
    found = figures(-3 * time)
    assert found.slope == pytest.approx(-3, rel=0.01)
    assert found.final == pytest.approx(-3 * (SECONDS / 2 - 0.125), rel=0.05)
    assert found.initial == pytest.approx(3 * SECONDS / 2, rel=0.05)


def test_the_pitch_of_a_voice_changes_nothing(time):
    low, high = figures(3 * np.sin(time)), figures(12 + 3 * np.sin(time))
    for name in ("spread", "final", "initial", "slope"):
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
    assert np.isnan([found.spread, found.final, found.initial, found.slope]).all()
    assert found.rate == pytest.approx(10)
    assert np.isnan(measure(0 * audio, 0 * f0, 20).rate)


def asked_and_said(rise):
    rng = np.random.default_rng(0)
    time = np.linspace(0, 1, FRAME_RATE)
    prompts = [Prompt(str(k), "Gees du?" if k % 3 == 0 else "Ech ginn.") for k in range(24)]
    readings = [
        figures(-2 * time + (rise * (time > 0.7) if p.text.endswith("?") else 0) + rng.normal())
        for p in prompts
    ]
    return prompts, readings


def test_a_voice_that_lifts_its_questions_is_told_from_one_that_does_not():
    lifted = prosody.question_rise(*asked_and_said(5))
    assert lifted.low > 3
    level = prosody.question_rise(*asked_and_said(0))
    assert level.low <= 0.01
    assert level.high < lifted.low


def test_texts_without_a_question_say_nothing_of_them():
    prompts, readings = asked_and_said(5)
    statements = [k for k, p in enumerate(prompts) if not p.text.endswith("?")]
    found = prosody.question_rise(
        [prompts[k] for k in statements], [readings[k] for k in statements]
    )
    assert np.isnan(found.value)


def test_long_sentences_that_fall_more_slowly_are_seen():
    prompts, readings = [], []
    for k in range(20):
        seconds = 1 + 3 * (k % 2)
        time = np.linspace(0, seconds, seconds * FRAME_RATE)
        prompts.append(Prompt(str(k), "", ("a",) * (10 * seconds)))
        readings.append(figures(-4 * time / seconds + 0.01 * k * time))
    assert prosody.length_effect(prompts, readings)["slope"].low > 2


def test_a_voice_that_follows_the_speaker_correlates_and_one_of_its_own_does_not(time):
    rng = np.random.default_rng(1)
    sizes = rng.uniform(1, 6, 30)
    recordings = [figures(s * np.sin(3 * time)) for s in sizes]
    follows = [figures(0.5 * s * np.sin(3 * time)) for s in sizes]
    own = [figures(s * np.sin(3 * time)) for s in rng.permutation(sizes)]
    assert following(follows, recordings, "spread") > 0.99
    assert abs(following(own, recordings, "spread")) < 0.5
    assert np.isnan(following(follows[:2], recordings[:2], "spread"))


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
