import json
import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
import safetensors.torch
import torch

from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.models.kokoro.network.schedules import settled
from lbtts.scratch import scratch
from lbtts.training import resume, schedules, trainer
from lbtts.training.choice import LeastLoss
from lbtts.training.recorder import Recorder, trackers
from tests.conftest import ROOT
from tests.corpora import equal_utterances
from tests.train_small import choices, train

STEPS = 8
ON = {"weight": 1, "start": 10}
EVERYTHING = {
    "losses": {"adversarial": ON, "feature_matching": ON},
    "discriminators": {"width": 2, "start": 5},
    "components": {
        "bert": {"rank": 2},
        "predictor": {"rank": 4},
        "decoder": {"anchor": 10},
        "upsampling": {"frozen": None},
    },
    "replay": {"share": 0.5},
    "level_db": 3,
    "speed": 0.1,
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return equal_utterances(tmp_path_factory.mktemp("trainer"), "abcde")


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


@pytest.mark.slow
def test_a_run_killed_at_five_random_steps_ends_with_the_same_weights(features, tmp_path):
    """With accumulation, an average of the weights, two processes that read, and all settings."""
    changes = {"accumulate": 2, "batch_seconds": 1.6, "ema": 0.8, "steps": 40, "patience": 50}
    changes |= EVERYTHING
    assert start(features, tmp_path / "whole", tmp_path / "whole.pt", **changes).wait() == 0
    folder, result = tmp_path / "killed", tmp_path / "killed.pt"
    for kill_at in sorted(random.Random(0).sample(range(2, 38), 5)):
        reached = kill(start(features, folder, result, **changes), folder, kill_at)
        assert kill_at <= reached < 40, "the run was not killed in its middle"
    assert start(features, folder, result, **changes).wait() == 0
    assert_same(*(torch.load(tmp_path / f"{n}.pt", weights_only=True) for n in ("killed", "whole")))


def test_a_run_that_was_killed_and_started_again_ends_with_the_same_weights(
    features, finished, tmp_path
):
    result = tmp_path / "result.pt"
    reached = kill(start(features, tmp_path, result), tmp_path, 1)
    assert 0 < reached < STEPS, "the run was not killed in its middle"
    assert start(features, tmp_path, result).wait() == 0
    assert_same(torch.load(result, weights_only=True), weights(finished[0]))


def kill(process, folder, step):
    """The step that was saved last when the process was killed, at step `step` or soon after."""
    deadline = time.monotonic() + 900
    saved = None
    while time.monotonic() < deadline and (saved is None or saved < step):
        assert process.poll() is None, "the run ended by itself"
        time.sleep(0.2)
        if (checkpoint := resume.load(folder / trainer.CHECKPOINT)) is not None:
            saved = checkpoint["state"]["step"]
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return resume.load(folder / trainer.CHECKPOINT)["state"]["step"]


def test_two_processes_with_half_the_batch_each_learn_the_same(features, tmp_path):
    # Where steps are large, rounding is soon another path: Adam makes ±1 of any tiny gradient.
    rates = {"lr": 1e-5, "components": {"bert": {"lr": 1}, "voice": {"lr": 1}}}
    often = {"validate_every": 50, "checkpoint_every": 20}
    changes = {"batch_seconds": 1.6, "steps": 20} | rates | often
    train(features, tmp_path / "one", **changes)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    arguments = [features, tmp_path / "two", tmp_path / "two.pt", json.dumps(changes)]
    subprocess.run(
        [*command, "-m", "tests.train_small", *map(str, arguments)], cwd=ROOT, check=True
    )
    one, two = (
        [metrics for _, metrics in resume.load(tmp_path / name / trainer.CHECKPOINT)["history"]]
        for name in ("one", "two")
    )
    assert len(two) == 22  # 20 steps, a validation before and one after them
    for alone, together in zip(one, two, strict=True):
        assert together.keys() == alone.keys()
        # A gradient is less exact: see test_step.apart.
        same = {name: value for name, value in alone.items() if "gradient" not in name}
        assert {name: together[name] for name in same} == pytest.approx(same, rel=1e-4, abs=1e-4)


def chosen(state, features, folder, rule=None, history=None):
    """What the run in `folder` gives away."""
    recorder = Recorder(None, history or resume.load(folder / trainer.CHECKPOINT)["history"])
    rule = rule or LeastLoss("stft")
    return trainer.choose(state, FeatureStore(features), choices().train, rule, recorder, folder)


def test_a_run_stops_when_it_no_longer_gets_better_and_keeps_its_best(features, tmp_path, capsys):
    still = {"lr": 1e-15}
    changes = {"steps": 30, "validate_every": 2, "patience": 2} | still
    state = train(features, tmp_path, **changes)
    assert state.step < 30
    assert state.waited == 2
    best = state.candidates[0].step
    assert best == state.step - 4
    assert f"stopped at step {state.step}: step {best} was best" in capsys.readouterr().out
    again = train(features, tmp_path, **changes)
    assert again.step == state.step, "a run that has stopped stays stopped"
    step, network = chosen(state, features, tmp_path)
    assert step == best
    kept = safetensors.torch.load_file(tmp_path / f"candidate-{best:07d}.safetensors")
    assert_same(network.state_dict(), kept)


def test_the_last_weights_are_taken_where_they_are_better_than_the_best_so_far(features, tmp_path):
    """Where the run ends between two validations, the last one is an extra."""
    state = train(features, tmp_path, steps=15, validate_every=12)
    expected = weights(state)
    (candidate,) = state.candidates
    assert candidate.step == 12
    history = resume.load(tmp_path / trainer.CHECKPOINT)["history"]
    last = {"validation/stft": -candidate.rank[0] - 0.1, "validation/total": 0.0}
    step, network = chosen(state, features, tmp_path, history=[*history, (15, last)])
    assert step == 15
    assert_same(network.state_dict(), expected)


def test_the_best_few_checkpoints_stay_and_the_others_go(features, tmp_path):
    state = train(features, tmp_path, steps=30, validate_every=3, keep=2)
    ranks = [candidate.rank for candidate in state.candidates]
    assert len(ranks) == 2 and ranks == sorted(ranks, reverse=True)
    files = {path.name for path in tmp_path.glob("candidate-*")}
    assert files == {f"candidate-{c.step:07d}.safetensors" for c in state.candidates}


def test_a_rule_that_listens_hears_every_candidate_and_may_overrule_its_rank(features, tmp_path):
    state = train(features, tmp_path, steps=30, validate_every=6, keep=3)
    worst = state.candidates[-1].step
    heard = []

    def measure(spoken):
        heard.append([utterance.id for utterance, _ in spoken])
        assert all(speech.audio.any() for _, speech in spoken)
        return {"naturalness": len(heard)}  # the last that is heard sounds best

    rule = SimpleNamespace(
        measures_speech=True, measure=measure, rank=lambda m: [m.get("naturalness", 0)]
    )
    step, network = chosen(state, features, tmp_path, rule)
    assert heard == [["e"]] * 3
    assert step == worst
    kept = safetensors.torch.load_file(tmp_path / f"candidate-{worst:07d}.safetensors")
    assert_same(network.state_dict(), kept)


def test_nothing_is_compared_while_the_task_still_changes():
    late = choices(
        teacher_forcing={"hold": 5, "decay": 10, "final_ratio": 0.5},
        components={"bert": {"frozen": 30}},
        losses={"adversarial": {"weight": 1, "start": 20}, "wavlm": {"weight": 0, "start": 99}},
    )
    assert settled(late.kokoro) == 30
    forced = {"hold": 50, "decay": 50, "final_ratio": 1}
    assert settled(choices(teacher_forcing=forced).kokoro) == 0


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


def test_a_fingerprint_follows_parameters_contents_and_version_but_not_paths(tmp_path):
    one, copy, other = (tmp_path / name for name in ("one", "copy", "other"))
    one.write_bytes(b"same")
    copy.write_bytes(b"same")
    other.write_bytes(b"different")
    name = resume.fingerprint({"lr": 1e-4}, [one], 1)
    assert resume.fingerprint({"lr": 1e-4}, [copy], 1) == name
    assert resume.fingerprint({"lr": 1e-4}, [other], 1) != name
    assert resume.fingerprint({"lr": 1e-5}, [one], 1) != name
    assert resume.fingerprint({"lr": 1e-4}, [one], 2) != name


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
    with Recorder(tmp_path / "curves", [(1, {"train/mel": 2.0})]):
        pass
    assert not list(tmp_path.rglob("dvc.yaml"))
    assert (tmp_path / "curves/plots/metrics/train/mel.tsv").exists()


def test_trackers_are_told_what_is_new_and_dvclive_everything_if_the_run_fails_too(tmp_path):
    told = []
    tracker = SimpleNamespace(
        log=lambda metrics, step: told.append((step, metrics)), finish=lambda: told.append("end")
    )
    failed = RuntimeError("a step failed")
    with (
        pytest.raises(RuntimeError) as raised,
        Recorder(tmp_path / "curves", [(1, {"train/mel": 2.0})], [tracker]) as recorder,
    ):
        recorder.log(2, {"train/mel": 1.5})
        raise failed
    assert raised.value is failed
    assert told == [(2, {"train/mel": 1.5}), "end"]
    curve = (tmp_path / "curves/plots/metrics/train/mel.tsv").read_text(encoding="utf-8")
    assert len(curve.splitlines()) == 3


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_tracker_that_is_not_installed_is_named_with_its_remedy(tmp_path, monkeypatch, name):
    for package in ("tensorboard", "torch.utils.tensorboard", "tensorboardX", "wandb"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"run.trackers: {name} .* requirements-trackers.txt"):
        trackers([name], tmp_path, step=0)
