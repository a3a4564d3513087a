import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import miniature
from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.mel import log_mel
from lbtts.acoustics.store.features import Utterance
from lbtts.evaluation import distances
from lbtts.evaluation.copy_synthesis import copy_synthesis
from lbtts.evaluation.measures import METRICS, differences, estimates, measure, values
from lbtts.evaluation.renditions import Rendition, render, render_copy
from lbtts.models.kokoro.speech import KokoroSynthesiser
from lbtts.models.kokoro.voices.table import VoiceTable
from lbtts.models.kokoro.weights.facts import LEAD
from lbtts.params import F0

PITCH = F0(method="harvest", floor=60, ceiling=500, silence_db=30)
UNITS = np.array([6, 8, 10, 8, 6])  # 0.95 s
TOKENS = np.array([0, 50, 51, 52, 0])


@pytest.fixture(scope="module")
def utterance():
    """A gliding vowel between two silences."""
    samples = 600 * UNITS.sum()
    f0 = np.linspace(110, 160, samples)
    phase = 2 * np.pi * np.cumsum(f0) / 24_000
    harmonics = np.arange(1, 40)[:, None]
    tone = (np.sin(harmonics * phase) / (1 + (harmonics / 5) ** 2)).sum(0)
    audio = np.random.default_rng(0).normal(0, 1e-3, samples)
    edge = 600 * UNITS[0]
    audio[edge:-edge] += 0.2 * tone[edge:-edge]
    audio = audio.astype(np.float32)
    f0 = track(audio, PITCH)
    return Utterance(
        id="a",
        tokens=TOKENS,
        units=UNITS,
        mel=log_mel(audio),
        f0=f0,
        energy=np.zeros(len(f0), np.float32),
        audio=audio,
    )


@pytest.fixture(scope="module")
def synthesiser():
    table = 0.3 * torch.randn(510, 1, 256, generator=torch.Generator().manual_seed(0))
    return KokoroSynthesiser(miniature.random(), VoiceTable(table).table())


def test_copy_synthesis_keeps_length_pitch_and_most_of_the_spectrum(utterance):
    audio = copy_synthesis(utterance.audio, utterance.f0, PITCH.floor)
    assert audio.shape == utterance.audio.shape and audio.dtype == np.float32
    f0 = track(audio, PITCH)
    both = (f0 > 0) & (utterance.f0 > 0)
    assert both.sum() > 0.8 * (utterance.f0 > 0).sum()
    assert np.median(np.abs(f0[both] / utterance.f0[both] - 1)) < 0.005
    noise = np.random.default_rng(0).normal(0, 0.1, len(audio)).astype(np.float32)
    close = distances.mel_cepstral_distance(audio, utterance.audio, warp=False)
    far = distances.mel_cepstral_distance(noise, utterance.audio, warp=False)
    assert close < far / 2


def test_copy_synthesis_is_repeatable(utterance):
    first, second = (copy_synthesis(utterance.audio, utterance.f0, PITCH.floor) for _ in range(2))
    assert np.array_equal(first, second)


def test_speech_in_its_own_time_is_the_same_whether_given_or_predicted(synthesiser):
    audio, units = synthesiser.speak(TOKENS)
    assert len(audio) == 600 * units.sum()
    heard = units.copy()  # it sounds earlier than its durations say
    heard[[0, -1]] += [-LEAD, LEAD]
    assert np.abs(synthesiser.speak_in_time(TOKENS, heard) - audio).max() < 1e-5


def test_speech_is_repeatable_and_leaves_the_random_state_alone(synthesiser):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = (synthesiser.speak(TOKENS)[0] for _ in range(2))
    assert np.array_equal(first, second)
    assert torch.equal(torch.rand(1), expected)


def test_speech_in_given_time_has_that_length(synthesiser):
    assert len(synthesiser.speak_in_time(TOKENS, UNITS)) == 600 * UNITS.sum()


def summarised(*measures):
    return values(estimates(pd.DataFrame(list(measures))))


def test_rendition_identical_to_the_recording_has_no_error(utterance):
    audio = utterance.audio
    perfect = Rendition(audio, audio, utterance.units, 0.5)
    found = summarised(*[measure(perfect, utterance, PITCH)] * 2)
    assert found.pop("length_ratio") == 1
    assert found.pop("f0_correlation") == pytest.approx(1, abs=1e-3)
    assert found.pop("duration_correlation") == pytest.approx(1)
    assert {"mcd", "stft", "f0_rmse_cents", "voicing_error", "duration_error"} <= found.keys()
    assert found.keys() <= METRICS.keys()
    assert all(value == pytest.approx(0, abs=1e-2) for value in found.values())


def test_copy_has_no_duration_metrics_and_beats_an_untrained_network(utterance, synthesiser):
    def measured(rendition):
        return summarised(measure(rendition, utterance, PITCH))

    ceiling = measured(render_copy(utterance, PITCH))
    floor = measured(render(synthesiser, utterance))
    assert "duration_error" not in ceiling and "duration_error" in floor
    for name in ("mcd", "mcd_free", "log_mel_l1", "stft", "voicing_error"):
        assert ceiling[name] < floor[name]


def test_undefined_metrics_are_left_out_rather_than_invented(utterance):
    silence = np.zeros_like(utterance.audio)
    rendition = Rendition(silence, silence, utterance.units, 0.1)
    figures = summarised(measure(rendition, utterance, PITCH))
    assert not {"mcd", "mcd_free", "f0_rmse_hz", "f0_rmse_cents"} & figures.keys()
    assert figures["voicing_error"] > 0.5
    assert all(np.isfinite(value) for value in figures.values())


def test_intervals_are_those_of_the_metric_and_rms_errors_pool_all_frames():
    rows = pd.DataFrame(
        {
            "mcd": [4.0, 5.0, 6.0, 5.0],
            "f0_squared_cents": [100.0, 900.0, 100.0, 100.0],
            "f0_frames": [1.0, 1.0, 1.0, 1.0],
        }
    )
    found = estimates(rows)
    assert found["mcd"].value == 5 and 4 <= found["mcd"].low < 5 < found["mcd"].high <= 6
    assert found["f0_rmse_cents"].value == pytest.approx(300**0.5)
    assert 10 <= found["f0_rmse_cents"].low < found["f0_rmse_cents"].high <= 30


def test_differences_pair_utterances_and_tell_chance_from_more():
    draw = np.random.default_rng(0)
    ids = [f"u{k}" for k in range(20)]
    base = pd.DataFrame({"mcd": draw.normal(6, 1, 20)}, index=ids)
    better = base - 0.3 + draw.normal(0, 0.1, (20, 1))
    assert differences(better, base)["mcd"].more_than_chance
    assert differences(better, base)["mcd"].estimate.value == pytest.approx(-0.3, abs=0.1)
    same = base + draw.normal(0, 0.1, (20, 1))
    assert not differences(same[::-1], base)["mcd"].more_than_chance
