"""Training of the networks that tell what each letter of a word makes; needs torch.

Words are put into batches of one length, so that nothing is padded. One thread, seeded: the same
words give the same weights.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from joblib import Parallel, delayed
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from lbtts.params import Network
from lbtts.text.oov.graphones import Graphone
from lbtts.text.oov.transducer import EDGE, Array, Transducer
from lbtts.threads import one_thread

_WARM = 0.15  # share of the steps in which the learning rate rises
_CLIP = 1.0  # gradient norm
_DECAY = 0.01


@dataclass(frozen=True)
class _Word:
    letters: list[int]
    truth: list[int]


class _Net(nn.Module):
    """Letters [B, T + 2] int64 and what each makes [B, T] int64 to scores [B, T, outputs]."""

    def __init__(self, letters: int, outputs: int, choice: Network) -> None:
        super().__init__()
        both = 2 * choice.encoder
        self.none, self.hidden = outputs, outputs + 1
        self.history_dropout = choice.history_dropout
        self.embedding = nn.Embedding(letters, choice.embedding)
        self.encoder = nn.GRU(
            choice.embedding,
            choice.encoder,
            choice.layers,
            bidirectional=True,
            batch_first=True,
            dropout=choice.dropout if choice.layers > 1 else 0,
        )
        self.previous = nn.Embedding(outputs + 2, choice.embedding)
        self.prediction = nn.GRU(both + choice.embedding, choice.prediction, batch_first=True)
        self.joint = nn.Linear(choice.prediction + both, choice.prediction)
        self.output = nn.Linear(choice.prediction, outputs)
        self.dropout = nn.Dropout(choice.dropout)

    def forward(self, letters: Tensor, truth: Tensor) -> Tensor:
        states, _ = self.encoder(self.dropout(self.embedding(letters)))
        states = self.dropout(states[:, 1:-1])
        previous = torch.cat([torch.full_like(truth[:, :1], self.none), truth[:, :-1]], dim=1)
        if self.training:
            hidden = torch.rand(previous.shape) < self.history_dropout
            previous = previous.masked_fill(hidden, self.hidden)
        predicted, _ = self.prediction(
            torch.cat([states, self.dropout(self.previous(previous))], dim=2)
        )
        joint = self.joint(torch.cat([self.dropout(predicted), states], dim=2))
        return self.output(self.dropout(torch.relu(joint)))


def train_transducer(
    sequences: Sequence[Sequence[Graphone]], choice: Network, seed: int, workers: int
) -> Transducer:
    """Networks of the letters of `sequences`; shows its progress on standard error.

    Args:
        sequences: the graphones of every word.
        choice: number, size and schedule.
        seed: of weights, order and dropout.
        workers: processes; they change nothing but the time.
    """
    alphabet = "".join(sorted({letter for word in sequences for letter, _ in word}))
    outputs = sorted({phones for word in sequences for _, phones in word})
    ids = {letter: i for i, letter in enumerate(alphabet, EDGE + 1)}
    columns = {phones: i for i, phones in enumerate(outputs)}
    words = [
        _Word([ids[letter] for letter, _ in word], [columns[phones] for _, phones in word])
        for word in sequences
    ]
    size = EDGE + 1 + len(alphabet), len(outputs)
    networks = Parallel(n_jobs=min(workers, choice.ensemble))(
        delayed(_network)(words, size, choice, seed + member) for member in range(choice.ensemble)
    )
    stacked = {name: np.stack([network[name] for network in networks]) for name in networks[0]}
    return Transducer(alphabet, outputs, stacked)


def _network(
    words: list[_Word], size: tuple[int, int], choice: Network, seed: int
) -> dict[str, Array]:
    """The weights of one network, with so many letter ids and outputs, on one thread."""
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _Net(*size, choice)
        _fit(net, words, choice, seed)
    return _weights(net, choice)


def _fit(net: _Net, words: list[_Word], choice: Network, seed: int) -> None:
    rng = np.random.default_rng(seed)
    batches = len(list(_batches(words, choice.batch, np.random.default_rng(seed))))
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=choice.lr, betas=(0.9, 0.98), weight_decay=_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, choice.lr, total_steps=choice.epochs * batches, pct_start=_WARM
    )
    net.train()
    with tqdm(total=choice.epochs * batches, desc="unknown words", unit="batch") as bar:
        for _ in range(choice.epochs):
            for chosen in _batches(words, choice.batch, rng):
                letters = torch.tensor([[EDGE, *words[i].letters, EDGE] for i in chosen])
                truth = torch.tensor([words[i].truth for i in chosen])
                loss = cross_entropy(net(letters, truth).flatten(0, 1), truth.flatten())
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), _CLIP)
                optimizer.step()
                schedule.step()
                bar.update()


def _batches(words: list[_Word], letters: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Indices of words of equal length, about `letters` letters a batch, in random order."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, word in enumerate(words):
        by_length[len(word.letters)].append(i)
    batches = []
    for length, members in sorted(by_length.items()):
        shuffled = rng.permutation(members).tolist()
        size = max(1, letters // length)
        batches += [shuffled[i : i + size] for i in range(0, len(shuffled), size)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def _weights(net: _Net, choice: Network) -> dict[str, Array]:
    """The weights as `Transducer` names and lays them out, of one network.

    torch.nn.GRU keeps two biases a gate; only the new gate's recurrent one acts apart. What a
    letter has made acts on the gates through its embedding: the two matrices become one.
    """
    state = {name: tensor.detach().numpy() for name, tensor in net.state_dict().items()}
    both = 2 * choice.encoder
    weights = {"embedding": state["embedding.weight"]}
    for layer in range(choice.layers):
        ways = [_gru(state, f"encoder.{{}}_l{layer}{way}") for way in ("", "_reverse")]
        weights |= {f"{name}_{layer}": np.stack([way[name] for way in ways]) for name in ways[0]}
    weights |= _gru(state, "prediction.{}_l0")
    weights["made"] = state["previous.weight"][: net.none + 1] @ weights["inputs"][both:]
    weights["inputs"] = weights["inputs"][:both]
    for name in ("joint", "output"):
        weights[name] = state[f"{name}.weight"].T
        weights[f"bias_{name}"] = state[f"{name}.bias"]
    return weights


def _gru(state: dict[str, Array], name: str) -> dict[str, Array]:
    """The weights of one direction of one layer, whose tensors are called `name`."""
    inputs, recurrent, given, kept = (
        state[name.format(kind)] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    gates, new = np.split(kept, [2 * recurrent.shape[1]])
    return {
        "inputs": inputs.T,
        "recurrent": recurrent.T,
        "bias": given + np.concatenate([gates, np.zeros_like(new)]),
        "bias_new": new,
    }
