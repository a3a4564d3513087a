"""Each measure hears its own fault in real speech, and clean speech stays within the usual."""

import numpy as np
import pytest

from benchmarks import planted_faults
from lbtts import params
from lbtts.acoustics.measuring.f0 import track
from lbtts.evaluation import signal_measures
from lbtts.evaluation.artefacts import MEASURES, Measure, Usual, measure
from lbtts.grid import HOP, SAMPLE_RATE
from tests.real import marylux_clips

COUNT, HELD_OUT = 30, 6
PHONES = 10  # a second, as if each clip had so many


@pytest.fixture(scope="module")
def melody(root):
    choice = params.load(root / "profiles/demo.yaml").features.f0

    def found(audio):
        whole = audio[: len(audio) // HOP * HOP].astype(np.float32)
        return track(whole, choice.model_copy(update={"method": "dio"}))

    return found


@pytest.fixture(scope="module")
def recordings(shared, root):
    return marylux_clips(shared, root, COUNT)


@pytest.fixture(scope="module")
def phones(recordings):
    return {name: round(PHONES * len(audio) / SAMPLE_RATE) for name, audio in recordings.items()}


@pytest.fixture(scope="module")
def usual(recordings, phones, melody):
    names = list(recordings)[HELD_OUT:]
    return Usual([measure(recordings[n], melody(recordings[n]), phones[n]) for n in names])


def tone(audio, _):
    time = np.arange(len(audio)) / SAMPLE_RATE
    return audio + planted_faults.at_level(np.sin(2 * np.pi * 4800 * time), audio, -40)


def buzz(audio, _):
    """A pulse every 25 ms, as of a decoder that begins anew with each unit."""
    pulses = np.zeros(len(audio))
    pulses[::600] = 1
    return audio + planted_faults.at_level(pulses, audio, -30)


FAULTS = {name: case for name, case in planted_faults.SIGNAL.items() if case[0] != "end"} | {
    "noise to the last sample": (
        "end",
        lambda audio, draw: planted_faults.end_noise(audio, draw),
    ),
    "tone": ("tones", tone),
    "buzz in every unit": ("clock", buzz),
    "buzz": ("comb_25", buzz),
    "late echo": ("comb_25", lambda audio, draw: planted_faults.comb(audio, draw, delay=600)),
    "hum of 60 Hz": (
        "hum",
        lambda audio, draw: (
            audio
            + planted_faults.at_level(
                np.sin(2 * np.pi * 60 * np.arange(len(audio)) / SAMPLE_RATE), audio, -25
            )
        ),
    ),
    "offset": ("offset", lambda audio, draw: audio + 0.01),
    "half as loud": ("level", lambda audio, draw: audio / 2),
    "dull": (
        "high",
        lambda audio, draw: np.convolve(np.convolve(audio, np.ones(5) / 5), np.ones(4) / 4),
    ),
    "once at 16 kHz": (
        "bandwidth",
        lambda audio, draw: planted_faults.soxr.resample(
            planted_faults.soxr.resample(audio, SAMPLE_RATE, 16000), 16000, SAMPLE_RATE
        ),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_farther_from_the_usual_than_without_it(
    fault, recordings, phones, melody, usual
):
    name, change = FAULTS[fault]
    draw = np.random.default_rng(0)
    with_it, without = [], []
    for clip in list(recordings)[:HELD_OUT]:
        audio = recordings[clip]
        bad = change(audio.astype(np.float64), draw).astype(np.float32)
        with_it.append(usual.distance(measure(bad, melody(bad), phones[clip]))[name])
        without.append(usual.distance(measure(audio, melody(audio), phones[clip]))[name])
    print(fault, name, np.round(with_it, 1), np.round(without, 1))
    assert np.median(with_it) > 4
    assert np.mean(np.greater(with_it, max(without))) >= 5 / 6


def test_recordings_are_usual(recordings, phones, melody, usual):
    for clip in list(recordings)[:HELD_OUT]:
        audio = recordings[clip]
        distances = usual.distance(measure(audio, melody(audio), phones[clip]))
        assert max(distances.values()) < 5, clip


def test_a_mean_that_cannot_be_heard_does_not_count(recordings):
    audio = next(iter(recordings.values()))
    centred = audio - audio.mean(dtype=np.float64)
    tenth, thousandth = (centred + part * np.std(audio) for part in (1e-1, 1e-3))
    assert measure(thousandth)["offset"] == measure(centred)["offset"] == -50
    assert measure(tenth)["offset"] == pytest.approx(-20, abs=0.1)


def test_the_level_of_a_file_changes_no_measure_but_the_level(recordings):
    audio = next(iter(recordings.values()))
    loud, soft = measure(audio), measure(audio / 8)
    for name in MEASURES:
        if name not in ("level", "spread", "rate"):
            assert loud[name] == pytest.approx(soft[name], abs=0.1), name
    assert loud["level"] - soft["level"] == pytest.approx(18.06, abs=0.01)


def test_what_comes_after_the_last_word_is_judged_from_its_end_on(recordings):
    audio = next(iter(recordings.values()))
    end = len(audio) / SAMPLE_RATE
    quiet = np.concatenate([audio, np.zeros(SAMPLE_RATE, np.float32)])
    noisy = np.concatenate([audio, np.full(SAMPLE_RATE // 2, 0.01, np.float32), quiet[-9600:]])
    assert signal_measures.ending(quiet, end) == -80
    assert signal_measures.ending(noisy, None) == -80  # the noise is over by then
    assert signal_measures.ending(noisy, end) > -40


def test_silence_has_no_measures_and_a_tenth_of_a_second_has_some():
    assert all(np.isnan(list(measure(np.zeros(SAMPLE_RATE, np.float32)).values())))
    short = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE // 10).astype(np.float32)
    found = measure(short)
    assert np.isnan(found.pop("spread")) and np.isnan(found.pop("rate"))
    assert all(np.isfinite(list(found.values())))


def test_what_is_usual_is_not_moved_by_a_tenth_of_bad_clips():
    rng = np.random.default_rng(0)
    kinds = {"x": Measure("", "high", 0.1)}
    good = [{"x": value} for value in rng.normal(5, 1, 90)]
    clean, mixed = Usual(good, kinds), Usual([*good, *[{"x": 50.0}] * 10], kinds)
    assert clean.distance({"x": 9.0})["x"] == pytest.approx(4, rel=0.2)
    assert mixed.distance({"x": 9.0})["x"] == pytest.approx(4, rel=0.3)


def test_worse_is_above_whatever_side_it_lies_on():
    kinds = {side: Measure("", side, 1.0) for side in ("high", "low", "either")}
    usual = Usual([dict.fromkeys(kinds, x) for x in (-1.0, 0.0, 1.0)], kinds)
    above = usual.distance(dict.fromkeys(kinds, 3.0))
    assert above["high"] > 0 > above["low"]
    assert above["either"] == above["high"]


def test_recordings_that_are_all_alike_do_not_make_every_other_clip_a_fault():
    usual = Usual([{"x": 1.0}] * 20, {"x": Measure("", "high", 0.5)})
    assert usual.distance({"x": 1.5}) == {"x": 1.0}
