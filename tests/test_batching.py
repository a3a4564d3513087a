import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lbtts.acoustics.batching import StepDataset, batches, collate
from lbtts.acoustics.features import FeatureStore
from tests.corpora import write_features

UNITS = {f"u{i}": [3, *([2 + i % 3] * (4 + i)), 3] for i in range(7)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("batching") / "features.h5"
    write_features(path, UNITS, test=("u6",))
    return FeatureStore(path)


@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=200), st.integers(1, 9), st.integers(0, 5)
)
def test_an_epoch_has_every_utterance_exactly_once(units, size, epoch):
    cut = batches(np.array(units), size, seed=1, epoch=epoch)
    assert sorted(np.concatenate(cut).tolist()) == list(range(len(units)))
    assert len(cut) == -(-len(units) // size)


def test_batches_hold_similar_lengths():
    units = np.random.default_rng(0).integers(50, 600, 2_000)
    cut = batches(units, 16, seed=0, epoch=0)
    padded = sum(len(b) * units[b].max() for b in cut)
    assert 1 - units.sum() / padded < 0.08


def test_epochs_differ_and_can_be_found_again():
    units = np.arange(1, 40)
    first, again, second = (batches(units, 4, seed=3, epoch=e) for e in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_batch_has_whole_tokens_and_equal_crops(store):
    batch = collate(store, [0, 3], crop_units=8, seed=(0,))
    assert batch.ids == ("u0", "u3")
    assert batch.tokens.shape == batch.units.shape == (2, 9)
    assert batch.tokens[0, 6:].eq(0).all() and batch.units[0, 6:].eq(0).all()
    assert batch.units.sum(1).tolist() == store.units_total[[0, 3]].tolist()
    assert batch.f0.shape == batch.energy.shape == (2, 16)
    assert batch.audio.shape == (2, 4_800)
    for row, index in enumerate((0, 3)):
        start = int(batch.crop_start[row])
        np.testing.assert_array_equal(batch.f0[row], store[index].f0[2 * start : 2 * start + 16])


def test_crops_shrink_to_the_shortest_utterance(store):
    batch = collate(store, [0, 5], crop_units=500, seed=(0,))
    assert batch.crop_units == store.units_total[[0, 5]].min()


def test_a_step_is_the_same_however_it_is_reached(store):
    def steps(start):
        dataset = StepDataset(store, store.indices("train"), size=2, crop_units=6, seed=0)
        loader = DataLoader(
            dataset, sampler=range(start, 9), batch_size=None, num_workers=min(start, 1)
        )
        return list(loader)

    whole, resumed = steps(0), steps(4)
    for early, late in zip(whole[4:], resumed, strict=True):
        assert early.ids == late.ids
        assert torch.equal(early.audio, late.audio)
    assert len({batch.ids for batch in whole[:3]}) == 3


def test_training_never_sees_the_test_split(store):
    dataset = StepDataset(store, store.indices("train"), size=2, crop_units=6, seed=0)
    assert "u6" not in {name for step in range(30) for name in dataset[step].ids}
