import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest
import torch

from lbtts.errors import InputError
from lbtts.scratch import scratch
from lbtts.training import resume, schedules, trainer
from lbtts.training.recorder import Recorder
from tests.conftest import ROOT
from tests.corpora import write_features
from tests.train_small import train

STEPS = 8
UNITS = {name: [4, *([3, 2, 4] * 3), 4] for name in "abcde"}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """So small a network only loses by sharing its work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    path = tmp_path_factory.mktemp("trainer") / "features.h5"
    write_features(path, UNITS, test=("e",))
    return path


@pytest.fixture(scope="module")
def finished(features, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("undisturbed")
    return train(features, scratch, steps=STEPS), scratch


def weights(state):
    return state.averaged().state_dict()


def assert_same(first, second):
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def start(features, scratch, result, **changes):
    command = [sys.executable, "-m", "tests.train_small"]
    arguments = [str(features), str(scratch), str(result), json.dumps({"steps": STEPS} | changes)]
    return subprocess.Popen([*command, *arguments], cwd=ROOT, start_new_session=True)


def test_one_seed_gives_the_same_weights_twice(features, finished, tmp_path):
    assert_same(weights(train(features, tmp_path, steps=STEPS)), weights(finished[0]))


def test_another_seed_gives_other_weights(features, finished, tmp_path):
    other = weights(train(features, tmp_path, steps=STEPS, seed=1))
    assert any(not torch.equal(other[k], v) for k, v in weights(finished[0]).items())


def test_a_run_that_was_killed_and_started_again_ends_with_the_same_weights(
    features, finished, tmp_path
):
    checkpoint, result = tmp_path / trainer.CHECKPOINT, tmp_path / "result.pt"
    process = start(features, tmp_path, result)
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    reached = resume.load(checkpoint)["state"]["step"]
    assert 0 < reached < STEPS, "the run was not killed in its middle"
    assert start(features, tmp_path, result).wait() == 0
    assert_same(torch.load(result, weights_only=True), weights(finished[0]))


def test_a_resumed_run_shows_its_whole_curve(features, tmp_path):
    train(features, tmp_path, steps=3)
    train(features, tmp_path, steps=STEPS)
    curve = (tmp_path / "curves/plots/metrics/train/mel.tsv").read_text(encoding="utf-8")
    steps = [int(line.split("\t")[0]) for line in curve.splitlines()[1:]]
    assert steps == list(range(1, STEPS + 1))


def test_prolonging_a_run_is_the_same_as_having_asked_for_more(features, finished, tmp_path):
    train(features, tmp_path, steps=3)
    assert_same(weights(train(features, tmp_path, steps=STEPS)), weights(finished[0]))


def test_asking_for_fewer_steps_than_were_done_starts_over(features, finished, tmp_path):
    train(features, tmp_path, steps=STEPS)
    shorter = train(features, tmp_path, steps=3)
    assert shorter.step == 3


def test_it_learns(features, tmp_path):
    seldom = {"validate_every": 60, "checkpoint_every": 60}
    state = train(features, tmp_path, steps=60, lr=5e-3, warmup=5, **seldom)
    history = resume.load(tmp_path / trainer.CHECKPOINT)["history"]
    first, last = (f for _, f in history if "validation/total" in f)
    assert state.step == 60
    for name in ("duration_ce", "f0", "mel"):
        assert last[f"validation/{name}"] < 0.8 * first[f"validation/{name}"], name


def test_validation_does_not_disturb_training(features, finished, tmp_path):
    often = train(features, tmp_path, steps=STEPS, validate_every=1)
    assert_same(weights(often), weights(finished[0]))


def test_the_learning_rate_warms_up_and_then_falls():
    factors = [schedules.learning_rate_factor(step, 10) for step in range(1000)]
    assert factors[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert max(factors) == factors[9] == 1
    assert all(a > b for a, b in pairwise(factors[9:]))


def test_a_fingerprint_follows_parameters_and_contents_but_not_paths(tmp_path):
    one, copy, other = (tmp_path / name for name in ("one", "copy", "other"))
    one.write_bytes(b"same")
    copy.write_bytes(b"same")
    other.write_bytes(b"different")
    name = resume.fingerprint({"lr": 1e-4}, [one])
    assert resume.fingerprint({"lr": 1e-4}, [copy]) == name
    assert resume.fingerprint({"lr": 1e-4}, [other]) != name
    assert resume.fingerprint({"lr": 1e-5}, [one]) != name


def test_one_run_cannot_be_trained_by_two_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with (
        scratch("0123"),
        pytest.raises(InputError, match="running in another process"),
        scratch("0123"),
    ):
        pass


def test_a_checkpoint_that_cannot_be_written_keeps_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    resume.save({"step": 1}, path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(InputError, match="No space left"):
        resume.save({"step": 2}, path)
    assert resume.load(path) == {"step": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_dvclive_writes_no_pipeline_file_of_its_own(tmp_path):
    recorder = Recorder(tmp_path / "curves", [(1, {"train/mel": 2.0})])
    recorder.close()
    assert not list(tmp_path.rglob("dvc.yaml"))
    assert (tmp_path / "curves/plots/metrics/train/mel.tsv").exists()
