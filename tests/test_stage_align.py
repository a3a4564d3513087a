import contextlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lbtts import paths
from lbtts.alignment import textgrid
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.corpus.manifest import write_manifest
from lbtts.errors import InputError
from lbtts.grid import SAMPLE_RATE
from lbtts.records import read_json
from lbtts.text.dictionary import write_dictionary
from lbtts.text.tokens import read_token_plans, write_token_plans
from stages import align, durations
from tests.tones import corpus, entries_of

SHORT = "u03"
QUICK = {"jobs: 0": "jobs: 1", "iterations: 20": "iterations: 8"}


def project_in(folder: Path, root: Path, choices: dict[str, str]) -> None:
    """Sixty utterances of tones before the stage `align`, one of them too short for its phones."""
    for name in ("data/corpus/audio", "data/g2p", "metrics"):
        (folder / name).mkdir(parents=True)
    params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    for old, new in choices.items():
        params = params.replace(old, new)
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    with contextlib.chdir(folder):
        plans, audio, _ = corpus(Path("data/corpus/audio"), 60)
        soundfile.write(audio[SHORT], np.zeros(600, np.int16), SAMPLE_RATE)
        write_manifest(entries_of(audio).values(), paths.MANIFEST)
        write_token_plans(plans, "data/g2p/utterances.jsonl")
        write_dictionary((e for p in plans for e in p.pronunciations()), "data/g2p/lexicon.dict")


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("align")
    project_in(folder, root, QUICK | {"max_rejected: 0.05": "max_rejected: 0.1"})
    with contextlib.chdir(folder):
        align.main()
        durations.main()
    return folder


def table(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False).set_index("id")


def test_the_utterance_that_cannot_be_aligned_is_listed_and_the_rest_goes_on(project):
    report = table(project / "data/alignment/report.csv")
    assert report[report["status"] == "rejected"].index.tolist() == [SHORT]
    assert "do not fit" in report.at[SHORT, "reason"] and report.at[SHORT, "score"] == ""
    grids = {path.stem for path in (project / "data/alignment").glob("*.TextGrid")}
    assert grids == set(report.index) - {SHORT}
    metrics = read_json(project / "metrics/align.json")
    assert (metrics["aligned"], metrics["rejected"]) == (59, 1)


def test_the_report_has_a_row_for_every_utterance_and_the_metrics_sum_it_up(project):
    report = table(project / "data/alignment/report.csv")
    assert report.columns.tolist() == [
        "status", "reason", "backend", "verdict", "beam", "trust", "score", "worst",
        "duration_z_mean", "duration_z_max", "longest_phone", "longest_silence",
        "shortest_share", "rate",
    ]  # fmt: skip
    assert report.index.tolist() == [f"u{k:02d}" for k in range(60)]
    assert set(report["backend"]) == {"kaldi"}
    scores = report["score"][report["status"] == "ok"].astype(float)
    metrics = read_json(project / "metrics/align.json")
    assert metrics["score_mean"] == pytest.approx(scores.mean(), abs=1e-4)
    assert metrics["score_min"] == scores.min()
    assert metrics["suspect"] == (report["verdict"] == "suspect").sum()


def changed(project, folder, old, new):
    """A copy of the project before the stage `align`, with a change in its params."""
    if folder != project:
        shutil.copytree(project, folder, dirs_exist_ok=True)
        shutil.rmtree(folder / "data/alignment")
    params = (folder / "params.yaml").read_text(encoding="utf-8")
    assert old in params
    (folder / "params.yaml").write_text(params.replace(old, new), encoding="utf-8")
    return folder


@pytest.fixture
def grids(project):
    """The grids of the project as a corpus would bring them: half a second later in each file."""

    def write(folder, names):
        folder.mkdir(parents=True)
        for name in names:
            found = textgrid.read(project / f"data/alignment/{name}.TextGrid")
            phones = tuple(
                Interval(p.start + 0.5, p.end + 0.5, f"{p.label}_I") for p in found.phones
            )
            whole = Alignment((), phones, found.seconds + 1)
            textgrid.write(whole, folder / f"{name}.TextGrid")

    return write


