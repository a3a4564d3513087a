import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbtts.alignment.quality import Measures, confidence, disagreement, status_of
from lbtts.alignment.textgrid import AlignmentResult, Interval
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.params import Quality

QUALITY = Quality(suspect_below=-1.5, reject_below=-5)


def measures(found):
    measured = Measures()
    for name, result in found.items():
        measured.add(name, result)
    return measured.table()


def utterance(draw, score=-2.0, stretched=None, gap=0.0):
    """Ten phones of about 80 ms; phone `stretched` lasts a second; a pause after the third."""
    phones, now = [], 0.1
    for k in range(10):
        length = 1.0 if k == stretched else float(draw.lognormal(np.log(0.08), 0.3))
        phones.append(Interval(now, now + length, "aus"[k % 3]))
        now += length + (gap if k == 2 else 0)
    worst = score - 3 + 0.3 * draw.standard_normal()
    return AlignmentResult(tuple(phones), now + 0.1, score + 0.1 * draw.standard_normal(), worst)


def corpus(**odd):
    draw = np.random.default_rng(0)
    found = {f"u{k:03d}": utterance(draw) for k in range(200)}
    return found | {name: utterance(draw, **change) for name, change in odd.items()}


def test_the_measures_are_what_they_say():
    found = corpus(odd={"stretched": 4, "gap": 0.6})
    row = measures(found).loc["odd"]
    assert row["longest_phone"] == pytest.approx(1.0)
    assert row["longest_silence"] == pytest.approx(0.6)
    assert row["duration_z_max"] > 5
    assert row["rate"] == pytest.approx(10 / sum(p.end - p.start for p in found["odd"].phones))


def test_usual_utterances_are_kept_and_odd_ones_are_not():
    index = confidence(measures(corpus(wrong={"score": -6.0}, stretched={"stretched": 4})))
    kept = [status_of(index[name], QUALITY)[0] == "keep" for name in index.index if name[0] == "u"]
    assert np.mean(kept) > 0.95
    assert status_of(index["wrong"], QUALITY)[0] == "reject"
    assert status_of(index["stretched"], QUALITY)[0] != "keep"


def test_a_corpus_half_of_which_is_broken_is_judged_by_its_better_half():
    wrong = {f"w{k}": {"score": -5.0 - 0.02 * k} for k in range(190)}
    index = confidence(measures(corpus(**wrong)))
    assert min(status_of(index[name], QUALITY)[0] != "keep" for name in wrong)
    assert np.mean([index[n] >= -1.5 for n in index.index if n[0] == "u"]) > 0.9


def test_a_backend_without_scores_is_judged_by_durations():
    found = {
        name: AlignmentResult(u.phones, u.seconds)
        for name, u in corpus(odd={"stretched": 1}).items()
    }
    index = confidence(measures(found))
    assert index.notna().all() and index["odd"] == index.min()


def test_statuses_follow_the_parameters():
    assert [status_of(x, QUALITY)[0] for x in (0, -1.5, -1.6, -5, -5.1)] == [
        "keep", "keep", "suspect", "suspect", "reject",
    ]  # fmt: skip
    assert "check that the transcript" in status_of(-2, QUALITY)[1]


def apart(one, other):
    return disagreement(one.phones, other.phones, INVENTORY)


def three(*starts, labels="asu"):
    return AlignmentResult(
        tuple(Interval(t, t + 0.05, p) for t, p in zip(starts, labels, strict=True)), 1
    )


def test_disagreement_is_the_mean_distance_in_milliseconds():
    one, other = three(0.1, 0.2, 0.3), three(0.11, 0.23, 0.3)
    assert apart(one, other) == pytest.approx(40 / 3)


def test_disagreement_is_not_tied_to_the_frames_of_two_aligners():
    one = three(0.1, 0.2, 0.3)  # on frames of 10 ms, the others 7.5 ms beside them
    nearer, farther = three(0.1075, 0.2075, 0.3075), three(0.1075, 0.2075, 0.3175)
    assert apart(one, nearer) == pytest.approx(7.5)
    assert apart(one, farther) == pytest.approx(32.5 / 3)


def test_disagreement_compares_the_phones_that_both_have():
    one = three(0.1, 0.2, 0.3)
    assert apart(one, three(0.11, 0.2, 0.31, labels="aiu")) == pytest.approx(10)
    assert apart(one, AlignmentResult(one.phones[1:], 1)) == 0
    assert np.isnan(apart(one, AlignmentResult((Interval(0.1, 0.2, "m"),), 1)))


def test_ten_milliseconds_are_no_odder_than_thirty():
    def with_first_phone_of(seconds):
        found = corpus()
        for name in list(found)[::9]:  # 10 ms in one utterance of nine, as MFA 3 gives it
            first, *rest = found[name].phones
            first = Interval(first.start, first.start + seconds, first.label)
            found[name] = AlignmentResult((first, *rest), 1, found[name].score, found[name].worst)
        return measures(found)

    short, usual = with_first_phone_of(0.01), with_first_phone_of(0.03)
    columns = ["duration_z_mean", "duration_z_max", "shortest_share"]
    assert short[columns].equals(usual[columns])


def test_no_utterance_at_all_has_measures_and_no_confidence():
    table = measures({})
    assert table.empty and "score" in table
    assert confidence(table).empty


@given(st.integers(1, 30), st.integers(0, 3))
def test_a_corpus_of_any_size_even_of_equal_utterances_has_a_confidence(count, kinds):
    draw = np.random.default_rng(kinds)
    several = [utterance(draw) for _ in range(kinds + 1)]
    found = {f"u{k}": several[k % len(several)] for k in range(count)}
    assert np.isfinite(confidence(measures(found))).all()
