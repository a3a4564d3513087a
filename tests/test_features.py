import hashlib
import multiprocessing
import pickle
import resource
import time

import h5py
import numpy as np
import pytest

from lbtts.acoustics.store.features import FeatureStore
from lbtts.acoustics.store.layout import Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.errors import InputError
from tests.corpora import HARVEST, write_features

UNITS = {"a": [3, 4, 2], "b": [1, 9, 1], "c": [5, 50, 2, 7]}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("features") / "features.h5"
    write_features(path, UNITS)
    return path


def test_what_was_written_is_read_back(path):
    store = FeatureStore(path)
    assert store.ids == ("a", "b", "c")
    assert store.units_total.tolist() == [9, 11, 64]
    for index, units in enumerate(UNITS.values()):
        utterance = store[index]
        assert utterance.units.tolist() == units
        assert utterance.tokens[0] == utterance.tokens[-1] == 0
        assert utterance.mel.shape == (2 * sum(units), 80)
        assert len(utterance.f0) == len(utterance.energy) == 2 * sum(units)
        assert len(utterance.audio) == 600 * sum(units)
        assert np.abs(utterance.audio).max() <= 1


def test_a_crop_is_the_same_as_a_slice_of_the_whole(path):
    store = FeatureStore(path)
    whole, crop = store[2], store.crop(2, start=10, units=5)
    np.testing.assert_array_equal(crop.f0, whole.f0[20:30])
    assert not hasattr(crop, "mel")
    np.testing.assert_array_equal(crop.audio, whole.audio[6000:9000])
    np.testing.assert_array_equal(crop.tokens, whole.tokens)


def test_an_utterance_longer_than_a_chunk_is_read_back_across_its_border(tmp_path):
    draw = np.random.default_rng(0)
    frames = 8_000  # three chunks of mel, ten of audio
    rows = [
        Arrays(
            np.asarray(draw.normal(size=(frames, 80)).astype(np.float16), order=order),
            draw.uniform(80, 200, frames).astype(np.float32),
            draw.normal(size=frames).astype(np.float32),
            draw.integers(-9_000, 9_000, 300 * frames).astype(np.int16),
        )
        for order in ("C", "F")
    ]
    with FeatureWriter(tmp_path / "features.h5", HARVEST) as writer:
        for name, row in zip("ab", rows, strict=True):
            writer.add(name, "train", [0] * 80, [50] * 80, row)
    store = FeatureStore(tmp_path / "features.h5")
    for index, row in enumerate(rows):
        utterance = store[index]
        np.testing.assert_array_equal(utterance.mel, row.mel)
        np.testing.assert_array_equal(utterance.f0, row.f0)
        np.testing.assert_array_equal(utterance.energy, row.energy)
        np.testing.assert_array_equal(utterance.audio * 2**15, row.audio)


def test_writing_twice_gives_the_same_bytes(path, tmp_path):
    again = tmp_path / "features.h5"
    time.sleep(1.1)  # a time stamp in it would differ now
    write_features(again, UNITS)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()


def _read(store, index, queue):
    queue.put(store[index].f0)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_store_that_is_open_can_be_read_in_another_process(path, method):
    store = FeatureStore(path)
    expected = store[1].f0
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=_read, args=(store, 1, queue))
    process.start()
    np.testing.assert_array_equal(queue.get(timeout=60), expected)
    process.join()


def test_a_store_survives_pickling_after_use(path):
    store = FeatureStore(path)
    first = store[0].f0
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(store))[0].f0, first)


def test_an_interrupted_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "features.h5"
    write_features(path, UNITS)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), FeatureWriter(path, HARVEST):
        raise KeyboardInterrupt
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["features.h5"]


@pytest.mark.parametrize("room", [0, 50_000, 400_000])
def test_a_full_disk_is_one_clear_line_and_leaves_the_old_file(tmp_path, room):
    path = tmp_path / "features.h5"
    write_features(path, UNITS)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))  # a write beyond fails
    try:
        with pytest.raises(InputError, match=r"features\.h5: could not be written .* free some"):
            write_features(path, UNITS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before


def test_ids_out_of_order_are_refused(tmp_path):
    f0 = np.ones(2, np.float32)
    arrays = Arrays(np.ones((2, 80), np.float16), f0, f0, np.ones(600, np.int16))
    with (
        pytest.raises(ValueError, match="a comes after b"),
        FeatureWriter(tmp_path / "f.h5", HARVEST) as w,
    ):
        w.add("b", "train", [0], [1], arrays)
        w.add("a", "train", [0], [1], arrays)


def test_a_file_of_another_grid_is_refused_with_the_remedy(path, tmp_path):
    other = tmp_path / "features.h5"
    other.write_bytes(path.read_bytes())
    with h5py.File(other, "r+") as file:
        file.attrs["hop"] = 240
    with pytest.raises(InputError, match=r"hop.*dvc repro -s -f features"):
        FeatureStore(other)


def test_a_file_whose_f0_was_tracked_in_another_way_is_refused_with_the_remedy(path):
    assert FeatureStore(path, HARVEST).ids == ("a", "b", "c")
    dio = HARVEST.model_copy(update={"method": "dio"})
    with pytest.raises(InputError, match=r"tracked with .*harvest.* is .*dio.*dvc repro features"):
        FeatureStore(path, dio)


@pytest.mark.parametrize("content", [None, b"", b"junk"])
def test_a_missing_or_damaged_file_is_one_clear_line(tmp_path, content):
    path = tmp_path / "features.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"features\.h5: not a readable feature file"):
        FeatureStore(path)


def test_what_training_is_chosen_by_is_not_what_is_reported(tmp_path):
    path = tmp_path / "features.h5"
    held_out = ("u1", "u4", "u5", "u7", "u8")
    write_features(path, {f"u{i}": [1, 2, 1] for i in range(9)}, test=held_out)
    store = FeatureStore(path)
    assert store.held_out("choice", 99).tolist() == [1, 5, 8]
    assert store.held_out("report", 99).tolist() == [4, 7]
    assert store.held_out("choice", 2).tolist() == [1, 5]
    assert store.tokens_total.tolist() == [3] * 9


def test_a_single_held_out_utterance_does_for_both(tmp_path):
    path = tmp_path / "features.h5"
    write_features(path, {"a": [1, 2, 1], "b": [1, 2, 1]}, test=("b",))
    store = FeatureStore(path)
    assert store.held_out("choice", 9).tolist() == store.held_out("report", 9).tolist() == [1]


def test_a_split_without_utterances_names_the_parameter(tmp_path):
    path = tmp_path / "features.h5"
    write_features(path, UNITS, test=())
    with pytest.raises(InputError, match=r"no test utterance; see corpus\.test_share"):
        FeatureStore(path).indices("test")
