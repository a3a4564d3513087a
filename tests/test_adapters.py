import copy

import pytest
import torch

from benchmarks import miniature
from lbtts.errors import InputError
from lbtts.models.kokoro.network import adapters
from lbtts.models.kokoro.network.trainable import make_trainable, token_lengths
from lbtts.models.kokoro.voices.table import VoiceTable
from lbtts.models.randomness import seeded_noise

TOKENS = torch.tensor([[0, 43, 54, 56, 16, 60, 102, 0]])
RANKS = {"bert": 2, "predictor": 3}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def network():
    table = torch.randn(510, 1, 256, generator=torch.Generator().manual_seed(0))
    return make_trainable(miniature.random(), VoiceTable(table)).eval()


def spoken(network):
    with seeded_noise(1), torch.no_grad():
        return network.forward_train(TOKENS, network.voice.rows(token_lengths(TOKENS))).audio


def learn(network):
    """Gives every adapter something to add."""
    with torch.no_grad():
        for name, parameter in network.model.named_parameters():
            if name.endswith(".up"):
                parameter.normal_(generator=torch.Generator().manual_seed(0)).mul_(0.3)


def test_an_adapter_changes_nothing_until_it_has_learned(network):
    before = spoken(network)
    adapters.adapt(network.model, RANKS)
    assert torch.equal(spoken(network), before)
    learn(network)
    assert not torch.equal(spoken(network), before)


def test_adapters_train_in_place_of_their_part_and_of_no_other(network):
    whole = {name: sum(p.numel() for p in part) for name, part in network.components().items()}
    adapters.adapt(network.model, RANKS)
    few = {name: sum(p.numel() for p in part) for name, part in network.components().items()}
    assert few["bert"] < whole["bert"] / 3 and few["predictor"] < whole["predictor"] / 3
    assert {n for n in whole if few[n] != whole[n]} == set(RANKS)
    trained = {id(p) for part in network.components().values() for p in part}
    left = [n for n, p in network.named_parameters() if p.requires_grad and id(p) not in trained]
    assert left == []


def test_merged_they_leave_stock_names_and_the_same_speech(network):
    names = set(network.model.state_dict())
    adapters.adapt(network.model, RANKS)
    learn(network)
    adapted = spoken(network)
    merged = copy.deepcopy(network)
    adapters.merge(merged.model)
    assert set(merged.model.state_dict()) == names
    torch.testing.assert_close(spoken(merged), adapted)


@pytest.mark.parametrize("part", ["decoder", "generator", "upsampling"])
def test_a_part_without_linear_layers_is_refused(network, part):
    """All that decoder and generator have are in the part `adain`."""
    adapters.adapt(network.model, {"adain": 2})
    with pytest.raises(InputError, match=rf"{part}.rank: it has no linear layer"):
        adapters.adapt(network.model, {part: 4})
