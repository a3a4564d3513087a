"""The aligner that needs no MFA: a monophone model trained on the corpus itself.

Each word may have several pronunciations; it is aligned with the one that fits best. Aligning, the
costly part, is shared by processes. All sums are made in one process and one order, so the result
does not depend on the number of processes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from lbtts.alignment import monophones
from lbtts.alignment.kept import Kept
from lbtts.alignment.mfcc import FRAME_SECONDS, read_mfcc
from lbtts.alignment.monophones import Monophones
from lbtts.alignment.pronunciation import pronunciations
from lbtts.alignment.textgrid import AlignmentResult, Interval
from lbtts.alignment.topology import Words
from lbtts.cache import Cache
from lbtts.corpus.manifest import Entry
from lbtts.errors import InputError, Reject
from lbtts.params import Kaldi, Run
from lbtts.text.dictionary import Dictionary
from lbtts.text.tokens import TokenPlan
from lbtts.workers import workers

_RETRY = 4  # times the beam, for utterances without a path
_STRETCH = 30  # frames, 0.3 s: long enough to tell one wrong word from noise
_WINDOW = 2048  # utterances whose results are held at once
_TASK = 16  # utterances that a process is given at once, together with the model

Features = NDArray[np.float32]


def align(
    plans: Sequence[TokenPlan],
    dictionary: Dictionary,
    entries: Mapping[str, Entry],
    kaldi: Kaldi,
    run: Run,
    folder: Path,
) -> Iterator[tuple[str, AlignmentResult | Reject]]:
    """Trains on the corpus, then yields the id of each plan with its phones or the reason.

    Model and alignments are kept as soon as they are made; a later run makes only what it lacks.

    Args:
        plans: sorted by id.
        dictionary: pronunciations that a word may have besides its plan's.
        entries: of the manifest, by id.
        kaldi: the section `align.kaldi`.
        run: the section.
        folder: for what is kept; no other process uses it.

    Raises:
        InputError: no utterance can be aligned, or the folder cannot be read or written.
    """
    training = training_words(plans, dictionary, kaldi.training_utterances)
    aligned = 0
    with workers(run) as parallel, Cache(folder) as cache:
        kept = Kept(cache, kaldi, training, entries)
        measured = (delayed(_features)(entries[name].audio) for name in training)
        model = kept.model(lambda: train(training, parallel(measured), kaldi, parallel))
        with tqdm(desc="align", total=len(plans), unit="utt") as bar:
            for begin in range(0, len(plans), _WINDOW):
                window = plans[begin : begin + _WINDOW]
                tasks = [(pronunciations(plan, dictionary), entries[plan.id]) for plan in window]
                known = (kept.get(*task) for task in tasks)
                results = {k: result for k, result in enumerate(known) if result is not None}
                bar.update(len(results))
                missing = [k for k in range(len(tasks)) if k not in results]
                parts = _parts([tasks[k] for k in missing])
                work = parallel(delayed(_align)(model, some, kaldi.beam) for some in parts)
                for k, result in zip(missing, chain.from_iterable(work), strict=True):
                    kept.put(*tasks[k], result)
                    results[k] = result
                    bar.update()
                aligned += len(missing)
                yield from ((plan.id, results[k]) for k, plan in enumerate(window))
        kept.only(plan.id for plan in plans)
    tqdm.write(f"aligned {aligned} of {len(plans)} utterances; the others were kept")


def train(
    words: Mapping[str, Words],
    measured: Iterable[Features | None],
    kaldi: Kaldi,
    parallel: Parallel,
) -> Monophones:
    """A model trained on these utterances.

    Args:
        words: of each utterance, by id.
        measured: the features [n, 39] of each, in the order of `words`; None if it has none.
        kaldi: the section `align.kaldi`.
        parallel: a pool whose results come in order.

    Raises:
        InputError: no utterance can be aligned.
    """
    features = {name: x for name, x in zip(words, measured, strict=True) if x is not None}
    if not features:
        raise InputError("align: no audio can be read; run `dvc repro corpus`")
    labels = sorted({label for said in words.values() for label in _labels(said)})
    frames = np.concatenate(list(features.values()))
    model = Monophones(labels, frames.mean(axis=0), frames.var(axis=0))
    states = {name: model.first_states(words[name], x) for name, x in features.items()}
    model.update(((features[name], states[name]) for name in states), len(labels), seed=0)
    growth = np.linspace(0, kaldi.gaussians, 3 * kaldi.iterations // 4 + 1, dtype=int)

    def realigned() -> Iterator[tuple[Features, NDArray]]:
        """The utterances with their new alignments, as soon as each is ready."""
        tasks = _parts([(words[name], x) for name, x in features.items()])
        work = parallel(delayed(_states)(model, some, kaldi.beam) for some in tasks)
        states.clear()
        for name, new in zip(features, (new for some in work for new in some), strict=True):
            if new is not None:
                states[name] = new
                yield features[name], new
        if not states:
            raise InputError(
                "align: no utterance can be aligned; do the transcripts belong to the audio?"
            )

    for i in tqdm(range(1, kaldi.iterations), desc="train aligner", unit="pass"):
        anew = i <= 6 or i % 3 == 0  # as train_mono.sh, often at first and rarely later
        utterances = realigned() if anew else ((features[n], s) for n, s in states.items())
        model.update(utterances, growth[min(i, len(growth) - 1)], seed=i)
    return model


def training_words(
    plans: Sequence[TokenPlan], dictionary: Dictionary, limit: int
) -> dict[str, Words]:
    """The pronunciations of what to train on, by id.

    At most `limit` utterances, spread evenly, but always one for each phone that occurs.
    """
    step = max(1, -(-len(plans) // limit))
    chosen: dict[str, Words] = {p.id: pronunciations(p, dictionary) for p in plans[::step]}
    known = {label for words in chosen.values() for label in _labels(words)}
    for plan in plans:
        if plan.id in chosen:
            continue
        words = pronunciations(plan, dictionary)
        if not _labels(words) <= known:
            chosen[plan.id] = words
            known |= _labels(words)
    return chosen


def _labels(words: Words) -> set[str]:
    return {label for word in words for phones in word for label in phones}


def _parts(tasks: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The tasks in parts, each for one process."""
    return (tasks[begin : begin + _TASK] for begin in range(0, len(tasks), _TASK))


