"""The speed of a training step of the baseline, beside torch's own transformer of the same size.

    python -m benchmarks.baseline_step [--utterances N] [--rounds N]

Peer: `nn.TransformerEncoder` and `nn.TransformerDecoder` as in `nn.Transformer`, with the same
embedding, durations, length regulation, losses and optimizer. It makes one frame a step and attends
to the whole text, as the baseline's documents describe it. The rounds alternate; each figure is the
median.
"""

import argparse
import statistics
import time

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.tables import as_table
from lbtts import params
from lbtts.models.transformer import mel as mels
from lbtts.models.transformer.losses import losses
from lbtts.models.transformer.network.attention import positions
from lbtts.models.transformer.network.encoder import LengthRegulator
from lbtts.models.transformer.network.model import Output, Transformer
from lbtts.models.transformer.noise import SequenceNoise
from lbtts.params import Architecture
from lbtts.text.vocab import N_TOKEN

_TOKENS, _UNITS = 60, 3  # of an utterance of 4.5 s
COLUMNS = {"parameters": "parameters, M", "seconds": "s a step", "ratio": "times as fast"}


class Plain(nn.Module):
    """The same network from torch's own parts."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        width = shape.width
        options = {"batch_first": True, "norm_first": True, "dropout": shape.dropout}
        size = (width, shape.heads, shape.feed_forward)
        self.symbols = nn.Embedding(N_TOKEN, width)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(*size, **options),
            shape.encoder_layers,
            enable_nested_tensor=False,
        )
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(*size, **options), shape.decoder_layers
        )
        self.regulator = LengthRegulator(width)
        self.before, self.mel = nn.Linear(mels.N_MELS, width), nn.Linear(width, mels.N_MELS)
        self.durations, self.stop = nn.Linear(width, 1), nn.Linear(width, 1)
        self.register_buffer("positions", positions(width), persistent=False)

    def forward(self, tokens: Tensor, frames: Tensor, history: Tensor) -> Output:
        padding = frames == 0
        x = self.symbols(tokens) + self.positions[: tokens.shape[1]]
        encoded = self.encoder(x, src_key_padding_mask=padding)
        memory = self.regulator(encoded, frames)
        count = memory.shape[1]
        places = torch.arange(count) >= frames.sum(1)[:, None]
        made = self.decoder(
            self.before(history) + self.positions[:count],
            memory + self.positions[:count],
            tgt_mask=nn.Transformer.generate_square_subsequent_mask(count),
            tgt_is_causal=True,
            tgt_key_padding_mask=places.float().masked_fill(places, -torch.inf),
            memory_key_padding_mask=places,
        )
        return Output(
            self.mel(made), self.durations(encoded).squeeze(-1), self.stop(made).squeeze(-1)
        )


def batch(count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens [B, T], units [B, T], frames [B, T] and mels [B, F, 80] of `count` utterances."""
    draw = np.random.default_rng(0)
    lengths = draw.integers(_TOKENS // 2, _TOKENS + 1, count)
    units = draw.integers(1, 2 * _UNITS, (count, lengths.max()))
    units *= np.arange(lengths.max()) < lengths[:, None]
    tokens = draw.integers(43, 90, units.shape) * (units > 0)
    frames = mels.frames(units)
    longest = 2 * -(-int(frames.sum(1).max()) // 2)
    mel = draw.standard_normal((count, longest, mels.N_MELS)).astype(np.float32)
    return *(torch.from_numpy(x) for x in (tokens, units, frames)), torch.from_numpy(mel)


def stepper(network: nn.Module, run):  # type: ignore[no-untyped-def]
    """A training step as a function without arguments."""
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    network.train()

    def step() -> None:
        sum(loss.sum() for loss in run().values()).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--utterances", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    shape = params.load("profiles/baseline.yaml").transformer.architecture
    tokens, units, frames, mel = batch(given.utterances)
    counts = frames.sum(1)

    def ours(per_step: int):  # type: ignore[no-untyped-def]
        network = Transformer(shape.model_copy(update={"frames_per_step": per_step}))
        noise = SequenceNoise(range(len(tokens)), torch.device("cpu"))
        target = mel if per_step > 1 else mel[:, : int(counts.max())]

        def run():  # type: ignore[no-untyped-def]
            made = network(tokens, units, network.shifted(target), noise)
            return losses(made, target, counts, units)

        return network, stepper(network, run)

    plain = Plain(shape)
    whole = mel[:, : int(counts.max())]

    def run_plain():  # type: ignore[no-untyped-def]
        history = nn.functional.pad(whole[:, :-1], (0, 0, 1, 0))
        return losses(plain(tokens, frames, history), whole, counts, units)

    systems = {
        "torch's own": (plain, stepper(plain, run_plain)),
        "baseline": ours(shape.frames_per_step),
        "baseline, one frame a step": ours(1),
    }
    taken: dict[str, list[float]] = {name: [] for name in systems}
    for number in range(given.rounds + 1):
        for name, (_, step) in systems.items():
            begin = time.perf_counter()
            step()
            if number:  # the first is a warm-up
                taken[name].append(time.perf_counter() - begin)
    seconds = {name: statistics.median(several) for name, several in taken.items()}
    rows = {
        name: {
            "parameters": sum(p.numel() for p in network.parameters()) / 1e6,
            "seconds": seconds[name],
            "ratio": seconds["torch's own"] / seconds[name],
        }
        for name, (network, _) in systems.items()
    }
    print(as_table(rows, COLUMNS))


if __name__ == "__main__":
    main()
