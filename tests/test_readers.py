import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from lbtts.corpus.readers import Recording, read_corpus, read_utf8
from lbtts.errors import InputError


def put(root: Path, **files: str | bytes) -> None:
    """Writes files under `root`; `__` in a name is a slash, `_dot_` a full stop."""
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def read(source: str, root: Path) -> dict[str, Recording]:
    return {recording.id: recording for recording in read_corpus(source, root)}


def test_ljspeech_of_two_columns_takes_the_text(tmp_path: Path) -> None:
    put(
        tmp_path,
        metadata_dot_csv="b|Zwee.\na|Een,  a  méi.\n",
        wavs__a_dot_flac="",
        wavs__b_dot_wav="",
    )
    found = read("ljspeech", tmp_path)
    assert list(found) == ["a", "b"]
    assert found["a"].text == "Een, a méi."
    assert found["a"].audio == tmp_path / "wavs/a.flac"
    assert found["b"].audio == tmp_path / "wavs/b.wav"
    assert not any(recording.fault or recording.split for recording in found.values())


def test_ljspeech_of_three_columns_takes_the_normalised_text(tmp_path: Path) -> None:
    put(
        tmp_path,
        metadata_dot_csv="a|1 x|een x\r\nb|zwee|\r\n",
        wav__a_dot_ogg="",
        wav__b_dot_MP3="",
    )
    found = read("ljspeech", tmp_path)
    assert (found["a"].text, found["b"].text) == ("een x", "zwee")
    assert not found["b"].fault


def test_ljspeech_ids_may_carry_the_ending_and_the_file_a_byte_order_mark(tmp_path: Path) -> None:
    table = b"\xef\xbb\xbfa.wav|Moien.\n"
    put(tmp_path, metadata_dot_csv=table, wavs__a_dot_wav="")
    assert read("ljspeech", tmp_path)["a"].fault == ""


@pytest.mark.parametrize("line", ["a", "a|b|c|d"])
def test_ljspeech_line_of_other_columns_is_a_fault(tmp_path: Path, line: str) -> None:
    put(tmp_path, metadata_dot_csv=f"\n{line}\n", wavs__a_dot_wav="")
    assert "metadata.csv:2: " in read("ljspeech", tmp_path)["a"].fault
    assert "columns instead of id|text" in read("ljspeech", tmp_path)["a"].fault


def test_ljspeech_id_without_audio_is_a_fault(tmp_path: Path) -> None:
    put(tmp_path, metadata_dot_csv="a|Moien.\nb|Äddi.\n", wavs__a_dot_wav="")
    found = read("ljspeech", tmp_path)
    assert found["a"].fault == ""
    assert "metadata.csv:2: audio file" in found["b"].fault
    assert "wavs/b.* not found" in found["b"].fault


@pytest.mark.parametrize("line", ["a|", "a| |  ", "a||"])
def test_empty_transcript_is_a_fault(tmp_path: Path, line: str) -> None:
    put(tmp_path, metadata_dot_csv=line, wavs__a_dot_wav="")
    assert "metadata.csv:1: empty transcript" in read("ljspeech", tmp_path)["a"].fault


def test_second_of_a_duplicate_id_is_a_fault_that_names_both_places(tmp_path: Path) -> None:
    put(tmp_path, metadata_dot_csv="a|Een.\nb|Zwee.\na|Dräi.\na|Véier.\n")
    put(tmp_path, wavs__a_dot_wav="", wavs__b_dot_wav="")
    found = read("ljspeech", tmp_path)
    assert list(found) == ["a", "a.duplicate2", "a.duplicate3", "b"]
    assert found["a"].fault == ""
    fault = found["a.duplicate2"].fault
    assert "metadata.csv:3: duplicate id a, as in" in fault
    assert "metadata.csv:1;" in fault


def test_ids_become_plain_and_clash_only_openly(tmp_path: Path) -> None:
    put(tmp_path, metadata_dot_csv="Äppel 1|x\nAppel_1|y\n---|z\n", **{"wavs__---_dot_wav": ""})
    found = read("ljspeech", tmp_path)
    assert found["Appel_1"].text == "x"
    assert "duplicate id Appel_1" in found["Appel_1.duplicate2"].fault
    (nameless,) = (recording for recording in found.values() if recording.text == "z")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", nameless.id)
    assert "metadata.csv:3: no id; give it one" in nameless.fault


def test_table_that_is_not_utf8_names_line_byte_and_remedy(tmp_path: Path) -> None:
    put(tmp_path, metadata_dot_csv="a|Moien.\nb|Äppel.\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"metadata\.csv:2: byte 0xc4 is not UTF-8; .*iconv"):
        read_corpus("ljspeech", tmp_path)


def test_table_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"metadata\.csv: not found"):
        read_corpus("ljspeech", tmp_path)


def test_csv_with_train_and_test_folders_keeps_their_split(tmp_path: Path) -> None:
    header = "path,text,source\n"
    put(
        tmp_path,
        train__metadata_dot_csv=header + 'a.wav,"moien, alleguer",lod\n',
        train__audio__a_dot_wav="",
        test__metadata_dot_csv=header + "audio/a.wav,äddi,lod\n",
        test__audio__a_dot_wav="",
    )
    found = read("csv", tmp_path)
    assert list(found) == ["test__a", "train__a"]
    assert [found[name].split for name in found] == ["test", "train"]
    assert found["train__a"].text == "moien, alleguer"
    assert found["train__a"].audio == tmp_path / "train/audio/a.wav"
    assert found["test__a"].audio == tmp_path / "test/audio/a.wav"
    assert not any(recording.fault for recording in found.values())


