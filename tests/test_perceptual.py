import copy

import huggingface_hub.constants
import numpy as np
import pytest
import safetensors.torch
import soxr
import torch
from transformers import WavLMConfig, WavLMModel

from lbtts.errors import InputError
from lbtts.models.kokoro.network.perceptual import WAVLM_RATE, WavlmLoss, load_wavlm

SAMPLES = 12_000  # half a second at 24 kHz


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return WavLMModel(
            WavLMConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                conv_dim=(8,) * 7,
                num_conv_pos_embeddings=8,
                num_conv_pos_embedding_groups=2,
            )
        )


@pytest.fixture
def loss(model):
    return WavlmLoss(copy.deepcopy(model))


def speechlike(seed):
    """[2, S] noise without anything above 7 kHz."""
    draw = torch.Generator().manual_seed(seed)
    spectrum = torch.fft.rfft(0.1 * torch.randn(2, SAMPLES, generator=draw))
    spectrum[:, torch.fft.rfftfreq(SAMPLES, 1 / 24_000) > 7_000] = 0
    return torch.fft.irfft(spectrum, SAMPLES)


def tone(hertz):
    turns = hertz * torch.arange(SAMPLES, dtype=torch.float64) / 24_000
    return torch.sin(2 * torch.pi * turns).float()[None]


def test_the_loss_is_nil_for_equal_audio_and_grows_with_the_noise(loss):
    target, noise = speechlike(0), speechlike(1)
    quiet, loud = (loss(target + level * noise, target) for level in (0.01, 0.3))
    assert loss(target, target).tolist() == [0, 0]
    assert (quiet > 0).all() and (quiet < loud).all()


def test_dropout_stays_off_when_the_parent_trains(loss):
    parent = torch.nn.ModuleList([loss]).train()
    target = speechlike(0)
    assert parent[0](target, target).tolist() == [0, 0]


def test_gradients_reach_the_audio_and_neither_the_target_nor_wavlm(loss):
    audio, target = speechlike(0).requires_grad_(), speechlike(1).requires_grad_()
    loss(audio, target).sum().backward()
    assert torch.isfinite(audio.grad).all()
    assert (audio.grad.abs().sum(1) > 0).all()
    assert target.grad is None
    assert all(p.grad is None for p in loss.parameters())


def test_every_layer_counts(loss):
    states = loss._hidden_states(speechlike(0)), loss._hidden_states(speechlike(1))
    each = [(a - b).abs().mean().item() for a, b in zip(*states, strict=True)]
    assert len(each) == 1 + 2  # what the convolutions give, and two layers
    assert loss(speechlike(0), speechlike(1)).mean().item() == pytest.approx(np.mean(each))


def test_resampling_is_soxrs(model):
    audio = speechlike(0)
    ours = WavlmLoss(model).resample(audio)
    theirs = soxr.resample(audio.T.numpy(), 24_000, WAVLM_RATE).T
    inner = slice(200, -200)  # at the ends the two filters ring differently
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours[:, inner], theirs[:, inner], atol=2e-6)


@pytest.mark.parametrize("hertz", [8_000, 9_000, 11_500])
def test_what_16_khz_cannot_hold_does_not_fold_back(model, hertz):
    inner = WavlmLoss(model).resample(tone(hertz))[:, 200:-200]
    assert inner.abs().max() < 1e-5


def test_a_unit_more_of_audio_is_400_samples_more(model):
    resample = WavlmLoss(model).resample
    lengths = [resample(torch.zeros(1, units * 600)).shape[1] for units in (10, 11)]
    assert lengths == [4_000, 4_400]


def test_a_saved_model_is_loaded_whole(model, tmp_path):
    model.save_pretrained(tmp_path)
    loaded = load_wavlm(f"{tmp_path}@local").state_dict()
    assert loaded.keys() == model.state_dict().keys()
    assert all(torch.equal(loaded[name], value) for name, value in model.state_dict().items())


def test_a_checkpoint_with_a_hole_is_refused(model, tmp_path):
    model.save_pretrained(tmp_path)
    weights = safetensors.torch.load_file(tmp_path / "model.safetensors")
    del weights["encoder.layers.1.attention.q_proj.weight"]
    safetensors.torch.save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"1 weights are missing, encoder\.layers\.1\.attention"):
        load_wavlm(f"{tmp_path}@local")


def test_without_the_hub_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        InputError, match=r"kokoro\.wavlm: no/where@0 cannot be loaded .*wavlm.weight to 0"
    ):
        load_wavlm("no/where@0")
