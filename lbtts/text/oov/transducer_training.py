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

_WARM = 0.15  # share of the steps in which the learning rate rises
_CLIP = 1.0  # gradient norm
_DECAY = 0.01


@dataclass(frozen=True)
class _Word:
    letters: list[int]
    truth: list[int]


class _Net(nn.Module):
    """Letters [B, T + 2] int64 and what each makes [B, T] int64 to scores [B, T, outputs]."""

    def __init__(self, letters: int, outputs: int, settings: Network) -> None:
        super().__init__()
        both = 2 * settings.reader
        self.nothing, self.hidden = outputs, outputs + 1
        self.hides = settings.hides
        self.embedding = nn.Embedding(letters, settings.embedding)
        self.reader = nn.GRU(
            settings.embedding,
            settings.reader,
            settings.layers,
            bidirectional=True,
            batch_first=True,
            dropout=settings.dropout if settings.layers > 1 else 0,
        )
        self.made = nn.Embedding(outputs + 2, settings.embedding)
        self.writer = nn.GRU(both + settings.embedding, settings.writer, batch_first=True)
        self.joint = nn.Linear(settings.writer + both, settings.writer)
        self.output = nn.Linear(settings.writer, outputs)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, letters: Tensor, truth: Tensor) -> Tensor:
        states, _ = self.reader(self.dropout(self.embedding(letters)))
        states = self.dropout(states[:, 1:-1])
        before = torch.cat([torch.full_like(truth[:, :1], self.nothing), truth[:, :-1]], dim=1)
        if self.training:
            hides = torch.rand(before.shape) < self.hides
            before = before.masked_fill(hides, self.hidden)
        written, _ = self.writer(torch.cat([states, self.dropout(self.made(before))], dim=2))
        joint = self.joint(torch.cat([self.dropout(written), states], dim=2))
        return self.output(self.dropout(torch.relu(joint)))


def train_transducer(
    sequences: Sequence[Sequence[Graphone]], settings: Network, seed: int, workers: int
) -> Transducer:
    """Networks of the letters of `sequences`; shows its progress on standard error.

    Args:
        sequences: the graphones of every word.
        settings: number, size and schedule.
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
    networks = Parallel(n_jobs=min(workers, settings.members))(
        delayed(_network)(words, size, settings, seed + member)
        for member in range(settings.members)
    )
    stacked = {name: np.stack([network[name] for network in networks]) for name in networks[0]}
    return Transducer(alphabet, outputs, stacked)


def _network(
    words: list[_Word], size: tuple[int, int], settings: Network, seed: int
) -> dict[str, Array]:
    """The weights of one network, with so many letter ids and outputs, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = _Net(*size, settings)
            _fit(net, words, settings, seed)
    finally:
        torch.set_num_threads(threads)
    return _weights(net, settings)


def _fit(net: _Net, words: list[_Word], settings: Network, seed: int) -> None:
    rng = np.random.default_rng(seed)
    batches = len(list(_batches(words, settings.batch, np.random.default_rng(seed))))
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=settings.lr, betas=(0.9, 0.98), weight_decay=_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.lr, total_steps=settings.epochs * batches, pct_start=_WARM
    )
    net.train()
    with tqdm(total=settings.epochs * batches, desc="unknown words", unit="batch") as bar:
        for _ in range(settings.epochs):
            for chosen in _batches(words, settings.batch, rng):
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


def _weights(net: _Net, settings: Network) -> dict[str, Array]:
    """The weights as `Transducer` names and lays them out, of one network.

    torch.nn.GRU keeps two biases a gate; only the new gate's recurrent one acts apart. What a
    letter has made acts on the gates through its embedding: the two matrices become one.
    """
    state = {name: tensor.detach().numpy() for name, tensor in net.state_dict().items()}
    both = 2 * settings.reader
    weights = {"embedding": state["embedding.weight"]}
    for layer in range(settings.layers):
        ways = [_gru(state, f"reader.{{}}_l{layer}{way}") for way in ("", "_reverse")]
        weights |= {f"{name}_{layer}": np.stack([way[name] for way in ways]) for name in ways[0]}
    weights |= _gru(state, "writer.{}_l0")
    weights["made"] = state["made.weight"][: net.nothing + 1] @ weights["inputs"][both:]
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
