"""The benchmark's corpus: sentences from a grammar, and true times of what Kokoro reads."""

import numpy as np
import pytest

from benchmarks.baseline import true_phones
from benchmarks.sentences import sentences
from lbtts import languages
from lbtts.alignment.durations import durations
from lbtts.alignment.textgrid import from_phones
from lbtts.grid import UNIT_RATE
from lbtts.models.kokoro.weights.facts import LEAD


@pytest.fixture(scope="module")
def front_end():
    return languages.get("en").front_end(None, None)


def test_sentences_differ_are_the_same_each_time_and_a_few_are_the_first_of_many():
    many = sentences(300)
    assert len(set(many)) == 300
    assert sentences(20) == many[:20]
    for sentence in many:
        assert sentence[0].isupper() and sentence[-1] in ".?" and "{" not in sentence
        assert 6 <= len(sentence.split()) <= 16


def test_every_word_of_the_grammar_is_in_misakis_lexicon(front_end):
    for number, sentence in enumerate(sentences(400)):
        plan = front_end.token_plan(str(number), sentence)
        assert not [word for word in plan.words if front_end.is_guess(word)]


def test_true_phones_cover_their_tokens_and_give_back_the_durations(front_end):
    draw = np.random.default_rng(0)
    for sentence in sentences(20):
        plan = front_end.token_plan("x", sentence)
        units = draw.integers(1, 9, len(plan.tokens) + 2)
        units[0] += LEAD
        phones = true_phones(plan, units)
        assert [phone.label for phone in phones] == list(plan.labels)
        ends = np.concatenate([[0], np.cumsum(units) - LEAD])
        for number, phone in enumerate(phones):
            own = [k for k, token in enumerate(plan.tokens, 1) if token.phone == number]
            assert phone.end == ends[own[-1] + 1] / UNIT_RATE
            stressed = plan.tokens[own[0] - 2].symbol in "ˈˌ"
            assert phone.start == ends[own[0] - stressed] / UNIT_RATE
        total = int(units.sum())
        found, _ = durations(plan, from_phones(plan, phones, total / UNIT_RATE), total)
        of_phones = [k for k, t in enumerate(plan.tokens, 1) if t.phone is not None]
        boundaries = np.concatenate([[0], np.cumsum(found.units)])
        first = {}
        for k in of_phones:
            first.setdefault(plan.tokens[k - 1].phone, k)
        for number, k in first.items():
            stressed = plan.tokens[k - 2].symbol in "ˈˌ" and k > 1
            assert boundaries[k - stressed] / UNIT_RATE == pytest.approx(phones[number].start)
