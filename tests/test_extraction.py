import shutil

import numpy as np
import pytest
import soundfile

from lbtts.acoustics.measuring.extraction import Clip, Timing, measure, parse_cuts, read_timings
from lbtts.errors import InputError, Reject
from tests.corpora import HARVEST, buzz

UNITS = [4, 20, 12, 4]
TOKENS = [0, 50, 51, 0]
HEADER = "id,status,reason,units,cuts\n"


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.flac"
    soundfile.write(path, buzz(50, seed=0).audio, 24_000)
    return str(path)


def cut_clip(path, units=UNITS, cuts=((6_000, 12_000),)):
    return Clip(path, "train", TOKENS, Timing("clip", list(units), [slice(*c) for c in cuts]))


def test_everything_is_on_the_grid_after_the_cuts(clip):
    short = cut_clip(clip)
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
    ids=["none", "too short", "over the end", "behind the end", "overlapping"],
)
def test_durations_that_do_not_fill_the_audio_are_rejected(clip, cuts):
    with pytest.raises(Reject, match=r"samples at 24000 Hz, but its durations and cuts need"):
        cut_clip(clip, cuts=cuts).audio()


@pytest.mark.parametrize(
    "units", [[], [40], [4, 20, 16], [0, 20, 16, 4], [4, 60, 4, 4]], ids=lambda units: str(units)
)
def test_durations_that_do_not_fit_the_tokens_are_rejected(clip, units):
    with pytest.raises(Reject, match=r"for 4 tokens, not one of 1 to 50 for each"):
        cut_clip(clip, units).audio()


@pytest.mark.parametrize("content", [None, b"", b"fLaC and no more"])
def test_a_clip_that_cannot_be_read_is_rejected_by_name(tmp_path, content):
    path = tmp_path / "gone.flac"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Reject, match=r"gone\.flac.*dvc repro -f corpus"):
        cut_clip(str(path)).audio()
    if content is None:
        with pytest.raises(Reject, match=r"gone\.flac.*dvc repro -f corpus"):
            cut_clip(str(path)).digest()


def test_only_what_is_asked_for_is_measured(clip):
    pitch = measure(cut_clip(clip), HARVEST, f0_wanted=True, spectral_wanted=False)
    rest = measure(cut_clip(clip), HARVEST, f0_wanted=False, spectral_wanted=True)
    assert pitch.spectral is None and pitch.f0 is not None
    assert rest.spectral is not None and rest.f0 is None


def test_a_digest_names_content_and_cuts_and_nothing_else(clip, tmp_path):
    copy = tmp_path / "copy.flac"
    shutil.copy(clip, copy)
    digest = cut_clip(clip).digest()
    assert cut_clip(str(copy)).digest() == digest
    assert cut_clip(clip, units=[5, 19, 12, 4]).digest() == digest
    assert cut_clip(clip, cuts=((6_600, 12_600),)).digest() != digest
    soundfile.write(copy, buzz(50, seed=1).audio, 24_000)
    assert cut_clip(str(copy)).digest() != digest


def test_timings_are_the_accepted_rows_sorted_by_id(tmp_path):
    path = tmp_path / "durations.csv"
    path.write_text(
        HEADER + "b,ok,,3 4,600:1200;6000:6600\nc,rejected,too short,,\na,ok,,1 50 2,\n"
    )
    assert read_timings(path) == [
        Timing("a", [1, 50, 2], []),
        Timing("b", [3, 4], [slice(600, 1200), slice(6000, 6600)]),
    ]


def test_missing_durations_name_the_stage_to_run(tmp_path):
    with pytest.raises(InputError, match=r"durations\.csv: not found; run `dvc repro durations`"):
        read_timings(tmp_path / "durations.csv")


@pytest.mark.parametrize("row", ["a,ok,,3 x,", "a,ok,,3 4,600", "a,ok,,3 4,600:y"])
def test_a_damaged_row_of_durations_is_named(tmp_path, row):
    path = tmp_path / "durations.csv"
    path.write_text(HEADER + row + "\n")
    with pytest.raises(InputError, match=r"durations\.csv: a: .*dvc repro -f durations"):
        read_timings(path)


def test_cuts_are_spans_of_samples():
    assert parse_cuts("") == []
    assert parse_cuts("600:1200;6000:6600") == [slice(600, 1200), slice(6000, 6600)]
