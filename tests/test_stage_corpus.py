import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lbtts import paths
from lbtts.corpus.manifest import accepted, read_manifest
from lbtts.errors import InputError
from stages import corpus

RATE = 16_000


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes the current directory a project with the given source; returns its data/raw folder."""
    monkeypatch.chdir(tmp_path)

    def set_up(source: str, *, jobs: int = 1, max_rejected: float = 0.5) -> Path:
        params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
        params = params.replace("jobs: 0", f"jobs: {jobs}")
        params = params.replace("max_rejected: 0.05", f"max_rejected: {max_rejected}")
        params = params.replace("source: demo ", f"source: {source} ")
        params = params.replace("name: demo\n", "name: mine\n", 1)
        if source != "demo":
            params = re.sub(r"  demo:\n(    .*\n)+", "", params)
        Path("params.yaml").write_text(params, encoding="utf-8")
        return Path("data/raw/mine")

    return set_up


def say(path: Path, text: str, seconds: float = 1.0) -> None:
    """Writes a tone and its transcript."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.3 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * RATE)) / RATE)
    soundfile.write(path, wave, RATE)
    path.with_suffix(".txt").write_text(text, encoding="utf-8")


def digests() -> dict[str, str]:
    files = [*Path("data/corpus").rglob("*"), *Path("metrics").rglob("*")]
    return {str(f): hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def test_bad_utterances_are_listed_and_the_rest_survives(project: Callable[..., Path]) -> None:
    raw = project("folder")
    for name in ("good1", "good2", "good3", "good4", "good5"):
        say(raw / f"{name}.wav", f"Dat ass {name}.")
    say(raw / "silent.wav", "Näischt.")
    soundfile.write(raw / "silent.wav", np.zeros(RATE), RATE)
    say(raw / "cut.flac", "Ofgeschnidden.")
    (raw / "cut.flac").write_bytes((raw / "cut.flac").read_bytes()[:2_000])
    say(raw / "mute.wav", " ")
    say(raw / "short.wav", "Kuerz.", seconds=0.01)
    (raw / "gone.txt").write_text("Fort.", encoding="utf-8")
    corpus.main()
    manifest = read_manifest(paths.MANIFEST)
    reasons = {name: entry.reason for name, entry in manifest.items()}
    assert list(accepted(manifest)) == ["good1", "good2", "good3", "good4", "good5"]
    assert "silent" in reasons["silent"]
    assert "cut.flac: truncated" in reasons["cut"]
    assert "empty transcript" in reasons["mute"]
    assert "corpus.min_seconds" in reasons["short"]
    assert "no audio file" in reasons["gone"]
    assert sorted(path.stem for path in Path("data/corpus/audio").iterdir()) == [
        f"good{number}" for number in range(1, 6)
    ]
    metrics = json.loads(Path("metrics/corpus.json").read_text())
    assert (metrics["utterances"], metrics["rejected"]) == (10, 5)
    assert metrics["train"] + metrics["test"] == 5
    assert metrics["seconds"] == pytest.approx(sum(e.seconds for e in manifest.values()))


def test_too_many_bad_utterances_end_the_stage_after_the_report(
    project: Callable[..., Path],
) -> None:
    raw = project("folder", max_rejected=0.1)
    for name in ("a", "b", "c"):
        say(raw / f"{name}.wav", name)
    (raw / "c.txt").unlink()
    with pytest.raises(InputError, match=r"corpus: 1 of 3 .* data/corpus/manifest\.csv"):
        corpus.main()
    assert [bool(e.reason) for e in read_manifest(paths.MANIFEST).values()] == [False, False, True]


def test_one_utterance_is_too_few(project: Callable[..., Path]) -> None:
    say(project("folder") / "a.wav", "Eleng.")
    with pytest.raises(InputError, match="one usable utterance"):
        corpus.main()


def test_missing_corpus_says_where_to_put_it(project: Callable[..., Path]) -> None:
    project("csv")
    with pytest.raises(InputError, match="data/raw/mine: not found; put the corpus there"):
        corpus.main()


def test_files_of_an_earlier_run_do_not_survive(project: Callable[..., Path]) -> None:
    raw = project("folder")
    for name in ("a", "b", "c"):
        say(raw / f"{name}.wav", name)
    corpus.main()
    for suffix in (".wav", ".txt"):
        (raw / f"c{suffix}").unlink()
    Path("data/corpus/tmp-of-a-killed-run").mkdir()
    corpus.main()
    assert sorted(os.listdir("data/corpus")) == ["audio", "manifest.csv"]
    assert not Path("scratch/corpus").exists()
    assert sorted(path.name for path in Path("data/corpus/audio").iterdir()) == ["a.flac", "b.flac"]


def test_demo_is_the_same_to_the_byte_for_one_job_and_two(
    project: Callable[..., Path],
) -> None:
    raw = project("demo")
    raw.mkdir(parents=True)
    text = "Moien, wéi geet et?\nD'Sonn schéngt.\nEt reent op de Bësch.\n"
    (raw / "sentences.txt").write_text(text, encoding="utf-8")
    corpus.main()
    first = digests()
    project("demo", jobs=2)
    corpus.main()
    assert digests() == first
    assert "data/corpus/demo_truth.csv" in first
    assert len(first) == 3 + 3


def test_truth_of_the_demo_lies_where_the_sound_is(mini_corpus: Path) -> None:
    truth = pd.read_csv(mini_corpus / "data/corpus/demo_truth.csv", keep_default_na=False)
    manifest = accepted(read_manifest(mini_corpus / "data/corpus/manifest.csv"))
    assert set(truth["id"]) == set(manifest)
    for row in manifest.values():
        samples, rate = soundfile.read(mini_corpus / row.audio)
        spoken = truth[(truth["id"] == row.id) & (truth["phoneme"] != "")]
        loud = np.flatnonzero(np.abs(samples) > 0.003) / rate
        assert spoken["start"].min() == pytest.approx(loud[0], abs=0.06)
        assert spoken["end"].max() == pytest.approx(loud[-1], abs=0.06)
        assert truth[truth["id"] == row.id]["end"].max() <= row.seconds


def test_ljspeech_sample_goes_through(
    project: Callable[..., Path], shared: Callable[..., Path]
) -> None:
    raw = project("ljspeech")
    raw.parent.mkdir(parents=True)
    raw.symlink_to(shared("ljspeech_sample").resolve())
    corpus.main()
    manifest = accepted(read_manifest(paths.MANIFEST))
    assert len(manifest) == 8
    assert {entry.split for entry in manifest.values()} == {"train", "test"}


@pytest.mark.slow
def test_all_of_marylux_goes_through(
    project: Callable[..., Path], shared: Callable[..., Path]
) -> None:
    raw = project("ljspeech", jobs=2)
    raw.parent.mkdir(parents=True)
    raw.symlink_to(shared("marylux").resolve())
    corpus.main()
    assert len(accepted(read_manifest(paths.MANIFEST))) == 385
