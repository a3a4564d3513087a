import json

import numpy as np
import pytest
import torch

from benchmarks import miniature
from lbtts import languages
from lbtts.errors import InputError
from lbtts.models.kokoro.release import folder as export
from lbtts.models.kokoro.release import proof
from lbtts.models.kokoro.weights import checkpoint, facts

TOKENS = np.array([0, *range(50, 62), 0], dtype=np.int64)


@pytest.fixture(scope="module")
def small(table, tmp_path_factory):
    """A miniature exported; stock kokoro could not load it."""
    folder = tmp_path_factory.mktemp("small")
    model = miniature.random()
    export.write(folder, model, table, miniature.config(), "lb_max", "lb")
    return folder, model


@pytest.fixture
def fresh(monkeypatch, small, table):
    """What the fresh process would say of the miniature, to be spoiled by the test."""
    _, model = small
    audio, units = export._training_side(model, table, TOKENS)
    report = {
        "tensors_compared": 5,
        "tensors_equal": 5,
        "first_difference": "",
        "samples": len(audio),
        "samples_expected": len(audio),
        "units": units,
    }
    monkeypatch.setattr(export, "_in_fresh_process", lambda *_: (report, audio))
    return report, audio


def test_exported_files_are_as_kokoro_publishes_them(small, table):
    folder, _ = small
    voice = torch.load(folder / "voices/lb_max.pt", weights_only=True)
    assert voice.dtype == torch.float32 and torch.equal(voice, table)
    parts = torch.load(folder / "kokoro-lb.pth", weights_only=True)
    assert set(parts) == set(facts.COMPONENTS)
    assert any(key.endswith("weight_g") for key in parts["decoder"])
    written = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert written == miniature.config() | {"model_type": "style_text_to_speech_2"}


def test_export_gives_the_same_bytes_again(small, table, tmp_path):
    folder, model = small
    export.write(tmp_path, model, table, miniature.config(), "lb_max", "lb")
    for name in ("config.json", "kokoro-lb.pth", "voices/lb_max.pt"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_tensor_comparison_counts_every_tensor(small):
    folder, model = small
    report = proof.compare_tensors(model, str(folder / "kokoro-lb.pth"))
    count = len(model.state_dict())
    assert report == {"tensors_compared": count, "tensors_equal": count, "first_difference": ""}


def test_tensor_comparison_names_a_tensor_that_was_not_loaded(small):
    folder, _ = small
    other = miniature.random(seed=1)
    report = proof.compare_tensors(other, str(folder / "kokoro-lb.pth"))
    assert report["tensors_equal"] < report["tensors_compared"] / 2
    assert report["first_difference"] in other.state_dict()


def test_tensor_comparison_misses_no_missing_or_unknown_tensor(small, tmp_path):
    _, model = small
    state = model.state_dict()
    state["decoder.unknown"] = state.pop("bert_encoder.bias")
    checkpoint.save_published(state, tmp_path / "odd.pth")
    report = proof.compare_tensors(model, str(tmp_path / "odd.pth"))
    assert report["tensors_compared"] - report["tensors_equal"] == 2
    assert report["first_difference"] == "bert_encoder.bias"


def test_sound_export_passes_its_proof(fresh, small, table):
    folder, model = small
    metrics = export.prove(folder, model, table, "lb_max", TOKENS)
    assert metrics["proof_audio_difference"] == 0
    assert metrics["proof_samples"] == 600 * metrics["proof_units"]


@pytest.mark.parametrize(
    "spoil, complaint",
    [
        ({"tensors_equal": 3, "first_difference": "bert.x"}, "2 of 5 tensors differ, first bert.x"),
        ({"samples": 600}, "600 samples"),
        ({"units": [1, 2]}, "durations"),
    ],
)
def test_failed_proof_says_what_differs(fresh, small, table, spoil, complaint):
    folder, model = small
    fresh[0].update(spoil)
    with pytest.raises(InputError, match=complaint):
        export.prove(folder, model, table, "lb_max", TOKENS)


def test_audio_that_differs_fails_the_proof(fresh, small, table):
    folder, model = small
    fresh[1][100] += 0.01
    with pytest.raises(InputError, match="audio differs"):
        export.prove(folder, model, table, "lb_max", TOKENS)


def test_onnx_folder_holds_graph_and_voices_and_passes_its_proof(small, table):
    folder, model = small
    language = languages.get("lb")
    export.write_onnx(folder, model, table, miniature.config(), "lb_max", language)
    with np.load(folder / "onnx/voices.bin") as voices:
        assert np.array_equal(voices["lb_max"], table.numpy())
    metrics = export.prove_onnx(folder, model, table, [TOKENS])
    assert metrics["onnx_duration_mismatch"] == 0
    assert export.sizes(folder).keys() == {"checkpoint_mb", "onnx_mb"}

    with pytest.raises(InputError, match="voice table"):
        export.prove_onnx(folder, model, table + 1, [TOKENS])


def test_stock_kokoro_in_a_fresh_process_speaks_as_the_training_side_does(table, tmp_path):
    model = checkpoint.random(facts.config(), seed=0)
    export.write(tmp_path, model, table, facts.config(), "lb_max", "lb")
    metrics = export.prove(tmp_path, model, table, "lb_max", TOKENS)
    assert metrics["tensors_equal"] == metrics["tensors_compared"] == len(model.state_dict())


@pytest.mark.slow
def test_checkpoint_that_stock_kokoro_half_loads_fails_the_proof(table, tmp_path):
    model = checkpoint.random(facts.config(), seed=0)
    export.write(tmp_path, model, table, facts.config(), "lb_max", "lb")
    parts = torch.load(tmp_path / "kokoro-lb.pth", weights_only=True)
    parts["decoder"] = {f"wrong.{key}": value for key, value in parts["decoder"].items()}
    torch.save(parts, tmp_path / "kokoro-lb.pth")
    with pytest.raises(InputError, match="tensors differ, first decoder"):
        export.prove(tmp_path, model, table, "lb_max", TOKENS)
