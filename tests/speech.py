"""Luxembourgish read by espeak-ng, with the true beginnings of its phones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import soxr

from lbtts.alignment import outcome
from lbtts.alignment.textgrid import AlignmentResult
from lbtts.corpus.manifest import Entry
from lbtts.errors import Reject
from lbtts.espeak import Speech, speak
from lbtts.grid import SAMPLE_RATE
from lbtts.languages.luxembourgish.g2p import LBG2P
from lbtts.languages.luxembourgish.phones import INVENTORY, VOWELS, canonical
from lbtts.params import Params
from lbtts.text.tokens import Phone, TokenPlan

EDGE = 0.3  # seconds of silence put before and behind

_STOPS = frozenset("pbtdkɡʦʣʧʤ")
_SONORANTS = frozenset("mnɲŋljw")
_SILENT = 0.004  # of full scale; espeak's closures are far below
_LONGEST_CLOSURE = 0.15  # seconds; longer ones are pauses


@dataclass(frozen=True)
class Spoken:
    """Plans, the utterances by id, and the true beginning of phones by id and index."""

    plans: list[TokenPlan]
    entries: dict[str, Entry]
    truth: dict[str, dict[int, float]]


def read_aloud(
    sentences: list[str], folder: Path, rates: tuple[int, ...] = (150,), most: int | None = None
) -> Spoken:
    """The sentences whose words are all in the lexicon, so that no model need be trained.

    Args:
        sentences: what to read.
        folder: where the utterances go.
        rates: words a minute, taken in turn.
        most: so many at the most.
    """
    g2p = LBG2P()
    g2p._pronouncer.unknown_words = _refuse
    spoken = Spoken([], {}, {})
    for number, text in enumerate(sentences):
        name = f"s{number:03d}"
        try:
            words = g2p.token_plan(name, text)
        except Reject:
            continue
        speech = speak(text, "lb", words_per_minute=rates[len(spoken.plans) % len(rates)], pitch=45)
        plan, begins = _as_read(words, speech)
        silence = np.zeros(round(EDGE * SAMPLE_RATE), np.int16)
        samples = soxr.resample(speech.samples, speech.rate, SAMPLE_RATE)
        samples = np.concatenate([silence, samples, silence])
        path = folder / f"{name}.wav"
        soundfile.write(path, samples, SAMPLE_RATE)
        spoken.plans.append(plan)
        spoken.entries[name] = Entry(name, "train", text, audio=str(path), samples=len(samples))
        spoken.truth[name] = _truth(plan, begins, speech)
        if len(spoken.plans) == most:
            break
    return spoken


def harm(spoken: Spoken, folder: Path, each: int = 20) -> tuple[Spoken, list[str]]:
    """The same with `each` texts swapped and as many recordings cut at 60 %, and their ids."""
    plans = list(spoken.plans)
    order = np.random.default_rng(0).permutation(len(plans)).tolist()
    swapped, cut = order[:each], order[each : 2 * each]
    entries = dict(spoken.entries)
    for one, other in zip(swapped, swapped[1:] + swapped[:1], strict=True):
        plans[one] = replace(spoken.plans[other], id=spoken.plans[one].id)
    for name in (plans[k].id for k in cut):
        samples, rate = soundfile.read(entries[name].audio, dtype="int16")
        samples = samples[: int(0.6 * len(samples))]
        path = str(folder / f"{name}-cut.wav")
        soundfile.write(path, samples, rate)
        entries[name] = replace(entries[name], audio=path, samples=len(samples))
    return Spoken(plans, entries, spoken.truth), [plans[k].id for k in swapped + cut]


def statuses(
    plans: list[TokenPlan], results: Mapping[str, AlignmentResult | Reject], params: Params
) -> dict[str, str]:
    """What the stage `align` would say of each utterance, by id."""
    found = ((plan.id, results[plan.id]) for plan in plans)
    with TemporaryDirectory() as grids:
        made = outcome.spoken(plans, found, {}, INVENTORY, Path(grids))
    rows = outcome.report(made, {p.id: "kaldi" for p in plans}, {}, params.align.quality)
    return {row.id: row.status or "reject" for row in rows}


def _refuse(word: str) -> tuple[str, ...]:
    raise Reject(f"{word}: not in the lexicon")


def _as_read(plan: TokenPlan, speech: Speech) -> tuple[TokenPlan, list[float]]:
    """The plan with espeak's own phones, and the beginning of each one's event.

    A phone belongs to the word of its counterpart in the plan; a pause begins a word too.
    """
    events = [(canonical([p.name]) or ("",), p.start) for p in speech.phonemes]
    theirs, ours = [labels[0] for labels, _ in events], [p.label for p in plan.phones]
    word_of: dict[int, int] = {}
    for block in SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks():
        for k in range(block.size):
            word_of[block.a + k] = plan.phones[block.b + k].word
    phones: list[Phone] = []
    begins: list[float] = []
    word, planned, pause = 0, None, False
    for k, (label, (_, begin)) in enumerate(zip(theirs, events, strict=True)):
        if not label:
            pause = bool(phones)
            continue
        if pause or (k in word_of and planned is not None and word_of[k] != planned):
            word += 1
        planned, pause = word_of.get(k, planned), False
        phones.append(Phone(label, word))
        begins.append(begin)
    words = tuple(f"w{k}" for k in range(word + 1))
    return TokenPlan(plan.id, plan.text, words, tuple(phones), ()), begins


def _truth(plan: TokenPlan, begins: list[float], speech: Speech) -> dict[int, float]:
    """Where phones really begin: phone → second of the utterance.

    The event of a stop comes behind its closure, whose silence is in the audio. That of a vowel
    behind a nasal or a glide comes late by an unknown time: there is no truth for it.
    """
    quiet = np.abs(speech.samples) < _SILENT * 2**15
    exact = {}
    for k, (phone, begin) in enumerate(zip(plan.phones, begins, strict=True)):
        before = plan.phones[k - 1].label if k else ""
        if phone.label in VOWELS and before in _SONORANTS:
            continue
        if phone.label in _STOPS:
            if not k:
                continue
            burst = round(begin * speech.rate)
            closure = int(np.argmin(quiet[:burst][::-1])) / speech.rate
            if closure > _LONGEST_CLOSURE:
                continue
            begin -= closure
        exact[k] = begin + EDGE
    return exact