def test_csv_in_one_table_takes_the_split_from_the_path(tmp_path: Path) -> None:
    rows = "path,text,source\naudio/train/a.wav,a,x\naudio/test/b.wav,b,x\naudio/test.wav,c,x\n"
    put(tmp_path, metadata_dot_csv=rows)
    found = read("csv", tmp_path)
    splits = {name: recording.split for name, recording in found.items()}
    assert splits == {"test": None, "test__b": "test", "train__a": "train"}


def test_csv_without_its_columns_names_them(tmp_path: Path) -> None:
    put(tmp_path, metadata_dot_csv="file_name,sentence\na.wav,x\n")
    with pytest.raises(InputError, match=r"metadata\.csv: no column path or text"):
        read_corpus("csv", tmp_path)


def test_csv_without_a_table_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no metadata\.csv there, nor in train/ or test/"):
        read_corpus("csv", tmp_path)


def test_csv_row_with_an_unquoted_comma_is_a_fault(tmp_path: Path) -> None:
    put(tmp_path, metadata_dot_csv="path,text,source\na.wav,moien, alleguer,lod\n")
    assert "metadata.csv:2: more fields than columns" in read("csv", tmp_path)["a"].fault


def test_csv_row_that_breaks_off_is_a_fault(tmp_path: Path) -> None:
    put(tmp_path, metadata_dot_csv="path,text,source\na.wav\n,x,y\n.,x,y\n")
    found = read("csv", tmp_path)
    assert "empty transcript" in found["a"].fault
    assert sum("no id" in recording.fault for recording in found.values()) == 2


def test_csv_with_an_open_quote_names_the_line(tmp_path: Path) -> None:
    put(tmp_path, metadata_dot_csv='path,text\na.wav,"moien\n')
    with pytest.raises(InputError, match=r"metadata\.csv: not valid CSV after line 1"):
        read_corpus("csv", tmp_path)


def test_folder_is_read_at_any_depth_with_either_transcript(tmp_path: Path) -> None:
    put(tmp_path, s1__a_dot_wav="", s1__a_dot_txt="Moien.\n", s2__a_dot_FLAC="")
    put(tmp_path, s2__a_dot_lab="Äddi.", README_dot_txt="about", s1__a_dot_TextGrid="")
    found = read("folder", tmp_path)
    assert {name: recording.text for name, recording in found.items()} == {
        "s1__a": "Moien.",
        "s2__a": "Äddi.",
    }
    assert not any(recording.fault for recording in found.values())


def test_folder_lists_audio_without_transcript_and_the_reverse(tmp_path: Path) -> None:
    put(tmp_path, a_dot_wav="", b_dot_lab="x", b_dot_txt="x")
    found = read("folder", tmp_path)
    assert "a.wav: no transcript of the same name" in found["a"].fault
    assert "b.lab: no audio file of the same name" in found["b"].fault


def test_folder_with_a_transcript_not_in_utf8_loses_only_that_utterance(tmp_path: Path) -> None:
    put(tmp_path, a_dot_wav="", a_dot_txt="Äppel".encode("latin-1"), b_dot_wav="", b_dot_txt="Bier")
    found = read("folder", tmp_path)
    assert "a.txt:1: byte 0xc4 is not UTF-8" in found["a"].fault
    assert found["b"].fault == ""


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_are_the_same_with_accents_composed_or_apart(
    tmp_path: Path, forms: tuple[str, str]
) -> None:
    """macOS writes file names with their accents apart, tables mostly have them composed."""
    listed, stored = (unicodedata.normalize(form, "Äppel_é") for form in forms)
    assert listed != stored
    for name, source in {
        "metadata.csv": f"{listed}|Moien.\n",
        f"wavs/{stored}.wav": "",
        "train/metadata.csv": f"path,text\n{listed}.wav,Moien\n",
        f"train/audio/{stored}.wav": "",
        f"folder/{stored}.wav": "",
        f"folder/{listed}.txt": "Moien",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source, encoding="utf-8")
    (found,) = read("ljspeech", tmp_path).values()
    assert found.fault == "" and found.audio == tmp_path / f"wavs/{stored}.wav"
    (tmp_path / "metadata.csv").unlink()
    (found,) = read("csv", tmp_path).values()
    assert found.audio == tmp_path / f"train/audio/{stored}.wav"
    (found,) = read("folder", tmp_path / "folder").values()
    assert (found.fault, found.text) == ("", "Moien")


def test_corpus_that_is_not_there_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not found; put the corpus there"):
        read_corpus("folder", tmp_path / "data/raw/mine")


def test_corpus_without_utterances_asks_for_the_right_reader(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no utterances found; is corpus\.source = folder"):
        read_corpus("folder", tmp_path)


def test_utf16_is_named_at_its_first_byte(tmp_path: Path) -> None:
    put(tmp_path, a_dot_txt="Moien".encode("utf-16"))
    with pytest.raises(InputError, match=r"a\.txt:1: byte 0xff is not UTF-8"):
        read_utf8(tmp_path / "a.txt")


def test_ljspeech_sample_is_read_whole(shared: Callable[..., Path]) -> None:
    found = read("ljspeech", shared("ljspeech_sample"))
    assert len(found) == 8
    assert not any(recording.fault for recording in found.values())
    assert found["LJ001-0002"].text == "in being comparatively modern."


def test_marylux_is_read_whole(shared: Callable[..., Path]) -> None:
    found = read("ljspeech", shared("marylux"))
    assert len(found) == 385
    assert not any(recording.fault for recording in found.values())
