"""The aligner for machines without MFA: a monophone model trained on the corpus itself.

Every word is aligned with the pronunciation that fits best among those it may have. Aligning, the
costly part, is spread over forked processes that inherit model, features and graphs; everything
that is summed is summed in one process in one order, so that the result does not depend on how many
there are.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import kaldifst
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lbtts.alignment.mfcc import FRAME_SECONDS, mfcc
from lbtts.alignment.monophones import Monophones, Path, Words
from lbtts.alignment.pronunciation import Dictionary, pronunciations
from lbtts.alignment.textgrid import Found, Interval
from lbtts.errors import InputError, Reject
from lbtts.params import Kaldi
from lbtts.text.tokens import TokenPlan

_RETRY = 4  # times the beam, for utterances that find no path
_STRETCH = 30  # frames: the goodness of a third of a second tells one wrong word from noise

Features = NDArray[np.float32]


@dataclass(frozen=True)
class _Work:
    """What forked workers inherit."""

    model: Monophones | None = None
    features: Mapping[str, Features] = field(default_factory=dict)  # of training utterances, by id
    graphs: Mapping[str, kaldifst.StdVectorFst] = field(default_factory=dict)  # likewise
    beam: float = 0.0


_work = _Work()


def align(
    plans: Sequence[TokenPlan],
    dictionary: Dictionary,
    audio: Mapping[str, str],
    seconds: Mapping[str, float],
    choice: Kaldi,
    workers: int,
) -> Iterator[tuple[str, Found | Reject]]:
    """Trains on the corpus, then yields each plan's id with its phones or why there are none.

    Args:
        plans: sorted by id.
        dictionary: pronunciations that a word may have beside its plan's.
        audio: path of each id's clip.
        seconds: length of each clip.
        choice: the section `align.kaldi`.
        workers: processes.

    Raises:
        InputError: no utterance can be aligned.
    """
    words = {plan.id: pronunciations(plan, dictionary) for plan in plans}
    trained = _train(
        _evenly(plans, words, choice.training_utterances), words, audio, choice, workers
    )
    tasks = [(plan.id, words[plan.id], audio[plan.id]) for plan in plans]
    results = _spread_over(trained, workers, _finish, tasks, "align")
    for plan, result in zip(plans, results, strict=True):
        if isinstance(result, Reject):
            yield plan.id, result
        else:
            path, score, worst, beam = result
            length = seconds[plan.id]
            yield plan.id, Found(_intervals(path, length), length, score, worst, beam)


def train(
    plans: Sequence[TokenPlan],
    dictionary: Dictionary,
    audio: Mapping[str, str],
    choice: Kaldi,
    workers: int,
) -> Monophones:
    """The model trained on the clips of `plans`; arguments and errors as of `align`."""
    words = {plan.id: pronunciations(plan, dictionary) for plan in plans}
    chosen = _evenly(plans, words, choice.training_utterances)
    model = _train(chosen, words, audio, choice, workers).model
    assert model is not None
    return model


def _train(
    plans: Sequence[TokenPlan],
    words: Mapping[str, Words],
    audio: Mapping[str, str],
    choice: Kaldi,
    workers: int,
) -> _Work:
    """The trained model, with what the last pass can use again."""
    paths = [audio[plan.id] for plan in plans]
    heard = _spread_over(_Work(), workers, _features, paths, "features")
    features = {plan.id: x for plan, x in zip(plans, heard, strict=True) if x is not None}
    if not features:
        raise InputError("align: no clip can be read; run `dvc repro corpus`")
    labels = sorted({label for name in words for word in words[name] for p in word for label in p})
    frames = np.concatenate(list(features.values()))
    model = Monophones(labels, frames.mean(axis=0), frames.var(axis=0))
    states = {name: model.spread(words[name], x) for name, x in features.items()}
    model.update(((features[name], states[name]) for name in states), len(labels), seed=0)

    graphs = {name: model.graph(words[name]) for name in features}
    work = _Work(model, features, graphs, choice.beam)
    growth = np.linspace(0, choice.gaussians, 3 * choice.iterations // 4 + 1, dtype=int)

    def realigned() -> Iterator[tuple[Features, NDArray]]:
        """The training utterances as they are aligned anew, while others still are."""
        found = _spread_over(work, workers, _states, list(features))
        states.clear()
        for name, new in zip(features, found, strict=True):
            if new is not None:
                states[name] = new
                yield features[name], new
        if not states:
            raise InputError(
                "align: no utterance can be aligned; do the transcripts belong to the audio?"
            )

    for i in tqdm(range(1, choice.iterations), desc="train aligner", unit="pass"):
        anew = i <= 6 or i % 3 == 0  # as train_mono.sh, often at first and rarely later
        utterances = realigned() if anew else ((features[n], s) for n, s in states.items())
        model.update(utterances, growth[min(i, len(growth) - 1)], seed=i)
    return work


def _evenly(plans: Sequence[TokenPlan], words: Mapping[str, Words], limit: int) -> list[TokenPlan]:
    """At most `limit` plans, spread evenly, but always one for each phone that occurs."""

    def labels(plan: TokenPlan) -> set[str]:
        return {label for word in words[plan.id] for phones in word for label in phones}

    step = max(1, -(-len(plans) // limit))
    chosen = list(plans[::step])
    known = {label for plan in chosen for label in labels(plan)}
    for plan in plans:
        if not labels(plan) <= known:
            chosen.append(plan)
            known |= labels(plan)
    return chosen


def _spread_over(
    work: _Work,
    workers: int,
    function: Callable[[Any], Any],
    tasks: Sequence[Any],
    title: str | None = None,
) -> Iterator[Any]:
    """`function` of each task, in order, in forked processes that know `work`."""
    global _work
    _work = work
    # Unlike multiprocessing.Pool, it notices a worker that dies, for instance for want of memory.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        results = pool.map(function, tasks, chunksize=1)
        yield from tqdm(results, desc=title, total=len(tasks), unit="utt", disable=title is None)


def _features(path: str) -> Features | None:
    """In a worker: the features of one training utterance, None if its clip cannot be read."""
    try:
        return mfcc(path)
    except Reject:
        return None


def _states(name: str) -> NDArray[np.int32] | None:
    """In a worker: the states of one training utterance."""
    assert _work.model is not None
    path = _work.model.align(_work.features[name], _work.graphs[name], _work.beam)
    return None if path is None else _work.model.states(path).astype(np.int32)


def _finish(task: tuple[str, Words, str]) -> tuple[Path, float, float, float] | Reject:
    """In a worker: the final path of an utterance, its goodness, its worst stretch, the beam."""
    name, words, audio = task
    model = _work.model
    assert model is not None
    features = _work.features.get(name)
    try:
        features = mfcc(audio) if features is None else features
    except Reject as reason:
        return reason
    graph = _work.graphs.get(name) or model.graph(words)
    for beam in (_work.beam, _RETRY * _work.beam):
        path = model.align(features, graph, beam)
        if path is not None:
            goodness = model.goodness(features, path)
            width = min(_STRETCH, len(goodness))
            worst = np.convolve(goodness, np.full(width, 1 / width), mode="valid").min()
            return path, float(goodness[model.speech(path)].mean()), float(worst), beam
    count = sum(len(word[0]) for word in words)
    return Reject(
        f"no alignment: {count} phones do not fit into {len(features)} frames of 10 ms; "
        "compare the transcript with the recording"
    )


def _intervals(path: Path, seconds: float) -> tuple[Interval, ...]:
    """The phones of a path in seconds."""
    ends = np.append(path.begins[1:], len(path.transitions))
    times = [(begin * FRAME_SECONDS, min(end * FRAME_SECONDS, seconds))
             for begin, end in zip(path.begins.tolist(), ends.tolist(), strict=True)]  # fmt: skip
    return tuple(
        Interval(round(begin, 2), round(end, 6), label)
        for (begin, end), label in zip(times, path.labels, strict=True)
        if label
    )
