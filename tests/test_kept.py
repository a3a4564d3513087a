import contextlib
import shutil
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from lbtts.alignment import kaldi, kept
from lbtts.errors import Reject
from lbtts.grid import SAMPLE_RATE
from lbtts.params import Kaldi, load
from tests.conftest import ROOT
from tests.tones import corpus, entries_of, plan

# Every second utterance trains the model.
KALDI = Kaldi(gaussians=8, iterations=2, beam=100, training_utterances=4)
RUN = load(ROOT / "profiles/demo.yaml").run.model_copy(update={"jobs": 1})
SHORT = "u05"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Eight utterances, one of them too short for its phones."""
    plans, audio, _ = corpus(tmp_path_factory.mktemp("tones"), 8)
    soundfile.write(audio[SHORT], np.zeros(600, np.int16), SAMPLE_RATE)
    return plans, entries_of(audio)


def align(spoken, folder, choice=KALDI):
    return dict(kaldi.align(spoken[0], {}, spoken[1], choice, RUN, folder))


@pytest.fixture(scope="module")
def first(spoken, tmp_path_factory):
    """The folder and the results of a first run."""
    folder = tmp_path_factory.mktemp("kept")
    return folder, align(spoken, folder)


@pytest.fixture
def folder(first, tmp_path):
    """A copy of what the first run left."""
    return shutil.copytree(first[0], tmp_path / "kept")


@pytest.fixture
def made(monkeypatch):
    """What is made: `model`, and the ids of utterances that are aligned."""
    names = []
    train, one = kaldi.train, kaldi._align_one

    def noted_train(*given):
        names.append("model")
        return train(*given)

    def noted_one(model, words, entry, beam):
        names.append(entry.id)
        return one(model, words, entry, beam)

    monkeypatch.setattr(kaldi, "train", noted_train)
    monkeypatch.setattr(kaldi, "_align_one", noted_one)
    return names


def reasons(results):
    """The results, with the text of a reject in its place: no two exceptions are equal."""
    return {name: str(r) if isinstance(r, Reject) else r for name, r in results.items()}


def stored(folder):
    """The values in the cache, by key."""
    with contextlib.closing(sqlite3.connect(folder / "cache.db")) as database:
        return dict(database.execute("SELECT key, value FROM Cache"))


def test_a_second_run_makes_nothing_and_finds_the_same(spoken, first, folder, made):
    again = align(spoken, folder)
    assert not made and list(again) == list(first[1])
    assert reasons(again) == reasons(first[1]) and "do not fit" in str(again[SHORT])


def test_an_utterance_with_other_audio_or_words_is_aligned_anew(spoken, folder, tmp_path, made):
    plans, entries = spoken
    samples, rate = soundfile.read(entries["u03"].audio, dtype="int16")
    louder = str(tmp_path / "u03.flac")
    soundfile.write(louder, samples // 2, rate)
    changed = entries | {"u03": replace(entries["u03"], audio=louder)}
    align((plans, changed), folder)
    assert made == ["u03"]
    soundfile.write(louder, samples // 3, rate)  # in place
    align((plans, changed), folder)
    assert made == ["u03", "u03"]
    other = plan("u07", "sos", "iui")
    align(([*plans[:7], other], changed), folder)
    assert made == ["u03", "u03", "u07"] and len(stored(folder)) == 9


@pytest.mark.parametrize("change", [{"beam": 90}, {"gaussians": 12}, {"training_utterances": 5}])
def test_other_parameters_make_all_anew(spoken, folder, made, change):
    align(spoken, folder, KALDI.model_copy(update=change))
    assert made == ["model", *spoken[1]] and len(stored(folder)) == 9


def test_another_version_or_other_training_makes_all_anew(spoken, folder, made, monkeypatch):
    plans, entries = spoken
    monkeypatch.setattr(kept, "VERSION", 0)
    align(spoken, folder)
    assert made == ["model", *entries]
    made.clear()
    fewer = plans[1:]
    align((fewer, entries), folder)
    assert made == ["model", *(p.id for p in fewer)]
    assert stored(folder).keys() == {"model", *(f"utterance/{p.id}" for p in fewer)}


@pytest.mark.parametrize("key", ["model", "utterance/u04"])
def test_what_was_damaged_on_disk_is_made_again(spoken, first, folder, made, key):
    before = stored(folder)
    value = before[key][:50] + bytes([before[key][50] ^ 1]) + before[key][51:]
    with contextlib.closing(sqlite3.connect(folder / "cache.db")) as database, database:
        database.execute("UPDATE Cache SET value = ? WHERE key = ?", (value, key))
    again = align(spoken, folder)
    assert made == [key.removeprefix("utterance/")] and stored(folder) == before
    assert reasons(again) == reasons(first[1])


def test_a_run_that_is_cut_short_goes_on_where_it_was(spoken, first, tmp_path, made, monkeypatch):
    monkeypatch.setattr(kaldi, "_WINDOW", 3)
    monkeypatch.setattr(kaldi, "_TASK", 1)
    one = kaldi._align_one

    def cut_short(model, words, entry, beam):
        if len(made) == 5:  # the model and four utterances
            raise KeyboardInterrupt
        return one(model, words, entry, beam)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(kaldi, "_align_one", cut_short)
        align(spoken, tmp_path / "kept")
    again = align(spoken, tmp_path / "kept")
    assert made == ["model", *spoken[1]] and list(again) == list(spoken[1])
    assert reasons(again) == reasons(first[1])
    assert stored(tmp_path / "kept") == stored(first[0])
