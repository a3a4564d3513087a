"""Who hears what in which order, so that no listener can know which system speaks.

Two kinds of questions. Each clip alone gets one of five points (MOS): how natural a system is, on a
scale that other tests share. And two clips of one sentence are compared: that finds differences for
which five points are too coarse, and says nothing of how good both are.

Among the clips to be rated, and known to nobody, are the recording (hidden reference) and the same
without anything above 3.5 kHz (anchor). Who does not find the recording better than the anchor did
not listen, or could not hear; and two tests whose anchors differ are not on one scale. Names go
into a key, which stays with who made the test: the page has numbers alone, so that a look into it
gives nothing away.

Sources: ITU-T P.800, annex B, on the five points; ITU-R BS.1534-3 on hidden reference and anchor;
Wester, Valentini-Botinhao and Henter, "Are we using enough listeners? No!", Interspeech 2015: with
fewer than about 30 listeners and 15 sentences a comparison is hardly more than an anecdote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import signal

from lbtts.errors import InputError
from lbtts.evaluation.prompt import Audio, Readings
from lbtts.grid import SAMPLE_RATE
from lbtts.page import render, wav

REFERENCE, ANCHOR = "recording", "anchor"
_ANCHOR_HZ = 3500.0
_LEVEL_DB = -23.0  # of full scale, RMS, to which every clip is brought: louder sounds better


@dataclass(frozen=True)
class Stimulus:
    """One clip: what `system` made of `utterance`."""

    system: str
    utterance: str


@dataclass(frozen=True)
class Question:
    """One clip to be rated, or two to be compared: numbers of stimuli."""

    stimuli: tuple[int, ...]


@dataclass(frozen=True)
class Design:
    """A test.

    Attributes:
        name: of the test; answers carry it.
        stimuli: by number.
        questions: in the order in which they are asked, ratings first.
    """

    name: str
    stimuli: tuple[Stimulus, ...]
    questions: tuple[Question, ...]

    def key(self) -> dict[str, Any]:
        """What is needed to read the answers, for a JSON file."""
        return asdict(self)


def design(
    systems: Sequence[str],
    utterances: Sequence[str],
    *,
    name: str,
    reference: bool,
    most: int = 12,
    seed: int = 0,
) -> Design:
    """A test of at most `most` utterances, all systems and all pairs of them.

    Every system speaks every utterance once to be rated; of each utterance one pair is compared,
    the pairs taking turns, so that all are compared equally often or nearly.

    Args:
        systems: their names.
        utterances: ids that every system has, and the reference too.
        name: of the test.
        reference: whether there are recordings, for hidden reference and anchor.
        most: utterances; 12 with three systems take about ten minutes.
        seed: of every order.

    Raises:
        InputError: there is no utterance or no system, or one is called as the recordings are.
    """
    if taken := {REFERENCE, ANCHOR} & set(systems):
        raise InputError(f"{name}: no system can be called {taken.pop()}; rename its folder")
    if not utterances or not systems:
        raise InputError(
            f"{name}: {len(systems)} systems with {len(utterances)} utterances in common; name the "
            "WAV files of all systems alike"
        )
    draw = np.random.default_rng(seed)
    chosen = [utterances[k] for k in draw.permutation(len(utterances))[:most]]
    rated = [*systems, *((REFERENCE, ANCHOR) if reference else ())]
    stimuli = [Stimulus(system, utterance) for utterance in chosen for system in rated]
    order = draw.permutation(len(stimuli))
    stimuli = [stimuli[k] for k in order]
    number = {stimulus: k for k, stimulus in enumerate(stimuli)}
    ratings = [Question((k,)) for k in _apart(stimuli, draw)]
    pairs = list(combinations(systems, 2))
    compared = []
    for turn, utterance in enumerate(chosen if pairs else ()):
        pair = [number[Stimulus(system, utterance)] for system in pairs[turn % len(pairs)]]
        first, second = draw.permutation(pair).tolist()
        compared.append(Question((first, second)))
    return Design(
        name,
        tuple(stimuli),
        (*ratings, *(compared[k] for k in draw.permutation(len(compared)))),
    )


def page(design: Design, systems: Mapping[str, Readings], texts: Mapping[str, str]) -> str:
    """The test as one HTML file; equal input gives equal bytes.

    Args:
        design: the test.
        systems: readings by system; the recordings are among them as `REFERENCE`.
        texts: of the utterances, by id; those without are asked without.
    """
    clips = []
    for stimulus in design.stimuli:
        if stimulus.system == ANCHOR:
            audio = anchor(systems[REFERENCE][stimulus.utterance])
        else:
            audio = systems[stimulus.system][stimulus.utterance]
        clips.append({"audio": wav(at_level(audio)), "text": texts.get(stimulus.utterance, "")})
    return render(
        "evaluation/listening/page.html.jinja",
        name=design.name,
        clips=clips,
        questions=[list(question.stimuli) for question in design.questions],
    )


def anchor(audio: Audio) -> Audio:
    """`audio` without what is above 3.5 kHz, as BS.1534 has it."""
    sections = signal.cheby2(10, 60, _ANCHOR_HZ * 1.1, fs=SAMPLE_RATE, output="sos")
    return signal.sosfiltfilt(sections, audio).astype(np.float32)


def at_level(audio: Audio) -> Audio:
    """`audio` at -23 dB RMS, less where it would clip."""
    level = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
    peak = float(np.abs(audio).max())
    gain = min(10 ** (_LEVEL_DB / 20) / max(level, 1e-9), 0.99 / max(peak, 1e-9))
    return (audio * gain).astype(np.float32)


def _apart(stimuli: Sequence[Stimulus], draw: np.random.Generator) -> list[int]:
    """An order in which no sentence is heard twice in a row where that can be helped."""
    waiting = draw.permutation(len(stimuli)).tolist()
    ordered: list[int] = []
    while waiting:
        last = stimuli[ordered[-1]].utterance if ordered else None
        new = [k for k in waiting if stimuli[k].utterance != last] or waiting
        ordered.append(new[0])
        waiting.remove(new[0])
    return ordered
