from collections import Counter
from dataclasses import replace

import pytest
from praatio import textgrid as praatio

from lbtts.alignment import prealigned, textgrid
from lbtts.alignment.prealigned import follow_words
from lbtts.alignment.pronunciation import follow, recognised
from lbtts.alignment.textgrid import Alignment, AlignmentResult, Interval
from lbtts.corpus.manifest import Entry
from lbtts.errors import Reject
from lbtts.grid import SAMPLE_RATE
from lbtts.languages.luxembourgish import origin
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.learning import words_of
from lbtts.languages.luxembourgish.lexicon import LEXICON, MODEL, ORIGIN, learn_ngrams
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.params import Source
from lbtts.text.dictionary import write_dictionary
from tests.test_pronunciation import intervals, plan_of
from tests.tones import plan

PLAN = plan("lb-Wiki-0001", "oi", "su")
WORDS = (Interval(0.5, 0.7, "oi"), Interval(0.7, 0.9, "su"))
PHONES = tuple(
    Interval(start, end, label)
    for start, end, label in [(0.5, 0.6, "o"), (0.6, 0.7, "i"), (0.7, 0.8, "s"), (0.8, 0.9, "u")]
)
GRID = Alignment(WORDS, PHONES, 1.0)


def aligned(folder, start=0.0, seconds=1.0):
    """What the backend makes of the only utterance, with the utterance's place in the recording."""
    samples, start = round(SAMPLE_RATE * seconds), round(SAMPLE_RATE * start)
    entry = Entry(PLAN.id, "train", "", samples=samples, start=start)
    return dict(prealigned.align([PLAN], {PLAN.id: entry}, folder, INVENTORY))[PLAN.id]


def save(folder, form="long_textgrid", tiers=None, name=PLAN.id):
    """Writes the grid as praatio does, with tiers of other names or fewer of them."""
    grid = praatio.Textgrid(0, 1)
    for tier, rows in (tiers or {"words": WORDS, "phones": PHONES}).items():
        entries = [(i.start, i.end, i.label) for i in rows]
        grid.addTier(praatio.IntervalTier(tier, entries, 0, 1))
    grid.save(str(folder / f"{name}.TextGrid"), form, includeBlankSpaces=True)


def test_words_and_phones_come_on_the_time_of_the_audio(tmp_path):
    textgrid.write(GRID, tmp_path / f"{PLAN.id}.TextGrid")
    found = aligned(tmp_path, start=0.25, seconds=0.75)
    assert found.seconds == 0.75
    assert [p.start for p in found.phones] == pytest.approx([0.25, 0.35, 0.45, 0.55])
    assert [(w.start, w.label) for w in found.words] == [(0.25, "oi"), (pytest.approx(0.45), "su")]


def test_the_short_form_is_the_same_grid(tmp_path):
    save(tmp_path, "short_textgrid")
    assert aligned(tmp_path) == AlignmentResult(PHONES, 1.0, words=WORDS)


def test_a_grid_without_words_has_phones_all_the_same(tmp_path):
    save(tmp_path, tiers={"phones": PHONES})
    assert aligned(tmp_path) == AlignmentResult(PHONES, 1.0)


def test_a_grid_without_phones_is_rejected_in_one_line_with_the_tiers_it_has(tmp_path):
    save(tmp_path, tiers={"Wierder": WORDS})
    reason = str(aligned(tmp_path))
    assert f"{PLAN.id}.TextGrid: not a TextGrid" in reason and "it has Wierder" in reason
    assert "\n" not in reason


def test_tiers_may_be_capitalised_or_named_after_the_one_speaker(tmp_path):
    save(tmp_path, tiers={"Words": WORDS, "Phones": PHONES})
    first = aligned(tmp_path)
    save(tmp_path, tiers={"Anna - words": WORDS, "Anna - phones": PHONES})
    assert first == aligned(tmp_path) == AlignmentResult(PHONES, 1.0, words=WORDS)
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


def test_a_phone_wholly_outside_the_audio_is_rejected_with_the_remedy(tmp_path):
    save(tmp_path)
    assert "was trimmed off; raise corpus.trim_db" in str(aligned(tmp_path, seconds=0.75))


