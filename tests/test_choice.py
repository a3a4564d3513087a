"""The choice of a checkpoint by its speech."""

from types import SimpleNamespace

import numpy as np
import pytest

from lbtts import params
from lbtts.evaluation.artefacts import Usual
from lbtts.evaluation.artefacts import measure as artefacts_of
from lbtts.evaluation.choice import BestSpeech
from lbtts.evaluation.prompt import Prompt
from lbtts.evaluation.speech_metrics import Instruments
from lbtts.models.recipe import Speech
from lbtts.training.choice import rule
from tests.conftest import ROOT
from tests.corpora import buzz

PHONES = tuple("moiən")


@pytest.fixture(scope="module")
def p():
    return params.load(ROOT / "profiles/folder.yaml")


class Recogniser:
    """Understands recordings; of what is louder it hears as many phones as it is told."""

    def __init__(self):
        self.understood = 5

    def hear(self, audio):
        return PHONES if np.abs(audio).max() < 0.5 else PHONES[: self.understood]


@pytest.fixture
def heard():
    return Recogniser()


@pytest.fixture
def best(p, heard):
    recordings = [buzz(60, seed).audio.astype(np.float32) / 2**15 for seed in range(8)]
    instruments = Instruments(
        f0=p.features.f0.model_copy(update={"method": "dio"}),
        voice=p.voice,
        recogniser=heard,
        usual=Usual([artefacts_of(audio) for audio in recordings]),
    )
    return BestSpeech(instruments, [Prompt("u", "Moien.", PHONES)], p.evaluate.gate)


def spoken(gain=8.0, hum=0.0):
    audio = buzz(60, 0).audio.astype(np.float32) / 2**15
    wave = hum * np.sin(2 * np.pi * 50 * np.arange(len(audio)) / 24_000)
    speech = Speech((gain * audio + wave).astype(np.float32), np.array([1]))
    return [(SimpleNamespace(id="u", audio=audio), speech)]


def test_what_is_understood_less_than_the_recordings_has_the_phone_errors_beyond_theirs(
    best, heard
):
    assert best.measure(spoken())["phone_errors"] == 0
    heard.understood = 2
    assert best.measure(spoken())["phone_errors"] == pytest.approx(60)


def test_hum_is_an_artefact_that_the_gate_sees(best):
    clean, humming = best.measure(spoken(1.0)), best.measure(spoken(1.0, hum=0.1))
    assert humming["artefacts"] > clean["artefacts"] + 5


def test_a_checkpoint_that_passes_the_gate_beats_one_that_only_sounds_better(best):
    dull = {"phone_errors": 2.0, "artefacts": 3.0, "dnsmos_p808": 3.0, "similarity": 0.6}
    garbled = dull | {"phone_errors": 30.0, "dnsmos_p808": 4.0, "similarity": 0.9}
    metallic = dull | {"artefacts": 12.0, "dnsmos_p808": 4.0, "similarity": 0.9}
    assert best.rank(dull) > best.rank(garbled)
    assert best.rank(dull) > best.rank(metallic)


def test_of_those_that_pass_naturalness_and_likeness_decide_and_of_those_that_do_not_the_nearest(
    best,
):
    one = {"phone_errors": 2.0, "artefacts": 3.0, "dnsmos_p808": 3.0, "similarity": 0.6}
    assert best.rank(one | {"similarity": 0.7}) > best.rank(one)
    assert best.rank(one | {"dnsmos_p808": 3.5}) > best.rank(one)
    assert best.rank(one | {"phone_errors": 5.0}) == best.rank(one)
    assert best.rank(one | {"phone_errors": 20.0}) > best.rank(one | {"phone_errors": 40.0})


def test_a_limit_of_nothing_is_a_limit(best, p):
    gate = p.evaluate.gate.model_copy(update={"phone_errors": 0.0, "artefacts": None})
    strict = BestSpeech(best._instruments, [], gate)
    clear, worse, worst = ({"phone_errors": errors} for errors in (0.0, 0.5, 5.0))
    assert strict.rank(clear) > strict.rank(worse) > strict.rank(worst)


def test_without_listening_the_loss_decides(p):
    by_loss = p.train.model_copy(update={"choose": "loss"})
    found = rule(p.model_copy(update={"train": by_loss}), "mel")
    assert not found.measures_speech and found.rank({"mel": 2.0}) == [-2.0]
