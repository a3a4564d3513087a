"""Projects in odd places: paths with spaces, umlauts and 200 characters, no UTF-8, links."""

import os
import subprocess
import sys

import pytest
import soundfile

from lbtts.corpus.manifest import read_manifest
from tests.conftest import ROOT

SENTENCES = {"a": "Moien, wéi geet et?", "é ü": "D'Kachkéis schmaacht ëmmer."}
LONG = "mäi Projet mat engem ganz laangen Numm " + "x" * 160


def corpus(folder):
    """A project with two recordings, one of them named with an umlaut and a space."""
    raw = folder / "data/raw/mine"
    raw.mkdir(parents=True)
    for number, (name, text) in enumerate(SENTENCES.items()):
        tone = [0.3 * ((n // (60 + number)) % 2 - 0.5) for n in range(24_000)]
        soundfile.write(raw / f"{name}.wav", tone, 24_000)
        (raw / f"{name}.txt").write_text(text, encoding="utf-8")
    text = (ROOT / "profiles/folder.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(text.replace("jobs: 0", "jobs: 1"), encoding="utf-8")
    return raw


def stage(name, folder, **environment):
    return subprocess.run(
        [sys.executable, "-m", f"stages.{name}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        check=False,
    )


def test_a_long_path_with_spaces_and_umlauts(tmp_path):
    folder = tmp_path / LONG
    corpus(folder)
    done = stage("corpus", folder)
    assert done.returncode == 0, done.stderr.decode()
    entries = read_manifest(folder / "data/corpus/manifest.csv")
    assert [entry.text for entry in entries.values()] == list(SENTENCES.values())
    assert all((folder / entry.audio).is_file() for entry in entries.values())


def test_messages_name_files_with_umlauts(tmp_path):
    folder = tmp_path / "ëmmer"
    raw = corpus(folder)
    (raw / "é ü.wav").write_bytes(b"no audio")
    (raw / "a.wav").write_bytes(b"")
    done = stage("corpus", folder)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr.decode()
    assert "error: corpus: 2 of 2 utterances rejected" in done.stderr.decode()
    entries = read_manifest(folder / "data/corpus/manifest.csv")
    assert "é ü.wav" in " ".join(entry.reason for entry in entries.values())


def test_a_locale_without_utf8_is_refused_in_one_line(tmp_path):
    corpus(tmp_path)
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = stage("corpus", tmp_path, **ascii_only)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("error: the locale is not UTF-8")
    assert stage("corpus", tmp_path, **ascii_only | {"PYTHONUTF8": "1"}).returncode == 0


def test_a_link_that_leads_to_recordings_elsewhere_is_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    corpus(elsewhere)
    folder = tmp_path / "project"
    (folder / "data/raw").mkdir(parents=True)
    (folder / "params.yaml").write_bytes((elsewhere / "params.yaml").read_bytes())
    (folder / "data/raw/mine").symlink_to(elsewhere / "data/raw/mine")
    assert stage("corpus", folder).returncode == 0
    assert len(read_manifest(folder / "data/corpus/manifest.csv")) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_recordings_that_this_user_may_not_read_are_rejected_by_name(tmp_path):
    raw = corpus(tmp_path)
    (raw / "a.wav").chmod(0)
    stage("corpus", tmp_path)
    entries = read_manifest(tmp_path / "data/corpus/manifest.csv")
    assert "a.wav" in entries["a"].reason


def test_a_read_only_output_is_named(tmp_path):
    """A file where the folder of the output should be: nobody, not even root, can write there."""
    corpus(tmp_path)
    (tmp_path / "data/corpus").write_text("in the way", encoding="utf-8")
    done = stage("corpus", tmp_path)
    assert done.returncode == 1
    message = done.stderr.decode()
    assert "Traceback" not in message and "data/corpus" in message, message
