import contextlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lbtts.alignment import textgrid
from lbtts.corpus import write_manifest
from lbtts.errors import InputError
from lbtts.grid import SAMPLE_RATE
from lbtts.records import read_json
from lbtts.text.tokens import write_plans
from stages import align, durations
from tests.tones import corpus

SHORT = "u03"


def project_in(folder: Path, root: Path, max_rejected: float) -> None:
    """Sixty utterances of tones before the stage `align`, one of them too short for its phones."""
    params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    params = params.replace("max_rejected: 0.05", f"max_rejected: {max_rejected}")
    (folder / "params.yaml").write_text(params.replace("jobs: 0", "jobs: 1"), encoding="utf-8")
    for name in ("data/corpus/audio", "data/g2p", "metrics"):
        (folder / name).mkdir(parents=True)
    with contextlib.chdir(folder):
        plans, audio, _ = corpus(Path("data/corpus/audio"), 60)
        soundfile.write(audio[SHORT], np.zeros(600, np.int16), SAMPLE_RATE)
        rows = [
            {
                "id": plan.id,
                "split": "train",
                "audio": audio[plan.id],
                "text": plan.text,
                "seconds": soundfile.info(audio[plan.id]).frames / SAMPLE_RATE,
                "status": "ok",
                "reason": "",
            }
            for plan in plans
        ]
        write_manifest(rows)
        write_plans(plans, "data/g2p/utterances.jsonl")


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("align")
    project_in(folder, root, max_rejected=0.1)
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
    figures = read_json(project / "metrics/align.json")
    assert (figures["aligned"], figures["rejected"]) == (59, 1)


def test_the_report_has_a_row_for_every_utterance_and_the_figures_sum_it_up(project):
    report = table(project / "data/alignment/report.csv")
    assert report.columns.tolist() == ["status", "reason", "backend", "score"]
    assert report.index.tolist() == [f"u{k:02d}" for k in range(60)]
    assert set(report["backend"]) == {"kaldi"}
    scores = report["score"][report["status"] == "ok"].astype(float)
    figures = read_json(project / "metrics/align.json")
    assert figures["score_mean"] == pytest.approx(scores.mean(), abs=1e-4)
    assert figures["score_min"] == scores.min()


def test_absent_mfa_ends_the_stage_with_the_remedy(project, root, tmp_path, monkeypatch):
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    params = (tmp_path / "params.yaml").read_text(encoding="utf-8")
    params = params.replace("backend: kaldi", "backend: mfa")
    params = params.replace("command: mfa", "command: mfa-that-is-nowhere")
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with contextlib.chdir(tmp_path), pytest.raises(InputError) as caught:
        align.main()
    assert "mfa-that-is-nowhere` is not here; install it from environment-mfa.yml" in str(
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
    project_in(tmp_path, root, max_rejected=0.01)
    with (
        contextlib.chdir(tmp_path),
        pytest.raises(InputError, match=r"align: 1 of 60 .*data/alignment/report\.csv"),
    ):
        align.main()
    assert len(table(tmp_path / "data/alignment/report.csv")) == 60
