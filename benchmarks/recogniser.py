"""A listener that knows the sounds of the language and which follows which, but not one word.

Its acoustic model is the aligner's, trained on the synthesiser's recordings; its grammar is a
bigram of phones. What it hears in speech that a network made is compared with what the network was
told to say: the share that is wrong, missing or too much stands for how hard a person would find it
to understand.

It listens in a room that is not quite silent: espeak's pauses are silent to the last bit, and a
listener who has come to count on that takes speech over a faint hiss for a pause.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import kaldifst
import numpy as np
import soundfile
from joblib import Parallel

from lbtts.alignment import kaldi
from lbtts.alignment.mfcc import mfcc
from lbtts.alignment.pronunciation import pronunciations
from lbtts.alignment.topology import Topology
from lbtts.corpus.manifest import Entry
from lbtts.errors import Reject
from lbtts.params import Kaldi
from lbtts.text.inventory import Phones
from lbtts.text.oov.learning import distance
from lbtts.text.tokens import TokenPlan

# Few Gaussians: more fit the recordings better, and already the copy synthesis of them worse.
KALDI = Kaldi(gaussians=200, iterations=20, beam=100, training_utterances=600)
ROOM_DB = -40.0  # level of the room's noise against a file's own


class Recogniser:
    """Hears phones in audio files."""

    def __init__(
        self, plans: Sequence[TokenPlan], audio: Mapping[str, str], kaldi_params: Kaldi = KALDI
    ) -> None:
        """Learns from the clips of `plans`, whose paths are `audio`, by id."""
        self._beam = kaldi_params.beam
        with TemporaryDirectory() as room:
            words = {plan.id: pronunciations(plan, {}) for plan in plans}
            heard = {name: str(in_a_room(Path(audio[name]), Path(room))) for name in words}
            entries = {name: Entry(name, "train", "", audio=path) for name, path in heard.items()}
            self._model = kaldi.train(words, entries, kaldi_params, Parallel(1))
        self._graph = loop(self._model.topology, bigram(labels(plan) for plan in plans))

    def hear(self, path: Path) -> Phones:
        """The phones in an audio file, canonical; none where there is nothing to hear."""
        with TemporaryDirectory() as room:
            try:
                features = mfcc(in_a_room(path, Path(room)))
            except Reject:  # shorter than a frame
                return ()
        found = self._model.align(features, self._graph, self._beam)
        return tuple(filter(None, found.labels)) if found else ()


def loop(
    topology: Topology, likely: Mapping[str | None, Mapping[str | None, float]]
) -> kaldifst.StdVectorFst:
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


def in_a_room(path: Path, room: Path) -> Path:
    """A copy of an audio file in the folder `room`, with the room's noise."""
    samples, rate = soundfile.read(path)
    level = np.sqrt(np.mean(np.square(samples))) * 10 ** (ROOM_DB / 20)
    noise = level * np.random.default_rng(len(samples)).standard_normal(len(samples))
    copy = room / f"{path.stem}.wav"
    soundfile.write(copy, np.clip(samples + noise, -1, 1), rate, subtype="PCM_16")
    return copy


def labels(plan: TokenPlan) -> Phones:
    """What is said in `plan`."""
    return tuple(phone.label for phone in plan.phones)


def bigram(texts: Iterable[Phones]) -> dict[str | None, dict[str | None, float]]:
    """Probability of each phone after each phone; None stands before the first, behind the last.

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


def error_rate(heard: Iterable[Phones], said: Iterable[Phones]) -> float:
    """Phones wrong, missing or too many, over all texts, in percent of those that were to be said.

    It passes 100 where more is heard than was said.
    """
    pairs = list(zip(heard, said, strict=True))
    errors = sum(distance(guess, truth) for guess, truth in pairs)
    return 100 * errors / sum(len(truth) for _, truth in pairs)
