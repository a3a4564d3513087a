"""The table that a voice begins with is the one that sounds most like the speaker."""

import numpy as np
import pytest
import torch

from lbtts.models.kokoro.voices import candidates
from lbtts.models.kokoro.voices.table import VoiceTable

NAMES = "abcd"
SPEAKER = np.array([0.8, 0.6, 0, 0], dtype=np.float32)  # between a and b


@pytest.fixture(scope="module")
def tables():
    """Smooth tables, as the published ones are, of voices that sound like one axis each."""
    draw = torch.Generator().manual_seed(0)
    knots = torch.randn(4, 510, 1, 256, generator=draw)
    return {name: VoiceTable(table).table() for name, table in zip(NAMES, knots, strict=True)}


def hear(direction, count=3):
    return np.tile(np.asarray(direction, dtype=np.float32), (count, 1))


@pytest.fixture(scope="module")
def embeddings():
    return {name: hear(np.eye(4)[i]) for i, name in enumerate(NAMES)}


def test_a_voice_is_as_similar_as_its_sentences_are_on_average():
    sentences = np.array([[2, 0], [0, 3]], dtype=np.float32)
    assert candidates.similarity(sentences, np.array([5, 0], np.float32)) == pytest.approx(0.5)


def test_a_mixture_takes_voices_in_the_shares_that_explain_the_speaker(embeddings):
    shares = candidates.blends(embeddings, SPEAKER)
    assert shares["blend"] == pytest.approx({"a": 0.8 / 1.4, "b": 0.6 / 1.4})
    assert shares["a with b"] == pytest.approx({"a": 0.7, "b": 0.3})
    assert len(shares) == 2  # c and d have nothing of this speaker


def test_a_speaker_who_is_one_of_the_voices_is_not_mixed(embeddings):
    assert candidates.blends(embeddings, np.array([0, 1, 0, 0], np.float32)) == {}


def test_a_mixture_of_tables_is_their_weighted_sum(tables):
    mixed = candidates.mix({"a": 0.7, "b": 0.3}, tables)
    torch.testing.assert_close(mixed, 0.7 * tables["a"] + 0.3 * tables["b"], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("sounds", "best"),
    [
        ({"projection": SPEAKER, "blend": np.eye(4)[2]}, "projection"),
        ({"projection": np.eye(4)[2], "blend": SPEAKER}, "blend"),
        ({"projection": np.eye(4)[2], "blend": np.eye(4)[3]}, "a"),
    ],
)
def test_the_candidate_that_sounds_most_like_the_speaker_is_taken(tables, embeddings, sounds, best):
    asked = []

    def embed(made):
        asked.extend(made)
        return {name: hear(sounds.get(name, np.eye(4)[3])) for name in made}

    name, table, scores = candidates.best(tables, embeddings, tables["d"], SPEAKER, embed)
    assert name == best
    assert sorted(asked) == ["a with b", "blend", "projection"]
    assert set(scores) == {*NAMES, *asked}
    expected = {"projection": tables["d"], "a": tables["a"]}
    torch.testing.assert_close(
        table, expected.get(best, candidates.mix({"a": 4 / 7, "b": 3 / 7}, tables))
    )
