import contextlib
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import diskcache
import numpy as np
import pandas as pd
import pytest
import soundfile

from lbtts.acoustics.measuring import survey
from lbtts.acoustics.measuring.cache import MeasureCache
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.records import read_json
from stages import features
from tests.corpora import HARVEST, write_project

IDS = [f"u{number}" for number in range(8)]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """What the stages before `features` would leave, of eight buzzes; u2 has a cut."""
    return write_project(tmp_path_factory.mktemp("features"), IDS)


def run(project: Path, folder: Path, jobs: int = 1, prepare=lambda folder: None) -> Path:
    shutil.copytree(project, folder, dirs_exist_ok=True)
    change(folder, "jobs: 0", f"jobs: {jobs}")
    prepare(folder)
    return again(folder)


def copy_of(known: Path, folder: Path) -> Path:
    shutil.copytree(known, folder, dirs_exist_ok=True)
    return folder


def again(folder: Path, scratch: Path | None = None) -> Path:
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(scratch or folder))
        features.main()
    return folder


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "params.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def known(project, tmp_path_factory) -> Path:
    """The project after the stage, so that a copy of it finds everything measured."""
    return run(project, tmp_path_factory.mktemp("known"))


@pytest.fixture
def asked(monkeypatch) -> list[tuple[str, bool, bool]]:
    """What is measured in this process: id, whether F0, whether mel and energy."""
    noted: list[tuple[str, bool, bool]] = []

    def noting(utterance, choice, f0_wanted, spectral_wanted):
        noted.append((utterance.id, f0_wanted, spectral_wanted))
        return attempt(utterance, choice, f0_wanted, spectral_wanted)

    attempt = survey._attempt
    monkeypatch.setattr(survey, "_attempt", noting)
    return noted


def test_all_are_measured_and_the_metrics_are_true(known):
    store = FeatureStore(known / "data/features.h5")
    assert store.ids == tuple(IDS)
    assert store.split.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    metrics = read_json(known / "metrics/features.json")
    assert (metrics["utterances"], metrics["rejected"]) == (8, 0)
    assert metrics["hours"] == pytest.approx(store.units_total.sum() / 40 / 3600, abs=1e-4)
    assert 100 <= metrics["f0_p05_hz"] < metrics["f0_median_hz"] < metrics["f0_p95_hz"] <= 140
    assert metrics["voiced_share"] > 0.9
    report = pd.read_csv(known / "data/features_report.csv", index_col="id")
    assert (report["status"] == "ok").all() and report["suspicion"].isna().all()
    assert (report["voiced"] > 0.9).all() and (report["outside"] == 0).all()


def test_the_number_of_jobs_does_not_change_a_byte(project, known, tmp_path):
    folder = run(project, tmp_path, jobs=2)
    assert (folder / "data/features.h5").read_bytes() == (known / "data/features.h5").read_bytes()


def test_growth_computes_what_is_new_and_gives_the_same_bytes(project, known, tmp_path, asked):
    def hold_back(folder):
        durations = folder / "data/durations.csv"
        lines = durations.read_text().splitlines(keepends=True)
        durations.write_text("".join(line for line in lines if line[:2] not in ("u2", "u5")))

    grown = run(project, tmp_path, prepare=hold_back)
    assert {name for name, _, _ in asked} == set(IDS) - {"u2", "u5"}
    asked.clear()
    shutil.copy(project / "data/durations.csv", grown / "data/durations.csv")
    again(grown)
    assert sorted(asked) == [("u2", True, True), ("u5", True, True)]
    written = [(folder / "data/features.h5").read_bytes() for folder in (known, grown)]
    assert written[0] == written[1]


def test_another_f0_method_measures_f0_alone_and_the_way_back_nothing(known, tmp_path, asked):
    folder = copy_of(known, tmp_path)
    before = (folder / "data/features.h5").read_bytes()
    asked.clear()
    change(folder, "method: harvest", "method: dio")
    again(folder)
    assert sorted(asked) == [(name, True, False) for name in IDS]
    assert (folder / "data/features.h5").read_bytes() != before
    asked.clear()
    change(folder, "method: dio", "method: harvest")
    again(folder)
    assert asked == []
    assert (folder / "data/features.h5").read_bytes() == before


def test_other_durations_of_the_same_audio_measure_nothing(known, tmp_path, asked):
    folder = copy_of(known, tmp_path)
    asked.clear()
    durations = folder / "data/durations.csv"
    durations.write_text(durations.read_text().replace("u0,ok,,4 6 6", "u0,ok,,4 5 7"))
    again(folder)
    assert asked == []
    assert FeatureStore(folder / "data/features.h5")[0].units.tolist() == [4, 5, 7, 6, 6, 6, 4]


