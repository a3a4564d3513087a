"""A monophone GMM-HMM in Kaldi's own code, and how an utterance is aligned with it.

Topology: three states a phone, left to right; five for silence, the middle three in any order.
Sources: Kaldi's `steps/train_mono.sh` for topology, scales and the growth of the mixtures;
kaldi-hmm-gmm 1.1.4 for the code.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import kaldi_hmm_gmm as khg
import kaldifst
import numpy as np
from numpy.typing import NDArray

from lbtts.alignment.mfcc import DIMENSION
from lbtts.text.inventory import Phones

Words = Sequence[
    Sequence[Phones]
]  # of each word the pronunciations it may have, the likeliest first

_ACOUSTIC_SCALE = 0.1
_SELF_LOOP_SCALE = 0.1
_SILENCE = 1  # phone 1 of the model; labels count from 2
_SILENCE_STATES, _PHONE_STATES = 5, 3
_OCCUPANCY_POWER = 0.2  # mixtures grow with this power of the frames that a state has
_FRAMES_PER_GAUSSIAN = 20
_PERTURBATION = 0.01  # standard deviations between the halves of a split Gaussian
# Speech begins so far below an utterance's loudest frames, and so far above its quietest ones
_LOUD_DB, _LOUD_SHARE = 25.0, 0.3
_DB_PER_NEPER = 10 / np.log(10)  # Kaldi's first cepstrum is the logarithm of a frame's energy


@dataclass(frozen=True)
class Path:
    """The best path through an utterance: its transitions, and where each phone begins."""

    transitions: NDArray[np.int64]  # [n] ids of the transition model
    begins: NDArray[np.int64]  # [m] first frame of each phone or silence
    labels: tuple[str, ...]  # [m] of each, "" for silence


class Monophones:
    """The model; `labels` are the phones it knows."""

    def __init__(self, labels: Sequence[str], mean: NDArray, variance: NDArray) -> None:
        """Starts every state from one Gaussian, [39] `mean` and `variance` of all frames."""
        self._labels = ("", "", *labels)  # 0 is epsilon, 1 is silence
        self._number = {label: i for i, label in enumerate(self._labels) if label}
        phones = [_SILENCE, *self._number.values()]
        topology = khg.HmmTopology()
        topology.read(_topology(list(self._number.values())))
        tree = khg.monophone_context_dependency(phones, topology.get_phone_to_num_pdf_classes())
        self._transitions = khg.TransitionModel(tree, topology)
        self._arcs: dict[int, list[tuple[int, int, int]]] = {}  # phone → (from, to, transition id)
        phone_of, final, pdf = [0], [False], [0]  # by transition id, which count from 1
        for phone in phones:
            self._arcs[phone] = []
            for state, entry in enumerate(topology.topology_for_phone(phone)):
                for target, _ in entry.transitions:
                    transition = len(phone_of)
                    self._arcs[phone].append((state, target, transition))
                    phone_of.append(phone)
                    final.append(target == _states(phone))
                    pdf.append(self._transitions.transition_id_to_pdf(transition))
        assert len(phone_of) - 1 == self._transitions.num_transition_ids
        self._phone, self._final, self._pdf = map(np.array, (phone_of, final, pdf))
        gaussian = khg.DiagGmm(1, DIMENSION)
        gaussian.set_weights([1.0])
        gaussian.set_invvars_and_means((1 / variance)[None], mean[None])
        gaussian.compute_gconsts()
        self._mixtures = khg.AmDiagGmm()
        self._mixtures.init(gaussian, self._transitions.num_pdfs)

    def spread(self, words: Words, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """States [n] to start from: silence up to the first loud frame and behind the last one.

        What is between them is divided equally among the phones. Were the edges divided likewise,
        the first phone would learn to begin in the silence and never come out of it.
        """
        first = {phone: int(self._pdf[arcs[0][2]]) for phone, arcs in self._arcs.items()}
        silence = [first[_SILENCE] + k for k in range(_SILENCE_STATES)]
        spoken = [self._number[label] for word in words for label in word[0]]
        states = [first[phone] + k for phone in spoken for k in range(_PHONE_STATES)]
        quiet, loudest = np.percentile(features[:, 0], [2, 95])
        threshold = max(loudest - _LOUD_DB / _DB_PER_NEPER, quiet + _LOUD_SHARE * (loudest - quiet))
        loud = np.flatnonzero(features[:, 0] >= threshold)
        begin, end = loud[0], loud[-1] + 1
        parts = ((silence, begin), (states, end - begin), (silence, len(features) - end))
        return np.concatenate([np.array(x)[np.arange(n) * len(x) // max(1, n)] for x, n in parts])

    def align(
        self, features: NDArray[np.float32], graph: kaldifst.StdVectorFst, beam: float
    ) -> Path | None:
        """The best path for [n, 39] features through a graph of this model, or None."""
        decodable = khg.DecodableAmDiagGmmScaled(
            self._mixtures, self._transitions, features, _ACOUSTIC_SCALE
        )
        done, _, _, _, _, found, _ = khg.align_utterance_wrapper(
            khg.AlignConfig(beam=beam, retry_beam=0),
            "",
            _ACOUSTIC_SCALE,
            graph,
            decodable,
            0,
            0,
            0,
            0.0,
            0,
        )
        if not done:
            return None
        transitions = np.array(found)
        begins = np.flatnonzero(np.r_[True, self._final[transitions[:-1]]])
        labels = tuple(self._labels[phone] for phone in self._phone[transitions[begins]])
        return Path(transitions, begins, labels)

    def states(self, path: Path) -> NDArray[np.int64]:
        """The states [n] of a path."""
        return self._pdf[path.transitions]

    def goodness(self, features: NDArray[np.float32], path: Path) -> NDArray[np.float64]:
        """log p(aligned state) - log p(best state) of each frame: [n], at most 0.

        Unlike the likelihood it does not reward easy audio: where another sound would fit better
        than the transcript's, it falls.
        """
        mixtures = [self._mixtures.get_pdf(j) for j in range(self._transitions.num_pdfs)]
        sizes = [mixture.num_gauss for mixture in mixtures]
        constants = np.concatenate([np.array(mixture.gconsts) for mixture in mixtures])
        linear = np.concatenate([np.array(mixture.means_invvars) for mixture in mixtures])
        square = np.concatenate([np.array(mixture.inv_vars) for mixture in mixtures])
        x = features.astype(np.float64)
        scores = constants + x @ linear.T - 0.5 * (x * x) @ square.T
        scores -= scores.max(axis=1, keepdims=True)
        first = np.cumsum([0, *sizes[:-1]])
        likelihood = np.add.reduceat(np.exp(scores), first, axis=1)
        chosen = likelihood[np.arange(len(x)), self.states(path)]
        tiny = np.finfo(np.float64).tiny
        return np.log(np.maximum(chosen, tiny)) - np.log(likelihood.max(axis=1))

    def speech(self, path: Path) -> NDArray[np.bool_]:
        """[n]: whether a frame of the path is of a phone."""
        return self._phone[path.transitions] != _SILENCE

    def update(
        self, utterances: Iterable[tuple[NDArray[np.float32], NDArray]], gaussians: int, seed: int
    ) -> None:
        """One step of expectation maximisation, then splits until there are `gaussians`.

        Args:
            utterances: [n, 39] features and [n] states of each; taken one by one, so that they may
                still be in the making.
            gaussians: wanted in all mixtures together.
            seed: of the splits; the library's own would draw from the system.
        """
        flags = int(khg.GmmUpdateFlags.kGmmAll)
        statistics = khg.AccumAmDiagGmm()
        statistics.init(self._mixtures, flags)
        counts = np.zeros(self._transitions.num_pdfs)
        for features, states in utterances:
            counts += np.bincount(states, minlength=len(counts))
            for frame, state in zip(features, states.tolist(), strict=True):
                statistics.accumulate_for_gmm(self._mixtures, frame, state, 1.0)
        khg.mle_am_diag_gmm_update(khg.MleDiagGmmOptions(), statistics, flags, self._mixtures)
        self._split(counts, gaussians, np.random.default_rng(seed))

    def _split(self, counts: NDArray, gaussians: int, draw: np.random.Generator) -> None:
        """Halves the heaviest Gaussian of a state, again and again, where the data allow it."""
        mixtures = [self._mixtures.get_pdf(j) for j in range(len(counts))]
        sizes = np.array([mixture.num_gauss for mixture in mixtures])
        weight = counts**_OCCUPANCY_POWER
        while sizes.sum() < gaussians:
            room = (sizes + 1) * _FRAMES_PER_GAUSSIAN <= counts
            if not room.any():
                break
            sizes[np.argmax(np.where(room, weight / sizes, -1))] += 1
        for mixture, size in zip(mixtures, sizes, strict=True):
            if mixture.num_gauss == size:
                continue
            weights, means, inverse = (
                np.array(x) for x in (mixture.weights, mixture.means, mixture.inv_vars)
            )
            while len(weights) < size:
                heaviest = int(weights.argmax())
                weights[heaviest] /= 2
                step = _PERTURBATION * draw.standard_normal(DIMENSION) / np.sqrt(inverse[heaviest])
                weights = np.append(weights, weights[heaviest])
                inverse = np.vstack([inverse, inverse[heaviest]])
                means = np.vstack([means, means[heaviest] - step])
                means[heaviest] += step
            mixture.resize(int(size), DIMENSION)
            mixture.set_weights(weights.astype(np.float32))
            mixture.set_invvars_and_means(inverse.astype(np.float32), means.astype(np.float32))
            mixture.compute_gconsts()

    def graph(self, words: Words) -> kaldifst.StdVectorFst:
        """The words one after another in any of their pronunciations, silence at will between.

        It stays valid while the mixtures are trained, since the transitions are not.
        """
        graph = kaldifst.StdVectorFst()
        here = graph.start = graph.add_state()
        for word in words:
            begin = self._pause(graph, here)
            here = graph.add_state()
            for phones in word:
                before = begin
                for label in phones[:-1]:
                    after = graph.add_state()
                    self._append(graph, self._number[label], before, after)
                    before = after
                self._append(graph, self._number[phones[-1]], before, here)
        graph.set_final(self._pause(graph, here), 0.0)
        return self._timed(graph)

    def loop(
        self, likely: Mapping[str | None, Mapping[str | None, float]]
    ) -> kaldifst.StdVectorFst:
        """Any phone after any other, silence at will between; for hearing what no plan tells.

        Args:
            likely: probability of each phone after each phone. Before the first and behind the last
                one stands None.
        """
        graph = kaldifst.StdVectorFst()
        graph.start = graph.add_state()
        begins = {label: graph.add_state() for label in likely if label}
        for label, following in likely.items():
            end = graph.start
            if label:
                end = graph.add_state()
                self._append(graph, self._number[label], begins[label], end)
            paused = self._pause(graph, end)
            for after, probability in following.items():
                weight = -float(np.log(probability))
                if after:
                    graph.add_arc(paused, kaldifst.StdArc(0, 0, weight, begins[after]))
                else:
                    graph.set_final(paused, weight)
        return self._timed(graph)

    def _append(self, graph: kaldifst.StdVectorFst, phone: int, begin: int, end: int) -> None:
        """Adds the states of a phone between two states of the graph."""
        inner = [graph.add_state() for _ in range(_states(phone))]
        inner.append(end)
        graph.add_arc(begin, kaldifst.StdArc(0, 0, 0.0, inner[0]))
        for source, target, transition in self._arcs[phone]:
            graph.add_arc(inner[source], kaldifst.StdArc(transition, 0, 0.0, inner[target]))

    def _pause(self, graph: kaldifst.StdVectorFst, begin: int) -> int:
        """The state behind a silence at will from `begin` on."""
        end = graph.add_state()
        self._append(graph, _SILENCE, begin, end)
        graph.add_arc(begin, kaldifst.StdArc(0, 0, float(np.log(2)), end))
        return end

    def _timed(self, graph: kaldifst.StdVectorFst) -> kaldifst.StdVectorFst:
        """The graph with the transitions' costs on its arcs."""
        khg.add_transition_probs(
            trans_model=self._transitions,
            transition_scale=1.0,
            self_loop_scale=_SELF_LOOP_SCALE,
            fst=graph,
        )
        return graph