def test_grids_that_came_with_the_corpus_are_moved_to_the_clips(project, grids, tmp_path):
    folder = changed(project, tmp_path, "backend: kaldi", "backend: textgrid")
    manifest = folder / "data/corpus/manifest.csv"
    rows = pd.read_csv(manifest).assign(start=0.5)
    rows.to_csv(manifest, index=False)
    grids(folder / "data/raw/demo/textgrids", set(rows["id"]) - {SHORT})
    with contextlib.chdir(folder):
        align.main()
    report = table(folder / "data/alignment/report.csv")
    assert "u03.TextGrid: not found; put it there" in report.at[SHORT, "reason"]
    assert (report["status"] == "ok").sum() == 59 and not report["score"].any()
    before = textgrid.read(project / "data/alignment/u07.TextGrid")
    after = textgrid.read(folder / "data/alignment/u07.TextGrid")
    assert after.words == before.words
    assert [p.label for p in after.phones] == [p.label for p in before.phones]
    assert [p.start for p in after.phones] == pytest.approx([p.start for p in before.phones])


def test_a_backend_without_its_folder_says_where_it_belongs(project, tmp_path):
    folder = changed(project, tmp_path, "backend: kaldi", "backend: textgrid")
    with contextlib.chdir(folder), pytest.raises(InputError, match="data/raw/demo/textgrids"):
        align.main()


def test_grids_with_words_decide_how_each_word_was_said(project, tmp_path):
    folder = changed(project, tmp_path, "backend: kaldi", "backend: textgrid")
    grids = folder / "data/raw/demo/textgrids"
    grids.mkdir(parents=True)
    for path in (project / "data/alignment").glob("*.TextGrid"):
        found = textgrid.read(path)
        if path.stem == "u07":  # no word has a phone of the plan's
            labels = ["mu"[k % 2] for k in range(len(found.phones))]
            phones = [replace(p, label=x) for p, x in zip(found.phones, labels, strict=True)]
            found = replace(found, phones=tuple(phones))
        if path.stem == "u08":
            found = replace(found, phones=(replace(found.phones[0], label="A1"), *found.phones[1:]))
        textgrid.write(found, grids / path.name)
    with contextlib.chdir(folder):
        align.main()
    report = table(folder / "data/alignment/report.csv")
    assert report.at["u07", "status"] == "ok"
    found = textgrid.read(folder / "data/alignment/u07.TextGrid")
    assert [p.label for p in found.phones] == labels
    plans = {plan.id: plan for plan in read_token_plans(folder / "data/alignment/spoken.jsonl")}
    assert set(plans["u07"].phonemes) <= set("mu ˈ.")
    assert "phone 'A1' is not in the phone inventory" in report.at["u08", "reason"]


@pytest.mark.parametrize("second", ["null", "textgrid"])
def test_a_corpus_without_a_single_alignment_is_reported_and_ends_in_one_line(
    project, tmp_path, second
):
    folder = changed(project, tmp_path, "backend: kaldi", "backend: textgrid")
    changed(folder, folder, "second: null", f"second: {second}")
    (folder / "data/raw/demo/textgrids").mkdir(parents=True)
    with contextlib.chdir(folder), pytest.raises(InputError, match=r"60 of 60 utterances rejected"):
        align.main()
    report = table(folder / "data/alignment/report.csv")
    assert set(report["status"]) == {"rejected"} and "score" in report
    assert read_json(folder / "metrics/align.json")["aligned"] == 0


def test_a_correction_takes_the_place_of_what_the_aligner_found(project, tmp_path):
    folder = changed(project, tmp_path, "jobs: 1", "jobs: 2")
    before = textgrid.read(project / "data/alignment/u04.TextGrid")
    first = replace(before.phones[0], start=before.phones[0].start + 0.02)
    (folder / "data/corrections").mkdir()
    corrected = replace(before, phones=(first, *before.phones[1:]))
    textgrid.write(corrected, folder / "data/corrections/u04.TextGrid")
    with contextlib.chdir(folder):
        align.main()
    report = table(folder / "data/alignment/report.csv")
    assert report.at["u04", "backend"] == "corrected" and report.at["u04", "verdict"] == "keep"
    assert set(report.drop("u04")["backend"]) == {"kaldi"}
    after = textgrid.read(folder / "data/alignment/u04.TextGrid")
    assert after.phones == corrected.phones
    for other in ("u05", "u06"):
        path = f"data/alignment/{other}.TextGrid"
        assert (folder / path).read_bytes() == (project / path).read_bytes()


