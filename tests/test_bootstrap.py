"""Coverage and error of the first kind, on data whose truth is known."""

import numpy as np
import pytest
from scipy import stats

from lbtts.evaluation import bootstrap

SIMULATIONS = 1000


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(bootstrap, "_RESAMPLES", 999)


@pytest.mark.parametrize("utterances", [20, 65])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng, n: rng.normal(3, 1, n), 3),
        (lambda rng, n: rng.gamma(2, 0.5, n), 1),
        (lambda rng, n: rng.uniform(0, 1, n), 0.5),
    ],
    ids=["normal", "gamma", "uniform"],
)
def test_the_interval_of_a_mean_holds_the_truth_in_93_to_97_of_100(draw, truth, utterances):
    rng = np.random.default_rng(utterances)
    found = (bootstrap.mean(draw(rng, utterances)) for _ in range(SIMULATIONS))
    held = np.mean([e.low <= truth <= e.high for e in found])
    print(f"coverage {held:.1%}")
    assert 0.93 <= held <= 0.97


def test_the_interval_of_an_error_rate_holds_the_truth_in_93_to_97_of_100():
    rng = np.random.default_rng(1)
    held = []
    for _ in range(SIMULATIONS):
        phones = rng.integers(15, 90, 40)
        ease = rng.beta(4, 16, 40)  # each sentence has its own rate, 20 % in the mean
        found = bootstrap.rate(rng.binomial(phones, ease), phones)
        held.append(found.low <= 0.2 <= found.high)
    print(f"coverage {np.mean(held):.1%}")
    assert 0.93 <= np.mean(held) <= 0.97


def test_seven_utterances_still_give_nine_intervals_of_ten():
    rng = np.random.default_rng(2)
    found = (bootstrap.mean(rng.gamma(2, 0.5, 7)) for _ in range(SIMULATIONS))
    assert np.mean([e.low <= 1 <= e.high for e in found]) > 0.88


@pytest.mark.parametrize("utterances", [7, 20])
def test_equal_systems_are_found_different_in_no_more_than_5_of_100(utterances):
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(400):
        text = rng.normal(0, 2, utterances)
        ours, theirs = (text + rng.gamma(2, 1, utterances) for _ in range(2))
        wrong += bootstrap.difference(ours, theirs).more_than_chance
    print(f"{wrong} of 400")
    # An exact test of 5 % errs so often at most in all but one of 1,000 runs of this test.
    assert wrong <= stats.binom.ppf(0.999, 400, 0.05)


def test_equal_error_rates_are_found_different_in_no_more_than_5_of_100():
    rng = np.random.default_rng(4)
    phones = rng.integers(15, 90, 30)
    ease = rng.beta(4, 16, 30)
    wrong = sum(
        bootstrap.difference(
            rng.binomial(phones, ease), rng.binomial(phones, ease), phones
        ).more_than_chance
        for _ in range(400)
    )
    assert wrong <= stats.binom.ppf(0.999, 400, 0.05)


def test_a_difference_that_unpaired_figures_hide_is_found():
    rng = np.random.default_rng(5)
    text = rng.normal(0, 5, 12)
    theirs = text + rng.normal(0, 0.3, 12)
    found = bootstrap.difference(text + 0.8 + rng.normal(0, 0.3, 12), theirs)
    assert found.more_than_chance
    assert found.estimate.low > 0
    assert not bootstrap.difference(theirs, rng.permutation(theirs)).more_than_chance


def test_five_utterances_are_never_more_than_chance_and_six_can_be():
    assert not bootstrap.difference(np.arange(1.0, 6), np.zeros(5)).more_than_chance
    assert bootstrap.difference(np.arange(1.0, 7), np.zeros(6)).more_than_chance


def test_the_same_seed_gives_the_same_interval_and_another_one_hardly_another():
    values = np.random.default_rng(6).normal(size=30)
    assert bootstrap.mean(values, seed=1) == bootstrap.mean(values, seed=1)
    one, other = bootstrap.mean(values, seed=1), bootstrap.mean(values, seed=2)
    assert one != other
    assert one.low == pytest.approx(other.low, abs=0.1)


def test_a_long_sentence_counts_for_more_than_a_short_one():
    assert bootstrap.rate([10, 0], [100, 900]).value == pytest.approx(0.01)


def test_undefined_figures_are_left_out_and_counted():
    found = bootstrap.mean([1.0, float("nan"), 3.0, 2.0])
    assert (found.value, found.utterances) == (2.0, 3)


def test_one_utterance_has_no_interval_and_none_no_figure():
    alone = bootstrap.mean([4.0])
    assert alone.flat("x") == {"x": 4.0}
    assert bootstrap.mean([]).flat("x") == {}


def test_two_systems_without_any_difference_are_equal():
    found = bootstrap.difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (found.p, found.estimate.low, found.estimate.high) == (1, 0, 0)


def test_one_utterance_alone_proves_nothing():
    found = bootstrap.difference([5.0], [1.0])
    assert found.estimate.value == 4
    assert not found.more_than_chance
