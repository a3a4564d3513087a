from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbtts.alignment.durations import durations
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.errors import Reject
from lbtts.grid import MAX_UNITS, SAMPLES_PER_UNIT, UNIT_RATE
from lbtts.text.tokens import Phone, Token, TokenPlan

CLIP = 40  # units: one second


def plan_of(*words, between=" ", end="."):
    """A plan of words made of phones, each written as its symbols, a stressed one with ˈ."""
    tokens, phones = [], []
    for number, word in enumerate(words):
        if number:
            tokens += [Token(symbol, None, None) for symbol in between]
        for phone in word.split():
            if phone[0] == "ˈ":
                tokens.append(Token("ˈ", number, None))
            label = phone.removeprefix("ˈ")
            tokens += [Token(symbol, number, len(phones)) for symbol in label]
            phones.append(Phone(label, number))
    tokens += [Token(symbol, None, None) for symbol in end]
    return TokenPlan("x", "", tuple(words), tuple(phones), tuple(tokens))


def aligned(plan, *times, total=CLIP):
    """The plan's phones at the given (begin, end) in units."""
    phones = [
        Interval(begin / UNIT_RATE, end / UNIT_RATE, phone.label)
        for phone, (begin, end) in zip(plan.phones, times, strict=True)
    ]
    return Alignment((), tuple(phones), total / UNIT_RATE)


def units_of(plan, *times, total=CLIP):
    return list(durations(plan, aligned(plan, *times, total=total), total)[0].units)


def test_boundaries_on_the_grid_stay_and_the_edges_hold_the_silence():
    plan = plan_of("a b", end="")
    assert units_of(plan, (6, 10), (10, 16)) == [6, 4, 6, 24]


def test_a_long_vowel_and_its_length_mark_share_the_time():
    assert units_of(plan_of("aː", end=""), (10, 20)) == [10, 5, 5, 20]


def test_a_stress_mark_takes_one_unit_of_the_phone_after_it():
    assert units_of(plan_of("b ˈa", end=""), (10, 14), (14, 22)) == [10, 4, 1, 7, 18]
    assert units_of(plan_of("b ˈaː", end=""), (10, 14), (14, 25)) == [10, 4, 1, 5, 5, 15]


def test_a_pause_goes_to_the_punctuation_and_the_space_in_it():
    plan = plan_of("a", "b", between=", ", end="")
    assert units_of(plan, (6, 12), (20, 30)) == [6, 6, 4, 4, 10, 10]


def test_at_the_edges_punctuation_and_space_share_the_silence_with_bos_and_eos():
    plan = plan_of("a")
    plan = replace(plan, tokens=(Token("“", None, None), *plan.tokens))
    assert units_of(plan, (8, 20)) == [4, 4, 12, 10, 10]


def test_without_silence_at_the_edges_bos_and_eos_take_a_unit_of_their_neighbours():
    assert units_of(plan_of("a b", end=""), (0, 20), (20, 40)) == [1, 19, 19, 1]


def test_a_gap_inside_a_word_or_after_a_clitic_belongs_to_the_phone_before_it():
    assert units_of(plan_of("d a", end=""), (10, 12), (16, 20)) == [10, 6, 4, 20]
    clitic = plan_of("d", "a", between="", end="")
    assert units_of(clitic, (10, 12), (16, 20)) == [10, 6, 4, 20]
    long = plan_of("aː", "d", between="", end="")
    assert units_of(long, (10, 14), (18, 24)) == [10, 4, 4, 6, 16]


def test_a_phone_shorter_than_its_tokens_takes_units_from_its_neighbours():
    units = units_of(plan_of("b ˈaː", end=""), (10, 14), (14, 15))
    assert units[2:5] == [1, 1, 1]
    assert sum(units) == CLIP and abs(units[1] - 3) <= 1


