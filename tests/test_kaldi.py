import numpy as np
import pytest
import soundfile

from lbtts.alignment import kaldi
from lbtts.errors import InputError, Reject
from lbtts.grid import SAMPLE_RATE
from lbtts.params import Kaldi
from tests.tones import corpus, plan

CHOICE = Kaldi(gaussians=30, iterations=12, beam=200, training_utterances=100)


def align(plans, audio, workers=1):
    seconds = {name: soundfile.info(path).frames / SAMPLE_RATE for name, path in audio.items()}
    return dict(kaldi.align(plans, audio, seconds, CHOICE, workers))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("tones"), 60)


@pytest.fixture(scope="module")
def aligned(spoken):
    return align(*spoken[:2])


def test_boundaries_lie_where_the_sounds_change(spoken, aligned):
    plans, _, truth = spoken
    errors = [
        abs(phone.start - begin)
        for p in plans
        for phone, begin in zip(aligned[p.id].phones, truth[p.id], strict=True)
    ]
    assert np.median(errors) <= 0.02
    assert np.mean(np.array(errors) <= 0.025) >= 0.9


def test_phones_and_words_are_the_plans_and_lie_in_order(spoken, aligned):
    for p in spoken[0]:
        found = aligned[p.id]
        assert [phone.label for phone in found.phones] == [phone.label for phone in p.phones]
        assert [word.label for word in found.words] == list(p.words)
        times = [t for phone in found.phones for t in (phone.start, phone.end)]
        assert times == sorted(times) and times[0] >= 0 and times[-1] <= found.seconds


def test_the_number_of_processes_changes_nothing(spoken, aligned):
    assert align(*spoken[:2], workers=2) == aligned


def test_a_wrong_transcript_scores_worse_than_every_right_one(spoken, aligned):
    plans, audio, _ = spoken
    wrong = plan("u00", "sisi", "susa", "asus", "isis")
    scores = align([wrong, *plans[1:]], audio)
    assert scores["u00"].score < min(scores[p.id].score for p in plans[1:])


def test_a_clip_too_short_for_its_phones_is_rejected_alone(spoken, tmp_path):
    plans, audio, _ = spoken
    short = tmp_path / "u00.flac"
    soundfile.write(short, np.zeros(600, np.int16), SAMPLE_RATE)
    results = align(plans, audio | {"u00": str(short)})
    assert isinstance(results["u00"], Reject) and "do not fit" in str(results["u00"])
    assert not [r for name, r in results.items() if name != "u00" and isinstance(r, Reject)]


def test_nothing_alignable_is_one_clear_error(tmp_path):
    short = tmp_path / "x.flac"
    soundfile.write(short, np.zeros(600, np.int16), SAMPLE_RATE)
    with pytest.raises(InputError, match="no utterance can be aligned"):
        align([plan("x", "aiu", "sas")], {"x": str(short)})


def test_a_missing_clip_is_rejected_alone(spoken):
    plans, audio, _ = spoken
    results = dict(
        kaldi.align(plans, audio | {"u00": "nowhere.flac"}, dict.fromkeys(audio, 1.0), CHOICE, 1)
    )
    assert isinstance(results["u00"], Reject)
