import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile
from joblib.externals.loky.process_executor import TerminatedWorkerError

from lbtts.alignment import kaldi
from lbtts.errors import InputError, Reject
from lbtts.grid import SAMPLE_RATE
from lbtts.params import Kaldi, load
from lbtts.text.tokens import Phone
from tests import speech
from tests.conftest import ROOT
from tests.tones import corpus, entries_of, plan

KALDI = Kaldi(gaussians=30, iterations=12, beam=100, training_utterances=100)
ONE, TWO = (
    load(ROOT / "profiles/demo.yaml").run.model_copy(update={"jobs": jobs}) for jobs in (1, 2)
)


def align(plans, entries, run=ONE, dictionary=(), choice=KALDI):
    with TemporaryDirectory() as folder:
        return dict(kaldi.align(plans, dict(dictionary), entries, choice, run, Path(folder)))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("tones"), 60)


@pytest.fixture(scope="module")
def aligned(spoken):
    return align(spoken[0], entries_of(spoken[1]))


def test_boundaries_lie_where_the_sounds_change(spoken, aligned):
    plans, _, truth = spoken
    errors = [
        abs(phone.start - begin)
        for p in plans
        for phone, begin in zip(aligned[p.id].phones, truth[p.id], strict=True)
    ]
    assert np.median(errors) <= 0.02
    assert np.mean(np.array(errors) <= 0.025) >= 0.9


def test_phones_are_the_plans_and_lie_in_order(spoken, aligned):
    for p in spoken[0]:
        found = aligned[p.id]
        assert [phone.label for phone in found.phones] == [phone.label for phone in p.phones]
        times = [t for phone in found.phones for t in (phone.start, phone.end)]
        assert times == sorted(times) and times[0] >= 0 and times[-1] <= found.seconds


def test_a_word_is_aligned_with_the_pronunciation_that_was_spoken(spoken, aligned):
    plans, audio, _ = spoken
    first = plans[0].pronunciations()[0][1]
    other = (*first[::-1], "s", "o", "s")
    dictionary = {plans[0].words[0]: (other, first)}
    wrong = replace(
        plans[0], phones=(*(Phone(p, 0) for p in other), *plans[0].phones[len(first) :])
    )
    entries = entries_of(audio)
    found = align([wrong, *plans[1:]], entries, dictionary=dictionary)
    labels = [phone.label for phone in found[wrong.id].phones]
    assert labels == [phone.label for phone in plans[0].phones]


def test_the_worst_stretch_of_an_utterance_is_worse_than_its_mean(spoken, aligned):
    assert all(aligned[p.id].worst < aligned[p.id].score <= 0 for p in spoken[0])


def test_the_number_of_processes_changes_nothing(spoken, aligned):
    assert align(spoken[0], entries_of(spoken[1]), TWO) == aligned


def test_a_wrong_transcript_scores_worse_than_every_right_one(spoken, aligned):
    plans, audio, _ = spoken
    wrong = plan("u00", "sisi", "suso", "osus", "isis")
    scores = align([wrong, *plans[1:]], entries_of(audio))
    assert scores["u00"].score < min(scores[p.id].score for p in plans[1:])


def test_an_utterance_too_short_for_its_phones_is_rejected_alone(spoken, tmp_path):
    plans, audio, _ = spoken
    short = tmp_path / "u00.flac"
    soundfile.write(short, np.zeros(600, np.int16), SAMPLE_RATE)
    results = align(plans, entries_of(audio | {"u00": str(short)}))
    assert isinstance(results["u00"], Reject) and "do not fit" in str(results["u00"])
    assert not [r for name, r in results.items() if name != "u00" and isinstance(r, Reject)]


def test_speech_that_lasts_to_the_end_of_the_audio_ends_with_it(spoken, tmp_path):
    plans, audio, truth = spoken
    path, seconds = str(tmp_path / "u00.flac"), round(truth["u00"][-1] + 0.05, 2) + 0.0055
    samples, rate = soundfile.read(audio["u00"], dtype="int16")
    soundfile.write(path, samples[: round(seconds * rate)], rate)
    found = align(plans, entries_of(audio | {"u00": path}))["u00"]
    assert found.phones[-1].end == found.seconds == pytest.approx(seconds)


def test_nothing_alignable_is_one_clear_error(tmp_path):
    short = tmp_path / "x.flac"
    soundfile.write(short, np.zeros(600, np.int16), SAMPLE_RATE)
    with pytest.raises(InputError, match="no utterance can be aligned"):
        align([plan("x", "oiu", "sos")], entries_of({"x": str(short)}))


