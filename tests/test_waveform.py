"""The losses of the waveform: their common gradient, and the limit of the adversary's share."""

from contextlib import nullcontext

import pytest
import torch

from lbtts.grid import SAMPLE_RATE
from lbtts.models.kokoro.network import discriminators
from lbtts.models.kokoro.network.discriminators import Discriminators
from lbtts.models.kokoro.network.losses import SpectralLoss, clock_share
from lbtts.models.kokoro.network.waveform import SHARE, WaveformLosses
from tests.train_small import choices

SAMPLES = 6_000
WEIGHTS = {"mel": 5.0, "stft": 1.0, "adversarial": 1.0, "feature_matching": 2.0}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def two():
    draw = torch.Generator().manual_seed(0)
    audio, target = (0.1 * torch.randn(2, SAMPLES, generator=draw) for _ in range(2))
    return audio, target


def losses(**settings):
    settings = {"width": 2, "crop_seconds": 10, "least_share": 0, "most_share": None} | settings
    chosen = choices(discriminators=settings).kokoro.discriminators
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return WaveformLosses(chosen, SpectralLoss(), Discriminators(2), None, nullcontext)


def gradient(waveform, two, weights=WEIGHTS, places=(0.0, 0.0)):
    """What reaches the waveform, and the losses."""
    audio = two[0].clone().requires_grad_()
    total, found, _ = waveform(audio, two[1], weights, True, torch.tensor(places))
    return torch.autograd.grad(total.sum(), audio)[0], found


def test_the_gradient_is_that_of_the_weighted_sum(two):
    waveform = losses()
    audio = two[0].clone().requires_grad_()
    mel, stft = waveform.spectral(audio, two[1])
    real, fake = waveform.discriminators(two[1]), waveform.discriminators(audio)
    judged = discriminators.generator_loss(fake) + 2 * discriminators.feature_matching(real, fake)
    expected = torch.autograd.grad((5 * mel + stft + judged).sum(), audio)[0]
    torch.testing.assert_close(gradient(waveform, two)[0], expected, rtol=1e-4, atol=1e-7)


def test_the_clock_adds_its_gradient(two):
    audio = two[0].clone().requires_grad_()
    clock = torch.autograd.grad(3 * clock_share(audio).sum(), audio)[0]
    without, found = gradient(losses(), two)
    with_it, also = gradient(losses(), two, WEIGHTS | {"clock": 3.0})
    torch.testing.assert_close(with_it - without, clock, rtol=1e-3, atol=1e-5)
    assert "clock" not in found and (also["clock"] > 0).all()


def test_the_sum_is_that_of_the_weighted_losses(two):
    total, found, _ = losses()(two[0].requires_grad_(), two[1], WEIGHTS, True, torch.zeros(2))
    torch.testing.assert_close(total, sum(w * found[name] for name, w in WEIGHTS.items()))


@pytest.mark.parametrize(("least", "most"), [(0, 0.02), (0, 1e6), (3, 4), (0, None)])
def test_the_share_of_the_adversary_is_kept_within_its_bounds(two, least, most):
    alone, _ = gradient(losses(), two, {"mel": 5.0, "stft": 1.0})
    free, found = gradient(losses(), two)
    bounded, _ = gradient(losses(least_share=least, most_share=most), two)
    share = (bounded - alone).norm(dim=1) / alone.norm(dim=1)
    torch.testing.assert_close(found[SHARE], (free - alone).norm(dim=1) / alone.norm(dim=1))
    torch.testing.assert_close(share, found[SHARE].clamp(least, most), rtol=1e-3, atol=0)
    assert ((found[SHARE] > 0.02) & (found[SHARE] < 3)).all(), "no bound was put to the test"


def test_discriminators_hear_only_their_part_of_the_crop(two):
    heard = 0.1
    waveform = losses(crop_seconds=heard)
    alone, _ = gradient(waveform, two, {"mel": 5.0, "stft": 1.0})
    all_of_it, _ = gradient(waveform, two, places=(0.0, 0.9999))
    length = round(heard * SAMPLE_RATE)
    reached = (all_of_it - alone).abs() > 1e-9
    assert reached[0, :length].any() and not reached[0, length:].any()
    assert reached[1, -length:].any() and not reached[1, :-length].any()


def test_their_own_loss_teaches_them_as_if_the_network_had_none(two):
    waveform, alone = losses(), losses()
    _, _, own = waveform(two[0].requires_grad_(), two[1], WEIGHTS, True, torch.zeros(2))
    own.sum().backward(inputs=list(waveform.discriminators.parameters()))
    real, fake = alone.discriminators(two[1]), alone.discriminators(two[0].detach())
    discriminators.discriminator_loss(real, fake).sum().backward()
    for ours, theirs in zip(
        waveform.discriminators.parameters(), alone.discriminators.parameters(), strict=True
    ):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_while_only_the_discriminators_learn_the_network_gets_nothing(two):
    audio = two[0].clone().requires_grad_()
    total, _, own = losses()(audio, two[1], {"duration": 1.0}, True, torch.zeros(2))
    assert not total.requires_grad and total.tolist() == [0, 0]
    assert own.requires_grad


def test_a_validation_tells_how_hard_each_loss_pulls(two):
    found = losses().norms(two[0], two[1], WEIGHTS)
    for name, weight in WEIGHTS.items():
        pull, _ = gradient(losses(), two, {name: weight})
        torch.testing.assert_close(found[f"gradient_{name}"], pull.norm(dim=1), rtol=1e-4, atol=0)