def _states(phone: int) -> int:
    return _SILENCE_STATES if phone == _SILENCE else _PHONE_STATES


def _topology(phones: Sequence[int]) -> str:
    """Kaldi's text form of the topology."""
    final = _SILENCE_STATES - 1
    lines = ["<Topology>", "<TopologyEntry>", f"<ForPhones> {' '.join(map(str, phones))}"]
    lines.append("</ForPhones>")
    for k in range(_PHONE_STATES):
        onward = f"<Transition> {k} 0.75 <Transition> {k + 1} 0.25"
        lines.append(f"<State> {k} <PdfClass> {k} {onward} </State>")
    lines += [f"<State> {_PHONE_STATES} </State>", "</TopologyEntry>"]
    lines += ["<TopologyEntry>", f"<ForPhones> {_SILENCE} </ForPhones>"]
    for k in range(final):
        targets = range(final) if k == 0 else range(1, final + 1)
        onward = " ".join(f"<Transition> {target} 0.25" for target in targets)
        lines.append(f"<State> {k} <PdfClass> {k} {onward} </State>")
    onward = f"<Transition> {final} 0.75 <Transition> {final + 1} 0.25"
    lines += [f"<State> {final} <PdfClass> {final} {onward} </State>"]
    lines += [f"<State> {final + 1} </State>", "</TopologyEntry>", "</Topology>"]
    return "\n".join(lines) + "\n"