def test_a_missing_utterance_is_rejected_alone(spoken):
    plans, audio, _ = spoken
    entries = entries_of(audio)
    entries["u00"] = replace(entries["u00"], audio="nowhere.flac")
    results = align(plans, entries)
    assert isinstance(results["u00"], Reject)


def test_a_worker_that_dies_ends_the_run_instead_of_hanging_it(spoken, monkeypatch):
    monkeypatch.setattr(kaldi, "_features", lambda path: os._exit(9))
    with pytest.raises(TerminatedWorkerError):
        align(spoken[0], entries_of(spoken[1]), TWO)


@pytest.fixture(scope="module")
def luxembourgish(root, tmp_path_factory):
    sentences = (root / "data/raw/demo/sentences.txt").read_text(encoding="utf-8").splitlines()
    return speech.read_aloud(sentences[:40], tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="module")
def choice(root):
    return load(root / "profiles/demo.yaml").align.kaldi


@pytest.fixture(scope="module")
def found(luxembourgish, choice):
    return align(luxembourgish.plans, luxembourgish.entries, TWO, choice=choice)


def errors_of(spoken, found):
    """How late each phone with a known beginning was found, in seconds."""
    return np.array(
        [
            found[name].phones[number].start - begin
            for name, begins in spoken.truth.items()
            for number, begin in begins.items()
        ]
    )


def test_phones_of_a_minute_of_speech_are_found_where_espeak_says(luxembourgish, found):
    errors = errors_of(luxembourgish, found)
    assert len(errors) > 600
    assert np.median(np.abs(errors)) <= 0.010
    assert np.mean(np.abs(errors) <= 0.025) >= 0.85


@pytest.mark.slow
def test_phones_of_300_sentences_are_found_where_espeak_says(shared, choice, tmp_path):
    lines = shared("g2p", "lod_sentences.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines[7::127] + lines[8::127] if 25 <= len(line) <= 110]
    spoken = speech.read_aloud(lines, tmp_path, (130, 150, 170), most=300)
    assert len(spoken.plans) == 300
    found = align(spoken.plans, spoken.entries, TWO, choice=choice)
    errors = errors_of(spoken, found)
    median, within = np.median(np.abs(errors)), np.mean(np.abs(errors) <= 0.025)
    print(f"{len(errors)} phones: median {1000 * median:.2f} ms, {within:.2%} within 25 ms, "
          f"bias {1000 * errors.mean():+.2f} ms")  # fmt: skip
    assert median <= 0.007 and within >= 0.94 and abs(errors.mean()) <= 0.002


@pytest.mark.slow
def test_20_swapped_texts_and_20_cut_recordings_are_doubted_and_few_others(shared, root, tmp_path):
    lines = shared("g2p", "lod_sentences.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines[7::127] if 25 <= len(line) <= 110]
    spoken = speech.read_aloud(lines, tmp_path, (130, 150, 170), most=120)
    harmed, names = speech.harm(spoken, tmp_path)
    usual = load(root / "profiles/folder.yaml").align.kaldi
    found = align(harmed.plans, harmed.entries, TWO, choice=usual)
    for profile in ("demo", "folder"):
        statuses = speech.statuses(harmed.plans, found, load(root / f"profiles/{profile}.yaml"))
        doubted = {name for name, status in statuses.items() if status != "keep"}
        print(f"{profile}: {len(doubted & set(names))} of 40, {len(doubted - set(names))} others")
        assert doubted >= set(names) and len(doubted - set(names)) <= 8


def test_silence_at_the_edges_is_found(luxembourgish, found):
    for name, entry in luxembourgish.entries.items():
        first, last = found[name].phones[0], found[name].phones[-1]
        assert first.start == pytest.approx(speech.EDGE, abs=0.08)  # before a stop earlier
        assert entry.seconds - last.end == pytest.approx(speech.EDGE, abs=0.08)


def test_speech_is_aligned_alike_in_one_process(luxembourgish, choice, found):
    assert align(luxembourgish.plans, luxembourgish.entries, choice=choice) == found


def test_the_transcript_of_another_sentence_scores_far_below_all_others(luxembourgish, choice):
    plans = list(luxembourgish.plans)
    plans[3] = replace(plans[8], id=plans[3].id)
    scores = {
        name: result.score
        for name, result in align(plans, luxembourgish.entries, choice=choice).items()
    }
    wrong = scores.pop(plans[3].id)
    assert wrong < 2 * min(scores.values()) < 0
