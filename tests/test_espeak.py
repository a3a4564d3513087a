import hashlib
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lbtts.errors import InputError
from lbtts.espeak import speak

TEXT = "Ech hunn den Dag laang geschafft, an elo sinn ech midd."


def digest(text: str) -> str:
    speech = speak(text, "lb", words_per_minute=150, pitch=50)
    return hashlib.sha256(speech.samples.tobytes() + repr(speech.phonemes).encode()).hexdigest()


def test_speech_does_not_depend_on_what_was_spoken_before() -> None:
    first = digest(TEXT)
    speak("Eppes ganz aneschters!", "lb", words_per_minute=222, pitch=80)
    assert digest(TEXT) == first


def test_speech_is_the_same_in_a_fresh_process(root: Path) -> None:
    command = [
        sys.executable,
        "-c",
        f"from tests.test_espeak import digest; print(digest({TEXT!r}))",
    ]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == digest(TEXT)


def test_phonemes_follow_each_other_to_the_end_of_the_samples() -> None:
    speech = speak(TEXT, "lb", words_per_minute=150, pitch=50)
    assert speech.rate == 22_050
    assert speech.phonemes[0].start == 0
    assert all(one.end == other.start >= one.start for one, other in pairwise(speech.phonemes))
    assert speech.phonemes[-1].end == len(speech.samples) / speech.rate
    names = "".join(phoneme.name for phoneme in speech.phonemes).replace("ˈ", "")
    assert names.startswith("eɕ")
    assert any(phoneme.name == "" for phoneme in speech.phonemes[:-2])  # the pause at the comma


def test_pauses_are_quiet_and_vowels_are_loud() -> None:
    speech = speak(TEXT, "lb", words_per_minute=150, pitch=50)

    def level(name: str) -> float:
        parts = [
            speech.samples[round(p.start * speech.rate) : round(p.end * speech.rate)]
            for p in speech.phonemes
            if p.name == name
        ]
        return float(np.abs(np.concatenate(parts)).mean())

    assert level("") < 0.1 * level("ˈaː")


def test_rate_shortens_and_pitch_raises_the_speech() -> None:
    slow = speak(TEXT, "lb", words_per_minute=120, pitch=50)
    fast = speak(TEXT, "lb", words_per_minute=200, pitch=50)
    high = speak(TEXT, "lb", words_per_minute=120, pitch=90)
    assert len(fast.samples) < 0.75 * len(slow.samples)

    def period(samples: np.ndarray) -> int:
        """Samples of the strongest repetition between 60 and 400 Hz."""
        wave = samples[: 2 * 22_050].astype(np.float64)
        spectrum = np.abs(np.fft.rfft(wave, 2 * len(wave))) ** 2
        lags = np.fft.irfft(spectrum)
        return 55 + int(lags[55:368].argmax())

    assert period(high.samples) < 0.8 * period(slow.samples)


def test_a_name_that_fills_its_field_is_whole() -> None:
    speech = speak("Chance", "lb", words_per_minute=150, pitch=50)
    assert "ˈɑ̃ː" in [phoneme.name for phoneme in speech.phonemes]


def test_unknown_voice_is_named() -> None:
    with pytest.raises(InputError, match="no voice 'zz-none'"):
        speak(TEXT, "zz-none", words_per_minute=150, pitch=50)
