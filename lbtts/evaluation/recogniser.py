"""A listener that knows the sounds of the language and which follows which, but not one word.

Its acoustic model is the aligner's, trained on recordings whose phones are known; its grammar is a
bigram of phones. What it hears in speech that a network made is compared with what the network was
told to say: the share that is wrong, missing or too much stands for how hard a person would find it
to understand.

It listens in a room that is not quite silent: a synthesiser's pauses are silent to the last bit,
and a listener who has come to count on that takes speech over a faint hiss for a pause.

It understands only voices like those that it has learnt from. Of the demo's held-out sentences it
mishears, in percent, after learning from

                                        recordings  base, zero shot  fine-tuned  white noise
    the recordings (200 Gaussians)             9.7             99.6        99.6         97.3
    what the base reads of their texts (800)  89.5             20.2        21.0        100.0
    both (800)                                10.5             22.6        23.3         98.4

So where a voice is far from the recordings, give it both to learn from.

What it cannot tell: whether a person would have understood, for a person knows words and guesses;
and whether speech that it mishears is bad or merely somebody else's. So its metric stands beside
the recordings' own.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import kaldifst
import numpy as np
import soundfile
from joblib import Parallel, delayed
from numpy.typing import NDArray

from lbtts.alignment import kaldi
from lbtts.alignment.mfcc import mfcc
from lbtts.alignment.monophones import Monophones
from lbtts.alignment.topology import Topology
from lbtts.errors import Reject
from lbtts.evaluation.prompt import Audio
from lbtts.grid import SAMPLE_RATE
from lbtts.params import Kaldi
from lbtts.text.inventory import Phones
from lbtts.text.tokens import TokenPlan

VERSION = 2  # raise it when training or features change, so that no kept recogniser is used again
# Few Gaussians: more fit the recordings better, and already the copy synthesis of them worse.
KALDI = Kaldi(gaussians=200, iterations=20, beam=100, training_utterances=600)
# Two voices need more, see above.
TWO_VOICES = KALDI.model_copy(update={"gaussians": 800})
ROOM_DB = -40.0  # level of the room's noise against a file's own


class Recogniser:
    """Hears phones; it can be pickled for another process.

    Attributes:
        made: hexadecimal digest of all that it was made of.
    """

    def __init__(self, model: Monophones, likely: "Bigram", beam: float, made: str) -> None:
        """Takes an acoustic model, the grammar over its phones and how widely to search."""
        self.made = made
        self._model = model
        self._likely = likely
        self._graph = _loop(model.topology, likely)
        self._beam = beam

    def __reduce__(self) -> tuple[Any, ...]:
        """What goes to another process; Kaldi's graph follows from it."""
        return Recogniser, (self._model, self._likely, self._beam, self.made)

    def hear(self, audio: Audio | Path) -> Phones:
        """The phones in audio [S] at 24 kHz, or in a file: canonical labels.

        None of them where there is nothing to hear.
        """
        if isinstance(audio, Path):
            samples, rate = soundfile.read(audio)
        else:
            samples, rate = audio, SAMPLE_RATE
        features = _features(samples, rate, "heard")
        if features is None:
            return ()
        found = self._model.align(features, self._graph, self._beam)
        return tuple(filter(None, found.labels)) if found else ()


def train(
    plans: Sequence[TokenPlan],
    audio: Mapping[str, str],
    kaldi_params: Kaldi = KALDI,
    parallel: Parallel | None = None,
    keep: Path | None = None,
) -> Recogniser:
    """A recogniser that has learnt from the recordings of `plans`.

    Args:
        plans: what is said in the recordings; in the evaluation, those of the training split.
        audio: path of each plan's recording, by id.
        kaldi_params: size and schedule of the acoustic model.
        parallel: joblib's pool of processes; None works in this one.
        keep: folder for trained acoustic models, of 0.5 MB each; what was learnt from the same
            recordings in the same way is taken from there. None keeps nothing.
    """
    likely = bigram(plan.labels for plan in plans)
    made = _digest(plans, audio, kaldi_params)
    kept = keep and keep / f"{made}.npz"
    if kept and (known := _loaded(kept)):
        return Recogniser(known, likely, kaldi_params.beam, made)
    parallel = parallel or Parallel(1)
    words = kaldi.training_words(plans, {}, kaldi_params.training_utterances)
    measured = parallel(delayed(_read_features)(audio[name], name) for name in words)
    model = kaldi.train(words, measured, kaldi_params, parallel)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}.npz")  # experiments share the folder
        model.save(unfinished)
        unfinished.replace(kept)
        model = Monophones.load(kept)  # so that the first use hears as the later ones do
    return Recogniser(model, likely, kaldi_params.beam, made)


