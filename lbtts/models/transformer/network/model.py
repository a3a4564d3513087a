"""The network: tokens to mel frames, with teacher forcing or by itself.

Shapes: B utterances, T tokens with BOS and EOS, N steps of R frames, F = R N frames, D width.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint, noop_context_fn

from lbtts.grid import MAX_UNITS, MIN_UNITS
from lbtts.models.transformer import mel as mels
from lbtts.models.transformer.network.attention import LONGEST
from lbtts.models.transformer.network.decoder import Decoder
from lbtts.models.transformer.network.encoder import (
    DurationPredictor,
    EncoderLayer,
    LengthRegulator,
    TokenEmbedding,
)
from lbtts.models.transformer.noise import SequenceNoise
from lbtts.params import Architecture

_SEGMENTS = 2  # of each half, four in all, whose inputs are kept when layers are recomputed
_SILENCE = (-2.5, 1.0)  # mean and spread of log-mels before the corpus is known
_SLACK = 10  # steps after the text in which the stop may still come
_STILL = 0.01  # mean change of normalised frames, below which nothing moves
_STILL_SECONDS = 0.5


@dataclass(frozen=True)
class Output:
    """What the network makes of a batch.

    mel: [B, F, 80], normalised.
    log_units: [B, T], logarithm of the units of each token.
    stop: [B, N], logits.
    """

    mel: Tensor
    log_units: Tensor
    stop: Tensor


@dataclass(frozen=True)
class Spoken:
    """An utterance that the network spoke by itself.

    mel: [F, 80], base-10 logarithm of the amplitude.
    units: [T] int64, of its tokens.
    faults: what went wrong, a line each: no stop, or frames that repeat.
    """

    mel: Tensor
    units: Tensor
    faults: tuple[str, ...]


class Transformer(nn.Module):
    """Text encoder, duration predictor, length regulator and causal mel decoder."""

    def __init__(self, shape: Architecture) -> None:
        """Makes the network with random weights from torch's generator."""
        super().__init__()
        self.shape = shape
        size = (shape.width, shape.heads, shape.feed_forward, shape.dropout)
        self.embedding = TokenEmbedding(shape.width, shape.dropout)
        self.encoder = nn.ModuleList(EncoderLayer(*size) for _ in range(shape.encoder_layers))
        self.encoder_norm = nn.LayerNorm(shape.width)
        self.durations = DurationPredictor(shape.width, shape.dropout)
        self.regulator = LengthRegulator(shape.width)
        self.decoder = Decoder(
            width=shape.width,
            heads=shape.heads,
            inner=shape.feed_forward,
            layers=shape.decoder_layers,
            bottleneck=shape.bottleneck,
            frames_per_step=shape.frames_per_step,
            window=shape.window,
            dropout=shape.dropout,
        )
        self.recomputes = False
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.full((mels.N_MELS,), _SILENCE[0]))
        self.register_buffer("scale", torch.full((mels.N_MELS,), _SILENCE[1]))

    def model_info(self) -> dict[str, float]:
        """Parameters of each half and in all, and megabytes in float32."""
        count = {name: sum(p.numel() for p in m.parameters()) for name, m in self.named_children()}
        total = sum(count.values())
        decoder = count["decoder"]
        return {
            "parameters": total,
            "text_parameters": total - decoder,
            "decoder_parameters": decoder,
            "megabytes": round(4 * total / 1e6, 1),
        }

    def normalised(self, mel: Tensor) -> Tensor:
        """Log-mels [..., 80] with mean 0 and spread 1 in each band."""
        return (mel - self.mean) / self.scale

    def forward(
        self,
        tokens: Tensor,
        units: Tensor,
        history: Tensor,
        noise: SequenceNoise | None = None,
        own: Tensor | None = None,
    ) -> Output:
        """The network's output under teacher forcing.

        Args:
            tokens: [B, T] int64, 0 after the EOS.
            units: [B, T] int64, 0 after the EOS.
            history: [B, N, 80], the normalised frame before each step.
            noise: of dropout; None in evaluation.
            own: [B, N] bool, the steps that get the network's own frame instead (scheduled
                sampling in two passes, Mihaylova and Martins, https://arxiv.org/abs/1906.07651).
        """
        lengths = (units > 0).sum(1)
        of_tokens = noise and noise.over(lengths)
        with of_tokens or nullcontext():
            encoded = self.encode(tokens, lengths, of_tokens)
            log_units = self.durations(encoded).squeeze(-1)
        frames, steps = self.on_grid(units)
        of_steps = noise and noise.over(steps)
        with of_steps or nullcontext():
            memory = self.decoder.remember(self._padded(self.regulator(encoded, frames)))
            if own is not None:
                with torch.no_grad():
                    guess, _ = self._decode(history, memory, steps, None)
                history = torch.where(own.unsqueeze(-1), self.shifted(guess), history)
            mel, stop = self._decode(history, memory, steps, of_steps)
        return Output(mel, log_units, stop)

    def encode(self, tokens: Tensor, lengths: Tensor, noise: SequenceNoise | None) -> Tensor:
        """[B, T, D] of tokens [B, T], of which the first `lengths` [B] count."""
        mask = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        mask = mask[:, None, None]
        x = self._through(
            self.encoder, lambda layer, y: layer(y, mask), self.embedding(tokens), noise
        )
        return self.encoder_norm(x)

    def shifted(self, mel: Tensor) -> Tensor:
        """The frame before each step [B, N, 80], zeros before the first, of frames [B, F, 80]."""
        last = mel[:, self.shape.frames_per_step - 1 :: self.shape.frames_per_step]
        return F.pad(last[:, :-1], (0, 0, 1, 0))

    @torch.no_grad()
    def inference(
        self,
        tokens: Tensor,
        units: Tensor | None = None,
        stop_threshold: float = 0.5,
        max_mel_len: int = LONGEST,
        cached: bool = True,
    ) -> Spoken:
        """One utterance, step by step.

        It ends when the stop token is likelier than `stop_threshold`, which counts from the last
        token (EOS) on; with given units, after exactly their frames.

        Args:
            tokens: [1, T] int64.
            units: [1, T] int64; None for the network's own.
            stop_threshold: 0 to 1.
            max_mel_len: most frames; with given durations they are not limited.
            cached: whether keys and values of earlier steps are kept, or computed again at each
                step, in quadratic time, for comparison.
        """
        lengths = torch.tensor([tokens.shape[1]], device=tokens.device)
        encoded = self.encode(tokens, lengths, None)
        given = units is not None
        if units is None:
            predicted = self.durations(encoded).squeeze(-1).exp().round()
            units = predicted.clamp(MIN_UNITS, MAX_UNITS).long()
        frames, steps = self.on_grid(units)
        memory = self.decoder.remember(self._padded(self.regulator(encoded, frames)))
        per_step = self.shape.frames_per_step
        wanted = int(steps[0])
        eos = int(frames[0, :-1].sum()) // per_step
        most = wanted if given else min(wanted + _SLACK, max(1, max_mel_len // per_step))
        going = self.decoder.start(memory, most)
        before = memory.new_zeros(1, mels.N_MELS)
        history: list[Tensor] = []
        made: list[Tensor] = []
        stopped = given
        for step in range(most):
            history.append(before)
            if cached:
                now, stop = self.decoder.step(before, going)
            else:
                now, stop = self._again(torch.stack(history, 1), memory)
            made.append(now)
            before = now[:, -1]
            if not given and step >= eos and bool(stop.sigmoid() > stop_threshold):
                stopped = True
                break
        normalised = torch.cat(made, 1)[0]
        if given:
            normalised = normalised[: int(frames.sum())]
        elif not stopped:
            normalised = normalised[: wanted * per_step]
        mel = normalised * self.scale + self.mean
        faults = _faults(normalised, stopped or most < wanted)
        if most < wanted:
            faults.append(f"cut after max_mel_len {max_mel_len} of {int(frames.sum())} frames")
        return Spoken(mel, units[0], tuple(faults))

    def _again(self, history: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The last of `history`'s steps, with all of them computed."""
        count, there = history.shape[1], memory.shape[1]
        if count > there:
            raise ValueError("beyond the text only the cached way is defined")
        steps = torch.tensor([there], device=memory.device)
        padded = F.pad(history, (0, 0, 0, there - count))
        mel, stop = self._decode(padded, memory, steps, None)
        per_step = self.shape.frames_per_step
        return mel[:, (count - 1) * per_step : count * per_step], stop[:, count - 1]

    def _decode(
        self, history: Tensor, memory: Tensor, steps: Tensor, noise: SequenceNoise | None
    ) -> tuple[Tensor, Tensor]:
        mask = self.decoder.mask(steps, memory.shape[1])
        # Without noise there is no dropout: a first pass in training must not take any numbers.
        training = self.decoder.training
        self.decoder.train(training and noise is not None)
        x = self.decoder.begin(history, memory)
        x = self._through(self.decoder.layers, lambda layer, y: layer(y, memory, mask), x, noise)
        self.decoder.train(training)
        return self.decoder.finish(x)

    def _through(
        self,
        layers: nn.ModuleList,
        run: Callable[[nn.Module, Tensor], Tensor],
        x: Tensor,
        noise: SequenceNoise | None,
    ) -> Tensor:
        """`x` through all layers, in segments that are computed again if `recomputes` is set."""

        def segment(first: int, last: int, y: Tensor) -> Tensor:
            for layer in layers[first:last]:
                y = run(layer, y)
            return y

        if not (self.recomputes and torch.is_grad_enabled()):
            return segment(0, len(layers), x)
        size = -(-len(layers) // _SEGMENTS)
        for first in range(0, len(layers), size):
            x = checkpoint(
                segment,
                first,
                first + size,
                x,
                use_reentrant=False,
                preserve_rng_state=False,
                context_fn=noise.remembering if noise else noop_context_fn,
            )
        return x

    def on_grid(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Frames of each token [B, T] and steps of each utterance [B]."""
        frames = torch.from_numpy(mels.frames(units.cpu().numpy())).to(units.device)
        return frames, -(-frames.sum(1) // self.shape.frames_per_step)

    def _padded(self, regulated: Tensor) -> Tensor:
        """[B, F, D] with F a multiple of the frames per step."""
        missing = -regulated.shape[1] % self.shape.frames_per_step
        return F.pad(regulated, (0, 0, 0, missing))


def _faults(mel: Tensor, stopped: bool) -> list[str]:
    """What the normalised frames [F, 80] of an utterance, and its missing end, tell of faults."""
    found = [] if stopped else ["no stop after the last token; cut at the predicted length"]
    still = (mel.diff(dim=0).abs().mean(-1) < _STILL) & (mel[1:].mean(-1) > 0)
    longest = run = 0
    for frame in still.tolist():
        run = run + 1 if frame else 0
        longest = max(longest, run)
    seconds = longest * mels.HOP / mels.RATE
    if seconds > _STILL_SECONDS:
        found.append(f"the same frame repeats for {seconds:.1f} s")
    return found
