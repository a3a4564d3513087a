"""A monophone GMM-HMM in Kaldi's own code, and how an utterance is aligned with it.

Sources: Kaldi's `steps/train_mono.sh` for scales and the growth of the mixtures; kaldi-hmm-gmm
1.1.4 for the code.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO

import kaldi_hmm_gmm as khg
import kaldifst
import numpy as np
from numpy.typing import NDArray

from lbtts.alignment.mfcc import DIMENSION
from lbtts.alignment.topology import PHONE_STATES, SILENCE, SILENCE_STATES, Topology, Words

_ACOUSTIC_SCALE = 0.1
_OCCUPANCY_POWER = 0.2  # mixtures grow with this power of the frames that a state has
_FRAMES_PER_GAUSSIAN = 20
_PERTURBATION = 0.01  # standard deviations between the halves of a split Gaussian
# Speech starts at this level below an utterance's loudest frames, and this share of the way up
# from its quietest frames
_LOUD_DB, _LOUD_SHARE = 25.0, 0.3
_DB_PER_NEPER = 10 / np.log(10)  # Kaldi's first cepstrum is the logarithm of a frame's energy


@dataclass(frozen=True)
class Path:
    """The best path through an utterance: its transitions, and where each phone starts."""

    transitions: NDArray[np.int64]  # [n] ids of the transition model
    begins: NDArray[np.int64]  # [m] first frame of each phone or silence
    labels: tuple[str, ...]  # [m] of each, "" for silence


class Monophones:
    """A monophone model; it can be pickled.

    Attributes:
        topology: of the phones that it knows.
    """

    def __init__(self, labels: Sequence[str], mean: NDArray, variance: NDArray) -> None:
        """Starts every state from one Gaussian, [39] `mean` and `variance` of all frames."""
        self.topology = Topology(labels)
        gaussian = khg.DiagGmm(1, DIMENSION)
        gaussian.set_weights([1.0])
        gaussian.set_invvars_and_means((1 / variance)[None], mean[None])
        gaussian.compute_gconsts()
        self._mixtures = khg.AmDiagGmm()
        self._mixtures.init(gaussian, self.topology.transitions.num_pdfs)

    def save(self, file: str | os.PathLike[str] | IO[bytes]) -> None:
        """Writes it as arrays (.npz), float32, from which `load` makes the same model.

        Args:
            file: open, or its path.
        """
        mixtures = [self._mixtures.get_pdf(j) for j in range(self._mixtures.num_pdfs)]
        np.savez(
            file,
            labels=np.array(self.topology.labels[2:]),
            sizes=np.array([mixture.num_gauss for mixture in mixtures]),
            weights=np.concatenate([np.array(mixture.weights) for mixture in mixtures]),
            means=np.concatenate([np.array(mixture.means) for mixture in mixtures]),
            inverse_variances=np.concatenate([np.array(m.inv_vars) for m in mixtures]),
        )

    @classmethod
    def load(cls, file: str | os.PathLike[str] | IO[bytes]) -> "Monophones":
        """The model that `save` wrote."""
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        model = cls(tuple(arrays["labels"].tolist()), np.zeros(DIMENSION), np.ones(DIMENSION))
        model._mixtures = khg.AmDiagGmm()
        ends = np.cumsum(arrays["sizes"])
        for begin, end in zip(ends - arrays["sizes"], ends, strict=True):
            mixture = khg.DiagGmm(int(end - begin), DIMENSION)
            mixture.set_weights(arrays["weights"][begin:end].tolist())
            mixture.set_invvars_and_means(
                arrays["inverse_variances"][begin:end], arrays["means"][begin:end]
            )
            model._mixtures.add_pdf(mixture)
        model._mixtures.compute_gconsts()
        return model

    def first_states(self, words: Words, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """States [n] to start from: silence up to the first loud frame and after the last one.

        The frames between are divided equally among the phones. If the edges were divided too, the
        first phone would learn to start in the silence, and training would not correct that.
        """
        first, number = self.topology.first, self.topology.number
        silence = [first[SILENCE] + k for k in range(SILENCE_STATES)]
        spoken = [number[label] for word in words for label in word[0]]
        states = [first[phone] + k for phone in spoken for k in range(PHONE_STATES)]
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
            self._mixtures, self.topology.transitions, features, _ACOUSTIC_SCALE
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
        begins = np.flatnonzero(np.r_[True, self.topology.final[transitions[:-1]]])
        phones = self.topology.phone[transitions[begins]]
        labels = tuple(self.topology.labels[phone] for phone in phones)
        return Path(transitions, begins, labels)

    def states(self, path: Path) -> NDArray[np.int64]:
        """The states [n] of a path."""
        return self.topology.state[path.transitions]

    def goodness(self, features: NDArray[np.float32], path: Path) -> NDArray[np.float64]:
        """log p(aligned state) - log p(best state) of each frame: [n], at most 0.

        Unlike the likelihood it does not depend on how easy the audio is: it falls where another
        sound fits better than that of the transcript.
        """
        mixtures = [self._mixtures.get_pdf(j) for j in range(self.topology.transitions.num_pdfs)]
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
        """Whether each frame of the path belongs to a phone, [n]."""
        return self.topology.phone[path.transitions] != SILENCE

    def update(
        self, utterances: Iterable[tuple[NDArray[np.float32], NDArray]], gaussians: int, seed: int
    ) -> None:
        """One step of expectation maximisation, then splits until there are `gaussians`.

        Args:
            utterances: [n, 39] features and [n] states of each; read one by one, so a
                generator may produce them.
            gaussians: wanted in all mixtures together.
            seed: of the splits; the library itself would use the system's random numbers.
        """
        flags = int(khg.GmmUpdateFlags.kGmmAll)
        statistics = khg.AccumAmDiagGmm()
        statistics.init(self._mixtures, flags)
        counts = np.zeros(self.topology.transitions.num_pdfs)
        for features, states in utterances:
            counts += np.bincount(states, minlength=len(counts))
            for frame, state in zip(features, states.tolist(), strict=True):
                statistics.accumulate_for_gmm(self._mixtures, frame, state, 1.0)
        khg.mle_am_diag_gmm_update(khg.MleDiagGmmOptions(), statistics, flags, self._mixtures)
        self._split(counts, gaussians, np.random.default_rng(seed))

    def _split(self, counts: NDArray, gaussians: int, draw: np.random.Generator) -> None:
        """Halves the heaviest Gaussian of a state repeatedly, where there are enough frames."""
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
