"""English through the recovered base: what a recogniser of words makes of it."""

import pytest

from benchmarks import english
from benchmarks.whisper import whisper_base
from lbtts.models.kokoro.weights import checkpoint
from lbtts.models.kokoro.weights import sources as base


@pytest.mark.slow
def test_whisper_understands_what_the_recovered_base_says_in_english(shared, tmp_path):
    pytest.importorskip("faster_whisper", reason="needs pip install -r requirements-recogniser.txt")
    voices = {
        name: checkpoint.load_voice(shared("kokoro", f"{name}.bin"))
        for name in ("af_heart", "am_michael")
    }
    figures = english.judge(base.load(english.PIP).model, voices, whisper_base(tmp_path))
    print(figures)
    for name, row in figures.items():
        assert row["word_errors"].value <= 5, name
        assert row["dnsmos"].value > 3, name
