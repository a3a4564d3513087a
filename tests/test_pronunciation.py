from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbtts.alignment.pronunciation import follow, pronunciations, recognised
from lbtts.alignment.textgrid import Interval
from lbtts.errors import InputError, Reject
from lbtts.languages.luxembourgish.phones import INVENTORY, SYMBOLS
from lbtts.text.dictionary import read_dictionary
from lbtts.text.tokens import Phone, Token, TokenPlan


def plan_of(*words):
    """A plan of words made of phones, the stressed one with ˈ, spaces between, a final stop."""
    tokens, phones = [], []
    for number, word in enumerate(words):
        if number:
            tokens.append(Token(" ", None, None))
        for phone in word.split():
            if phone[0] in "ˈˌ":
                tokens.append(Token(phone[0], number, None))
            label = phone.removeprefix("ˈ")
            tokens += [Token(symbol, number, len(phones)) for symbol in SYMBOLS[label]]
            phones.append(Phone(label, number))
    tokens.append(Token(".", None, None))
    names = tuple(word.replace(" ", "").replace("ˈ", "") for word in words)
    return TokenPlan("x", "", names, tuple(phones), tuple(tokens))


def intervals(labels):
    return [Interval(k / 10, (k + 1) / 10, label) for k, label in enumerate(labels.split())]


def followed(plan, labels):
    return follow(plan, intervals(labels), {}, INVENTORY)


def test_what_was_planned_and_heard_alike_stays_the_same_plan():
    plan = plan_of("h ˈaː n", "ɑ s")
    assert followed(plan, "h aː n ɑ s") == (plan, tuple(intervals("h aː n ɑ s")))


def test_another_vowel_is_taken_over_with_its_stress():
    plan, _ = followed(plan_of("h ˈaː n", "ɑ s"), "h ɑ n ɑ s")
    assert plan.phonemes == "hˈɑn ɑs."
    assert [phone.word for phone in plan.phones] == [0, 0, 0, 1, 1]


def test_a_phone_that_was_left_out_leaves_the_plan():
    plan, phones = followed(plan_of("l ˈaː f ə n", "ɑ s"), "l aː f n ɑ s")
    assert plan.phonemes == "lˈaːfn ɑs."
    assert [phone.label for phone in phones] == [phone.label for phone in plan.phones]


def test_a_phone_too_many_belongs_to_the_word_before_it():
    plan, _ = followed(plan_of("d ˈɑ", "ɑ s"), "d ɑ n ɑ s")
    assert plan.phonemes == "dˈɑn ɑs."


def test_two_halves_of_an_affricate_are_one_phone():
    plan = plan_of("ʦ ˈæːɪ t")
    spoken, phones = followed(plan, "t s æːɪ t")
    assert spoken.phones == plan.phones
    assert (phones[0].start, phones[0].end, phones[0].label) == (0.0, 0.2, "ʦ")


def test_a_word_that_lost_its_stressed_vowel_is_stressed_on_its_first():
    plan, _ = followed(plan_of("ɑ b l ˈə n d ə"), "ɑ b l n d ə")
    assert plan.phonemes == "ˈɑblndə."


def test_another_word_is_rejected_with_both_sequences():
    with pytest.raises(Reject, match=r"'ɑs' was spoken with .*h aː n u l \| planned: h aː n ɑ s"):
        followed(plan_of("h ˈaː n", "ɑ s"), "h aː n u l")


def test_a_pronunciation_that_the_word_may_have_is_no_other_word():
    plan, dictionary = plan_of("aː", "h ˈaː n"), {"aː": (("ɑ",),)}
    spoken, _ = follow(plan, intervals("ɑ h aː n"), dictionary, INVENTORY)
    assert spoken.phonemes == "ɑ hˈaːn."


def test_a_word_of_which_nothing_was_heard_is_rejected():
    with pytest.raises(Reject, match="'ɑs' was spoken with"):
        followed(plan_of("h ˈaː n", "ɑ s"), "h aː n")


def test_marks_of_position_and_silences_are_no_phones():
    phones = recognised(intervals("sil h_B a_E sp ʀ"), INVENTORY)
    assert [phone.label for phone in phones] == ["h", "ɑ", "ʁ"]


def test_a_phone_outside_the_inventory_is_named():
    with pytest.raises(Reject, match="'AH1' is not in the phone inventory"):
        recognised(intervals("h AH1"), INVENTORY)


def test_a_words_pronunciations_begin_with_the_plans(tmp_path):
    path = tmp_path / "lexicon.dict"
    path.write_text("haːn\th ɑ n\nhaːn\th aː n\nhaːn\th aː\n", encoding="utf-8")
    found = pronunciations(plan_of("h ˈaː n"), read_dictionary(path))
    assert found == [[("h", "aː", "n"), ("h", "ɑ", "n"), ("h", "aː")]]


def test_a_missing_dictionary_names_the_stage_that_makes_it(tmp_path):
    with pytest.raises(InputError, match="dvc repro g2p"):
        read_dictionary(tmp_path / "lexicon.dict")


@given(
    st.lists(st.sampled_from(["ɑ", "ə", "aː", "n", "s", "t", "ʦ", "l"]), min_size=1, max_size=14)
)
def test_whatever_is_heard_gives_a_plan_of_just_these_phones_or_a_reject(labels):
    plan = plan_of("t ˈaː l ə n", "ɑ s", "ʦ ɑ n")
    spoken = intervals(" ".join(labels))
    try:
        found, phones = follow(plan, spoken, {}, INVENTORY)
    except Reject:
        return
    assert [phone.label for phone in found.phones] == [phone.label for phone in phones]
    assert sorted({phone.word for phone in found.phones}) == [0, 1, 2]
    assert phones[0].start == spoken[0].start and phones[-1].end == spoken[-1].end
    assert all(one.end == other.start for one, other in pairwise(phones))
    spoken = [token for token in found.tokens if token.phone is not None]
    assert [token.phone for token in spoken] == sorted(token.phone for token in spoken)
    assert {token.phone for token in spoken} == set(range(len(phones)))
