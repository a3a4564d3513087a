from pathlib import Path

import numpy as np
import pytest
import soundfile

from lbtts.errors import InputError
from lbtts.evaluation import confusions
from lbtts.evaluation import recogniser as listener
from lbtts.evaluation.confusions import error_rate
from lbtts.evaluation.recogniser import bigram
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
    return listener.train(plans[HELD_OUT:], audio, CHOICE)


def test_phones_are_recognised_in_sentences_never_heard_before(recogniser, spoken):
    plans, audio = spoken
    heard = [recogniser.hear(Path(audio[plan.id])) for plan in plans[:HELD_OUT]]
    assert error_rate(heard, [plan.labels for plan in plans[:HELD_OUT]]) < 10


@pytest.mark.parametrize("level", [0, 0.1], ids=["silence", "noise"])
def test_what_is_no_speech_is_not_taken_for_the_sentence(recogniser, spoken, tmp_path, level):
    path = tmp_path / "nothing.wav"
    samples = level * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE)
    soundfile.write(path, samples, SAMPLE_RATE)
    said = [plan.labels for plan in spoken[0][:HELD_OUT]]
    assert error_rate([recogniser.hear(path)] * HELD_OUT, said) > 70


def test_recordings_without_sound_are_refused_in_one_line(spoken, tmp_path):
    plans = spoken[0][:2]
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0), SAMPLE_RATE)
    with pytest.raises(InputError, match="no audio can be read; run `dvc repro corpus`"):
        listener.train(plans, {plan.id: str(path) for plan in plans}, CHOICE)


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


def test_audio_in_memory_is_heard_as_a_file_is(recogniser, spoken):
    path = Path(spoken[1][spoken[0][0].id])
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    assert recogniser.hear(samples) == recogniser.hear(path)
    assert recogniser.hear(samples[:0]) == ()


def test_a_kept_recogniser_hears_what_a_new_one_hears_and_is_not_trained_again(
    recogniser, spoken, tmp_path, monkeypatch
):
    plans, audio = spoken
    listener.train(plans[HELD_OUT:], audio, CHOICE, keep=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(listener.kaldi, "train", None)
    kept = listener.train(plans[HELD_OUT:], audio, CHOICE, keep=tmp_path)
    for plan in plans[:HELD_OUT]:
        path = Path(audio[plan.id])
        assert kept.hear(path) == recogniser.hear(path)


def test_a_damaged_recogniser_is_trained_anew(spoken, tmp_path):
    plans, audio = spoken
    quick = CHOICE.model_copy(update={"iterations": 2})
    listener.train(plans[:6], audio, quick, keep=tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    listener.train(plans[:6], audio, quick, keep=tmp_path)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [whole]


def test_other_clips_or_choices_make_another_recogniser(spoken, tmp_path):
    plans, audio = spoken
    quick = CHOICE.model_copy(update={"iterations": 2})
    listener.train(plans[:6], audio, quick, keep=tmp_path)
    listener.train(plans[:5], audio, quick, keep=tmp_path)
    listener.train(plans[:6], audio, quick.model_copy(update={"gaussians": 31}), keep=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_planted_confusion_comes_first_and_the_recogniser_s_own_are_left_out():
    said = [tuple("siso"), tuple("sosi"), tuple("isos")]
    recordings = [tuple("fiso"), tuple("sosi"), tuple("isos")]  # s is heard as f now and then
    voice = [tuple("fisu"), tuple("susi"), tuple("isus")]  # and o always as u
    found = confusions.beyond(voice, said, recordings, said)
    assert [(c.said, c.heard, c.count, c.expected) for c in found] == [("o", "u", 3, 0)]


def test_missing_and_needless_phones_are_confusions_with_nothing():
    found = confusions.beyond([tuple("sis")], [tuple("siso")], [tuple("siso")], [tuple("siso")])
    assert [(c.said, c.heard) for c in found] == [("o", confusions.NOTHING)]
    found = confusions.beyond([tuple("sisos")], [tuple("siso")], [tuple("siso")], [tuple("siso")])
    assert [(c.said, c.heard) for c in found] == [(confusions.NOTHING, "s")]


def test_errors_and_phones_are_counted_by_utterance():
    errors, phones = confusions.error_counts([tuple("siso"), ()], [tuple("sisi"), tuple("so")])
    assert errors.tolist() == [1, 2]
    assert phones.tolist() == [4, 2]
