"""DNSMOS tells speech from what is none, and says nothing of silence."""

import numpy as np
import pytest
import soxr

from lbtts.espeak import speak
from lbtts.evaluation.naturalness import opinion
from lbtts.grid import SAMPLE_RATE


@pytest.fixture(scope="module")
def speech():
    made = speak(
        "Den Zuch fiert um fënnef Auer an der Gare fort.", "lb", words_per_minute=150, pitch=50
    )
    return soxr.resample(made.samples.astype(np.float32) / 2**15, made.rate, SAMPLE_RATE)


def test_speech_is_judged_better_than_noise_and_than_itself_in_noise(speech):
    noise = np.random.default_rng(0).standard_normal(len(speech)).astype(np.float32)
    clean, noisy, nothing = (
        opinion(audio) for audio in (speech, speech + 0.05 * noise, 0.05 * noise)
    )
    assert clean["dnsmos"] > noisy["dnsmos"] + 0.3 > nothing["dnsmos"] + 0.3
    assert clean["dnsmos_p808"] > nothing["dnsmos_p808"] + 0.5


def test_what_is_too_loud_is_clipped_rather_than_refused(speech):
    assert opinion(20 * speech)["dnsmos"] < opinion(speech)["dnsmos"]


def test_silence_has_no_score():
    assert all(np.isnan(score) for score in opinion(np.zeros(SAMPLE_RATE, np.float32)).values())
