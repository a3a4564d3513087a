"""A language of four sounds, spoken by the tests: chords whose boundaries are known exactly."""

from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile

from lbtts.corpus.manifest import Entry
from lbtts.grid import SAMPLE_RATE, samples_to_grid
from lbtts.text.tokens import Phone, Token, TokenPlan

CHORDS = {"o": (300, 800, 2500), "i": (250, 2200, 3000), "u": (220, 600, 1200), "s": (5000, 6800)}


def plan(name: str, *words: str, end: str = ".") -> TokenPlan:
    """A plan with one phone a letter, a stress mark in front of each word, spaces between."""
    phones: list[Phone] = []
    tokens: list[Token] = []
    for number, word in enumerate(words):
        if number:
            tokens.append(Token(" ", None, None))
        tokens.append(Token("ˈ", number, None))
        for letter in word:
            tokens.append(Token(letter, number, len(phones)))
            phones.append(Phone(letter, number))
    tokens += [Token(symbol, None, None) for symbol in end]
    return TokenPlan(name, " ".join(words), words, tuple(phones), tuple(tokens))


def speak(utterance: TokenPlan, path: Path, seed: int) -> list[float]:
    """Writes the plan's audio, on the unit grid; returns the second at which each phone begins."""
    draw = np.random.default_rng(seed)
    pieces, begins, now = [np.zeros(3600)], [], 3600
    for _, word in groupby(utterance.phones, key=lambda phone: phone.word):
        for phone in word:
            samples = int(draw.uniform(0.07, 0.14) * SAMPLE_RATE)
            time = np.arange(samples) / SAMPLE_RATE
            chord = sum(np.sin(2 * np.pi * f * time) for f in CHORDS[phone.label])
            begins.append(now / SAMPLE_RATE)
            pieces.append(0.1 * chord)
            now += samples
        pause = int(draw.choice([0, 0.2]) * SAMPLE_RATE)
        pieces.append(np.zeros(pause))
        now += pause
    pieces.append(np.zeros(samples_to_grid(now + 3600) - now))
    audio = np.concatenate(pieces)
    audio += 0.001 * draw.standard_normal(len(audio))
    soundfile.write(path, audio, SAMPLE_RATE, subtype="PCM_16")
    return begins


def entries_of(audio: dict[str, str]) -> dict[str, Entry]:
    """Entries of the manifest for these utterances, by id."""
    return {
        name: Entry(name, "train", "", audio=path, samples=soundfile.info(path).frames)
        for name, path in audio.items()
    }


def corpus(
    folder: Path, count: int
) -> tuple[list[TokenPlan], dict[str, str], dict[str, list[float]]]:
    """Plans, the path of each utterance and the true starts of its phones, spoken in `folder`."""
    draw = np.random.default_rng(0)
    plans, audio, truth = [], {}, {}
    for k in range(count):
        words = ["".join(draw.choice(list(CHORDS), draw.integers(2, 5))) for _ in range(4)]
        words = ["".join(letter for letter, _ in groupby(word)) for word in words]
        plans.append(plan(f"u{k:02d}", *words))
        audio[plans[-1].id] = str(folder / f"{plans[-1].id}.flac")
        truth[plans[-1].id] = speak(plans[-1], Path(audio[plans[-1].id]), k)
    return plans, audio, truth
