"""Utterances spoilt on purpose, in the six ways in which corpora go wrong."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator

from lbtts.text.tokens import Phone, Token, TokenPlan

KINDS = ("other text", "extra words", "missing words", "cut", "reversed", "silence")


def spoil(
    kind: str,
    plan: TokenPlan,
    audio: Path,
    others: Sequence[TokenPlan],
    draw: Generator,
    folder: Path,
) -> tuple[TokenPlan, Path]:
    """The utterance with one kind of damage: its plan, and its audio, a new file if it changes."""
    if kind == "other text":
        return replace(_another(plan, others, draw), id=plan.id), audio
    if kind == "extra words":
        extra = _another(plan, others, draw).pronunciations()[:3]
        at = int(draw.integers(len(plan.words) + 1))
        words = plan.pronunciations()
        return _plan(plan, [*words[:at], *extra, *words[at:]]), audio
    if kind == "missing words":
        words = plan.pronunciations()
        at = int(draw.integers(max(1, len(words) - 3)))
        return _plan(plan, [*words[:at], *words[at + 3 :]] or words[:1]), audio
    change: Callable = {
        "cut": lambda x: x[: int(0.7 * len(x))],
        "reversed": lambda x: x[::-1],
        "silence": lambda x: np.zeros_like(x),
    }[kind]
    samples, rate = soundfile.read(audio, dtype="int16")
    samples = change(samples)
    path = folder / audio.name
    soundfile.write(path, samples[: len(samples) // 600 * 600], rate)
    return plan, path


def _another(plan: TokenPlan, others: Sequence[TokenPlan], draw: Generator) -> TokenPlan:
    """Another sentence of about the same length, so that no length gives it away."""
    near = sorted(others, key=lambda o: abs(len(o.phones) - len(plan.phones)))[:40]
    near = [other for other in near if len({*other.words} & {*plan.words}) < len(plan.words) / 2]
    return near[int(draw.integers(len(near)))]


def _plan(plan: TokenPlan, words: Sequence[tuple[str, tuple[str, ...]]]) -> TokenPlan:
    """A plan of these words, one token a phone, spaces between."""
    phones: list[Phone] = []
    tokens: list[Token] = []
    for number, (_, labels) in enumerate(words):
        if number:
            tokens.append(Token(" ", None, None))
        for label in labels:
            tokens.append(Token(label[0], number, len(phones)))
            phones.append(Phone(label, number))
    text = " ".join(word for word, _ in words)
    return TokenPlan(plan.id, text, tuple(word for word, _ in words), tuple(phones), tuple(tokens))