def train_on_readings(
    plans: Sequence[TokenPlan],
    audio: Mapping[str, str],
    readings: Iterable[tuple[TokenPlan, Path]],
    parallel: Parallel | None = None,
    keep: Path | None = None,
) -> Recogniser:
    """A recogniser that has learnt from recordings, and from what a synthesiser reads.

    Args:
        plans: what is said in the recordings.
        audio: path of each plan's recording, by id.
        readings: a plan and the file in which it is read; a plan may be read several times. With
            none, it is a recogniser of the recordings alone.
        parallel: see `train`.
        keep: likewise.
    """
    learnt, files = list(plans), dict(audio)
    for plan, path in readings:
        learnt.append(replace(plan, id=f"{path.stem} read"))
        files[learnt[-1].id] = str(path)
    size = TWO_VOICES if len(learnt) > len(plans) else KALDI
    return train(learnt, files, size, parallel, keep)


def _loaded(path: Path) -> Monophones | None:
    """The model that an earlier run has kept; None if there is none, or a damaged one."""
    try:
        return Monophones.load(path)
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


Bigram = Mapping[str | None, Mapping[str | None, float]]


def bigram(texts: Iterable[Phones]) -> Bigram:
    """Probability of each phone after each phone; None stands before the first, after the last.

    Source: Witten & Bell, "The zero-frequency problem", IEEE Trans. Inf. Theory 37(4), 1991,
    method C, its lower order the phones' own frequency.
    """
    pairs = Counter(pair for text in texts for pair in pairwise((None, *text, None)))
    alone: Counter[str | None] = Counter()
    total: Counter[str | None] = Counter()
    followers: Counter[str | None] = Counter()
    for (before, after), count in pairs.items():
        alone[after] += count
        total[before] += count
        followers[before] += 1
    everything = alone.total()
    return {
        before: {
            after: (pairs[before, after] + followers[before] * count / everything)
            / (total[before] + followers[before])
            for after, count in alone.items()
        }
        for before in total
    }


def _loop(topology: Topology, likely: Bigram) -> kaldifst.StdVectorFst:
    """Any phone after any other, silence at will between.

    Args:
        topology: of a model that knows the phones.
        likely: probability of each phone after each phone. Before the first and after the last one
            stands None.
    """
    graph = kaldifst.StdVectorFst()
    graph.start = graph.add_state()
    begins = {label: graph.add_state() for label in likely if label}
    for label, following in likely.items():
        end = graph.start
        if label:
            end = graph.add_state()
            topology.append(graph, topology.number[label], begins[label], end)
        paused = topology.pause(graph, end)
        for after, probability in following.items():
            weight = -float(np.log(probability))
            if after:
                graph.add_arc(paused, kaldifst.StdArc(0, 0, weight, begins[after]))
            else:
                graph.set_final(paused, weight)
    topology.add_costs(graph)
    return graph


def _read_features(path: str, name: str) -> NDArray[np.float32] | None:
    samples, rate = soundfile.read(path)
    return _features(samples, rate, name)


def _features(samples: Audio, rate: int, name: str) -> NDArray[np.float32] | None:
    """What is heard of `samples` in the room, None if they are shorter than a frame."""
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    noise = level * 10 ** (ROOM_DB / 20)
    noise *= np.random.default_rng(len(samples)).standard_normal(len(samples))
    heard = np.rint((samples + noise) * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16)
    try:
        return mfcc(heard, rate, name)
    except Reject:
        return None


def _digest(plans: Sequence[TokenPlan], audio: Mapping[str, str], kaldi_params: Kaldi) -> str:
    found = hashlib.sha256(repr((VERSION, kaldi_params, ROOM_DB)).encode())
    for plan in plans:
        found.update(repr((plan.id, plan.pronunciations())).encode())
        found.update(hashlib.sha256(Path(audio[plan.id]).read_bytes()).digest())
    return found.hexdigest()
