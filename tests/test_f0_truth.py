"""F0 against the pitch that espeak-ng was told to speak with.

With its pitch range at 0, espeak sings every sentence on one note, which follows from its settings
alone: (base x factor / 128 + 18 x range) / 4096 Hz, with the voice's pitch base and range and a
factor from a table of pitch settings. Source: espeak-ng 1.52, `wavegen.c` (`SetPitchFormants`,
`pitch_adjust_tab`) and `voices.c` (`VoiceReset`). At the range of the demo corpus, 50, the same
formulas bound the F0 of every frame.
"""

import numpy as np
import pytest
import soxr

from lbtts import params
from lbtts.acoustics.measuring import f0
from lbtts.espeak import speak
from lbtts.grid import FRAME_RATE
from lbtts.languages.luxembourgish.phones import VOWELS, canonical
from tests.conftest import ROOT
from tests.corpora import HARVEST

BASE, RANGE = 0x47000, 4104  # of espeak's default voice variant, 1/4096 Hz
FACTORS = {35: 104, 50: 128}  # of pitch_adjust_tab
MONOTONE = "\x010R"  # espeak's embedded command: range 0
VOICED = VOWELS | set("mnŋl")
GROSS = 0.2  # of the true pitch; the usual bound of a gross error

DEMO = params.load(ROOT / "profiles/demo.yaml").corpus.demo
SENTENCES = (ROOT / "data/raw/demo/sentences.txt").read_text(encoding="utf-8").splitlines()


def tracked(text: str, pitch: int, rate: int, method: str) -> np.ndarray:
    """F0 of the frames that are voiced and lie in a vowel, a nasal or an l.

    Elsewhere espeak has noise, closures and what leads there: a pitch found in them is an error of
    voicing, and those are counted on the pulse trains of test_f0, where the truth is exact.
    """
    speech = speak(text, "lb", words_per_minute=rate, pitch=pitch)
    audio = soxr.resample(speech.samples / 2**15, speech.rate, 24_000).astype(np.float32)
    found = f0.track(
        audio[: len(audio) // 600 * 600], HARVEST.model_copy(update={"method": method})
    )
    sounds = np.zeros(len(found), bool)
    for phoneme in speech.phonemes:
        if (canonical([phoneme.name]) or ("",))[0] in VOICED:
            begin, end = np.array([phoneme.start, phoneme.end]) * FRAME_RATE
            sounds[int(np.ceil(begin)) : int(end) + 1] = True
    return found[sounds & (found > 0)]


def assert_tracked(sentences, method):
    """Gross errors are at most one in a hundred, and the note is hit to within a hundredth."""
    for pitch in DEMO.pitches:
        true = (BASE * FACTORS[pitch] / 128 + 18 * RANGE) / 4096
        found = np.concatenate(
            [tracked(MONOTONE + text, pitch, DEMO.rates[0], method) for text in sentences]
        )
        gross = np.mean(np.abs(found / true - 1) > GROSS)
        print(f"{method}, pitch {pitch}, {true:.1f} Hz: {100 * gross:.2f} % gross errors")
        assert gross <= 0.01
        assert np.median(found) == pytest.approx(true, rel=0.01)


@pytest.mark.parametrize("method", ["harvest", "dio"])
def test_the_note_of_a_monotone_voice_is_found(method):
    assert_tracked(SENTENCES[:3], method)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["harvest", "dio"])
def test_the_note_of_a_monotone_voice_is_found_in_every_sentence(method):
    assert_tracked(SENTENCES, method)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["harvest", "dio"])
def test_the_demo_corpus_stays_within_what_its_settings_allow(method):
    outside = []
    for number, text in enumerate(SENTENCES):
        pitch = DEMO.pitches[number % len(DEMO.pitches)]
        low = BASE * FACTORS[pitch] / 128 / 4096
        high = low + 255 * RANGE / 2 / 4096
        found = tracked(text, pitch, DEMO.rates[number % len(DEMO.rates)], method)
        outside.append((found < low * (1 - GROSS)) | (found > high * (1 + GROSS)))
    assert np.mean(np.concatenate(outside)) <= 0.01