def test_a_space_without_pause_takes_its_unit_from_its_neighbours():
    units = units_of(plan_of("a", "b", end=""), (6, 16), (16, 30))
    assert units[2] == 1
    assert sum(units) == CLIP and {units[1], units[3]} <= {9, 10, 13, 14}


def test_cumulative_rounding_does_not_drift():
    plan = plan_of(" ".join("abcdefghij"), end="")
    times = [(5 + 1.4 * k, 5 + 1.4 * (k + 1)) for k in range(10)]
    units = units_of(plan, *times)
    begins = [sum(units[: k + 1]) for k in range(10)]
    assert all(abs(b - t[0]) <= 1 for b, t in zip(begins, times, strict=True))


def test_a_pause_too_long_for_its_tokens_is_cut_out_of_its_middle():
    plan = plan_of("a", "b", end="")
    found, _ = durations(plan, aligned(plan, (5, 10), (90, 100), total=110), 110)
    assert found.units[2] == MAX_UNITS
    ((begin, end),) = found.cuts
    assert end - begin == (80 - MAX_UNITS) * SAMPLES_PER_UNIT
    assert 10 * SAMPLES_PER_UNIT < begin < end < 90 * SAMPLES_PER_UNIT
    assert sum(found.units) == 110 - 30


def test_each_token_of_a_long_pause_is_cut_in_its_own_middle():
    plan = plan_of("a", "b", between=", ", end="")
    found, _ = durations(plan, aligned(plan, (5, 10), (130, 140), total=150), 150)
    assert found.units == (5, 5, 50, 50, 10, 10)
    spans = [(begin / SAMPLES_PER_UNIT, end / SAMPLES_PER_UNIT) for begin, end in found.cuts]
    assert spans == [(10 + 25, 10 + 35), (70 + 25, 70 + 35)]


def test_long_silence_at_an_edge_is_cut_too():
    plan = plan_of("a", end="")
    found, _ = durations(plan, aligned(plan, (70, 80), total=90), 90)
    assert found.units == (50, 10, 10)
    assert found.cuts == ((25 * SAMPLES_PER_UNIT, 45 * SAMPLES_PER_UNIT),)


def test_fifty_units_are_not_too_long_for_a_phone():
    assert units_of(plan_of("a b", end=""), (5, 55), (55, 65), total=70) == [5, 50, 10, 5]


@pytest.mark.parametrize(
    ("times", "total", "reason"),
    [
        (((5, 60), (60, 70)), 80, "'a' in 'a b' lasts 55 units.*misaligned"),
        (((5, 10), (10, 61)), 80, "'b' in 'a b' lasts 51 units.*misaligned"),
        (((0, 1), (1, 2)), 3, "too short for its transcript"),
    ],
)
def test_what_cannot_be_on_the_grid_is_rejected(times, total, reason):
    plan = plan_of("a b", end="")
    with pytest.raises(Reject, match=reason):
        units_of(plan, *times, total=total)


def test_other_phones_are_rejected_with_both_sequences():
    plan = plan_of("a b", end="")
    found = aligned(plan_of("a c", end=""), (5, 10), (10, 20))
    with pytest.raises(Reject, match=r"a c \| a b"):
        durations(plan, found, CLIP)


@pytest.mark.parametrize("missing", [-5, 2, 5])
def test_a_textgrid_of_another_utterance_is_rejected(missing):
    plan = plan_of("a b", end="")
    with pytest.raises(Reject, match="align it again"):
        durations(plan, aligned(plan, (5, 10), (10, 20), total=CLIP), CLIP + missing)


def test_a_textgrid_that_misses_the_end_by_less_than_a_unit_is_good_enough():
    plan = plan_of("a b", end="")
    found, _ = durations(plan, aligned(plan, (5, 10), (10, 20), total=CLIP - 0.9), CLIP)
    assert found.units == (5, 5, 10, 20)


