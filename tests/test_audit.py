from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import planted_faults
from lbtts import params
from lbtts.inspection import audit as auditing
from lbtts.inspection.audit import audit
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.params import Kaldi
from tests.tones import corpus

QUICK = Kaldi(gaussians=30, iterations=10, beam=100, training_utterances=100)
WRONG = "u07"


def examined(folder: Path, root: Path, jobs: int):
    plans, clips, _ = corpus(folder, 30)
    there = [plan.id for plan in plans].index(WRONG)
    plans[there] = replace(plans[there + 1], id=WRONG)
    p = params.load(root / "profiles/demo.yaml")
    return audit(
        plans,
        clips,
        {},
        voice=p.voice,
        f0=p.features.f0.model_copy(update={"method": "dio"}),
        run=p.run.model_copy(update={"jobs": jobs}),
        keep=folder / "kept",
        kaldi=QUICK,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tones")


@pytest.fixture(scope="module")
def found(folder, root):
    return examined(folder, root, jobs=1)


def test_what_is_kept_is_neither_measured_nor_heard_again(found, folder, root, monkeypatch):
    def forbidden(*_):
        raise AssertionError

    monkeypatch.setattr(auditing, "_measure", forbidden)
    monkeypatch.setattr(auditing, "_hear", forbidden)
    again = examined(folder, root, jobs=1)
    pd.testing.assert_frame_equal(again.measured, found.measured)


def test_recognisers_that_learnt_otherwise_hear_all_again(found, folder, root, monkeypatch):
    heard = []

    def noted(listener, plans, audio):
        heard.extend(plan.id for plan in plans)
        return hear(listener, plans, audio)

    hear = auditing._hear
    monkeypatch.setattr(auditing, "_hear", noted)
    monkeypatch.setattr("tests.test_audit.QUICK", QUICK.model_copy(update={"iterations": 9}))
    examined(folder, root, jobs=1)
    assert sorted(heard) == list(found.measured.index)


def test_a_wrong_text_has_the_most_phone_errors(found):
    errors = found.measured["phone_errors"]
    assert errors.idxmax() == WRONG
    assert errors[WRONG] > 25 > errors.drop(WRONG).max()


def test_the_worst_row_comes_first_with_what_is_bad_of_it(found):
    table = found.table()
    assert len(table) == 30
    assert table["worst"].is_monotonic_decreasing
    row = table.loc[WRONG]
    assert row["measure"] == "phone_errors"
    assert row["worst"] == found.distances.loc[WRONG, "phone_errors"]


def test_only_measures_with_a_limit_take_an_utterance_out(found):
    beyond = found.beyond({"phone_errors": 5})
    assert list(beyond) == [WRONG]
    assert "not heard" in beyond[WRONG] and "limit 5" in beyond[WRONG]
    assert found.beyond({}) == {}


def test_more_processes_find_the_same(found, tmp_path, root):
    two = examined(tmp_path, root, jobs=2)
    assert two.measured.equals(found.measured)


def test_a_third_of_strangers_does_not_hide_them():
    rng = np.random.default_rng(0)
    own, other = rng.normal(size=(2, 64))
    vectors = np.concatenate(
        [own + 0.5 * rng.normal(size=(20, 64)), other + 0.5 * rng.normal(size=(10, 64))]
    ).astype(np.float32)
    cosines = auditing._cosines(vectors)
    assert cosines[:20].min() > cosines[20:].max()


@pytest.mark.slow
def test_planted_faults_are_found_and_clean_speech_is_kept(shared, tmp_path):
    """The acceptance: 40 utterances with one of ten faults each, four of a kind."""
    folder = shared("marylux").parent
    shared("ljspeech_sample")
    planted = planted_faults.plant(folder, tmp_path, 4, LBG2P())
    table = planted_faults.areas(planted, planted_faults.examine(planted, jobs=2))
    print(table.to_string())
    assert table["utterances"].drop("none").sum() == 40
    assert table["auc"].drop("none").min() >= 0.95
    assert table.loc["none", "beyond"] <= 0.02 * table.loc["none", "utterances"]
