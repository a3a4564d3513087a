"""A plain training step in the manner of StyleTTS2, to measure ours against.

What its paper (https://arxiv.org/abs/2306.07691) and its published training programs say, for what
Kokoro has of it. Utterances come in the order of a shuffle, so many a batch, whatever their
lengths. Each is read whole, its mel computed when it is read, and text, mel and alignment are
padded to the longest. The text side runs on the padded batch; its output is spread over the padded
frames by a product with the alignment, 0 or 1 per token and unit. Then everything is cut to crops
as long as the shortest utterance, at most 200 frames (their default `max_len`). F0 and N of the
crops are computed in the step. F0, N and waveform are predicted, the waveform from the predicted F0
and N, and the duration losses taken utterance by utterance. Each component has an AdamW of its own.

In the second stage there is one more pass through the decoder, without gradients, with the true F0
and N: the reconstruction that is the target first and goes to the adversarial losses later.
Fine-tuning does without, so both are measured.

What Kokoro lacks has its equivalent on both sides or is left out on both: the voice row stands for
the style encoders, given durations for the aligner; there are no discriminators, no WavLM, no
diffusion. Their pitch network becomes DIO, the fastest tracker at hand. All components are trained,
as in ours. Ours has on top of it an average of the weights, clipping, and an STFT loss.
"""

from dataclasses import dataclass

import numpy as np
import pyworld
import torch
import torch.nn.functional as F
from kokoro import KModel
from torch import Tensor, nn

from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.features import FeatureStore
from lbtts.grid import FRAME_RATE, FRAMES_PER_UNIT, HOP, MAX_UNITS, SAMPLE_RATE
from lbtts.models.kokoro.network.losses import SpectralLoss
from lbtts.models.kokoro.voices.table import InitialVoice, VoiceTable
from lbtts.models.kokoro.weights.facts import COMPONENTS, DECODER_STYLE

MAX_FRAMES = 200  # of a crop, 2.5 s
WINDOW = torch.hann_window(mel.WINDOW)
FILTERBANK = torch.from_numpy(mel.FILTERBANK)


@dataclass(frozen=True)
class Padded:
    """A batch padded to its longest utterance."""

    waves: list[Tensor]  # [S], each of its own length
    tokens: Tensor  # [B, T] int64
    lengths: Tensor  # [B] int64, tokens
    mels: Tensor  # [B, 80, F]
    alignment: Tensor  # [B, T, U], 1 where the unit belongs to the token
    units: Tensor  # [B] int64


def read(store: FeatureStore, chosen: np.ndarray) -> Padded:
    """The utterances at `chosen`, mels computed from their waveforms."""
    rows = [store[int(i)] for i in chosen]
    totals = torch.tensor([int(row.units.sum()) for row in rows])
    lengths = torch.tensor([len(row.tokens) for row in rows])
    size, longest, text = len(rows), int(totals.max()), int(lengths.max())
    tokens = torch.zeros(size, text, dtype=torch.long)
    mels = torch.zeros(size, mel.N_MELS, longest * FRAMES_PER_UNIT)
    alignment = torch.zeros(size, text, longest)
    waves = [torch.from_numpy(row.audio) for row in rows]
    for i, row in enumerate(rows):
        tokens[i, : lengths[i]] = torch.from_numpy(row.tokens)
        frames = int(totals[i]) * FRAMES_PER_UNIT
        mels[i, :, :frames] = log_mel(waves[i])[:, :frames]
        owner = np.repeat(np.arange(len(row.units)), row.units)
        alignment[i, owner, np.arange(len(owner))] = 1
    return Padded(waves, tokens, lengths, mels, alignment, totals)


def log_mel(wave: Tensor) -> Tensor:
    """[80, F]."""
    spectrum = torch.stft(
        wave, mel.N_FFT, HOP, mel.WINDOW, WINDOW, return_complex=True, pad_mode="reflect"
    )
    return (mel.LOG_FLOOR + FILTERBANK @ spectrum.abs().square()).log()


