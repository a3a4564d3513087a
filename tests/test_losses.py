import math

import pytest
import torch

from lbtts.model import losses

UNITS = torch.tensor([[3, 5, 2, 4], [2, 7, 1, 0]])
LENGTHS = torch.tensor([4, 3])


def test_duration_error_leaves_out_bos_eos_and_padding():
    predicted = UNITS.float() + torch.tensor([[9.0, 1.0, 3.0, 9.0], [9.0, 4.0, 9.0, 9.0]])
    assert losses.duration_l1(predicted, UNITS, LENGTHS).item() == pytest.approx((2 + 4) / 2)


def test_cross_entropy_is_nil_for_certainty_and_log_two_for_none():
    bins = torch.arange(50)
    certain = torch.where(bins < UNITS[..., None], 40.0, -40.0)
    assert losses.duration_ce(certain, UNITS, LENGTHS).item() == pytest.approx(0, abs=1e-9)
    unsure = torch.zeros(2, 4, 50)
    assert losses.duration_ce(unsure, UNITS, LENGTHS).item() == pytest.approx(math.log(2))


def test_cross_entropy_ignores_padding():
    logits = torch.zeros(2, 4, 50)
    damaged = logits.clone()
    damaged[1, 3] = 40
    assert losses.duration_ce(damaged, UNITS, LENGTHS) == losses.duration_ce(logits, UNITS, LENGTHS)


@pytest.mark.parametrize("kind", [losses.MelLoss, losses.StftLoss])
def test_spectral_losses_are_nil_for_equal_waveforms_and_grow_with_the_noise(kind):
    draw = torch.Generator().manual_seed(0)
    target = 0.1 * torch.randn(1, 12_000, generator=draw).cumsum(1).sin()
    noise = torch.randn(1, 12_000, generator=draw)
    loss = kind()
    quiet, loud = (loss(target + level * noise, target).item() for level in (0.01, 0.1))
    assert loss(target, target).item() == 0
    assert 0 < quiet < loud


@pytest.mark.parametrize("kind", [losses.MelLoss, losses.StftLoss])
@pytest.mark.parametrize("target", ["sound", "silence"])
@pytest.mark.parametrize("audio", ["sound", "half silence", "silence"])
def test_spectral_losses_of_digital_silence_have_finite_gradients(kind, audio, target):
    sound = 0.1 * torch.arange(12_000.0)[None].mul(0.05).sin()
    waveforms = {"sound": sound, "silence": torch.zeros_like(sound)}
    waveforms["half silence"] = sound * (torch.arange(12_000) < 6_000)
    generated = waveforms[audio].clone().requires_grad_()
    loss = kind()(generated, waveforms[target])
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(generated.grad).all()


def test_stft_loss_is_the_literatures_formula():
    draw = torch.Generator().manual_seed(0)
    audio, target = (0.1 * torch.randn(2, 12_000, generator=draw) for _ in range(2))
    expected = []
    for fft, hop, window in losses.RESOLUTIONS:
        hann = torch.hann_window(window)
        x, y = (
            torch.stft(w, fft, hop, window, hann, return_complex=True).abs()
            for w in (audio, target)
        )
        convergence = ((y - x).square().sum() / y.square().sum()).sqrt()
        expected.append(convergence + (y.log() - x.log()).abs().mean())
    torch.testing.assert_close(losses.StftLoss()(audio, target), torch.stack(expected).mean())