@pytest.mark.parametrize("name", ["LB-WIKI-0001", "lb-wiki-0001"])
def test_a_name_that_differs_in_case_alone_is_found(tmp_path, name):
    save(tmp_path, name=name)
    path = tmp_path / f"{name}.TextGrid"
    path.rename(path.with_suffix(".textgrid"))
    assert aligned(tmp_path) == AlignmentResult(PHONES, 1.0, words=WORDS)


def test_of_names_that_differ_in_case_the_exact_one_counts_and_no_other_is_guessed(tmp_path):
    save(tmp_path, name="LB-WIKI-0001")
    save(tmp_path, name="lb-wiki-0001", tiers={"phones": PHONES[:2]})
    assert "LB-WIKI-0001.TextGrid, lb-wiki-0001.TextGrid are all" in str(aligned(tmp_path))
    save(tmp_path)
    assert aligned(tmp_path) == AlignmentResult(PHONES, 1.0, words=WORDS)


def test_a_missing_grid_says_where_it_belongs(tmp_path):
    found = aligned(tmp_path)
    assert isinstance(found, Reject)
    assert str(found) == (
        f"{tmp_path}/{PLAN.id}.TextGrid: not found; put it there, or take another align.backend"
    )


def grid(*words):
    """The tiers of a grid that gives each word its phones, 0.1 s each, one after the other."""
    names, phones = [], []
    for name, labels in words:
        begin = len(phones) / 10
        for label in labels.split():
            phones.append(Interval(len(phones) / 10, (len(phones) + 1) / 10, label))
        names.append(Interval(begin, len(phones) / 10, name))
    return names, phones


def told(plan, words, phones):
    return follow_words(plan, words, phones, INVENTORY)


def test_who_brings_a_grid_has_decided_how_each_word_was_said():
    plan = plan_of("h ˈaː n", "ɑ s")
    words, phones = grid(("Haan", "k u t ə m"), ("ass", "ɑ s"))
    with pytest.raises(Reject):
        follow(plan, phones, {}, INVENTORY)
    spoken, where = told(replace(plan, words=("haan", "ass")), words, phones)
    assert spoken.phonemes == "kˈutəm ɑs."
    assert [p.word for p in spoken.phones] == [0] * 5 + [1] * 2 and where == tuple(phones)


def test_words_that_are_not_the_transcripts_decide_nothing():
    plan = replace(plan_of("h ˈaː n", "ɑ s"), words=("haan", "ass"))
    assert told(plan, *grid(("haus", "h aː n"), ("as", "ɑ s"))) is None
    assert told(plan, (), intervals("h aː n ɑ s")) is None


def test_a_word_that_the_grid_writes_otherwise_is_said_as_the_grid_says():
    plan = plan_of("ɑ n d ˈeː n ə", "ˈuː", "ɛː s", "aː")
    plan = replace(plan, words=("an deenen", "u", "äss", "a"))
    spoken, _ = told(plan, *grid(("an", "ɑ n"), ("deenen", "d eː n ə n"), ("USA", "u s aː")))
    assert spoken.words == plan.words
    assert spoken.phonemes == "ɑndˈeːnən ˈu s aː."


def test_a_word_that_gets_no_phone_leaves_the_plan_with_its_space():
    plan = replace(plan_of("ˈeː", "t eː", "h ˈaː", "ʦ y ʁ i ɕ"), words=("e", "tee", "ha", "zürich"))
    words = (("ETH", "eː t"), ("Zürich", "ʦ y ʁ i ɕ"))
    spoken, where = told(plan, *grid(*words))
    assert spoken.words == ("e", "tee", "zürich")
    assert spoken.phonemes == "ˈeː t ʦyʁiɕ."
    assert [p.word for p in spoken.phones] == [0, 1, 2, 2, 2, 2, 2] and len(where) == 7
    assert [t.word for t in spoken.tokens if t.symbol == "t"] == [1]
    first, _ = told(
        replace(plan, words=("x", "ee", "th", "zürich")), *grid(("EETH", "t h aː"), words[1])
    )
    assert first.phonemes == "t hˈaː ʦyʁiɕ."


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((("haan", "h aː n"),), "TextGrid has no phone for 'ass'"),
        ((("haan", "h aː n"), ("ass", "ɑ s"), ("hei", "h")), "transcript lacks 'hei'"),
    ],
)
def test_a_word_that_only_one_of_them_has_is_named(words, reason):
    plan = replace(plan_of("h ˈaː n", "ɑ s"), words=("haan", "ass"))
    with pytest.raises(Reject, match=reason):
        told(plan, *grid(*words))


