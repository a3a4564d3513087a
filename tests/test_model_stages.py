"""The stages base, voice and train, with the miniature in Kokoro's place."""

import shutil
from unittest.mock import patch

import kokoro.model
import numpy as np
import pytest
import safetensors.torch
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from joblib.externals.loky import get_reusable_executor

from benchmarks import miniature
from lbtts.errors import InputError
from lbtts.models.kokoro.voices.table import InitialVoice, initial
from lbtts.models.kokoro.weights import checkpoint, facts
from lbtts.models.kokoro.weights import sources as weights
from lbtts.records import read_json, sha256, write_json
from stages import base, train, voice
from tests.conftest import ROOT
from tests.corpora import write_features

UNITS = {name: [4, *([3, 2, 4] * (4 + i)), 4] for i, name in enumerate("abcde")}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder with features; Kokoro is small in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    text = (ROOT / "profiles/demo.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("jobs: 0", "jobs: 1"),
        ("source: pip   ", "source: random"),
        ("steps: 24", "steps: 3"),
        ("crop_seconds: 1.5", "crop_seconds: 0.3"),
        ("checkpoint_every: 6", "checkpoint_every: 1"),
        ("frozen: 12", "frozen: 0"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    write_features(tmp_path / "data/features.h5", UNITS, test=("e",))
    get_reusable_executor().shutdown(wait=True)
    with patch.object(kokoro.model, "Decoder", miniature.SmallDecoder):
        yield tmp_path


def tensors_of(voice):
    return {k: v for k, v in vars(voice).items() if isinstance(v, torch.Tensor)}


def choose(folder, old, new):
    path = folder / "params.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def give_checkpoint(folder, digest=None):
    """A checkpoint of the miniature in Kokoro's form, chosen in params.yaml."""
    network = miniature.random(seed=2)
    (folder / "given").mkdir()
    checkpoint.save_published(network.state_dict(), folder / "given/kokoro.pth")
    write_json(folder / "given/config.json", miniature.config())
    sha = digest or sha256(folder / "given/kokoro.pth")
    choose(folder, "source: random ", "source: file ")
    choose(folder, "path: null", "path: given/kokoro.pth")
    text = (folder / "params.yaml").read_text(encoding="utf-8")
    pinned = text.partition("sha256: ")[2].partition("\n")[0]
    choose(folder, pinned, sha)
    return network


def give_voices(folder, count):
    """So many voice tables beside the checkpoint, by their numbers."""
    (folder / "given/voices").mkdir()
    for number in range(count):
        drawn = np.random.default_rng(number).standard_normal((1, 4)).astype(np.float32)
        table = initial(("a",), drawn, np.array([50]), seed=number).table
        torch.save(table, folder / f"given/voices/v{number}.pt")


def test_random_weights_say_so_everywhere(project, capsys):
    small = miniature.config()
    with patch.object(weights.facts, "config", lambda: small):
        base.main()
    assert "RANDOM WEIGHTS" in capsys.readouterr().out
    assert read_json("metrics/base.json")["base"] == "random"
    assert read_json("models/base/provenance.json") == {"base": "random", "base_seed": 0}


def test_a_local_checkpoint_is_taken_over_tensor_by_tensor(project):
    network = give_checkpoint(project)
    base.main()
    loaded = checkpoint.load_base("models/base").state_dict()
    assert all(torch.equal(loaded[k], v) for k, v in network.state_dict().items())
    assert read_json("models/base/provenance.json")["base_sha256"]


def test_a_checkpoint_with_another_digest_is_refused(project):
    give_checkpoint(project, digest="a" * 64)
    with pytest.raises(InputError, match=r"its SHA-256 is .* not the aaa"):
        base.main()


def test_a_checkpoint_that_is_not_there_is_named(project):
    choose(project, "source: random ", "source: file ")
    choose(project, "path: null", "path: nowhere.pth")
    with pytest.raises(InputError, match=r"base\.path: nowhere\.pth: no such file"):
        base.main()


def test_without_a_network_the_hub_is_one_clear_line(project, monkeypatch):
    choose(project, "source: random ", "source: hub ")

    def offline(repo, name, revision):
        assert revision == "f3ff3571791e39611d31c381e3a41a3af07b4987"
        raise LocalEntryNotFoundError("no connection\nand more")

    monkeypatch.setattr(weights, "hf_hub_download", offline)
    with pytest.raises(InputError, match=r"cannot be downloaded \(no connection\)") as raised:
        base.main()
    assert "\n" not in str(raised.value)


def test_the_hub_is_read_at_the_pinned_commit(project, monkeypatch):
    give_checkpoint(project)
    shutil.copy(project / "given/kokoro.pth", project / "given/kokoro-v1_0.pth")
    choose(project, "source: file ", "source: hub ")
    asked = []

    def download(repo, name, revision):
        asked.append((repo, name, revision))
        return str(project / "given" / name)

    def download_all(repo, revision, allow_patterns):
        asked.append((repo, allow_patterns, revision))
        return str(project / "given")

    give_voices(project, 2)
    monkeypatch.setattr(weights, "hf_hub_download", download)
    monkeypatch.setattr(weights, "snapshot_download", download_all)
    base.main()
    assert asked == [
        ("hexgrad/Kokoro-82M", name, "f3ff3571791e39611d31c381e3a41a3af07b4987")
        for name in ("config.json", "kokoro-v1_0.pth", "voices/*.pt")
    ]
    assert read_json("metrics/base.json")["voices"] == 2
    voices = checkpoint.load_tensors("models/base/voices.safetensors")
    assert torch.equal(voices["v1"], torch.load("given/voices/v1.pt", weights_only=True))


@pytest.mark.parametrize(
    "content, complaint",
    [
        pytest.param(torch.zeros(511, 1, 256), "not a voice of Kokoro", id="another shape"),
        pytest.param(torch.zeros(510, 1, 256).half(), "not a voice of Kokoro", id="another dtype"),
        pytest.param({"voice": 1}, "not a voice of Kokoro", id="no tensor"),
        pytest.param(torch.full((510, 1, 256), torch.nan), "NaN or infinite", id="no numbers"),
        pytest.param(None, "not a readable voice", id="damaged"),
    ],
)
def test_a_file_that_is_no_voice_is_named(project, content, complaint):
    give_checkpoint(project)
    give_voices(project, 1)
    bad = project / "given/voices/bad.pt"
    if content is None:
        bad.write_bytes(b"PK")
    else:
        torch.save(content, bad)
    with pytest.raises(InputError, match=rf"voices/bad\.pt: .*{complaint}") as raised:
        base.main()
    assert "\n" not in str(raised.value)


def test_raw_voices_are_read_as_kokoro_js_ships_them(project):
    give_checkpoint(project)
    give_voices(project, 2)
    table = torch.load("given/voices/v1.pt", weights_only=True)
    table.numpy().astype("<f4").tofile("given/voices/v1.bin")
    (project / "given/voices/v1.pt").unlink()
    (project / "given/voices/README.md").touch()
    base.main()
    voices = checkpoint.load_tensors("models/base/voices.safetensors")
    assert sorted(voices) == ["v0", "v1"] and torch.equal(voices["v1"], table)


def test_a_raw_voice_of_another_size_is_refused_and_nothing_is_written(project):
    give_checkpoint(project)
    give_voices(project, 1)
    (project / "given/voices/short.bin").write_bytes(bytes(522_236))
    with pytest.raises(
        InputError, match=r"short\.bin: 522236 bytes, but .* has 522240; download it"
    ):
        base.main()
    assert not (project / "models").exists()


def test_a_voice_in_both_forms_is_refused(project):
    give_checkpoint(project)
    give_voices(project, 1)
    (project / "given/voices/v0.bin").write_bytes(bytes(522_240))
    with pytest.raises(InputError, match=r"v0\.pt: v0\.bin exists too"):
        base.main()


def test_voice_and_train_end_in_a_voice_that_can_be_loaded(project):
    give_checkpoint(project)
    base.main()
    voice.main()
    tensors = safetensors.torch.load_file("models/voice/voice.safetensors")
    assert tensors["table"].shape == (510, 1, 256)
    assert tensors["embeddings"].shape == (4, 256)  # of the train split
    np.testing.assert_allclose(tensors["embeddings"].norm(dim=1), 1, rtol=1e-5)
    assert (project / "models/voice/table.png").stat().st_size > 1000

    train.main()
    model, table = checkpoint.load_finetuned("models/finetuned")
    before = checkpoint.load_base("models/base").state_dict()
    moved = [k for k, v in model.state_dict().items() if not torch.equal(v, before[k])]
    assert moved and not torch.equal(table, tensors["table"])
    assert read_json("models/finetuned/provenance.json")["steps"] == 3
    metrics = read_json("metrics/train.json")
    assert metrics["steps"] == 3 and metrics["validation_mel"] > 0
    assert len(list((project / "models/finetuned/samples").glob("*.wav"))) == 2  # start and end

    weights = sha256("models/finetuned/model.safetensors")
    shutil.rmtree("models/finetuned")
    train.main()  # nothing is left to do: it is all in scratch
    assert sha256("models/finetuned/model.safetensors") == weights


def test_with_voices_of_its_own_the_base_teaches_the_projection(project):
    give_checkpoint(project)
    give_voices(project, 4)
    base.main()
    voice.main()
    begin = InitialVoice.load("models/voice/voice.safetensors")
    assert begin.table.shape == (facts.TABLE_ROWS, 1, facts.STYLE)
    assert begin.projection.shape == (256, facts.STYLE)  # of Resemblyzer's embeddings
    assert begin.deviations.shape == (4, 256)  # of the train split
    assert all(torch.isfinite(tensor).all() for tensor in tensors_of(begin).values())
    metrics = read_json("metrics/voice.json")
    assert metrics["voices"] == 4
    assert metrics["nearest_voice"] in {f"v{number}" for number in range(4)}
    voices = [metrics["projection_similarity"], metrics["nearest_voice_similarity"]]
    assert metrics["start_similarity"] >= max(voices)
    if metrics["start"] == metrics["nearest_voice"]:
        table = torch.load(f"given/voices/{metrics['start']}.pt", weights_only=True)
        assert torch.equal(begin.table, table)
    for half in ("decoder", "prosody"):
        assert metrics[f"{half}_strength"] > 0
        assert metrics[f"{half}_left_out_r2"] <= 1

    voice.main()
    again = InitialVoice.load("models/voice/voice.safetensors")
    assert all(
        torch.equal(tensor, tensors_of(again)[name]) for name, tensor in tensors_of(begin).items()
    )


def test_too_few_voices_are_one_clear_line(project):
    give_checkpoint(project)
    give_voices(project, 3)
    base.main()
    with pytest.raises(InputError, match=r"3 different voices, but .* 4 or more") as raised:
        voice.main()
    assert "\n" not in str(raised.value)


def test_a_voice_that_makes_no_sound_is_named(project):
    give_checkpoint(project)
    give_voices(project, 4)
    torch.save(torch.full((510, 1, 256), 1e30), project / "given/voices/mute.pt")
    base.main()
    with pytest.raises(InputError, match="voice mute gives no speech"):
        voice.main()


def test_a_changed_learning_rate_does_not_continue_the_old_run(project):
    give_checkpoint(project)
    base.main()
    voice.main()
    train.main()
    choose(project, "  lr: 1e-5", "  lr: 1e-4")
    train.main()
    assert len(list((project / "scratch/train").iterdir())) == 2


def test_an_estimate_is_made_before_anything_is_trained(project, capsys):
    give_checkpoint(project)
    base.main()
    voice.main()
    train.main(["--estimate"])
    assert "parameters" in capsys.readouterr().out
    assert not (project / "models/finetuned").exists()


def test_a_step_that_failed_is_replayed_with_the_params_that_it_had(project, capsys):
    give_checkpoint(project)
    base.main()
    voice.main()
    choose(project, "  lr: 1e-5", "  lr: 1e+30")
    with pytest.raises(InputError, match=r"--replay (\S+)`") as raised:
        train.main()
    path = str(raised.value).split("--replay ")[1].split("`")[0]
    choose(project, "  lr: 1e+30", "  lr: 1e-4")
    train.main(["--replay", path])
    now, then = capsys.readouterr().out.splitlines()[-2:]
    assert now.removeprefix("now:  ") == then.removeprefix("then: ")
