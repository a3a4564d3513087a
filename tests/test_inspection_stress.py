"""Marks of stress that the voice disagrees with are listed, and right ones are not."""

from dataclasses import replace

import numpy as np
import pytest

from lbtts.acoustics.store.layout import Utterance
from lbtts.inspection.stress import COLUMNS, disagreements, nuclei
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.text.tokens import Phone, Token, TokenPlan

WORDS = {  # phones, number of the marked vowel, number of the one that is said with stress
    "papa": ("p ɑ p ɑ", 1, 1),
    "kino": ("k i n o", 1, 1),
    "menu": ("m e n u", 2, 2),
    "maschinn": ("m ɑ ʃ i n", 1, 2),  # marked wrongly
    "salat": ("z ɑ l aː t", 2, 2),
}


def spoken(number: int, word: str) -> tuple[TokenPlan, Utterance]:
    """A word said with noise on all cues, and the stressed vowel longer, louder and higher."""
    draw = np.random.default_rng(number)
    phones, marked, said = WORDS[word]
    tokens, units = [], [4]
    vowel = 0
    for index, label in enumerate(phones.split()):
        voiced = label[0] in "ɑioeua"
        vowel += voiced
        if voiced and vowel == marked:
            tokens.append(Token("ˈ", 0, None))
            units.append(1)
        stressed = voiced and vowel == said
        length = int(draw.integers(3, 5) + 2 * stressed)
        for position, symbol in enumerate(label):
            tokens.append(Token(symbol, 0, index))
            units.append(1 if position else length)
    frames = 2 * (sum(units) + 4)
    f0, energy = np.full(frames, 110.0), np.full(frames, -3.0)
    at = units[0]
    vowel = 0
    for token, length in zip(tokens, units[1:], strict=True):
        if token.phone is not None and phones.split()[token.phone][0] in "ɑioeua":
            first = token.symbol != "ː"
            vowel += first
            if vowel == said:
                f0[2 * at : 2 * (at + length)] *= 1.15
                energy[2 * at : 2 * (at + length)] += 0.6
        at += length
    units.append(4)
    noise = draw.normal(0, 0.2, frames)
    plan = TokenPlan(
        f"u{number}", word, (word,), tuple(Phone(p, 0) for p in phones.split()), tuple(tokens)
    )
    zeros = np.zeros((frames, 80), np.float32)
    return plan, Utterance(
        plan.id,
        np.zeros(len(units), np.int64),
        np.array(units),
        (f0 * 2 ** (noise / 12)).astype(np.float32),
        (energy + noise).astype(np.float32),
        np.zeros(300 * frames, np.float32),
        zeros,
    )


@pytest.fixture(scope="module")
def found():
    names = [name for name in WORDS for _ in range(16)]
    return [row for n, name in enumerate(names) for row in nuclei(*spoken(n, name), INVENTORY)]


def test_each_full_vowel_is_measured_over_its_own_frames(found):
    salat = [row for row in found if row["word"] == "salat"][:2]
    assert [row["label"] for row in salat] == ["ɑ", "aː"]
    assert [row["marked"] for row in salat] == [False, True]
    assert salat[1]["duration"] > salat[0]["duration"]
    assert salat[1]["pitch"] > salat[0]["pitch"] + 1


def test_the_word_that_is_marked_wrongly_is_listed_and_no_other(found):
    listed, auc = disagreements(found)
    assert listed["word"].tolist() == ["maschinn"]
    row = listed.iloc[0]
    assert (row["marked"], row["heard"], row["times"]) == (1, 2, 16)
    assert auc > 0.7  # a fifth of the marks that it is counted by are wrong


def test_a_word_of_one_vowel_or_without_a_mark_tells_nothing():
    plan, utterance = spoken(0, "papa")
    bare = replace(plan, tokens=tuple(token for token in plan.tokens if token.phone is not None))
    units = np.delete(utterance.units, 2)
    assert list(nuclei(bare, replace(utterance, units=units), INVENTORY)) == []


def test_too_few_words_give_no_list(found):
    listed, auc = disagreements(found[:20])
    assert listed.empty and list(listed.columns) == COLUMNS and auc is None