def test_a_suspect_f0_is_reported_and_rejected_only_on_demand(known, tmp_path):
    folder = copy_of(known, tmp_path)
    change(folder, "max_jumps: 1 ", "max_jumps: 0 ")
    path = folder / "data/corpus/audio/u6.flac"
    audio, rate = soundfile.read(path)
    middle = len(audio) // 2
    high = np.arange(len(audio) - middle) * 450 / rate % 1 - 0.5
    soundfile.write(path, np.r_[audio[:middle], 0.2 * high], rate)
    again(folder)
    report = pd.read_csv(folder / "data/features_report.csv", index_col="id")
    assert report.index[report["suspicion"].notna()].tolist() == ["u6"]
    assert "outside the speaker's range" in report.at["u6", "suspicion"]
    assert report.at["u6", "status"] == "ok" and report.at["u6", "outside"] > 0.1
    assert read_json(folder / "metrics/features.json")["suspect"] == 1
    change(folder, "suspects: keep", "suspects: reject")
    again(folder)
    report = pd.read_csv(folder / "data/features_report.csv", index_col="id")
    assert report.at["u6", "status"] == "rejected" and "range" in report.at["u6", "reason"]
    assert "u6" not in FeatureStore(folder / "data/features.h5").ids


@pytest.mark.parametrize("damage", ["begin", "end"])
def test_a_damaged_cache_is_started_afresh_or_named_with_the_remedy(
    known, tmp_path, damage, capsys
):
    folder = copy_of(known, tmp_path)
    before = (folder / "data/features.h5").read_bytes()
    database = folder / "scratch/features/measured/cache.db"
    content = bytearray(database.read_bytes())
    part = slice(0, 4096) if damage == "begin" else slice(len(content) // 2, len(content))
    content[part] = bytes(len(content[part]))
    database.write_bytes(content)
    try:
        again(folder)
        assert damage == "end" or "damaged" in capsys.readouterr().out
    except InputError as error:
        assert re.search(r"scratch/features/measured: .*delete that folder; then run", str(error))
        shutil.rmtree(database.parent)
        again(folder)
    assert (folder / "data/features.h5").read_bytes() == before


def test_a_cache_that_cannot_be_opened_is_kept(tmp_path, monkeypatch):
    """A full disk is no damage: days of measuring must not be thrown away for it."""
    with MeasureCache(tmp_path, HARVEST):
        database = tmp_path / "measured/cache.db"
    before = database.read_bytes()

    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(diskcache, "Cache", full)
    with pytest.raises(InputError, match=r"disk is full; .*free some space"):
        MeasureCache(tmp_path, HARVEST)
    assert database.read_bytes() == before


def test_a_value_that_was_damaged_on_disk_is_measured_again(known, tmp_path, asked):
    folder = copy_of(known, tmp_path)
    before = (folder / "data/features.h5").read_bytes()
    database = folder / "scratch/features/measured/cache.db"
    value = (folder / "data/features.h5").read_bytes()
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        row, value = connection.execute(
            "SELECT rowid, value FROM Cache WHERE key LIKE 'f0/%' LIMIT 1"
        ).fetchone()
        value = value[:40] + bytes([value[40] ^ 1]) + value[41:]
        connection.execute("UPDATE Cache SET value = ? WHERE rowid = ?", (value, row))
    asked.clear()
    again(folder)
    assert [(f0, mel) for _, f0, mel in asked] == [(True, False)]
    assert (folder / "data/features.h5").read_bytes() == before


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system with room for 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    if done.returncode:
        pytest.skip(f"a small file system cannot be made here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("old", [b"an older store", None])
def test_a_full_disk_under_the_store_leaves_the_old_one_or_none(
    project, known, tmp_path, small_disk, old
):
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    shutil.rmtree(folder / "data")
    shutil.copytree(project / "data", small_disk / "data")
    (folder / "data").symlink_to(small_disk / "data")
    (small_disk / "filler").write_bytes(bytes(500_000))
    store = folder / "data/features.h5"
    if old:
        store.write_bytes(old)
    with pytest.raises(InputError, match=r"could not be written .*No space.*free some space"):
        again(folder, scratch=known)
    assert (store.read_bytes() if store.exists() else None) == old
    assert not (folder / "data/features.partial").exists()


def test_a_full_disk_under_the_cache_is_one_clear_line(project, tmp_path, small_disk):
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    change(folder, "jobs: 0", "jobs: 1")
    (small_disk / "filler").write_bytes(bytes(700_000))
    with pytest.raises(InputError, match=r"features/measured: .*full.*free some space"):
        again(folder, scratch=small_disk)
    assert not (folder / "data/features.h5").exists()


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
        for path in (folder / "data/corpus/audio").iterdir():
            path.unlink()

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
