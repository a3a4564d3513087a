"""What the letters of a word make, one after the other: a neural transducer, in NumPy.

A bidirectional GRU, the encoder, knows the whole word; another GRU, the prediction network, goes
over its letters from the left and is given the previous output, which is what the letter before
has made. lbtts/text/oov/transducer_training.py trains the networks. Here only their weights are
used, without torch, so that a program that speaks loads in a moment.

Sources: R. Aharoni and Y. Goldberg, "Morphological inflection generation with hard monotonic
attention", ACL 2017, for the transducer, which here learns from graphones; K. Cho et al., "Learning
phrase representations using RNN encoder-decoder", EMNLP 2014, for the cell, in the variant of
torch.nn.GRU (the reset gate acts after the recurrent product).
"""

import numpy as np
from numpy.typing import NDArray

from lbtts.text.inventory import Phones

EDGE = 1  # id of both ends of a word and of a letter never seen; letters count from 2
Array = NDArray[np.float32]


class Transducer:
    """An ensemble of trained networks; its log probabilities are their mean.

    Their weights, float32, have the networks N for their first axis; L letter ids, E embedding,
    R and W units of encoder and prediction network, P outputs; the axis of two is left to right,
    right to left; gates are reset, update, new: `embedding` [N, L, E]; per layer i of D inputs
    (2 R from the second on) of the encoder `inputs_i` [N, 2, D, 3 R], `recurrent_i`
    [N, 2, R, 3 R], `bias_i` [N, 2, 3 R], `bias_new_i` [N, 2, R]; of the prediction network
    `inputs` [N, 2 R, 3 W], `made` [N, P + 1, 3 W] (of the previous output; the last row where
    there is none yet), `recurrent` [N, W, 3 W], `bias` [N, 3 W], `bias_new` [N, W]; `joint`
    [N, W + 2 R, W], `bias_joint` [N, W]; `output` [N, W, P], `bias_output` [N, P].
    """

    def __init__(self, letters: str, outputs: list[Phones], weights: dict[str, Array]) -> None:
        """Puts the parts together; a letter makes one of `outputs`."""
        self.outputs = outputs
        self.weights = weights
        self._letters = letters
        self._ids = {letter: i for i, letter in enumerate(letters, EDGE + 1)}
        self._layers = sum(name.startswith("recurrent_") for name in weights)

    def encode(self, word: str) -> "Decoding":
        """The decoding of `word`, before its first letter."""
        ids = [EDGE, *(self._ids.get(letter, EDGE) for letter in word), EDGE]
        states = self.weights["embedding"][:, ids]
        for layer in range(self._layers):
            names = ("inputs", "recurrent", "bias", "bias_new")
            states = _layer(states, *(self.weights[f"{name}_{layer}"] for name in names))
        return Decoding(states[:, 1:-1], self.weights)

    def arrays(self) -> dict[str, NDArray]:
        """The networks as arrays to be saved."""
        outputs = np.array([" ".join(phones) for phones in self.outputs])
        return {"letters": np.array(self._letters), "outputs": outputs, **self.weights}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray]) -> "Transducer":
        """The networks in `arrays`.

        Raises:
            KeyError: they hold none.
        """
        letters, outputs = arrays.pop("letters"), arrays.pop("outputs")
        return cls(str(letters), [tuple(str(phones).split()) for phones in outputs], arrays)


class Decoding:
    """A word on its way through the networks, letter by letter, by one or more hypotheses."""

    def __init__(self, letters: Array, weights: dict[str, Array]) -> None:
        """Before the first letter, with one hypothesis.

        Args:
            letters: the encoders' states, [N, letters, 2 R].
            weights: of the networks.
        """
        width = weights["recurrent"].shape[1]
        self._weights = weights
        self._inputs = letters @ weights["inputs"] + weights["bias"][:, None]
        self._joint = letters @ weights["joint"][:, width:] + weights["bias_joint"][:, None]
        self._states = np.zeros((len(letters), 1, width), dtype=np.float32)
        self._previous = [-1]
        self._at = 0

    def scores(self) -> Array:
        """Log probabilities [hypotheses, outputs] of what the next letter makes."""
        weights = self._weights
        here = slice(self._at, self._at + 1)
        given = self._inputs[:, here] + weights["made"][:, self._previous]
        kept = self._states @ weights["recurrent"]
        self._states = _cell(given, kept, self._states, weights["bias_new"][:, None])
        width = self._states.shape[-1]
        joint = self._states @ weights["joint"][:, :width] + self._joint[:, here]
        logits = np.maximum(joint, 0) @ weights["output"] + weights["bias_output"][:, None]
        self._at += 1
        logits -= logits.max(axis=-1, keepdims=True)
        return (logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))).mean(axis=0)

    def advance(self, parents: list[int], outputs: list[int]) -> None:
        """Goes on with these hypotheses: the parent of each, and what its letter made."""
        self._states = self._states[:, parents]
        self._previous = outputs


def _layer(states: Array, inputs: Array, recurrent: Array, bias: Array, bias_new: Array) -> Array:
    """[N, T, D] to [N, T, 2 R]: both directions step side by side, the second from the end."""
    networks, length, _ = states.shape
    width = recurrent.shape[-2]
    both = np.stack([states, states[:, ::-1]], axis=1) @ inputs + bias[:, :, None]
    hidden = np.zeros((networks, 2, 1, width), dtype=np.float32)
    steps = np.empty((networks, 2, length, width), dtype=np.float32)
    for t in range(length):
        here = slice(t, t + 1)
        hidden = _cell(both[:, :, here], hidden @ recurrent, hidden, bias_new[:, :, None])
        steps[:, :, here] = hidden
    return np.concatenate([steps[:, 0], steps[:, 1, ::-1]], axis=-1)


def _cell(given: Array, kept: Array, hidden: Array, bias_new: Array) -> Array:
    """The next hidden state [..., U] from what inputs and recurrence give the gates [..., 3 U]."""
    width = hidden.shape[-1]
    gates = 0.5 + 0.5 * np.tanh(0.5 * (given[..., : 2 * width] + kept[..., : 2 * width]))
    reset, update = gates[..., :width], gates[..., width:]
    new = np.tanh(given[..., 2 * width :] + reset * (kept[..., 2 * width :] + bias_new))
    return new + update * (hidden - new)