@st.composite
def utterances(draw):
    """Any plan with any alignment of its phones: zero lengths, overlaps within rounding, pauses."""
    words = draw(
        st.lists(
            st.lists(st.sampled_from(["b", "ˈa", "aː", "ˈæɪ", "t"]), min_size=1, max_size=4),
            min_size=1,
            max_size=5,
        )
    )
    between, end = (
        draw(st.sampled_from(["", " ", ", ", "… "])),
        draw(st.sampled_from(["", ".", "?!"])),
    )
    plan = plan_of(*(" ".join(word) for word in words), between=between, end=end)
    now, times = draw(st.floats(0, 120)), []
    for _ in plan.phones:
        length = draw(st.sampled_from([0, 0.4, 1, 2.3, 4, 9.5]) | st.floats(0, 60))
        times.append((now, now + length))
        now = max(0, now + length + draw(st.sampled_from([0, 0, 0, 0, -0.04, 3, 130])))
    total = int(now + draw(st.floats(0, 120))) + 1
    return plan, aligned(plan, *times, total=total), total


@settings(max_examples=400)
@given(utterance=utterances())
def test_no_unit_is_lost_whatever_the_alignment(utterance):
    plan, alignment, total = utterance
    try:
        found, _ = durations(plan, alignment, total)
    except Reject:
        return
    assert len(found.units) == len(plan.tokens) + 2
    assert all(1 <= n <= MAX_UNITS for n in found.units)
    removed = sum(end - begin for begin, end in found.cuts)
    assert sum(found.units) * SAMPLES_PER_UNIT == total * SAMPLES_PER_UNIT - removed
    assert not [t for cut in found.cuts for t in cut if t % SAMPLES_PER_UNIT]
    edges = [0, *(t for cut in found.cuts for t in cut), total * SAMPLES_PER_UNIT]
    assert edges == sorted(edges)
    assert all(begin < end for begin, end in found.cuts)


@st.composite
def roomy(draw):
    """An utterance whose phones and pauses last as long as their tokens need, and no longer."""
    any_word = st.lists(st.sampled_from(["b", "ˈa", "aː", "ˈæɪ"]), min_size=1, max_size=10)
    words = draw(st.lists(any_word, max_size=10))  # fewer tokens than Kokoro's context holds
    plan = plan_of(
        *(" ".join(word) for word in [["b"], *words]), between=draw(st.sampled_from(" ,"))
    )
    extra = st.floats(0, 20)
    now, times = 1 + draw(extra), []
    for number, phone in enumerate(plan.phones):
        if number and phone.word != plan.phones[number - 1].word:
            now += 1 + draw(extra)
        length = len(phone.label) + 1 + draw(extra)  # its symbols and a stress mark
        times.append((now, now + length))
        now += length
    return plan, times, int(now + 3 + draw(extra))


@given(utterance=roomy())
def test_where_there_is_room_boundaries_move_by_half_a_unit_at_most(utterance):
    plan, times, total = utterance
    found, _ = durations(plan, aligned(plan, *times, total=total), total)
    begins = list(accumulate(found.units, initial=0))
    moved = []
    for number, (begin, _) in enumerate(times):
        first = next(i for i, token in enumerate(plan.tokens) if token.phone == number)
        stressed = first > 0 and plan.tokens[first - 1].symbol == "ˈ"
        moved.append(abs(begins[first + 1 - stressed] - begin))
    assert max(moved) <= 0.5 + 1e-9
    assert found.cuts == ()


@given(utterance=utterances())
def test_only_silence_is_cut(utterance):
    plan, alignment, total = utterance
    try:
        found, _ = durations(plan, alignment, total)
    except Reject:
        return
    for begin, end in found.cuts:
        for phone in alignment.phones:
            # half a unit of leeway: boundaries are rounded before the middle is taken
            start, stop = phone.start * 24_000 + 300, phone.end * 24_000 - 300
            assert stop <= start or end <= start or begin >= stop
