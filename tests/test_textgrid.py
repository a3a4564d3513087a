import pytest
from hypothesis import given
from hypothesis import strategies as st
from praatio import textgrid as praatio

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


def test_the_same_alignment_gives_the_same_bytes(tmp_path):
    phones = (Interval(0.1, 0.2, "ʦ"), Interval(0.3, 0.4, "aː"))
    alignment = Alignment((Interval(0.1, 0.4, "d'zaa"),), phones, 0.525)
    for name in "ab":
        textgrid.write(alignment, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_grids_that_praat_saved_in_its_other_encodings_are_read(tmp_path, encoding):
    path = tmp_path / "x.TextGrid"
    alignment = Alignment((Interval(0.1, 0.4, "zäit"),), (Interval(0.1, 0.4, "æːɪ"),), 0.5)
    textgrid.write(alignment, path)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert textgrid.read(path) == alignment


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


def test_wherever_a_file_ends_too_early_no_phone_is_made_up(tmp_path):
    path = tmp_path / "x.TextGrid"
    phones = (Interval(0.1, 0.2, "aː"), Interval(0.25, 0.4, "m"))
    textgrid.write(Alignment((), phones, 0.5), path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        try:
            found = textgrid.read(path).phones
        except Reject:
            continue
        assert found == phones[: len(found)]


def test_points_in_place_of_intervals_are_rejected(tmp_path):
    path = tmp_path / "x.TextGrid"
    grid = praatio.Textgrid(0, 1)
    grid.addTier(praatio.PointTier("words", [(0.5, "zäit")], 0, 1))
    grid.addTier(praatio.IntervalTier("phones", [(0.2, 0.5, "aː")], 0, 1))
    grid.save(str(path), "long_textgrid", includeBlankSpaces=True)
    with pytest.raises(Reject, match=r"x\.TextGrid: not a TextGrid with tiers words and phones"):
        textgrid.read(path)


def test_overlapping_intervals_are_rejected(tmp_path):
    path = tmp_path / "x.TextGrid"
    textgrid.write(Alignment((), (Interval(0.1, 0.2, "a"), Interval(0.2, 0.3, "b")), 0.5), path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("xmin = 0.2", "xmin = 0.15"), encoding="utf-8")
    with pytest.raises(Reject, match="overlap"):
        textgrid.read(path)


def test_an_absent_file_names_the_stage_to_run(tmp_path):
    with pytest.raises(Reject, match=r"no TextGrid; run `dvc repro align`"):
        textgrid.read(tmp_path / "x.TextGrid")


def test_all_real_output_of_mfa_is_read_and_keeps_its_times(shared, tmp_path):
    for path in sorted(shared("mfa", "textgrids").glob("*.TextGrid")):
        alignment = textgrid.read(path)
        assert alignment.words and alignment.phones
        textgrid.write(alignment, tmp_path / path.name)
        assert textgrid.read(tmp_path / path.name) == alignment


def test_real_output_of_mfa_is_read(shared):
    path = shared("mfa", "textgrids", "lb-wiki-0003.TextGrid")
    alignment = textgrid.read(path)
    assert alignment.seconds == 2.234966
    assert alignment.words[0] == Interval(0.08, 0.63, "iwwersiren")
    assert all(phone.label for phone in alignment.phones)
