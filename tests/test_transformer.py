"""The baseline's network: what must be equal is equal."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lbtts.models.transformer import mel as mels
from lbtts.models.transformer.losses import losses
from lbtts.models.transformer.network.attention import positions
from lbtts.models.transformer.network.encoder import LengthRegulator
from lbtts.models.transformer.network.model import _faults
from lbtts.models.transformer.noise import SequenceNoise
from lbtts.params import Architecture
from tests.transformer_small import SHAPE, TOKENS, UNITS, history, network

pytestmark = pytest.mark.usefixtures("one_thread")
ALONE = 4  # tokens of the second utterance


def outputs(model, rows=slice(None), tokens=None, before=None, **given):
    units = UNITS[rows, :tokens]
    before = history(model)[rows] if before is None else before
    return model(TOKENS[rows, :tokens], units, before, **given)


def close(one, other, tolerance=1e-5):
    assert one.shape == other.shape
    assert (one - other).abs().max() <= tolerance


@pytest.mark.parametrize("step", [1, 5, 14])
def test_no_later_frame_changes_an_earlier_one(step):
    model = network()
    before = history(model)
    changed = before.clone()
    changed[:, step:] += 1
    one, other = outputs(model, before=before), outputs(model, before=changed)
    close(one.mel[:, : 2 * step], other.mel[:, : 2 * step], 1e-6)
    close(one.stop[:, :step], other.stop[:, :step], 1e-6)
    assert (one.mel[:, 2 * step :] - other.mel[:, 2 * step :]).abs().max() > 1e-3


@pytest.mark.parametrize("per_step", [1, 2, 3])
def test_cached_steps_equal_the_whole_network(per_step):
    model = network(frames_per_step=per_step)
    ways = [model.inference(TOKENS[:1], UNITS[:1], cached=cached).mel for cached in (True, False)]
    close(*ways)
    assert len(ways[0]) == mels.frames(UNITS[0]).sum()


def test_cached_steps_equal_teacher_forcing_on_their_own_output():
    model = network()
    spoken = model.normalised(model.inference(TOKENS[:1], UNITS[:1]).mel)
    _, steps = model.on_grid(UNITS[:1])
    whole = torch.nn.functional.pad(spoken, (0, 0, 0, 2 * int(steps) - len(spoken)))
    forced = model(TOKENS[:1], UNITS[:1], model.shifted(whole[None]))
    close(forced.mel[0, : len(spoken)], spoken)


def test_padding_changes_nothing():
    model = network()
    steps = int(model.on_grid(UNITS[1:])[1])
    both = outputs(model)
    alone = outputs(model, slice(1, 2), ALONE, history(model)[1:, :steps])
    close(both.mel[1:, : 2 * steps], alone.mel)
    close(both.log_units[1:, :ALONE], alone.log_units)
    close(both.stop[1:, :steps], alone.stop)


def test_padding_changes_no_dropout():
    model = network().train()
    steps = int(model.on_grid(UNITS[1:])[1])

    def noise(*seeds):
        return SequenceNoise(seeds, torch.device("cpu"))

    both = outputs(model, noise=noise(7, 8))
    alone = outputs(model, slice(1, 2), ALONE, history(model)[1:, :steps], noise=noise(8))
    close(both.mel[1:, : 2 * steps], alone.mel)
    other = outputs(model, slice(1, 2), ALONE, history(model)[1:, :steps], noise=noise(9))
    assert (other.mel - alone.mel).abs().max() > 1e-2


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_the_regulator_conserves_frames(units):
    frames = mels.frames(units)
    assert frames.min() >= 2
    assert frames.sum() == np.floor(sum(units) * mels.FRAMES_PER_UNIT + 0.5)
    regulator = LengthRegulator(4)
    torch.nn.init.zeros_(regulator.place.weight)
    torch.nn.init.zeros_(regulator.place.bias)
    encoded = torch.arange(1.0, len(units) + 1)[None, :, None].expand(1, -1, 4)
    repeated = regulator(encoded, torch.from_numpy(frames)[None])[0, :, 0].tolist()
    counted = [(int(token), len(list(run))) for token, run in itertools.groupby(repeated)]
    assert counted == list(enumerate(frames.tolist(), 1))


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_recomputing_changes_no_gradient(dropout):
    gradients = []
    for recomputes in (False, True):
        model = network(dropout=dropout).train()
        model.recomputes = recomputes
        made = outputs(model, noise=SequenceNoise((3, 4), torch.device("cpu")))
        (made.mel.square().sum() + made.log_units.sum() + made.stop.sum()).backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    assert all(gradient is not None for gradient in gradients[0].values())
    for name, gradient in gradients[0].items():
        close(gradient, gradients[1][name], 1e-4)


def test_own_frames_replace_those_of_the_recording():
    model = network()
    nothing = torch.zeros(2, history(model).shape[1], dtype=torch.bool)
    close(outputs(model).mel, outputs(model, own=nothing).mel, 0)
    forced = outputs(model)
    mixed = outputs(model, before=model.shifted(forced.mel))
    close(outputs(model, own=~nothing).mel, mixed.mel, 1e-6)


def test_a_frame_beyond_the_end_of_an_utterance_is_in_no_loss():
    model = network()
    made = outputs(model)
    frames, _ = model.on_grid(UNITS)
    counts = frames.sum(1)
    mel = torch.randn_like(made.mel)
    found = losses(made, mel, counts, UNITS)
    mel[1, counts[1] :] += 100
    again = losses(made, mel, counts, UNITS)
    for name, value in found.items():
        assert value.shape == (2,)
        close(value, again[name], 0)


def test_speech_without_a_stop_is_cut_and_said():
    model = network()
    torch.nn.init.constant_(model.decoder.stop.bias, -50)
    spoken = model.inference(TOKENS[:1])
    assert "no stop" in spoken.faults[0]
    assert len(spoken.mel) == 2 * int(model.on_grid(spoken.units[None])[1])
    cut = model.inference(TOKENS[:1], max_mel_len=8)
    assert len(cut.mel) == 8 and "cut after max_mel_len 8 of" in cut.faults[0]


def test_speech_stops_at_the_first_likely_stop_of_the_last_token_and_not_before():
    model = network()
    torch.nn.init.constant_(model.decoder.stop.bias, 50)
    spoken = model.inference(TOKENS[:1])
    assert not spoken.faults
    last = int(mels.frames(spoken.units)[:-1].sum())
    assert last <= len(spoken.mel) <= last + 3


def test_frames_that_repeat_are_said():
    moving = torch.rand(100, 80) + 1
    assert _faults(moving, True) == []
    still = torch.cat([moving, moving[-1:].expand(60, -1), moving])
    assert _faults(still, True) == ["the same frame repeats for 0.7 s"]
    assert _faults(still - 5, True) == []  # silence may be still


def test_positions_are_those_of_the_paper():
    table = positions(6)
    assert table[7, 2] == pytest.approx(np.sin(7 / 10_000 ** (2 / 6)), abs=1e-6)
    assert table[7, 3] == pytest.approx(np.cos(7 / 10_000 ** (2 / 6)), abs=1e-6)


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="even multiple of heads"):
        Architecture(**SHAPE.model_dump() | {"heads": 5})


def test_the_sizes_are_counted():
    info = network().model_info()
    assert info["parameters"] == sum(p.numel() for p in network().parameters())
    assert info["megabytes"] == pytest.approx(4 * info["parameters"] / 1e6, abs=0.1)
