import shutil

import numpy as np
import pytest
import soundfile

from lbtts.acoustics.measuring.extraction import TimedUtterance, measure
from lbtts.alignment.timing import Timing
from lbtts.errors import Reject
from tests.corpora import HARVEST, buzz

UNITS = [4, 20, 12, 4]
TOKENS = [0, 50, 51, 0]


@pytest.fixture
def utterance(tmp_path):
    path = tmp_path / "utterance.flac"
    soundfile.write(path, buzz(50, seed=0).audio, 24_000)
    return str(path)


def cut_utterance(path, units=UNITS, cuts=((6_000, 12_000),)):
    return TimedUtterance(path, "train", TOKENS, Timing("utterance", tuple(units), tuple(cuts)))


def test_everything_is_on_the_grid_after_the_cuts(utterance):
    short = cut_utterance(utterance)
    found = measure(short, HARVEST, f0_wanted=True, spectral_wanted=True)
    whole = buzz(50, seed=0).audio
    np.testing.assert_array_equal(short.audio(), np.r_[whole[:6_000], whole[12_000:]])
    assert found.spectral.mel.shape == (80, 80) and found.spectral.mel.dtype == np.float16
    assert found.f0.shape == found.spectral.energy.shape == (80,)
    assert found.f0.dtype == found.spectral.energy.dtype == np.float32
    true = np.delete(buzz(50, seed=0).f0, np.s_[20:40])
    inner = np.r_[8:16, 24:72]  # off the edges and the cut
    np.testing.assert_allclose(found.f0[inner], true[inner], rtol=0.02)


@pytest.mark.parametrize(
    "cuts",
    [(), ((0, 600),), ((24_000, 30_600),), ((30_000, 36_000),), ((0, 4_200), (3_000, 4_800))],
    ids=["none", "too short", "over the end", "after the end", "overlapping"],
)
def test_durations_that_do_not_fill_the_audio_are_rejected(utterance, cuts):
    with pytest.raises(Reject, match=r"samples at 24000 Hz, but its durations and cuts need"):
        cut_utterance(utterance, cuts=cuts).audio()


@pytest.mark.parametrize(
    "units", [[], [40], [4, 20, 16], [0, 20, 16, 4], [4, 60, 4, 4]], ids=lambda units: str(units)
)
def test_durations_that_do_not_fit_the_tokens_are_rejected(utterance, units):
    with pytest.raises(Reject, match=r"for 4 tokens, not one of 1 to 50 for each"):
        cut_utterance(utterance, units).audio()


@pytest.mark.parametrize("content", [None, b"", b"fLaC and no more"])
def test_an_utterance_that_cannot_be_read_is_rejected_by_name(tmp_path, content):
    path = tmp_path / "gone.flac"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Reject, match=r"gone\.flac.*dvc repro -s -f corpus"):
        cut_utterance(str(path)).audio()
    if content is None:
        with pytest.raises(Reject, match=r"gone\.flac.*dvc repro -s -f corpus"):
            cut_utterance(str(path)).digest()


def test_only_what_is_asked_for_is_measured(utterance):
    pitch = measure(cut_utterance(utterance), HARVEST, f0_wanted=True, spectral_wanted=False)
    rest = measure(cut_utterance(utterance), HARVEST, f0_wanted=False, spectral_wanted=True)
    assert pitch.spectral is None and pitch.f0 is not None
    assert rest.spectral is not None and rest.f0 is None


def test_a_digest_names_content_and_cuts_and_nothing_else(utterance, tmp_path):
    copy = tmp_path / "copy.flac"
    shutil.copy(utterance, copy)
    digest = cut_utterance(utterance).digest()
    assert cut_utterance(str(copy)).digest() == digest
    assert cut_utterance(utterance, units=[5, 19, 12, 4]).digest() == digest
    assert cut_utterance(utterance, cuts=((6_600, 12_600),)).digest() != digest
    soundfile.write(copy, buzz(50, seed=1).audio, 24_000)
    assert cut_utterance(str(copy)).digest() != digest
