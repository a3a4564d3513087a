import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbtts.alignment import textgrid
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.errors import Reject

LABELS = st.sampled_from(["aː", "ʦ", "ɑ̃ː", "æːɪ", 'a"b'])


@st.composite
def alignments(draw):
    """Phones on a 10 ms grid with silences between, each a word of its own."""
    steps = draw(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50), LABELS), min_size=1))
    now, phones = 0, []
    for silence, length, label in steps:
        phones.append(Interval((now + silence) / 100, (now + silence + length) / 100, label))
        now += silence + length
    return Alignment(tuple(phones), tuple(phones), (now + draw(st.integers(0, 50))) / 100)


@given(alignment=alignments())
def test_what_is_written_is_read_again(alignment, tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "x.TextGrid"
    textgrid.write(alignment, path)
    assert textgrid.read(path) == alignment


def test_tiers_are_without_gaps_and_silence_is_empty(tmp_path):
    path = tmp_path / "x.TextGrid"
    phones = (Interval(0.1, 0.2, "ʦ"), Interval(0.3, 0.4, "aː"))
    textgrid.write(Alignment((Interval(0.1, 0.4, "za"),), phones, 0.5), path)
    text = path.read_text(encoding="utf-8")
    assert text.count('text = ""') == 2 + 3
    assert "intervals: size = 5" in text and "intervals: size = 3" in text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a TextGrid"),
        (b"no grid at all\nin\nthis\nfile\nhere\n", "not a TextGrid"),
        (b"\xff\xfe\x00", "not a TextGrid"),
    ],
)
def test_a_damaged_file_is_rejected_by_name(tmp_path, content, reason):
    path = tmp_path / "x.TextGrid"
    path.write_bytes(content)
    with pytest.raises(Reject, match=rf"x\.TextGrid.*{reason}"):
        textgrid.read(path)


def test_a_truncated_file_or_a_missing_tier_is_rejected(tmp_path):
    path = tmp_path / "x.TextGrid"
    textgrid.write(Alignment((), (Interval(0.1, 0.2, "aː"),), 0.5), path)
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace('"phones"', '"segments"'), encoding="utf-8")
    with pytest.raises(Reject, match="words and phones"):
        textgrid.read(path)
    path.write_text(whole[:300], encoding="utf-8")
    with pytest.raises(Reject, match=r"x\.TextGrid"):
        textgrid.read(path)


def test_an_absent_file_names_the_stage_to_run(tmp_path):
    with pytest.raises(Reject, match=r"no TextGrid; run `dvc repro align`"):
        textgrid.read(tmp_path / "x.TextGrid")


def test_real_output_of_mfa_is_read(shared):
    path = shared("mfa", "textgrids", "lb-wiki-0003.TextGrid")
    alignment = textgrid.read(path)
    assert alignment.seconds == 2.234966
    assert alignment.words[0] == Interval(0.08, 0.63, "iwwersiren")
    assert all(phone.label for phone in alignment.phones)