def test_words_agree_whatever_their_capitals_and_marks():
    plan = replace(plan_of("d", "ʦ ˈæːɪ t", "ɑ s"), words=("d'", "zäit", "ass"))
    decomposed = "D'Za\u0308it,"
    spoken, _ = told(plan, *grid((decomposed, "d ʦ æːɪ t"), ("ass", "ɑ z")))
    assert [(p.label, p.word) for p in spoken.phones] == [
        ("d", 0), ("ʦ", 1), ("æːɪ", 1), ("t", 1), ("ɑ", 2), ("z", 2),
    ]  # fmt: skip


def test_a_word_of_the_plan_may_be_two_of_the_grid():
    plan = replace(plan_of("t ˈeː ʒ e f eː ɡ ɑː".replace("ɑː", "aː")), words=("tgv-gare",))
    spoken, _ = told(plan, *grid(("TGV", "t eː ʒ e"), ("Gare", "ɡ aː ʁ")))
    assert spoken.phonemes == "tˈeːʒeɡaːʁ."


def test_the_halves_of_an_affricate_in_a_grid_are_one_phone():
    plan = replace(plan_of("v ˈeː s ə"), words=("wëtzen",))
    spoken, where = told(plan, *grid(("wëtzen", "v ə t s n")))
    assert [p.label for p in spoken.phones] == ["v", "ə", "ʦ", "n"]
    assert (where[2].start, where[2].end) == (0.2, 0.4)


@pytest.mark.parametrize(
    ("labels", "phonemes"),
    [
        ("f ɑ m i l j ə", "fɑmˈiljə."),  # the same number of syllables: the same syllable
        ("m ɑ f i l j ə", "mɑfˈiljə."),
        ("f ɑ m i l i ə s ə", "fɑmˈiliəsə."),  # one too many: the vowel that the plan stressed
        ("f y m l j ə", "fˈymljə."),  # one too few: never a schwa while there is another
    ],
)
def test_the_stress_stays_on_its_syllable(labels, phonemes):
    plan = replace(plan_of("f ɑ m ˈi l j ə"), words=("famillje",))
    assert told(plan, *grid(("famillje", labels)))[0].phonemes == phonemes


def test_a_word_without_a_phone_is_rejected_by_name():
    plan = replace(plan_of("h ˈaː n", "ɑ s"), words=("haan", "ass"))
    words, phones = grid(("haan", "h aː n"), ("ass", "ɑ s"))
    with pytest.raises(Reject, match="no phone for 'ass'"):
        told(plan, words, phones[:3])


@pytest.mark.slow
def test_the_grids_that_mfa_made_for_marylux_come_through(shared, root, tmp_path):
    gilles = Source(name="gilles", kind="file", at=str(shared("g2p", "lexicon.tsv")))
    entries = words_of([gilles], 0)
    training = entries.training()
    write_dictionary(sorted(entries.entries.items()), tmp_path / LEXICON)
    learn_ngrams(training[::10]).save(tmp_path / MODEL)
    origin.learn(word for word, _ in training).save(tmp_path / ORIGIN)
    g2p = LBG2P(root / "data/additions.tsv", tmp_path)
    counts = Counter()
    with shared("marylux", "metadata.csv").open(encoding="utf-8") as file:
        texts = dict(line.rstrip("\n").split("|") for line in file)
    for path in sorted(shared("mfa", "textgrids").glob("*.TextGrid")):
        grid = textgrid.read(path)
        try:
            spoken, phones = told(
                g2p.token_plan(path.stem, texts[path.stem]),
                grid.words,
                recognised(grid.phones, INVENTORY),
            )
            assert len(spoken.phones) == len(phones)
            counts["through"] += 1
        except Reject as reason:
            counts[str(reason)] += 1
    print(counts)
    assert counts["through"] >= 235 and counts.total() == 241