def f0(wave: Tensor, frames: int) -> Tensor:
    """[F] Hz."""
    audio = wave.double().numpy()
    found = pyworld.dio(
        audio, SAMPLE_RATE, f0_floor=60, f0_ceil=500, frame_period=1000 / FRAME_RATE
    )
    return torch.from_numpy(pyworld.stonemask(audio, *found, SAMPLE_RATE)[:frames]).float()


class PlainTrainer:
    """Model, voice, losses and optimizers of the plain step; `seconds` counts what it trained."""

    def __init__(
        self, model: KModel, voice: InitialVoice, device: torch.device, second: bool
    ) -> None:
        """`second`: with the second stage's extra pass through the decoder."""
        self.model = model.to(device).train()
        self.voice = VoiceTable(voice.table, voice.projection).to(device)
        self.spectral = SpectralLoss().to(device)
        self.device, self.second = device, second
        parts = [getattr(model, name) for name in COMPONENTS] + [self.voice]
        self.optimizers = [torch.optim.AdamW(part.parameters(), lr=1e-4) for part in parts]
        self.seconds = 0.0
        self._draw = np.random.default_rng(0)

    def step(self, batch: Padded) -> float:
        """Trains on a batch; the loss."""
        model, device = self.model, self.device
        tokens, lengths = batch.tokens.to(device), batch.lengths.to(device)
        alignment, mels = batch.alignment.to(device), batch.mels.to(device)
        mask = torch.arange(tokens.shape[1], device=device) >= lengths[:, None]
        row = self.voice.rows(lengths)
        style, prosody = row[:, :DECODER_STYLE], row[:, DECODER_STYLE:]

        text = model.text_encoder(tokens, lengths, mask) @ alignment
        hidden = model.bert(tokens, attention_mask=(~mask).int())
        hidden = model.bert_encoder(hidden).transpose(-1, -2)
        logits, prosodic = model.predictor(hidden, prosody, lengths, alignment, mask)

        length = min(int(batch.units.min()) - 1, MAX_FRAMES // FRAMES_PER_UNIT)
        starts = [int(self._draw.integers(0, int(n) - length)) for n in batch.units]

        def crop(rows: Tensor | list[Tensor], rate: int) -> Tensor:
            cut = [
                x[..., s * rate : (s + length) * rate] for x, s in zip(rows, starts, strict=True)
            ]
            return torch.stack(cut).to(device)

        phonetic, prosodic = crop(text, 1), crop(prosodic, 1)
        frames = length * FRAMES_PER_UNIT
        audio = crop(batch.waves, FRAMES_PER_UNIT * HOP)
        with torch.no_grad():
            true_f0 = torch.stack([f0(wave, frames) for wave in audio.cpu()]).to(device)
            true_energy = crop(mels, FRAMES_PER_UNIT).exp().norm(dim=1).log()
            if self.second:
                model.decoder(phonetic, true_f0, true_energy, style)
        pitch, energy = model.predictor.F0Ntrain(prosodic, prosody)
        spoken = model.decoder(phonetic, pitch, energy, style).squeeze(1)

        loss = 5 * self.spectral(spoken, audio)[0].mean()
        loss = loss + F.smooth_l1_loss(pitch, true_f0) / 10
        loss = loss + F.smooth_l1_loss(energy, true_energy)
        for found, true, n in zip(logits, alignment.sum(-1), lengths.tolist(), strict=True):
            loss = loss + duration_loss(found[:n], true[:n]) / len(lengths)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.seconds += audio.numel() / SAMPLE_RATE
        return loss.item()


def duration_loss(logits: Tensor, units: Tensor) -> Tensor:
    """Of one utterance, from [T, 50] logits and [T] units."""
    target = (torch.arange(MAX_UNITS, device=units.device) < units[:, None]).float()
    predicted = logits.sigmoid().sum(1)
    error = F.l1_loss(predicted[1:-1], units[1:-1])
    return error + 20 * nn.functional.binary_cross_entropy_with_logits(logits, target)
