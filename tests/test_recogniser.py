from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.recogniser import Recogniser, bigram, error_rate, labels
from lbtts.grid import SAMPLE_RATE
from lbtts.params import Kaldi
from tests.tones import CHORDS, corpus

CHOICE = Kaldi(gaussians=30, iterations=10, beam=100, training_utterances=100)
HELD_OUT = 8


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    plans, audio, _ = corpus(tmp_path_factory.mktemp("tones"), 40)
    return plans, audio


@pytest.fixture(scope="module")
def recogniser(spoken):
    plans, audio = spoken
    return Recogniser(plans[HELD_OUT:], audio, CHOICE)


def test_phones_are_recognised_in_sentences_never_heard_before(recogniser, spoken):
    plans, audio = spoken
    heard = [recogniser.hear(Path(audio[plan.id])) for plan in plans[:HELD_OUT]]
    assert error_rate(heard, [labels(plan) for plan in plans[:HELD_OUT]]) < 10


@pytest.mark.parametrize("level", [0, 0.1], ids=["silence", "noise"])
def test_what_is_no_speech_is_not_taken_for_the_sentence(recogniser, spoken, tmp_path, level):
    path = tmp_path / "nothing.wav"
    samples = level * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE)
    soundfile.write(path, samples, SAMPLE_RATE)
    said = [labels(plan) for plan in spoken[0][:HELD_OUT]]
    assert error_rate([recogniser.hear(path)] * HELD_OUT, said) > 70


def test_probabilities_of_what_follows_a_phone_sum_to_one():
    likely = bigram([("s", "o"), ("s", "i", "s"), ("u",)])
    assert set(likely) == {None, *"soiu"}
    for following in likely.values():
        assert sum(following.values()) == pytest.approx(1)
        assert min(following.values()) > 0


def test_the_likelier_successor_is_the_one_that_was_seen():
    likely = bigram([("s", "o"), ("s", "o"), ("s", "i")])
    assert likely["s"]["o"] > likely["s"]["i"] > likely["s"]["s"]


@pytest.mark.parametrize(
    ("heard", "rate"),
    [("siso", 0), ("sisu", 25), ("sis", 25), ("sisos", 25), ("", 100), ("uououououo", 225)],
)
def test_every_wrong_missing_or_needless_phone_is_an_error(heard, rate):
    assert error_rate([tuple(heard)], [tuple("siso")]) == rate


def test_the_recogniser_knows_the_phones_of_its_corpus_only(recogniser, spoken):
    plans, audio = spoken
    assert set(recogniser.hear(Path(audio[plans[0].id]))) <= set(CHORDS)
