import math

import pytest
import torch
from auraloss.freq import MultiResolutionSTFTLoss

from lbtts.evaluation import signal_measures
from lbtts.models.kokoro.network import losses

UNITS = torch.tensor([[3, 5, 2, 4], [2, 7, 1, 0]])
LENGTHS = torch.tensor([4, 3])


def test_duration_error_leaves_out_bos_eos_and_padding():
    predicted = UNITS.float() + torch.tensor([[9.0, 1.0, 3.0, 9.0], [9.0, 4.0, 9.0, 9.0]])
    assert losses.duration_l1(predicted, UNITS, LENGTHS).tolist() == pytest.approx([2, 4])


def test_cross_entropy_is_nil_for_certainty_and_log_two_for_none():
    bins = torch.arange(50)
    certain = torch.where(bins < UNITS[..., None], 40.0, -40.0)
    assert losses.duration_ce(certain, UNITS, LENGTHS).tolist() == pytest.approx([0, 0], abs=1e-9)
    unsure = torch.zeros(2, 4, 50)
    assert losses.duration_ce(unsure, UNITS, LENGTHS).tolist() == pytest.approx([math.log(2)] * 2)


def test_cross_entropy_ignores_padding():
    logits = torch.zeros(2, 4, 50)
    damaged = logits.clone()
    damaged[1, 3] = 40
    before, after = (losses.duration_ce(x, UNITS, LENGTHS) for x in (logits, damaged))
    assert torch.equal(before, after)


def test_f0_is_compared_apart_where_there_is_a_voice_and_where_there_is_none():
    target = torch.tensor([[100.0, 100.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    predicted = target + torch.tensor([[3.0, -5.0, 0.0, 2.5], [1.5, 1.5, 1.5, 1.5]])
    voiced, unvoiced = losses.f0_error(predicted, target)
    assert voiced.tolist() == pytest.approx([3.5, 0])  # smooth L1: half less than the difference
    assert unvoiced.tolist() == pytest.approx([1.0, 1.0])


@pytest.fixture(scope="module")
def speech():
    draw = torch.Generator().manual_seed(0)
    target = 0.1 * torch.randn(2, 12_000, generator=draw).cumsum(1).sin()
    return target, torch.randn(2, 12_000, generator=draw)


def test_spectral_losses_are_nil_for_equal_waveforms_and_grow_with_the_noise(speech):
    target, noise = speech
    spectral = losses.SpectralLoss()
    for same, quiet, loud in zip(
        spectral(target, target),
        spectral(target + 0.01 * noise, target),
        spectral(target + 0.1 * noise, target),
        strict=True,
    ):
        assert same.tolist() == [0, 0]
        assert (quiet > 0).all() and (quiet < loud).all()


def test_the_stft_loss_is_that_of_auraloss(speech):
    target, noise = speech
    _, stft = losses.SpectralLoss()(target + 0.03 * noise, target)
    reference = MultiResolutionSTFTLoss(w_lin_mag=0)
    for row in range(2):
        audio = (target + 0.03 * noise)[row].view(1, 1, -1)
        expected = reference(audio, target[row].view(1, 1, -1))
        assert stft[row].item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("floor_db", [-56, -40])
def test_the_floor_is_as_loud_as_white_noise_of_its_level(floor_db):
    draw = torch.Generator().manual_seed(0)
    noise = 10 ** (floor_db / 20) * torch.randn(1, 48_000, generator=draw)
    _, stft = losses.SpectralLoss(floor_db)(noise, torch.zeros(1, 48_000))
    # Where the noise's power x has an exponential distribution around that of the floor, 1, the
    # mean of (sqrt(1 + x) - 1)^2 is 0.242, and that of log(1 + x) is 0.596.
    assert stft.item() == pytest.approx(math.sqrt(0.242) + 0.596 / 2, rel=0.02)


def test_what_is_far_below_the_floor_is_not_heard(speech):
    made, target = 1e-4 * speech[1], torch.zeros_like(speech[1])
    for deaf, keen in zip(
        losses.SpectralLoss(-56)(made, target), losses.SpectralLoss()(made, target), strict=True
    ):
        assert (deaf < keen / 20).all()


@pytest.mark.parametrize("silent", ["made", "target", "both"])
def test_gradients_stay_finite_on_digital_silence(speech, silent):
    made = torch.zeros(2, 12_000) if silent != "target" else speech[1].clone()
    target = torch.zeros(2, 12_000) if silent != "made" else speech[0]
    made.requires_grad_()
    torch.stack(losses.SpectralLoss()(made, target)).sum().backward()
    assert torch.isfinite(made.grad).all()


def test_noise_is_not_in_step_with_the_clock_and_what_every_unit_has_alike_is():
    draw = torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(4, 48_000, generator=draw)
    time = torch.arange(48_000) / 24_000

    def share(hertz):
        return losses.clock_share(noise + 0.01 * torch.sin(2 * math.pi * hertz * time))

    assert losses.clock_share(noise).tolist() == pytest.approx([1] * 4, abs=0.3)
    assert (share(4800) > losses.clock_share(noise) + 0.1).all()
    assert share(4810).tolist() == pytest.approx(losses.clock_share(noise).tolist(), abs=0.02)
    torch.testing.assert_close(losses.clock_share(10 * noise), losses.clock_share(noise))


def test_following_its_gradient_leaves_the_clock(speech):
    time = torch.arange(speech[0].shape[1]) / 24_000
    audio = speech[0] + 0.01 * torch.sin(2 * math.pi * 9600 * time)
    audio.requires_grad_()
    before = losses.clock_share(audio)
    (slope,) = torch.autograd.grad(before.sum(), audio)
    after = audio - 0.01 * slope / slope.norm(dim=1, keepdim=True)
    assert (losses.clock_share(after) < before).all()


def test_the_clock_of_training_is_that_of_evaluation():
    audio = 0.1 * torch.randn(1, 48_000, generator=torch.Generator().manual_seed(1))
    audio = audio + 0.05 * torch.sin(2 * math.pi * 4800 * torch.arange(48_000) / 24_000)
    decibels = 10 * losses.clock_share(audio).log10().item()
    assert decibels == pytest.approx(signal_measures.clock(audio[0].numpy(), 600), abs=0.05)


def test_silence_has_no_clock():
    assert losses.clock_share(torch.zeros(1, 6_000)).tolist() == [0]
