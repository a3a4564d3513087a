"""The stage audit and its page, on sentences of the demo."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lbtts import paths
from lbtts.corpus.audited import read_audit, rejected, write_audit
from lbtts.errors import InputError
from lbtts.inspection import audit as auditing
from lbtts.records import read_json
from stages import align, audit, durations, features, g2p, inspect
from tests.test_data_stages import copy_of


@pytest.fixture(scope="module")
def aligned(mini_corpus, known, tmp_path_factory):
    """A project after the stage durations, one of whose recordings hums."""
    folder = copy_of(mini_corpus, tmp_path_factory.mktemp("audited"), known)
    with contextlib.chdir(folder):
        for stage in (g2p, align, durations):
            stage.main()
        path = sorted(paths.AUDIO.iterdir())[2]
        samples, rate = soundfile.read(path)
        hum = 0.05 * np.sin(2 * np.pi * 50 * np.arange(len(samples)) / rate)
        soundfile.write(path, samples + hum, rate)
    return folder, path.stem


@pytest.fixture
def project(aligned, tmp_path):
    folder, humming = aligned
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with contextlib.chdir(tmp_path):
        yield humming


def change(old: str, new: str) -> None:
    params = Path("params.yaml")
    text = params.read_text(encoding="utf-8")
    assert old in text
    params.write_text(text.replace(old, new), encoding="utf-8")


def test_a_recording_that_hums_is_the_worst_and_stays_unless_a_limit_says_otherwise(project):
    audit.main()
    table = read_audit(paths.AUDIT)
    assert table["hum"].idxmax() == project
    assert set(table["status"]) == {"ok"}
    features.main()
    assert read_json("metrics/features.json")["utterances"] == len(table)


def test_beyond_a_limit_it_is_rejected_with_its_reason_and_has_no_features(project):
    change("reject_beyond: {}", "reject_beyond: {hum: 6}")
    change("max_rejected: 0.05", "max_rejected: 0.5")
    audit.main()
    assert rejected(paths.AUDIT) == {project}
    assert "mains hum" in read_audit(paths.AUDIT).loc[project, "reason"]
    assert read_json("metrics/audit.json")["rejected"] == 1
    features.main()
    assert read_json("metrics/features.json")["utterances"] == len(read_audit(paths.AUDIT)) - 1
    inspect.main()
    page = (paths.INSPECTION / "audit.html").read_text(encoding="utf-8")
    assert f'class="rejected">{project}' in page and page.count("<audio") == 6


def test_an_interrupted_audit_goes_on_and_a_changed_recording_alone_is_measured_again(
    project, monkeypatch
):
    audit.main()
    whole = paths.AUDIT.read_bytes()
    shutil.rmtree("scratch/audit")

    measure = auditing._measure
    measured: list[str] = []

    def interrupted(plan, *rest):
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(plan.id)
        return measure(plan, *rest)

    def noted(plan, *rest):
        measured.append(plan.id)
        return measure(plan, *rest)

    monkeypatch.setattr(auditing, "_measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        audit.main()
    monkeypatch.setattr(auditing, "_measure", noted)
    audit.main()
    assert sorted(measured) == sorted(read_audit(paths.AUDIT).index)
    assert paths.AUDIT.read_bytes() == whole

    measured.clear()
    path = paths.AUDIO / f"{project}.flac"
    samples, rate = soundfile.read(path)
    soundfile.write(path, samples / 2, rate)
    audit.main()
    assert measured == [project]


def test_an_utterance_may_have_the_name_of_no_value(tmp_path):
    ids = pd.Index(["null", "NA", "nan", "u"])
    table = pd.DataFrame({"worst": 1.0, "measure": "hum", "hum": [1.0, 2.0, 3.0, np.nan]}, ids)
    write_audit(table, {"null": "hums"}, tmp_path / "audit.csv")
    assert rejected(tmp_path / "audit.csv") == {"null"}
    found = read_audit(tmp_path / "audit.csv")
    assert list(found.index) == list(ids) and found["hum"].isna().tolist() == [False] * 3 + [True]


def test_features_without_an_audit_name_the_stage_to_run(project):
    with pytest.raises(InputError, match=r"data/audit\.csv: not found; run `dvc repro audit`"):
        features.main()


def test_a_measure_that_does_not_exist_is_no_limit(project):
    change("reject_beyond: {}", "reject_beyond: {loudnes: 6}")
    with pytest.raises(InputError, match=r"audit\.reject_beyond"):
        audit.main()
