from pathlib import Path

import pandas as pd
import pytest
import soundfile

from lbtts.corpus.demo import TRUTH_COLUMNS, read_aloud, shift_truth
from lbtts.corpus.manifest import Entry
from lbtts.errors import InputError
from lbtts.params import load

ALPHABET = set("abcdefghijklmnopqrstuvwxyzäëéèöü")


@pytest.fixture(scope="module")
def sentences(root: Path) -> Path:
    return root / "data/raw/demo/sentences.txt"


def test_sentences_are_many_different_and_use_every_letter(sentences: Path) -> None:
    lines = sentences.read_text(encoding="utf-8").splitlines()
    assert len(set(lines)) == len(lines) >= 60
    assert all(4 <= len(line.split()) <= 16 for line in lines)
    assert set("".join(lines).lower()) >= ALPHABET


def test_demo_has_four_minutes_of_speech_at_every_rate_and_pitch(
    root: Path, sentences: Path, tmp_path: Path
) -> None:
    demo = load(root / "profiles/demo.yaml").corpus.demo
    assert demo
    recordings, truth = read_aloud(sentences, demo, tmp_path)
    assert sum(soundfile.info(recording.audio).duration for recording in recordings) >= 240
    pairs = set(truth[["words_per_minute", "pitch"]].itertuples(index=False, name=None))
    assert pairs == {(rate, pitch) for rate in demo.rates for pitch in demo.pitches}
    assert [recording.id for recording in recordings[:2]] == ["demo-001", "demo-002"]
    assert truth["id"].nunique() == len(recordings)


def test_truth_follows_the_trimming_and_ends_with_the_audio() -> None:
    rows = [
        ("a", 150, 50, 0.0, 0.2, "m"),
        ("a", 150, 50, 0.2, 0.9, "ˈo"),
        ("a", 150, 50, 0.9, 1.4, ""),
        ("a", 150, 50, 1.4, 1.5, ""),
        ("rejected", 150, 50, 0.0, 0.2, "m"),
    ]
    entry = Entry("a", "train", "mo", samples=24_000, start=2_400)
    truth = shift_truth(pd.DataFrame(rows, columns=TRUTH_COLUMNS), [entry])
    assert truth["phoneme"].tolist() == ["m", "ˈo", ""]
    assert truth["start"].tolist() == pytest.approx([0.0, 0.1, 0.8])
    assert truth["end"].tolist() == pytest.approx([0.1, 0.8, 1.0])


def test_file_without_sentences_is_named(root: Path, tmp_path: Path) -> None:
    demo = load(root / "profiles/demo.yaml").corpus.demo
    assert demo
    (tmp_path / "sentences.txt").write_text("\n\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"sentences\.txt: no sentences"):
        read_aloud(tmp_path / "sentences.txt", demo, tmp_path)
