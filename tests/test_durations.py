from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbtts.alignment.durations import durations
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.errors import Reject
from lbtts.grid import MAX_UNITS, SAMPLES_PER_UNIT, UNIT_RATE
from lbtts.text.tokens import Phone, Plan, Token

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
    return Plan("x", "", tuple(words), tuple(phones), tuple(tokens))


def aligned(plan, *times, total=CLIP):
    """The plan's phones at the given (begin, end) in units."""
    phones = [
        Interval(begin / UNIT_RATE, end / UNIT_RATE, phone.label)
        for phone, (begin, end) in zip(plan.phones, times, strict=True)
    ]
    return Alignment((), tuple(phones), total / UNIT_RATE)


def units_of(plan, *times, total=CLIP):
    return list(durations(plan, aligned(plan, *times, total=total), total).units)


def test_boundaries_on_the_grid_stay_and_the_edges_hold_the_silence():
    plan = plan_of("a b", end="")
    assert units_of(plan, (6, 10), (10, 16)) == [6, 4, 6, 24]


def test_a_long_vowel_and_its_length_mark_share_the_time():
    assert units_of(plan_of("aː", end=""), (10, 20)) == [10, 5, 5, 20]


def test_a_stress_mark_takes_one_unit_of_the_phone_behind_it():
    assert units_of(plan_of("b ˈa", end=""), (10, 14), (14, 22)) == [10, 4, 1, 7, 18]


def test_a_pause_goes_to_the_punctuation_and_the_space_in_it():
    plan = plan_of("a", "b", between=", ", end="")
    assert units_of(plan, (6, 12), (20, 30)) == [6, 6, 4, 4, 10, 10]


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
    found = durations(plan, aligned(plan, (5, 10), (90, 100), total=110), 110)
    assert found.units[2] == MAX_UNITS
    ((begin, end),) = found.cuts
    assert end - begin == (80 - MAX_UNITS) * SAMPLES_PER_UNIT
    assert 10 * SAMPLES_PER_UNIT < begin < end < 90 * SAMPLES_PER_UNIT
    assert sum(found.units) == 110 - 30


@pytest.mark.parametrize(
    ("times", "total", "reason"),
    [
        (((5, 60), (60, 70)), 80, "lasts 55 units.*misaligned"),
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


def test_a_textgrid_of_another_clip_is_rejected():
    plan = plan_of("a b", end="")
    with pytest.raises(Reject, match="align it again"):
        durations(plan, aligned(plan, (5, 10), (10, 20), total=CLIP), CLIP + 5)


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


@given(utterance=utterances())
def test_no_unit_is_lost_whatever_the_alignment(utterance):
    plan, alignment, total = utterance
    try:
        found = durations(plan, alignment, total)
    except Reject:
        return
    assert len(found.units) == len(plan.tokens) + 2
    assert all(1 <= n <= MAX_UNITS for n in found.units)
    removed = sum(end - begin for begin, end in found.cuts)
    assert sum(found.units) * SAMPLES_PER_UNIT == total * SAMPLES_PER_UNIT - removed
    assert all((end - begin) % SAMPLES_PER_UNIT == 0 for begin, end in found.cuts)
    assert all(a[1] <= b[0] for a, b in pairwise(found.cuts))


@given(utterance=utterances())
def test_only_silence_is_cut(utterance):
    plan, alignment, total = utterance
    try:
        found = durations(plan, alignment, total)
    except Reject:
        return
    for begin, end in found.cuts:
        for phone in alignment.phones:
            # half a unit of leeway: boundaries are rounded before the middle is taken
            start, stop = phone.start * 24_000 + 300, phone.end * 24_000 - 300
            assert stop <= start or end <= start or begin >= stop
