import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lbtts.acoustics.measuring import mel
from lbtts.acoustics.measuring.speed import at_length
from lbtts.acoustics.store.batching import Schedule, StepDataset, batches, collate, padding
from lbtts.acoustics.store.features import FeatureStore
from lbtts.acoustics.store.layout import Crop
from tests.corpora import write_features

UNITS = {f"u{i}": [3, *([2 + i % 3] * (4 + i)), 3] for i in range(7)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("batching") / "features.h5"
    write_features(path, UNITS, test=("u6",))
    return FeatureStore(path)


LENGTHS = st.lists(st.integers(1, 900), min_size=1, max_size=200).map(np.array)
BUDGETS = st.integers(1, 4_000)


@given(LENGTHS, BUDGETS, st.integers(0, 5), st.none() | st.integers(1, 100))
def test_an_epoch_has_every_utterance_once_and_no_batch_is_over_the_budget(
    units, budget, epoch, crop
):
    cut = batches(units, budget, seed=1, epoch=epoch, crop_units=crop)
    assert sorted(np.concatenate(cut).tolist()) == list(range(len(units)))
    cost = np.minimum(units, crop or 900)
    assert all(len(batch) == 1 or len(batch) * cost[batch].max() <= budget for batch in cut)


def test_batches_of_whole_utterances_hold_similar_lengths_and_fill_the_budget():
    units = np.random.default_rng(0).integers(50, 600, 2_000)
    cut = batches(units, 4_000, seed=0, epoch=0)
    assert padding(units, cut) < 0.08
    assert np.mean([len(b) * units[b].max() for b in cut]) > 0.85 * 4_000


def test_padding_is_what_is_missing_to_the_longest():
    assert padding(np.array([2, 4, 8, 8]), [np.array([0, 1]), np.array([2, 3])]) == 1 - 22 / 24


def test_crops_of_equal_cost_make_batches_of_equal_size():
    units = np.random.default_rng(0).integers(80, 600, 320)
    cut = batches(units, 16 * 80, seed=0, epoch=0, crop_units=80)
    assert {len(batch) for batch in cut} == {16}


def test_epochs_differ_and_can_be_found_again():
    units = np.arange(1, 40)
    first, again, second = (batches(units, 100, seed=3, epoch=e) for e in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert [b.tolist() for b in first] != [b.tolist() for b in second]


def test_a_step_is_found_from_its_number_alone():
    units = np.random.default_rng(0).integers(50, 600, 50)
    walked = Schedule(units, 2_000, None, seed=0)
    steps = [walked[step].tolist() for step in range(60)]
    assert Schedule(units, 2_000, None, seed=0)[59].tolist() == steps[59]
    assert walked[3].tolist() == steps[3]


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
        dataset = StepDataset(store, store.indices("train"), budget=12, crop_units=6, seed=0)
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
    dataset = StepDataset(store, store.indices("train"), budget=12, crop_units=6, seed=0)
    assert "u6" not in {name for step in range(30) for name in dataset[step].ids}


@pytest.mark.parametrize(("world", "speed"), [(2, 0), (3, 0), (5, 0), (2, 0.3)])
def test_processes_share_a_step_and_pad_and_crop_it_alike(store, world, speed):
    train = store.indices("train")
    whole = StepDataset(store, train, 12, 6, seed=0, speed=speed)[1]
    shares = [StepDataset(store, train, 12, 6, 0, rank, world, speed)[1] for rank in range(world)]
    assert sorted(name for share in shares for name in share.ids) == sorted(whole.ids)
    for share in shares:
        assert share.global_size == len(whole.ids)
        rows = [whole.ids.index(name) for name in share.ids]
        assert share.index == tuple(whole.index[row] for row in rows)
        for name in ("tokens", "units", "crop_start", "f0", "energy", "audio"):
            assert torch.equal(getattr(share, name), getattr(whole, name)[rows]), name


@pytest.mark.parametrize("total", [60, 80, 83, 100, 130])
def test_another_speed_moves_boundaries_pitch_and_sound_alike(total):
    units = np.array([3, 20, 1, 30, 23, 3])
    seconds = np.arange(units.sum() * 600) / 24_000
    wave = np.sin(2 * np.pi * 200 * seconds).astype(np.float32)
    f0 = np.where(np.arange(160) < 80, 200, 0).astype(np.float32)
    row = Crop("u", np.arange(6), units, f0, mel.energy(mel.log_mel(wave)), wave)
    changed = at_length(row, total)
    assert changed.units.sum() == total and changed.units.min() >= 1
    shift = np.cumsum(changed.units) - np.cumsum(units) * total / 80
    assert np.abs(shift).max() <= 1
    assert len(changed.audio) == 600 * total
    assert len(changed.f0) == len(changed.energy) == 2 * total
    spectrum = np.abs(np.fft.rfft(changed.audio))
    heard = spectrum.argmax() * 24_000 / len(changed.audio)
    assert heard == pytest.approx(200 * 80 / total, abs=0.5)
    assert changed.f0[changed.f0 > 0] == pytest.approx(200 * 80 / total)
    assert abs(np.count_nonzero(changed.f0) - total) <= 1
    np.testing.assert_allclose(changed.energy, row.energy.mean(), atol=1)


def test_speeds_are_drawn_for_each_utterance_and_stay_within_their_bounds(store):
    chosen = store.indices("train")
    drawn = [collate(store, chosen, 6, (0, step), speed=0.3) for step in range(20)]
    ratio = np.array([batch.units.sum(1) for batch in drawn]) / store.units_total[chosen]
    assert ratio.min() < 0.85 and ratio.max() > 1.2
    rounding = 0.5 / store.units_total.min()
    assert ratio.min() > 1 / 1.3 - rounding and ratio.max() < 1 / 0.7 + rounding
    assert (ratio[0] != ratio[0, 0]).any() and (ratio[:, 0] != ratio[0, 0]).any()


def test_rows_of_a_batch_keep_what_the_step_has_in_common(store):
    batch = collate(store, [0, 3, 5], crop_units=8, seed=(0,))
    part = batch.rows(slice(1, 3))
    assert part.ids == ("u3", "u5")
    assert part.global_size == 3
    assert torch.equal(part.audio, batch.audio[1:])
