"""Luxembourgish read by espeak-ng, with the true beginnings of its phones."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import soundfile

from lbtts.errors import Reject
from lbtts.espeak import Phoneme, speak
from lbtts.text.g2p import LBG2P
from lbtts.text.phones import VOWELS, canonical
from lbtts.text.tokens import Plan

EDGE = 0.3  # seconds of silence put before and behind

# Whose raw events are late, see `lbtts.espeak.Speech`; the n of a syllable -en is heard in its ə
_STOPS = frozenset("pbtdkɡʦʣʧʤ")
_SONORANTS = frozenset("mnɲŋljw")


@dataclass(frozen=True)
class Spoken:
    """Plans, the clip and its seconds by id, and the true beginning of phones by id and index."""

    plans: list[Plan]
    audio: dict[str, str]
    seconds: dict[str, float]
    truth: dict[str, dict[int, float]]


def read_aloud(sentences: list[str], folder: Path) -> Spoken:
    """The sentences whose words are all in the lexicon, so that no model need be trained."""
    g2p = LBG2P()
    g2p.unknown_words = _refuse
    spoken = Spoken([], {}, {}, {})
    for number, text in enumerate(sentences):
        name = f"s{number:03d}"
        try:
            plan = g2p.plan(name, text)
        except Reject:
            continue
        speech = speak(text, "lb", words_per_minute=150, pitch=45)
        silence = np.zeros(round(EDGE * speech.rate), np.int16)
        samples = np.concatenate([silence, speech.samples, silence])
        path = folder / f"{name}.wav"
        soundfile.write(path, samples, speech.rate)
        spoken.plans.append(plan)
        spoken.audio[name] = str(path)
        spoken.seconds[name] = len(samples) / speech.rate
        spoken.truth[name] = _beginnings(plan, speech.phonemes)
    return spoken


def _refuse(word: str) -> tuple[str, ...]:
    raise Reject(f"{word}: not in the lexicon")


def _beginnings(plan: Plan, phonemes: tuple[Phoneme, ...]) -> dict[int, float]:
    """Where espeak says the plan's phones and its events are exact: phone → second of the clip."""
    heard = [(canonical([p.name]) or ("",), p.start + EDGE) for p in phonemes]
    ours, theirs = [p.label for p in plan.phones], [labels[0] for labels, _ in heard]
    exact = {}
    for block in SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks():
        for i, j in zip(
            range(block.a, block.a + block.size), range(block.b, len(ours)), strict=False
        ):
            before, label = theirs[i - 1] if i else "", theirs[i]
            late = label in _STOPS or (label in VOWELS and before in _SONORANTS)
            if not late and (before, label) != ("ə", "n"):
                exact[j] = heard[i][1]
    return exact
