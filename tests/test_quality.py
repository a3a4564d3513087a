import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbtts.alignment.quality import disagreement, judge, measures, trust
from lbtts.alignment.textgrid import Found, Interval
from lbtts.params import Quality

CHOICE = Quality(suspect_below=-1.5, reject_below=-5)


def utterance(draw, score=-2.0, stretched=None, gap=0.0):
    """Ten phones of about 80 ms; phone `stretched` lasts a second; a pause after the third."""
    phones, now = [], 0.1
    for k in range(10):
        length = 1.0 if k == stretched else float(draw.lognormal(np.log(0.08), 0.3))
        phones.append(Interval(now, now + length, "aus"[k % 3]))
        now += length + (gap if k == 2 else 0)
    worst = score - 3 + 0.3 * draw.standard_normal()
    return Found(tuple(phones), now + 0.1, score + 0.1 * draw.standard_normal(), worst)


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
    index = trust(measures(corpus(wrong={"score": -6.0}, stretched={"stretched": 4})))
    kept = [judge(index[name], CHOICE).verdict == "keep" for name in index.index if name[0] == "u"]
    assert np.mean(kept) > 0.95
    assert judge(index["wrong"], CHOICE).verdict == "reject"
    assert judge(index["stretched"], CHOICE).verdict != "keep"


def test_a_corpus_half_of_which_is_broken_is_judged_by_its_better_half():
    wrong = {f"w{k}": {"score": -5.0 - 0.02 * k} for k in range(190)}
    index = trust(measures(corpus(**wrong)))
    assert min(judge(index[name], CHOICE).verdict != "keep" for name in wrong)
    assert np.mean([index[n] >= -1.5 for n in index.index if n[0] == "u"]) > 0.9


def test_a_backend_without_scores_is_judged_by_durations():
    found = {name: Found(u.phones, u.seconds) for name, u in corpus(odd={"stretched": 1}).items()}
    index = trust(measures(found))
    assert index.notna().all() and index["odd"] == index.min()


def test_verdicts_follow_the_parameters():
    assert [judge(x, CHOICE).verdict for x in (0, -1.5, -1.6, -5, -5.1)] == [
        "keep", "keep", "suspect", "suspect", "reject",
    ]  # fmt: skip
    assert "does the transcript say what is heard" in judge(-2, CHOICE).reason


def test_disagreement_is_the_median_distance_in_milliseconds():
    one = Found((Interval(0.1, 0.2, "a"), Interval(0.2, 0.3, "s"), Interval(0.3, 0.4, "u")), 1)
    other = Found((Interval(0.11, 0.2, "a"), Interval(0.23, 0.3, "s"), Interval(0.3, 0.4, "u")), 1)
    assert disagreement(one, other) == pytest.approx(10)
    assert np.isnan(disagreement(one, Found(other.phones[:2], 1)))


@given(st.integers(1, 30), st.integers(0, 3))
def test_a_corpus_of_any_size_even_of_equal_utterances_has_an_index(count, kinds):
    draw = np.random.default_rng(kinds)
    several = [utterance(draw) for _ in range(kinds + 1)]
    found = {f"u{k}": several[k % len(several)] for k in range(count)}
    assert np.isfinite(trust(measures(found))).all()
