import hashlib
import json
from contextlib import chdir

import pytest

from lbtts.errors import InputError
from lbtts.languages.luxembourgish.learning import words_of
from lbtts.languages.luxembourgish.lexicon import LEXICON, MODEL
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.params import Source
from lbtts.text.lexicon import read_entries
from lbtts.text.oov.unknown import UnknownWords
from stages import lexicon as stage

LOD = Source(name="lod", kind="packaged")
MFA_LINES = "haus\t0.9\th ɑʊ s\nxyz\ti k s\n"


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "mine.dict"
    path.write_text(MFA_LINES, encoding="utf-8")
    return path


def test_first_source_that_has_a_word_counts(listed):
    mine = Source(name="mine", kind="file", at=str(listed))
    words = words_of([mine, LOD], 0.0)
    assert words.entries["haus"] == ("h", "ɑʊ", "s")
    assert (words.source["haus"], words.source["kanner"]) == ("mine", "lod")
    assert words_of([LOD, mine], 0.0).entries["haus"] == ("h", "æːʊ", "s")


def test_held_out_words_are_drawn_each_by_itself():
    words = words_of([LOD], 0.1)
    assert 0.09 < len(words.held_out) / len(words.entries) < 0.11
    assert not words.held_out & {word for word, _ in words.training()}
    assert words_of([LOD], 0.05).held_out < words.held_out


def test_split_of_a_table_is_kept(tmp_path):
    rows = ["word\tphones\tsplit", "a\tɑ\ttrain", "b\tb\ttest", "c\tk\tdev", "a\taː\ttest"]
    (tmp_path / "t.tsv").write_text("\n".join(rows), encoding="utf-8")
    words = words_of([Source(name="t", kind="file", at=str(tmp_path / "t.tsv"))], 0.5)
    assert words.training() == [("a", ("ɑ",))]
    assert words.scoring() == [("b", ("b",))]
    assert set(words.entries) == {"a", "b", "c"}


def test_source_at_an_address_is_fetched_once_and_checked(listed, tmp_path):
    given = hashlib.sha256(listed.read_bytes()).hexdigest()
    far = Source(name="far", kind="url", at=listed.as_uri(), sha256=given)
    with chdir(tmp_path):
        assert set(words_of([far], 0.0).entries) == {"haus", "xyz"}
        listed.unlink()
        assert set(words_of([far], 0.0).entries) == {"haus", "xyz"}
        other = Source(name="far", kind="url", at=listed.as_uri(), sha256="0" * 64)
        with pytest.raises(InputError, match=r"far: .*cannot be fetched.*use kind: file"):
            words_of([other], 0.0)
        listed.write_text(MFA_LINES, encoding="utf-8")
        with pytest.raises(InputError, match=rf"far: .*its sha256 sum is {given}, not 0000"):
            words_of([other], 0.0)


def test_file_that_is_not_what_its_sum_says_is_refused(listed):
    with pytest.raises(InputError, match="SHA-256"):
        words_of([Source(name="x", kind="file", at=str(listed), sha256="0" * 64)], 0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "packaged", "at": "x"},
        {"kind": "file"},
        {"kind": "url", "at": "https://example.org/x.dict"},
    ],
)
def test_incomplete_sources_are_refused(wrong):
    with pytest.raises(ValueError, match="kind"):
        Source(name="x", **wrong)


def test_stage_writes_the_lexicon_a_model_and_its_score(tmp_path, root):
    params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    start, end = params.index("  sources:"), params.index("\nalign:")
    rows = [f"{w}\t{' '.join(p)}" for w, p in sorted(words_of([LOD], 0.0).entries.items())[::100]]
    (tmp_path / "list.tsv").write_text("\n".join(rows), encoding="utf-8")
    section = """  sources: [{name: part, kind: file, at: list.tsv}]
  test_share: 0.2
  network:
    {ensemble: 1, embedding: 4, encoder: 8, layers: 1, prediction: 6, dropout: 0,
     history_dropout: 0, epochs: 1, batch: 99, lr: 0.01}
  seed: 0
"""
    (tmp_path / "params.yaml").write_text(params[:start] + section + params[end:])
    with chdir(tmp_path):
        stage.main()
    out = tmp_path / "data/lexicon"
    assert len(read_entries(out / LEXICON, INVENTORY)) == len(rows)
    assert UnknownWords.load(out / MODEL, INVENTORY)("kanner")
    metrics = json.loads((tmp_path / "metrics/lexicon.json").read_text())
    assert metrics["words_part"] == len(rows)
    assert metrics["words_learnt"] + metrics["words_held_out"] == len(rows)
    assert 0 < metrics["per"] < 100 and 0 < metrics["wer"] <= 100
