import pytest
import torch

from benchmarks import miniature
from lbtts.models.kokoro.network.trainable import (
    Crop,
    Kokoro,
    in_network_time,
    make_trainable,
    token_lengths,
    token_of_unit,
)
from lbtts.models.kokoro.voices.table import VoiceTable
from lbtts.models.randomness import seeded_noise

TOKENS = torch.tensor([[0, 43, 54, 56, 16, 60, 102, 0], [0, 50, 63, 61, 46, 0, 0, 0]])
UNITS = torch.tensor([[2, 3, 1, 4, 2, 5, 3, 2], [3, 4, 2, 6, 5, 4, 0, 0]])


@pytest.fixture(scope="module")
def network():
    table = torch.randn(510, 1, 256, generator=torch.Generator().manual_seed(0))
    return make_trainable(miniature.random(), VoiceTable(table)).eval()


def test_a_batch_of_one_equals_stock_inference_to_the_last_bit(network):
    tokens = TOKENS[:1]
    row = network.voice.rows(token_lengths(tokens)).detach()
    with seeded_noise(1):
        audio, units = network.model.forward_with_tokens(tokens, row)
    with seeded_noise(1), torch.no_grad():
        prediction = network.forward_train(tokens, row)
    assert torch.equal(prediction.audio[0], audio)
    assert torch.equal(prediction.durations[0].round().long(), units)
    assert audio.numel() == 600 * units.sum()


def test_padding_leaks_into_neither_durations_nor_crops(network):
    rows = network.voice.rows(token_lengths(TOKENS)).detach()
    crop = Crop(torch.tensor([3, 5]), 12)
    with torch.no_grad():
        both = network.forward_train(TOKENS, rows, teacher_dur=UNITS, crop=crop)
        for i, length in enumerate(both.lengths.tolist()):
            alone = network.forward_train(
                TOKENS[i : i + 1, :length],
                rows[i : i + 1],
                teacher_dur=UNITS[i : i + 1, :length],
                crop=Crop(crop.start[i : i + 1], crop.units),
            )
            for name in ("durations", "f0", "energy"):
                whole, single = getattr(both, name)[i], getattr(alone, name)[0]
                torch.testing.assert_close(whole[: single.numel()], single, atol=1e-4, rtol=0)


def test_gradients_reach_every_tensor_that_trains_and_only_the_listed_ones_do_not(network):
    rows = network.voice.rows(token_lengths(TOKENS))
    out = network.forward_train(
        TOKENS, rows, teacher_dur=UNITS, crop=Crop(torch.tensor([0, 2]), 12)
    )
    parts = (out.durations, out.f0, out.energy, out.audio)
    torch.stack([part.square().mean() for part in parts]).sum().backward()
    reached = {n for n, p in network.named_parameters() if p.grad is not None}
    trains = {n for n, p in network.named_parameters() if p.requires_grad}
    assert reached == trains
    rest = {n for n, _ in network.named_parameters()} - trains
    left_out = {n for n in rest if not n.endswith((".norm.weight", ".norm.bias"))}
    assert left_out == {
        "model.bert.pooler.weight",
        "model.bert.pooler.bias",
        "model.decoder.generator.m_source.l_linear.weight",
        "model.decoder.generator.m_source.l_linear.bias",
    }
    network.zero_grad(set_to_none=True)


def test_each_trained_tensor_belongs_to_exactly_one_component(network):
    grouped = [id(p) for tensors in network.components().values() for p in tensors]
    trained = [id(p) for p in network.parameters() if p.requires_grad]
    assert sorted(grouped) == sorted(trained)


def test_lengths_are_read_off_the_padding():
    assert token_lengths(TOKENS).tolist() == [8, 6]


def test_units_name_their_token():
    assert token_of_unit(UNITS[:1])[0].tolist() == [
        i for i, n in enumerate(UNITS[0].tolist()) for _ in range(n)
    ]


def test_every_boundary_is_later_in_the_networks_time_but_none_beyond_the_end():
    units = torch.tensor([[6, 4, 3, 5, 0], [6, 4, 3, 1, 0], [6, 4, 3, 3, 7]])
    later = torch.tensor([[8, 4, 3, 3, 0], [8, 4, 2, 0, 0], [8, 4, 3, 3, 5]])
    assert torch.equal(in_network_time(units), later)


def test_a_crop_that_leaves_its_utterance_is_refused():
    with pytest.raises(ValueError, match="leaves"):
        token_of_unit(UNITS, Crop(torch.tensor([0, 20]), 10))


def test_utterances_of_different_lengths_need_a_crop():
    with pytest.raises(ValueError, match="need a crop"):
        token_of_unit(UNITS)


def test_what_only_speaks_leaves_its_model_as_it_is():
    model = miniature.random()
    classes = [type(module) for module in model.modules()]
    table = torch.zeros(510, 1, 256)
    Kokoro(model, VoiceTable(table))
    assert [type(module) for module in model.modules()] == classes
    assert all(parameter.requires_grad for parameter in model.parameters())
    make_trainable(model, VoiceTable(table))
    assert [type(module) for module in model.modules()] != classes
