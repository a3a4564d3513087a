import pytest
import torch

from lbtts.models.kokoro.network import discriminators
from lbtts.models.kokoro.network.discriminators import Discriminators, Output

WIDTH = 2
SAMPLES = 2_400  # 0.1 s; no multiple of the periods 7 and 11


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Discriminators(WIDTH)


def noise(seed, batch=2):
    return 0.5 * torch.randn(batch, SAMPLES, generator=torch.Generator().manual_seed(seed))


def tones(seed, batch=2):
    draw = torch.Generator().manual_seed(seed)
    pitch = 100 + 100 * torch.rand(batch, 1, generator=draw)
    time = torch.arange(SAMPLES) / 24_000
    return 0.5 * sum(torch.sin(2 * torch.pi * k * pitch * time) for k in (1, 2, 3))


def said(*logits):
    """Outputs whose maps are the logits alone."""
    return [Output(torch.tensor(each), (torch.tensor(each),)) for each in logits]


def test_a_few_steps_teach_each_of_them_tones_from_noise(network):
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for step in range(60):
        loss = discriminators.discriminator_loss(network(tones(step)), network(noise(step)))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    with torch.no_grad():
        real, fake = network(tones(99)), network(noise(99))
    leads = [a.logits.mean() - b.logits.mean() for a, b in zip(real, fake, strict=True)]
    assert min(leads) > 0.3


def test_there_are_eight_and_each_shows_six_maps_the_last_of_them_its_logits(network):
    outputs = network(noise(0))
    assert len(outputs) == 5 + 3
    for output in outputs:
        assert output.logits.shape[0] == 2
        assert len(output.maps) == 6
        assert torch.equal(output.maps[-1].flatten(1), output.logits)


def test_the_published_width_has_the_published_size():
    with torch.device("meta"):
        network = Discriminators()
    sizes = [sum(p.numel() for p in part.parameters()) for part in network.children()]
    # HiFi-GAN's five, by hand: weights, biases and one norm for each output channel
    channels = [(1, 32, 5), (32, 128, 5), (128, 512, 5), (512, 1024, 5), (1024, 1024, 5)]
    one = sum(a * b * k + 2 * b for a, b, k in [*channels, (1024, 1, 3)])
    assert sizes[0] == 5 * one
    assert 32 * 32 * 9 * 3 * 3 * 3 < sizes[1] < sizes[0] / 100


def test_a_period_scores_each_of_its_columns_alone(network):
    seventh = network.periods[3]
    audio = noise(0)
    changed = audio.clone()
    changed[:, 2::7] = 0
    before, after = (seventh(x).maps[0] for x in (audio, changed))
    same = (before == after).all(dim=(0, 1, 2))
    assert same.tolist() == [True, True, False, True, True, True, True]


def test_a_resolution_sees_magnitudes_only(network):
    audio = noise(0)
    for resolution in network.resolutions:
        torch.testing.assert_close(resolution(-audio).logits, resolution(audio).logits)


def test_the_discriminators_loss_reaches_every_parameter_of_theirs(network):
    real, fake = network(tones(0)), network(noise(0))
    discriminators.discriminator_loss(real, fake).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(lambda real, fake: discriminators.generator_loss(fake), id="generator"),
        pytest.param(discriminators.feature_matching, id="feature matching"),
    ],
)
def test_each_loss_of_the_generator_reaches_its_waveform_through_every_discriminator(network, loss):
    with torch.no_grad():
        real = network(tones(0))
    audio = noise(0).requires_grad_()
    for true, false in zip(real, network(audio), strict=True):
        (gradient,) = torch.autograd.grad(loss([true], [false]).sum(), audio)
        assert torch.isfinite(gradient).all()
        assert gradient.abs().sum() > 0


def test_silence_has_finite_gradients(network):
    silence = torch.zeros(1, SAMPLES, requires_grad=True)
    discriminators.generator_loss(network(silence)).sum().backward()
    assert torch.isfinite(silence.grad).all()


def test_feature_matching_is_nil_for_the_same_waveform_only(network):
    real = network(tones(0))
    assert discriminators.feature_matching(real, network(tones(0))).tolist() == [0, 0]
    assert (discriminators.feature_matching(real, network(noise(0))) > 0).all()


def test_the_real_side_of_feature_matching_gets_no_gradient(network):
    audio = tones(0).requires_grad_()
    fake = noise(0).requires_grad_()
    discriminators.feature_matching(network(audio), network(fake)).sum().backward()
    assert audio.grad is None
    assert fake.grad is not None


def test_least_squares_pull_real_to_one_and_generated_to_nought():
    right = said([[1.0, 1.0]], [[1.0]]), said([[0.0, 0.0]], [[0.0]])
    assert discriminators.discriminator_loss(*right).item() == 0
    assert discriminators.generator_loss(right[1]).item() == 2  # one for each of the two
    assert discriminators.generator_loss(right[0]).item() == 0
    assert discriminators.discriminator_loss(*reversed(right)).item() == 4


def test_an_utterance_is_scored_as_if_it_were_alone(network):
    real, fake = tones(0), noise(0)
    both = discriminators.feature_matching(network(real), network(fake))
    for row in range(2):
        one = slice(row, row + 1)
        alone = discriminators.feature_matching(network(real[one]), network(fake[one]))
        torch.testing.assert_close(both[one], alone)
