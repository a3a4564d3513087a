import pytest
from praatio import textgrid as praatio

from lbtts.alignment import prealigned, textgrid
from lbtts.alignment.textgrid import Alignment, Found, Interval
from lbtts.errors import Reject
from tests.tones import plan

PLAN = plan("lb-Wiki-0001", "oi", "su")
WORDS = (Interval(0.5, 0.7, "oi"), Interval(0.7, 0.9, "su"))
PHONES = tuple(
    Interval(start, end, label)
    for start, end, label in [(0.5, 0.6, "o"), (0.6, 0.7, "i"), (0.7, 0.8, "s"), (0.8, 0.9, "u")]
)
GRID = Alignment(WORDS, PHONES, 1.0)


def aligned(folder, start=0.0, seconds=1.0):
    """What the backend makes of the only utterance, with the clip's place in the recording."""
    return dict(prealigned.align([PLAN], folder, {PLAN.id: start}, {PLAN.id: seconds}))[PLAN.id]


def save(folder, form="long_textgrid", tiers=None, name=PLAN.id):
    """Writes the grid as praatio does, with tiers of other names or fewer of them."""
    grid = praatio.Textgrid(0, 1)
    for tier, intervals in (tiers or {"words": WORDS, "phones": PHONES}).items():
        entries = [(i.start, i.end, i.label) for i in intervals]
        grid.addTier(praatio.IntervalTier(tier, entries, 0, 1))
    grid.save(str(folder / f"{name}.TextGrid"), form, includeBlankSpaces=True)


def test_words_and_phones_come_on_the_time_of_the_clip(tmp_path):
    textgrid.write(GRID, tmp_path / f"{PLAN.id}.TextGrid")
    found = aligned(tmp_path, start=0.25, seconds=0.75)
    assert found.seconds == 0.75
    assert [p.start for p in found.phones] == pytest.approx([0.25, 0.35, 0.45, 0.55])
    assert [(w.start, w.label) for w in found.words] == [(0.25, "oi"), (pytest.approx(0.45), "su")]


def test_the_short_form_is_the_same_grid(tmp_path):
    save(tmp_path, "short_textgrid")
    assert aligned(tmp_path) == Found(PHONES, 1.0, words=WORDS)


def test_a_grid_without_words_has_phones_all_the_same(tmp_path):
    save(tmp_path, tiers={"phones": PHONES})
    assert aligned(tmp_path) == Found(PHONES, 1.0)


def test_a_grid_without_phones_is_rejected_in_one_line_with_the_tiers_it_has(tmp_path):
    save(tmp_path, tiers={"Wierder": WORDS})
    reason = str(aligned(tmp_path))
    assert f"{PLAN.id}.TextGrid: not a TextGrid" in reason and "it has Wierder" in reason
    assert "\n" not in reason


def test_tiers_may_be_capitalised_or_named_after_the_one_speaker(tmp_path):
    save(tmp_path, tiers={"Words": WORDS, "Phones": PHONES})
    first = aligned(tmp_path)
    save(tmp_path, tiers={"Anna - words": WORDS, "Anna - phones": PHONES})
    assert first == aligned(tmp_path) == Found(PHONES, 1.0, words=WORDS)
    both = {"Anna - words": WORDS, "Anna - phones": PHONES, "Jos - phones": PHONES}
    save(tmp_path, tiers=both)
    assert "2 tiers phones" in str(aligned(tmp_path))


@pytest.mark.parametrize("missing", [0.017, -0.017])
def test_a_grid_that_ends_17_ms_beside_the_audio_is_cut_or_left_at_its_end(tmp_path, missing):
    save(tmp_path)
    found = aligned(tmp_path, seconds=0.9 - missing)
    assert found.seconds == 0.9 - missing
    assert found.phones[-1].end == pytest.approx(min(0.9, 0.9 - missing))
    assert [p.label for p in found.phones] == ["o", "i", "s", "u"]


def test_a_phone_wholly_outside_the_clip_is_rejected_with_the_remedy(tmp_path):
    save(tmp_path)
    assert "was trimmed off; raise corpus.trim_db" in str(aligned(tmp_path, seconds=0.75))


@pytest.mark.parametrize("name", ["LB-WIKI-0001", "lb-wiki-0001"])
def test_a_name_that_differs_in_case_alone_is_found(tmp_path, name):
    save(tmp_path, name=name)
    path = tmp_path / f"{name}.TextGrid"
    path.rename(path.with_suffix(".textgrid"))
    assert aligned(tmp_path) == Found(PHONES, 1.0, words=WORDS)


def test_of_names_that_differ_in_case_the_exact_one_counts_and_no_other_is_guessed(tmp_path):
    save(tmp_path, name="LB-WIKI-0001")
    save(tmp_path, name="lb-wiki-0001", tiers={"phones": PHONES[:2]})
    assert "LB-WIKI-0001.TextGrid, lb-wiki-0001.TextGrid are all" in str(aligned(tmp_path))
    save(tmp_path)
    assert aligned(tmp_path) == Found(PHONES, 1.0, words=WORDS)


def test_a_missing_grid_says_where_it_belongs(tmp_path):
    found = aligned(tmp_path)
    assert isinstance(found, Reject)
    assert str(found) == (
        f"{tmp_path}/{PLAN.id}.TextGrid: not found; put it there, or take another align.backend"
    )