def test_a_correction_of_no_utterance_is_not_passed_over(project, tmp_path):
    folder = changed(project, tmp_path, "jobs: 1", "jobs: 2")
    (folder / "data/corrections").mkdir()
    (folder / "data/corrections/u004.TextGrid").write_text("", encoding="utf-8")
    with contextlib.chdir(folder), pytest.raises(InputError, match="no utterance has this name"):
        align.main()


def test_a_second_backend_says_how_far_they_are_apart(project, grids, tmp_path):
    folder = changed(project, tmp_path, "second: null", "second: textgrid")
    manifest = folder / "data/corpus/manifest.csv"
    pd.read_csv(manifest).assign(start=0.49).to_csv(manifest, index=False)
    grids(folder / "data/raw/demo/textgrids", ["u07", "u08"])
    with contextlib.chdir(folder):
        align.main()
    apart = table(folder / "data/alignment/report.csv")["disagreement_ms"]
    assert apart["u07"] == apart["u08"] == "10.0" and not apart["u09"]
    assert read_json(folder / "metrics/align.json")["disagreement_ms"] == 10


def test_a_wrong_transcript_is_rejected_with_its_reason(project, tmp_path):
    folder = changed(project, tmp_path, "suspect_below: -6", "suspect_below: -1.5")
    changed(folder, folder, "reject_below: -25", "reject_below: -2")
    plans = read_token_plans(folder / "data/g2p/utterances.jsonl")
    plans[7] = replace(plans[31], id="u07")
    write_token_plans(plans, folder / "data/g2p/utterances.jsonl")
    with contextlib.chdir(folder):
        align.main()
    row = table(folder / "data/alignment/report.csv").loc["u07"]
    assert (row["status"], row["verdict"]) == ("rejected", "reject")
    assert "check that the transcript" in row["reason"]


def test_absent_mfa_ends_the_stage_with_the_remedy(project, root, tmp_path, monkeypatch):
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    params = (tmp_path / "params.yaml").read_text(encoding="utf-8")
    params = params.replace("backend: kaldi", "backend: mfa")
    params = params.replace("command: mfa", "command: mfa-that-is-nowhere")
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with contextlib.chdir(tmp_path), pytest.raises(InputError) as caught:
        align.main()
    assert "mfa-that-is-nowhere` is not found; install it from environment-mfa.yml" in str(
        caught.value
    )


def test_every_aligned_utterance_has_units_for_its_whole_clip(project):
    rows = table(project / "data/durations.csv")
    assert len(rows) == 59 and set(rows["status"]) == {"ok"}
    for name, row in rows.iterrows():
        seconds = textgrid.read(project / f"data/alignment/{name}.TextGrid").seconds
        assert sum(map(int, row["units"].split())) * 600 == round(seconds * SAMPLE_RATE)


def test_a_spoilt_textgrid_is_rejected_alone(project):
    spoilt = project / "data/alignment/u05.TextGrid"
    whole = spoilt.read_bytes()
    try:
        spoilt.write_text("no grid", encoding="utf-8")
        with contextlib.chdir(project):
            durations.main()
        rows = table(project / "data/durations.csv")
        assert rows[rows["status"] == "rejected"].index.tolist() == ["u05"]
        assert "u05.TextGrid" in rows.at["u05", "reason"]
    finally:
        spoilt.write_bytes(whole)


def test_too_many_rejects_stop_the_stage_after_its_report_is_written(root, tmp_path):
    project_in(tmp_path, root, QUICK | {"max_rejected: 0.05": "max_rejected: 0.01"})
    with (
        contextlib.chdir(tmp_path),
        pytest.raises(InputError, match=r"align: 1 of 60 .*data/alignment/report\.csv"),
    ):
        align.main()
    assert len(table(tmp_path / "data/alignment/report.csv")) == 60
