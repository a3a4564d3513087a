from pathlib import Path

import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from lbtts.corpus.manifest import Entry, accepted, assign_splits, read_manifest, write_manifest
from lbtts.errors import InputError

IDS = st.sets(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True), min_size=2)


@given(IDS, st.floats(0, 1))
def test_there_is_always_something_to_train_on_and_to_test_with(
    ids: set[str], share: float
) -> None:
    splits = assign_splits(dict.fromkeys(ids), ids, share)
    assert set(splits) == ids
    assert set(splits.values()) == {"train", "test"}


@given(IDS, IDS)
def test_splits_stay_when_utterances_are_added(ids: set[str], more: set[str]) -> None:
    anchors = {f"anchor{number}" for number in range(40)}  # so that neither split is empty
    few = assign_splits(dict.fromkeys(ids | anchors), ids | anchors, 0.3)
    many = assign_splits(dict.fromkeys(ids | more | anchors), ids | more | anchors, 0.3)
    assert few == {name: many[name] for name in few}


def test_share_is_met_over_many_utterances() -> None:
    ids = [f"utterance-{number}" for number in range(5_000)]
    splits = assign_splits(dict.fromkeys(ids), ids, 0.1)
    assert list(splits.values()).count("test") == pytest.approx(500, abs=60)


def test_split_of_the_source_is_kept() -> None:
    given_splits = {f"u{number}": "test" if number % 2 else "train" for number in range(20)}
    assert assign_splits(given_splits, given_splits, 0.9) == given_splits


def test_rejected_utterances_do_not_count_as_test_split() -> None:
    splits = assign_splits({"a": "train", "b": "test", "c": "train"}, ["a", "c"], 0.0)
    assert {splits["a"], splits["c"]} == {"train", "test"}


def test_manifest_comes_back_as_it_was_written_sorted(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    ok = Entry("b", "train", 'NA "null", ja|nee é', "", "a.flac", samples=24_600, start=-1)
    rejected = Entry("NA", "test", "null", "silent")
    write_manifest([ok, rejected], path)
    entries = read_manifest(path)
    assert list(entries.values()) == [rejected, ok]
    assert list(accepted(entries)) == ["b"]
    assert path.read_bytes().splitlines() == [
        b"id,split,audio,text,seconds,status,reason,start",
        b"NA,test,,null,,rejected,silent,",
        f'b,train,a.flac,"NA ""null"", ja|nee é",1.025,ok,,{-1 / 24_000}'.encode(),
    ]


@pytest.mark.parametrize("row", ["a,train,a.flac,x,long,ok,,0.0", "a,train,a.flac,x"])
def test_a_damaged_row_is_named_with_its_file(tmp_path: Path, row: str) -> None:
    write_manifest([], tmp_path / "manifest.csv")
    with (tmp_path / "manifest.csv").open("a", encoding="utf-8") as file:
        file.write(row)
    with pytest.raises(
        InputError, match=r"manifest\.csv: damaged .*; run `dvc repro -s -f corpus`"
    ):
        read_manifest(tmp_path / "manifest.csv")


def test_missing_manifest_names_the_stage_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.csv: not found; run `dvc repro corpus`"):
        read_manifest(tmp_path / "manifest.csv")


def test_manifest_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("id,text\na,b\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"manifest\.csv: no column 'status'; run"):
        read_manifest(tmp_path / "manifest.csv")


def test_mini_corpus_is_a_corpus(mini_corpus: Path) -> None:
    manifest = accepted(read_manifest(mini_corpus / "data/corpus/manifest.csv"))
    assert len(manifest) == 6
    assert {entry.split for entry in manifest.values()} == {"train", "test"}
    for entry in manifest.values():
        facts = soundfile.info(mini_corpus / entry.audio)
        assert (facts.samplerate, facts.channels) == (24_000, 1)
        assert facts.frames % 600 == 0
        assert facts.frames == entry.samples
