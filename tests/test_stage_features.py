import contextlib
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from joblib.externals.loky import get_reusable_executor

from lbtts.acoustics.features import FeatureStore
from lbtts.corpus import write_manifest
from lbtts.errors import InputError
from lbtts.records import read_json
from lbtts.text.tokens import Phone, Plan, Token, write_plans
from stages import features
from tests.corpora import buzz

SYMBOLS = "moiən"
IDS = [f"u{number}" for number in range(8)]


@pytest.fixture(scope="module")
def project(tmp_path_factory, root) -> Path:
    """What the stages before `features` would leave, of eight buzzes; u2 has a cut."""
    folder = tmp_path_factory.mktemp("features")
    (folder / "data/corpus/audio").mkdir(parents=True)
    (folder / "data/g2p").mkdir()
    params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(
        params.replace("max_rejected: 0.05", "max_rejected: 0.3"), encoding="utf-8"
    )
    manifest, plans, durations = [], [], []
    for number, name in enumerate(IDS):
        units = [4, *[6 + number] * len(SYMBOLS), 4]
        cut = "1200:1800" if name == "u2" else ""
        clip = f"data/corpus/audio/{name}.flac"
        audio = buzz(sum(units) + bool(cut), seed=number).audio
        soundfile.write(folder / clip, audio, 24_000)
        split = "test" if number == 3 else "train"
        manifest.append({"id": name, "split": split, "audio": clip, "status": "ok"})
        tokens = tuple(Token(symbol, 0, phone) for phone, symbol in enumerate(SYMBOLS))
        phones = tuple(Phone(symbol, 0) for symbol in SYMBOLS)
        plans.append(Plan(name, "Moien", ("moien",), phones, tokens))
        durations.append(f"{name},ok,,{' '.join(map(str, units))},{cut}")
    write_manifest(manifest, folder / "data/corpus/manifest.csv")
    write_plans(plans, folder / "data/g2p/utterances.jsonl")
    table = ["id,status,reason,units,cuts", *reversed(durations), "v,rejected,misaligned,,"]
    (folder / "data/durations.csv").write_text("\n".join(table) + "\n")
    return folder


def run(project: Path, folder: Path, jobs: int = 1, prepare=lambda folder: None) -> Path:
    shutil.copytree(project, folder, dirs_exist_ok=True)
    params = folder / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("jobs: 0", f"jobs: {jobs}"))
    prepare(folder)
    get_reusable_executor().shutdown(wait=True)  # its workers stay in the folder they began in
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(folder))
        features.main()
    return folder


def test_all_are_measured_and_the_figures_are_true(project, tmp_path):
    folder = run(project, tmp_path)
    store = FeatureStore(folder / "data/features.h5")
    assert store.ids == tuple(IDS)
    assert store.split.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    figures = read_json(folder / "metrics/features.json")
    assert (figures["utterances"], figures["rejected"]) == (8, 0)
    assert figures["hours"] == pytest.approx(store.units_total.sum() / 40 / 3600, abs=1e-4)
    assert 100 <= figures["f0_p05_hz"] < figures["f0_median_hz"] < figures["f0_p95_hz"] <= 140
    assert figures["voiced_share"] > 0.9
    report = pd.read_csv(folder / "data/features_report.csv", index_col="id")
    assert (report["status"] == "ok").all() and report["suspicion"].isna().all()
    assert (report["voiced"] > 0.9).all() and (report["outside"] == 0).all()


def test_the_number_of_jobs_does_not_change_a_byte(project, tmp_path):
    files = [run(project, tmp_path / str(jobs), jobs) / "data/features.h5" for jobs in (1, 2)]
    one, two = (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    assert one == two


def test_bad_clips_are_listed_with_their_reasons_and_the_rest_goes_on(project, tmp_path):
    def prepare(folder):
        audio = folder / "data/corpus/audio"
        (audio / "u1.flac").write_bytes(b"")
        silent = np.zeros(soundfile.info(audio / "u5.flac").frames)
        soundfile.write(audio / "u5.flac", silent, 24_000)

    folder = run(project, tmp_path, 2, prepare)
    rejects = pd.read_csv(folder / "data/features_report.csv", index_col="id")["reason"].dropna()
    assert rejects.index.tolist() == ["u1", "u5"]
    assert "u1.flac" in rejects["u1"] and "no voiced frame" in rejects["u5"]
    assert FeatureStore(folder / "data/features.h5").ids == ("u0", "u2", "u3", "u4", "u6", "u7")


def test_where_nothing_survives_the_stage_fails_after_its_report(project, tmp_path):
    def prepare(folder):
        for clip in (folder / "data/corpus/audio").iterdir():
            clip.unlink()

    with pytest.raises(InputError, match=r"features: 8 of 8 utterances rejected"):
        run(project, tmp_path, 1, prepare)
    assert len(pd.read_csv(tmp_path / "data/features_report.csv")) == 8
    assert "f0_median_hz" not in read_json(tmp_path / "metrics/features.json")


def test_durations_of_an_utterance_that_is_gone_name_it(project, tmp_path):
    def prepare(folder):
        with (folder / "data/durations.csv").open("a") as file:
            file.write("ghost,ok,,3 4,\n")

    with pytest.raises(InputError, match=r"data/durations\.csv: ghost is not in the corpus"):
        run(project, tmp_path, 1, prepare)
