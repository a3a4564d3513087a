import re
import shutil
from types import SimpleNamespace

import pytest

from lbtts.errors import InputError
from lbtts.training import cost
from tests.corpora import write_features
from tests.train_small import choices, start

UNITS = {name: [4, *([3, 2, 4] * 3), 4] for name in "abcdefghi"}


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    path = tmp_path_factory.mktemp("cost") / "features.h5"
    write_features(path, UNITS, test=("i",))
    return path


def estimated(features, folder, processes=1, **changes):
    p = choices(**{"batch_seconds": 1.6, "steps": 100} | changes)
    state, store, accelerator = start(features, p)
    return cost.estimate(state, store, p.train, accelerator, folder, processes), state


def test_an_estimate_counts_what_the_run_will_take(features, tmp_path):
    found, state = estimated(features, tmp_path, components={"bert": {"frozen": 50}})
    assert found.parameters == sum(p.numel() for p in state.recipe.network.parameters())
    fixed = [p for p in state.recipe.network.model.bert.pooler.parameters()]
    assert found.parameters - found.trained > sum(p.numel() for p in fixed)
    assert state.recipe.network.model.bert.embeddings.word_embeddings.weight.requires_grad
    assert (found.steps, found.epoch_steps, found.micro_batches) == (100, 2, 1)
    assert found.speech == pytest.approx(1.6)
    assert found.seconds > 0
    # weights, their average and Adam's two moments: four times the network
    assert 3.5 < found.checkpoint / (4 * found.parameters) < 4.5
    kept = found.stored - 2 * found.checkpoint
    assert kept / (4 * found.parameters) == pytest.approx(2, abs=0.1)
    assert 4 * found.parameters < found.memory < found.available
    text = str(found)
    for line in ("parameters", "steps", "time", "memory", "disk"):
        assert re.search(rf"^{line} .*\d", text, re.MULTILINE), line


def test_a_step_that_cannot_fit_is_refused_with_the_number_of_parts_that_would(
    features, tmp_path, monkeypatch
):
    peaks = iter([100, 300])  # of one utterance and of three; so four would take 400
    monkeypatch.setattr(cost, "_peak", lambda device: next(peaks))
    monkeypatch.setattr(cost, "_available", lambda device: 250)
    with pytest.raises(InputError, match=r"a micro-batch of 4 .* set train.accumulate to 2"):
        estimated(features, tmp_path)


def test_one_utterance_that_cannot_fit_is_refused(features, tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "_peak", lambda device: 100)
    monkeypatch.setattr(cost, "_available", lambda device: 90)
    with pytest.raises(InputError, match=r"lower train.crop_seconds, or set train.recompute"):
        estimated(features, tmp_path)


def test_a_checkpoint_that_finds_no_room_is_refused(features, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(InputError, match=r"a run takes .* free some space there"):
        estimated(features, tmp_path)


def test_processes_share_the_memory_of_a_step(features, tmp_path, monkeypatch):
    peaks = iter([100, 200])  # of one utterance and of two, half of the step's four
    monkeypatch.setattr(cost, "_peak", lambda device: next(peaks))
    assert estimated(features, tmp_path, processes=2)[0].memory == 200


def test_the_estimate_is_that_of_the_step_with_most_speech_and_everything_at_work(
    features, tmp_path
):
    late = {"weight": 1, "start": 1000}
    found, state = estimated(
        features,
        tmp_path,
        losses={"adversarial": late, "feature_matching": late},
        discriminators={"width": 2, "lr": 1e-3},
    )
    assert state.adversary_optimizer.state_dict()["state"], "they have not trained"
    assert found.checkpoint > 4 * 4 * found.trained
