"""The baseline through the stages: base, training, speech, export."""

import shutil
import sys
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
import soundfile
import torch

from lbtts import languages, params, paths
from lbtts.acoustics.store.batching import collate
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.models.randomness import utterance_seeds
from lbtts.models.transformer import __main__ as command
from lbtts.models.transformer import base, export, recipe, speech, voice, weights
from lbtts.models.transformer import mel as mels
from lbtts.records import read_json, sha256
from lbtts.release.card import card
from lbtts.text.tokens import write_token_plans
from lbtts.training import session, step
from tests.conftest import ROOT
from tests.corpora import HARVEST, write_features
from tests.transformer_small import SHAPE

pytestmark = pytest.mark.usefixtures("one_thread")
UNITS = {name: [4, *([3, 2, 4] * n), 4] for name, n in zip("abcde", (4, 6, 5, 4, 5), strict=True)}


def parameters(**train) -> params.Params:
    """The small profile with a miniature for network."""
    p = params.load(ROOT / "profiles/baseline_small.yaml")
    section = p.transformer.model_copy(
        update={
            "architecture": SHAPE,
            "history": p.transformer.history.model_copy(update={"own_from": 6}),
        }
    )
    changes = {"steps": 12, "lr": 3e-3, "warmup": 4, "ema": 0.5, "validate_every": 6}
    changes |= {"batch_seconds": 4, "checkpoint_every": 4, "validation_utterances": 1} | train
    return p.model_copy(
        update={
            "transformer": section,
            "features": p.features.model_copy(update={"f0": HARVEST}),
            "train": p.train.model_copy(update=changes),
            "run": p.run.model_copy(update={"loaders": 0}),
        }
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with features and a base, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    shutil.copy(ROOT / "profiles/baseline_small.yaml", "params.yaml")
    write_features(tmp_path / paths.FEATURES, UNITS, test=("d", "e"))
    base.make(parameters())
    return tmp_path


def begin(**train):
    """A run at its first step, and its first batch."""
    p = parameters(**train)
    state, store, accelerator = session.begin(p)
    return state, store, accelerator, p.train


def test_the_stages_write_weights_a_note_and_a_voice_that_learnt(project):
    assert "nothing to do" in voice.make(parameters())["voice"]
    assert paths.VOICE.parent.is_dir()
    session.train(parameters())
    metrics = read_json("metrics/train.json")
    assert metrics["validation_mel_free"] < metrics["first_validation_mel_free"]
    assert {"validation_mel", "validation_duration", "validation_stop"} <= set(metrics)
    assert metrics["changed_decoder"] > 0
    assert list(paths.FINETUNED.glob("samples/*.wav"))


def test_a_run_that_is_continued_ends_with_the_same_weights(project):
    session.train(parameters())
    undisturbed = sha256(paths.FINETUNED / weights.WEIGHTS)
    for folder in (paths.FINETUNED, paths.CURVES, "scratch"):
        shutil.rmtree(folder)
    session.train(parameters(steps=8))
    session.train(parameters())
    assert sha256(paths.FINETUNED / weights.WEIGHTS) == undisturbed


def stepped(micro_batches: int, recompute: bool = False) -> dict:
    """The weights after a step that is divided."""
    state, store, accelerator, train = begin(accumulate=micro_batches, recompute=recompute)
    state.step = 6  # own frames count
    batch = collate(store, store.indices("train"), 400, (0, 0))
    step.train_step(state, batch, train, accelerator)
    return state.recipe.network.state_dict()


@pytest.mark.parametrize("changed", [{"micro_batches": 3}, {"micro_batches": 1, "recompute": True}])
def test_a_step_is_the_same_however_it_is_divided_or_recomputed(project, changed):
    whole, divided = stepped(1), stepped(**changed)
    for name, tensor in whole.items():
        assert torch.allclose(tensor, divided[name], atol=1e-5), name


def test_a_pass_in_bfloat16_has_nearly_the_losses_of_one_in_float32(project):
    p, store = parameters(), FeatureStore(paths.FEATURES)
    batch = collate(store, store.indices("train"), 400, (0, 0))
    found = []
    for autocast in (nullcontext, partial(torch.autocast, "cpu", torch.bfloat16)):
        made = recipe.build(p, store, torch.device("cpu"), autocast)
        made.network.train()
        found.append(made.forward(batch, 6, utterance_seeds(0, indices=batch.index)))
        found[-1].total.sum().backward()
        assert all(tensor.grad.isfinite().all() for tensor in made.network.parameters())
    for name, loss in found[0].losses.items():
        assert torch.allclose(loss, found[1].losses[name], rtol=0.02), name


def test_the_network_is_told_mean_and_spread_of_the_corpus(project):
    state, store, _, _ = begin()
    network = state.recipe.network
    found = torch.cat(
        [
            network.normalised(torch.from_numpy(mels.log_mel(store[int(i)].audio)))
            for i in store.indices("train")
        ]
    )
    assert found.mean(0).abs().max() < 0.01
    assert (found.std(0) - 1).abs().max() < 0.01


def test_validation_without_teacher_forcing_uses_the_networks_own_frames(project):
    state, store, _, _ = begin()
    batch = collate(store, [0], 400, (0,))
    found = state.recipe.validate(state.averaged(), batch, utterance_seeds(0, indices=[0]))
    spoken = state.averaged().inference(batch.tokens, batch.units).mel
    target = torch.from_numpy(mels.log_mel(store[0].audio))
    apart = ((spoken - target) / state.recipe.network.scale).abs().mean()
    assert found[recipe.FREE].item() == pytest.approx(apart.item(), abs=1e-3)
    assert found["mel"].item() != pytest.approx(found[recipe.FREE].item(), abs=1e-4)


def test_speech_has_the_length_of_its_durations(project):
    untrained = speech.base()
    tokens = np.array([0, 43, 50, 61, 44, 0])
    audio, units = untrained.speak(tokens)
    assert audio.dtype == np.float32 and len(units) == len(tokens) and units.min() >= 1
    given = np.array([5, 3, 2, 8, 3, 6])
    assert len(untrained.speak_in_time(tokens, given)) == 600 * 27
    assert np.array_equal(audio, untrained.speak(tokens)[0])
    assert speech.stranger() is None


def test_a_folder_that_is_damaged_or_of_another_form_is_refused_in_one_line(project):
    (paths.BASE / weights.WEIGHTS).write_bytes(b"no")
    with pytest.raises(InputError, match="models/base: not a readable model") as raised:
        weights.load(paths.BASE)
    assert "\n" not in str(raised.value)
    (paths.BASE / weights.CONFIG).write_text('{"model_type": "kokoro"}', encoding="utf-8")
    with pytest.raises(InputError, match="not a model of the form"):
        weights.load(paths.BASE)


def test_the_exported_folder_speaks_english(project, monkeypatch, capsys):
    session.train(parameters())
    front_end = languages.get("en").front_end(None, None)
    paths.G2P.mkdir(parents=True)
    write_token_plans([front_end.token_plan("a", "A cat sat down.")], paths.PLANNED)
    shutil.copy(ROOT / "data/additions.tsv", paths.ADDITIONS)
    exported = export.make(parameters())
    assert exported["parameters"] and exported["base"] == "scratch"
    text = ["Hello, how are you today?", "out.wav"]
    monkeypatch.setattr(sys, "argv", ["speak", "models/export", *text])
    command.main()
    audio, rate = soundfile.read("out.wav")
    assert rate == 24_000 and len(audio) > 2000
    for arguments, message in (
        (["models/export", "Кот", "out.wav"], "no Latin letter"),
        (["models/nothing", *text], "models/nothing"),
        (["models/export", *text, "--vocoder", "hifigan"], "names no weights"),
    ):
        monkeypatch.setattr(sys, "argv", ["speak", *arguments])
        with pytest.raises(SystemExit, match=message):
            command.main()


def test_the_card_says_what_it_is_and_how_to_speak():
    evaluated = {
        "utterances": 1,
        "metrics": [],
        "gate": {"passed": True, "lines": []},
        "checklist": [],
    }
    text = card(
        parameters(),
        provenance={"base": "scratch", "base_seed": 3, "steps": 1, "seed": 0},
        evaluated=evaluated,
        phonemes="x",
        graphs={},
    )
    assert "the transformer baseline" in text and "random weights, seed 3" in text
    assert "python -m lbtts.models.transformer FOLDER" in text and "KModel" not in text
