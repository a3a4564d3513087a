"""The aligner for machines without MFA: a monophone model trained on the corpus itself.

Every utterance is aligned with its plan's own phones. Aligning, the costly part, is spread over
forked processes that inherit model and features; everything that is summed is summed in one process
in one order, so that the result does not depend on how many there are.
"""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lbtts.alignment import textgrid
from lbtts.alignment.mfcc import FRAME_SECONDS, mfcc
from lbtts.alignment.monophones import Monophones, Path, Words
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.errors import InputError, Reject
from lbtts.params import Kaldi
from lbtts.text.tokens import Plan

_EVERY_PASS = 10  # the first passes align anew, later ones every second time, as in train_mono.sh
_RETRY = 4  # times the beam, for utterances that find no path

_model: Monophones | None = None  # of the pass at hand, inherited by forked workers


def align(
    plans: Sequence[Plan],
    audio: Mapping[str, str],
    seconds: Mapping[str, float],
    choice: Kaldi,
    workers: int,
) -> Iterator[tuple[str, Alignment | Reject]]:
    """Trains on the corpus, then yields each plan's id with its alignment or why there is none.

    Args:
        plans: sorted by id.
        audio: path of each id's clip.
        seconds: length of each clip.
        choice: the section `align.kaldi`.
        workers: processes.

    Raises:
        InputError: no utterance can be aligned.
    """
    model = _train(_evenly(plans, choice.training_utterances), audio, choice, workers)
    tasks = [(plan, audio[plan.id], choice.beam) for plan in plans]
    results = _spread_over(model, workers, _finish, tasks, "align")
    for plan, result in zip(plans, results, strict=True):
        if isinstance(result, Reject):
            yield plan.id, result
        else:
            path, score = result
            yield plan.id, _intervals(plan, path, score, seconds[plan.id])


def _train(
    plans: Sequence[Plan], audio: Mapping[str, str], choice: Kaldi, workers: int
) -> Monophones:
    labels = sorted({phone.label for plan in plans for phone in plan.phones})
    paths = [audio[plan.id] for plan in plans]
    heard = list(_spread_over(None, workers, _features, paths, "features"))
    features = [x for x in heard if x is not None]
    plans = [plan for plan, x in zip(plans, heard, strict=True) if x is not None]
    if not plans:
        raise InputError("align: no clip can be read; run `dvc repro corpus`")
    frames = np.concatenate(features)
    model = Monophones(labels, frames.mean(axis=0), frames.var(axis=0))
    words = [words_of(plan) for plan in plans]
    states = [model.spread(w, len(x)) for w, x in zip(words, features, strict=True)]
    model.update(frames, np.concatenate(states), len(labels), seed=0)

    growth = np.linspace(0, choice.gaussians, 3 * choice.iterations // 4 + 1, dtype=int)
    kept = list(range(len(plans)))
    for i in tqdm(range(1, choice.iterations), desc="train aligner", unit="pass"):
        if i <= _EVERY_PASS or i % 2 == 0:
            tasks = [(x, w, choice.beam) for x, w in zip(features, words, strict=True)]
            found = list(_spread_over(model, workers, _states, tasks))
            kept = [k for k, path in enumerate(found) if path is not None]
            if not kept:
                raise InputError(
                    "align: no utterance can be aligned; do the transcripts belong to the audio?"
                )
            states = [found[k] for k in kept]
        frames = np.concatenate([features[k] for k in kept])
        model.update(frames, np.concatenate(states), growth[min(i, len(growth) - 1)], seed=i)
    return model


def words_of(plan: Plan) -> Words:
    """The phone labels of each word of a plan."""
    return [[p.label for p in group] for _, group in groupby(plan.phones, key=lambda p: p.word)]


def _evenly(plans: Sequence[Plan], limit: int) -> list[Plan]:
    """At most `limit` plans, spread evenly, but always one for each phone that occurs."""
    step = max(1, -(-len(plans) // limit))
    chosen = list(plans[::step])
    known = {phone.label for plan in chosen for phone in plan.phones}
    for plan in plans:
        labels = {phone.label for phone in plan.phones}
        if not labels <= known:
            chosen.append(plan)
            known |= labels
    return chosen


def _spread_over(
    model: Monophones | None,
    workers: int,
    function: Callable[[Any], Any],
    tasks: Iterable[Any],
    title: str | None = None,
) -> Iterator[Any]:
    """`function` of each task, in order, in forked processes that know `model`."""
    global _model
    _model = model
    tasks = list(tasks)
    # Unlike multiprocessing.Pool, it notices a worker that dies, for instance for want of memory.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        results = pool.map(function, tasks, chunksize=4)
        yield from tqdm(results, desc=title, total=len(tasks), unit="utt", disable=title is None)


def _features(path: str) -> NDArray[np.float32] | None:
    """In a worker: the features of one training utterance, None if its clip cannot be read."""
    try:
        return mfcc(path)
    except Reject:
        return None


def _states(task: tuple[NDArray[np.float32], Words, float]) -> NDArray[np.int64] | None:
    """In a worker: the states of one training utterance."""
    features, words, beam = task
    assert _model is not None
    path = _model.align(features, words, beam)
    return None if path is None else _model.states(path)


def _finish(task: tuple[Plan, str, float]) -> tuple[Path, float] | Reject:
    """In a worker: the final path of one utterance and its goodness."""
    plan, audio, beam = task
    assert _model is not None
    try:
        features = mfcc(audio)
    except Reject as reason:
        return reason
    for width in (beam, _RETRY * beam):
        path = _model.align(features, words_of(plan), width)
        if path is not None:
            return path, _model.goodness(features, path)
    return Reject(
        f"no alignment: {len(plan.phones)} phones do not fit into {len(features)} frames of 10 ms; "
        "compare the transcript with the recording"
    )


def _intervals(plan: Plan, path: Path, score: float, seconds: float) -> Alignment:
    """A path as words and phones in seconds."""
    count = len(path.transitions)
    ends = np.append(path.begins[1:], count)
    times = [(begin * FRAME_SECONDS, min(end * FRAME_SECONDS, seconds))
             for begin, end in zip(path.begins.tolist(), ends.tolist(), strict=True)]  # fmt: skip
    phones = [
        Interval(round(begin, 2), round(end, 6), label)
        for (begin, end), label in zip(times, path.labels, strict=True)
        if label
    ]
    return textgrid.from_phones(plan, phones, seconds, round(score, 4))
