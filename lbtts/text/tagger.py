"""What each letter of a word makes: a bidirectional GRU over letters, in NumPy.

The network is trained in lbtts/text/tagger_training.py. Here only its weights are used, without
torch, so that a program that speaks loads in a moment.

Source of the cell: K. Cho et al., "Learning phrase representations using RNN encoder-decoder",
EMNLP 2014, in the variant of torch.nn.GRU (the reset gate acts behind the recurrent product).
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from lbtts.text.graphones import Phones

EDGE = 1  # id of both ends of a word and of a letter never seen; letters count from 2
Array = NDArray[np.float32]


class Tagger:
    """Trained networks: `tagger(word)` scores what every letter may make, by their mean.

    Weights of a network, float32; L letter ids, E embedding, H width, D inputs of a layer (2 H
    from the second on), P outputs; the axis of two is left to right, right to left; the axis of
    3 H is reset, update, new:
    `embedding` [L, E]; per layer i `inputs_i` [2, D, 3 H], `recurrent_i` [2, H, 3 H], `bias_i`
    [2, 3 H], `bias_new_i` [2, H]; `output` [2 H, P], `bias_output` [P].
    """

    def __init__(
        self, letters: str, outputs: list[Phones], networks: list[dict[str, Array]]
    ) -> None:
        """Puts the parts together; a letter makes one of `outputs`."""
        self.outputs = outputs
        self._letters = letters
        self._ids = {letter: i for i, letter in enumerate(letters, EDGE + 1)}
        self._networks = networks
        self._layers = sum(name.startswith("recurrent_") for name in networks[0])

    def __call__(self, word: str) -> Array:
        """Log probabilities [letters of `word`, outputs] float32."""
        ids = [EDGE, *(self._ids.get(letter, EDGE) for letter in word), EDGE]
        scores = [self._scores(np.array(ids), network) for network in self._networks]
        return np.mean(scores, axis=0)

    def _scores(self, ids: NDArray[np.int64], weights: dict[str, Array]) -> Array:
        """The log probabilities of one network."""
        states = weights["embedding"][ids]
        for layer in range(self._layers):
            names = ("inputs", "recurrent", "bias", "bias_new")
            states = _layer(states, *(weights[f"{name}_{layer}"] for name in names))
        logits = states[1:-1] @ weights["output"] + weights["bias_output"]
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def arrays(self) -> dict[str, NDArray]:
        """The tagger as arrays to be saved."""
        return {
            "letters": np.array(self._letters),
            "outputs": np.array([" ".join(phones) for phones in self.outputs]),
            **{
                f"{number}.{name}": weights
                for number, network in enumerate(self._networks)
                for name, weights in network.items()
            },
        }

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray]) -> "Tagger":
        """The tagger in `arrays`.

        Raises:
            KeyError: they hold none.
        """
        outputs = [tuple(str(phones).split()) for phones in arrays["outputs"]]
        networks: dict[int, dict[str, Array]] = defaultdict(dict)
        for key, array in arrays.items():
            number, dot, name = key.partition(".")
            if dot:
                networks[int(number)][name] = array
        return cls(str(arrays["letters"]), outputs, [*networks.values()])


def _layer(states: Array, inputs: Array, recurrent: Array, bias: Array, bias_new: Array) -> Array:
    """[T, D] to [T, 2 H]: both directions step side by side, the second from the end."""
    width = recurrent.shape[1]
    both = np.stack([states, states[::-1]]) @ inputs + bias[:, None]
    hidden = np.zeros((2, 1, width), dtype=np.float32)
    steps = np.empty((len(states), 2, width), dtype=np.float32)
    for t in range(len(states)):
        given, kept = both[:, t : t + 1], hidden @ recurrent
        gates = 1 / (1 + np.exp(-(given[..., : 2 * width] + kept[..., : 2 * width])))
        reset, update = gates[..., :width], gates[..., width:]
        new = np.tanh(
            given[..., 2 * width :] + reset * (kept[..., 2 * width :] + bias_new[:, None])
        )
        hidden = new + update * (hidden - new)
        steps[t] = hidden[:, 0]
    return np.concatenate([steps[:, 0], steps[::-1, 1]], axis=1)
