"""The projection from embeddings to styles, on voices whose law is known."""

import numpy as np
import pytest
import torch

from lbtts.errors import InputError
from lbtts.models.kokoro.voices import projection
from lbtts.models.kokoro.voices.table import VoiceTable, basis, expected_embedding

LENGTHS = np.array([12, 25, 40, 60, 90, 140])  # of the sentences
ALL = basis(np.arange(1, 511))
TRAITS, EMBEDDING = 5, 64


class World:
    """Speakers with a few traits, on which embedding and style depend linearly."""

    def __init__(self, seed, noise=0.0):
        self.draw = np.random.default_rng(seed)
        self.noise = noise
        self.ear = self.draw.standard_normal((TRAITS, EMBEDDING)) / np.sqrt(EMBEDDING)
        self.mean = self.draw.standard_normal((8, 256)) / 10
        self.law = self.draw.standard_normal((TRAITS, 8, 256)) / 20

    def people(self, count):
        return self.draw.standard_normal((count, TRAITS))

    def embeddings(self, traits, sentences):
        clean = (traits @ self.ear)[:, None].repeat(sentences, axis=1) + 0.3
        noise = self.noise * self.draw.standard_normal(clean.shape) / np.sqrt(EMBEDDING)
        return (clean + noise).astype(np.float32)

    def tables(self, traits):
        weights = self.mean + np.einsum("vt,tkh->vkh", traits, self.law)
        return [torch.from_numpy(ALL @ w).float()[:, None] for w in weights]

    def learn(self, count):
        traits = self.people(count)
        embeddings = self.embeddings(traits, len(LENGTHS))
        return projection.fit(embeddings, LENGTHS, self.tables(traits))


def distance(a, b):
    return float((a - b).norm())


def constant(embedding):
    """The same embedding expected at every length."""
    return np.tile(embedding.astype(np.float64), (510, 1))


def test_a_known_law_is_recovered_from_thirty_noisy_voices():
    world = World(seed=0, noise=0.5)
    learned = world.learn(30)
    mean = learned.table(learned.embedding)
    for trait in world.people(5)[:, None]:
        embeddings = world.embeddings(trait, 300)[0]
        expected = expected_embedding(embeddings, world.draw.integers(10, 150, 300))
        (true,) = world.tables(trait)
        assert distance(learned.table(expected), true) < 0.35 * distance(mean, true)
    for score in learned.scores.values():
        assert score.left_out_r2 > 0.8
        assert score.left_out_cosine > score.mean_voice_cosine


def test_the_noisier_the_embeddings_the_stronger_the_pull_to_the_mean():
    strengths = [World(seed=1, noise=n).learn(30).scores["decoder"].strength for n in (0, 1, 30)]
    assert strengths[0] < strengths[1] < strengths[2]


def test_embeddings_that_say_nothing_give_the_mean_voice():
    world = World(seed=2)
    tables = world.tables(world.people(30))
    unrelated = world.embeddings(world.people(30), len(LENGTHS))
    learned = projection.fit(unrelated, LENGTHS, tables)
    mean = torch.stack(tables).mean(0)
    guess = learned.table(constant(unrelated[0, 0]))
    assert distance(guess, mean) < 0.3 * distance(tables[0], mean)
    assert all(abs(score.left_out_r2) < 0.1 for score in learned.scores.values())


def test_each_half_has_a_strength_of_its_own():
    world = World(seed=3, noise=0.2)
    traits = world.people(30)
    tables = torch.stack(world.tables(traits))
    tables[..., 128:] = torch.stack(world.tables(world.people(30)))[..., 128:]  # others' prosody
    scores = projection.fit(world.embeddings(traits, len(LENGTHS)), LENGTHS, list(tables)).scores
    assert scores["decoder"].left_out_r2 > 0.9
    assert scores["prosody"].left_out_r2 < 0.1
    assert scores["prosody"].strength > 10 * scores["decoder"].strength


def test_scores_are_those_of_fits_without_the_voice(monkeypatch):
    monkeypatch.setattr(projection, "_STRENGTHS", np.array([0.3]))
    world = World(seed=4, noise=1.0)
    traits = world.people(9)
    tables, embeddings = world.tables(traits), world.embeddings(traits, len(LENGTHS))
    score = projection.fit(embeddings, LENGTHS, tables).scores["prosody"]

    x = embeddings.astype(np.float64).mean(1)
    y = torch.stack(tables)[:, projection._SCORED - 1, 0, 128:].double().flatten(1).numpy()
    ridge = 0.3 * np.square(x - x.mean(0)).sum() / len(x)
    error = floor = 0.0
    for left in range(len(x)):
        rest = np.arange(len(x)) != left
        at, of = x[rest].mean(0), y[rest].mean(0)
        gram = (x[rest] - at).T @ (x[rest] - at) + ridge * np.eye(EMBEDDING)
        slope = np.linalg.solve(gram, (x[rest] - at).T @ (y[rest] - of))
        error += np.square(y[left] - of - (x[left] - at) @ slope).sum()
        floor += np.square(y[left] - of).sum()
    assert score.left_out_r2 == pytest.approx(1 - error / floor, abs=1e-4)