def _features(path: str) -> Features | None:
    """The features of one training utterance, None if its audio cannot be read."""
    try:
        return read_mfcc(path)
    except Reject:
        return None


def _states(
    model: Monophones, utterances: Iterable[tuple[Words, Features]], beam: float
) -> list[NDArray[np.int32] | None]:
    """The states of training utterances, None for those without a path."""
    paths = (model.align(x, model.topology.graph(words), beam) for words, x in utterances)
    return [None if path is None else model.states(path).astype(np.int32) for path in paths]


def _align(
    model: Monophones, utterances: Iterable[tuple[Words, Entry]], beam: float
) -> list[AlignmentResult | Reject]:
    """The phones of utterances, or why there are none."""
    results: list[AlignmentResult | Reject] = []
    for words, entry in utterances:
        try:
            results.append(_align_one(model, words, entry, beam))
        except Reject as reason:
            results.append(reason)
    return results


def _align_one(model: Monophones, words: Words, entry: Entry, beam: float) -> AlignmentResult:
    features = read_mfcc(entry.audio)
    graph = model.topology.graph(words)
    for width in (beam, _RETRY * beam):
        path = model.align(features, graph, width)
        if path is not None:
            goodness = model.goodness(features, path)
            stretch = min(_STRETCH, len(goodness))
            worst = np.convolve(goodness, np.full(stretch, 1 / stretch), mode="valid").min()
            score = float(goodness[model.speech(path)].mean())
            phones = _intervals(path, entry.seconds)
            return AlignmentResult(
                phones, entry.seconds, score=score, worst=float(worst), beam=width
            )
    count = sum(len(word[0]) for word in words)
    raise Reject(
        f"no alignment: {count} phones do not fit into {len(features)} frames of 10 ms; "
        "compare the transcript with the recording"
    )


def _intervals(path: monophones.Path, seconds: float) -> tuple[Interval, ...]:
    """The phones of a path in seconds."""
    ends = np.append(path.begins[1:], len(path.transitions))
    times = [(begin * FRAME_SECONDS, min(end * FRAME_SECONDS, seconds))
             for begin, end in zip(path.begins.tolist(), ends.tolist(), strict=True)]  # fmt: skip
    return tuple(
        Interval(round(begin, 2), round(end, 6), label)
        for (begin, end), label in zip(times, path.labels, strict=True)
        if label
    )
