import json

import librosa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbtts import grid


def test_the_grid_is_the_one_kokoro_upsamples_by(shared):
    config = json.loads(shared("kokoro", "config.json").read_text(encoding="utf-8"))
    net = config["istftnet"]
    rates = net["upsample_rates"]
    assert rates[0] * rates[1] * net["gen_istft_hop_size"] == grid.HOP
    assert config["max_dur"] == grid.MAX_UNITS
    assert config["plbert"]["max_position_embeddings"] - 2 == grid.MAX_TOKENS


@given(st.integers(0, 4000))
def test_units_frames_and_samples_nest_exactly(units):
    samples = grid.units_to_samples(units)
    assert grid.samples_to_units(samples) == units
    assert librosa.samples_to_frames(samples, hop_length=grid.HOP) == grid.units_to_frames(units)
    assert grid.seconds_to_units(grid.samples_to_seconds(samples)) == pytest.approx(units)


@given(st.integers(0, 10**7))
def test_rounding_up_to_the_grid_adds_less_than_one_unit(samples):
    rounded = grid.samples_to_grid(samples)
    assert 0 <= rounded - samples < grid.SAMPLES_PER_UNIT
    assert grid.samples_to_units(rounded) * grid.SAMPLES_PER_UNIT == rounded


def test_audio_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="601"):
        grid.samples_to_units(601)