def test_what_the_encoder_makes_of_short_strings_is_no_part_of_the_voice():
    world = World(seed=5)
    traits = world.people(20)
    habit = 2.0 * world.draw.standard_normal(EMBEDDING)

    def hear(who, lengths):
        shortness = basis(lengths)[:, :2].sum(1)
        return world.embeddings(who, len(lengths)) + (shortness[:, None] * habit).astype(np.float32)

    lengths = np.array([2, 3, 5, 60, 90, 140]).repeat(50)
    learned = projection.fit(hear(traits, lengths), lengths, world.tables(traits))
    trait = world.people(1)
    expected = expected_embedding(hear(trait, lengths)[0], lengths)
    (true,) = world.tables(trait)
    assert distance(learned.table(expected), true) < 0.2 * distance(
        learned.table(learned.embedding), true
    )


def test_the_mean_projection_turns_a_deviation_into_a_style():
    world = World(seed=6)
    learned = world.learn(20)
    change = world.people(1) @ world.ear
    lengths = np.array([80])
    moved = learned.table(learned.embedding + change) - learned.table(learned.embedding)
    torch.testing.assert_close(
        torch.from_numpy(change).float() @ learned.at(lengths), moved[79], atol=1e-4, rtol=0
    )


def test_an_embedding_unlike_all_voices_leads_no_further_than_the_furthest_of_them():
    world = World(seed=7)
    traits = world.people(20)
    tables = torch.stack(world.tables(traits))
    learned = projection.fit(world.embeddings(traits, len(LENGTHS)), LENGTHS, list(tables))
    far = learned.table(learned.embedding + 50 * world.people(1) @ world.ear)
    mean = tables.mean(0)
    for half in (slice(0, 128), slice(128, 256)):
        furthest = (tables - mean)[..., half].norm(dim=-1).amax(0)
        ratio = (far - mean)[..., half].norm(dim=-1) / furthest
        assert ratio.max() < 1.05
        assert ratio.min() > 0.9


def test_copies_of_one_voice_do_not_count_as_several():
    world = World(seed=8)
    tables = world.tables(world.people(4))
    projection.check(tables)
    with pytest.raises(InputError, match="3 different voices"):
        projection.check([*tables[:3], tables[0].clone()])


@pytest.fixture(scope="module")
def published(shared):
    return [
        torch.from_numpy(np.fromfile(shared("kokoro", f"{name}.bin"), "<f4")).view(510, 1, 256)
        for name in ("af_heart", "am_adam", "am_michael", "bm_george")
    ]


@pytest.fixture(scope="module")
def learned_from_published(published):
    draw = np.random.default_rng(8)
    embeddings = draw.standard_normal((4, len(LENGTHS), EMBEDDING)).astype(np.float32)
    return projection.fit(embeddings, LENGTHS, published), embeddings.mean(1)


def test_a_new_voice_lies_among_the_published_ones_and_is_none_of_them(
    published, learned_from_published
):
    learned, embeddings = learned_from_published
    between = 0.7 * embeddings[0] + 0.3 * embeddings[2]
    table = learned.table(learned.embedding + between - embeddings.mean(0))
    weights = torch.stack([VoiceTable(t).weights.detach().flatten() for t in (table, *published)])
    for half in (slice(0, 128), slice(128, 256)):
        rows = weights.view(5, 8, 256)[..., half].flatten(1).double()
        mix = torch.linalg.lstsq(rows[1:].T, rows[0][:, None]).solution
        torch.testing.assert_close(rows[1:].T @ mix, rows[0][:, None], atol=1e-3, rtol=0)
        assert float(mix.sum()) == pytest.approx(1, abs=1e-3)
        assert float(mix.max()) < 0.9


def test_a_voice_from_four_published_ones_is_as_smooth_and_as_large_as_they_are(
    published, learned_from_published
):
    def turns(t):
        return torch.cosine_similarity(t[1:, 0], t[:-1, 0]).min()

    learned, embeddings = learned_from_published
    draw = np.random.default_rng(9)
    embeddings = embeddings[1] + 0.2 * draw.standard_normal((200, EMBEDDING))
    expected = expected_embedding(embeddings.astype(np.float32), draw.integers(20, 150, 200))
    table = learned.table(expected)
    assert turns(table) >= min(turns(t) for t in published)
    for half in (slice(0, 128), slice(128, 256)):
        norms = table[:, 0, half].norm(dim=1)
        most = torch.stack([t[:, 0, half].norm(dim=1) for t in published]).amax(0)
        assert (norms <= 1.05 * most).all()
        assert (norms >= 0.3 * most).all()
