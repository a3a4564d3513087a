import pytest
import torch

from benchmarks import miniature
from lbtts.errors import InputError
from lbtts.models.kokoro.network import replay
from lbtts.models.kokoro.network.losses import SpectralLoss
from lbtts.models.kokoro.network.replay import Replay
from lbtts.models.kokoro.network.trainable import make_trainable
from lbtts.models.kokoro.voices.table import VoiceTable
from lbtts.models.randomness import seeded_noise
from lbtts.text.vocab import encode

WEIGHTS = {"duration": 1.0, "f0": 1.0, "energy": 1.0, "mel": 1.0}
SEEDS = range(20)
CROP = 16  # units

pytestmark = pytest.mark.usefixtures("one_thread")


def drawn(seed):
    return torch.randn(510, 1, 256, generator=torch.Generator().manual_seed(seed)) / 8


@pytest.fixture
def network():
    return make_trainable(miniature.random(), VoiceTable(drawn(0)))


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Four sentences in place of all."""
    lines = replay._PHONEMES.read_text(encoding="utf-8").splitlines()[:4]
    (tmp_path / "few.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(replay, "_PHONEMES", tmp_path / "few.txt")


@pytest.fixture
def said(network, few):
    return replay.speak(network, {"one": drawn(1), "other": drawn(2)}, CROP, seed=0)


def test_every_sentence_is_in_kokoros_alphabet_and_lasts_some_seconds():
    lines = replay._PHONEMES.read_text(encoding="utf-8").splitlines()
    assert len(set(lines)) == len(lines) > 30
    assert min(len(encode(line)) for line in lines) > 50


def test_the_voices_speak_in_turn_what_the_base_says(network, said):
    assert len(said) == 4
    table = drawn(1)
    first = said[0]
    assert torch.equal(first.row, table[len(first.tokens) - 3, 0])
    assert not torch.equal(said[1].row, said[0].row)
    with seeded_noise(0):
        audio, units = network.model.forward_with_tokens(first.tokens[None], first.row[None])
    assert torch.equal(units, first.units)
    assert torch.equal(audio, first.audio)


def test_the_base_itself_has_nothing_to_learn_from_it(network, said):
    with torch.no_grad():
        loss = Replay(said, 1.0)(network.eval(), SEEDS, CROP, SpectralLoss(), {"f0": 1.0})
        assert loss.max() < 1  # Hz: the crop lacks what the LSTM knew of the rest
        network.model.predictor.F0_proj.bias += 50
        other = Replay(said, 1.0)(network.eval(), SEEDS, CROP, SpectralLoss(), {"f0": 1.0})
    assert other.min() > 10


def test_so_many_utterances_are_accompanied_and_the_same_however_a_step_is_divided(network, said):
    some = Replay(said, 0.4)
    with torch.no_grad():
        whole = some(network.eval(), SEEDS, CROP, SpectralLoss(), WEIGHTS)
        parts = [some(network, [seed], CROP, SpectralLoss(), WEIGHTS) for seed in SEEDS]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-3, atol=1e-4)
    assert 3 <= (whole > 0).sum() <= 13
    assert Replay(said, 0.0)(network, SEEDS, CROP, SpectralLoss(), WEIGHTS).sum() == 0


def test_a_base_without_voices_cannot_be_replayed(network):
    with pytest.raises(InputError, match=r"no voices of its own; set it to 0"):
        replay.speak(network, {}, CROP, seed=0)


def test_a_crop_longer_than_every_sentence_is_refused(network, few):
    with pytest.raises(InputError, match=r"no sentence lasts 100000 units; lower"):
        replay.speak(network, {"one": drawn(1)}, 100_000, seed=0)
