"""Replay: what the base itself says, in its own voices, as a lesson beside the speaker's.

Without it a network that learns a speaker's language forgets the voices and languages that it
knew. The base's durations, F0, energy and waveform of some English sentences are the targets; their
phonemes are in `replay.txt`.

Source of the idea: Robins, "Catastrophic forgetting, rehearsal and pseudorehearsal", Connection
Science 7 (1995).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from lbtts.errors import InputError
from lbtts.grid import FRAMES_PER_UNIT, SAMPLES_PER_UNIT
from lbtts.models.kokoro.network import losses
from lbtts.models.kokoro.network.trainable import Crop, Kokoro
from lbtts.models.kokoro.weights.facts import table_row
from lbtts.models.randomness import UtteranceNoise, seeded_noise
from lbtts.models.recipe import Losses, weighted
from lbtts.text.vocab import EDGE, encode

_PHONEMES = Path(__file__).with_name("replay.txt")
_DRAWS = 3  # numbers that an utterance draws: whether, which sentence, which part of it
_ANOTHER = 2**62  # from an utterance's seed to that of the sentence beside it


@dataclass(frozen=True)
class Sentence:
    """What the base said.

    Attributes:
        tokens: [T] int64, BOS and EOS included.
        units: [T] int64.
        row: [256] float32, of the voice.
        f0: [2 x units] float32, Hz.
        energy: [2 x units] float32.
        audio: [600 x units] float32.
    """

    tokens: Tensor
    units: Tensor
    row: Tensor
    f0: Tensor
    energy: Tensor
    audio: Tensor


def speak(
    network: Kokoro, voices: Mapping[str, Tensor], shortest: int, seed: int
) -> list[Sentence]:
    """The sentences of `replay.txt`, said by the base in each of its voices in turn.

    Args:
        network: the base, before it has learned.
        voices: tables [510, 1, 256] float32, by name.
        shortest: units; shorter sentences are left out, because no crop of them is long enough.
        seed: of the source's noise.

    Raises:
        InputError: the base has no voices, or every sentence is shorter.
    """
    if not voices:
        raise InputError("kokoro.replay.share: the base has no voices of its own; set it to 0")
    found = []
    lines = _PHONEMES.read_text(encoding="utf-8").splitlines()
    network.eval()
    for line, name in tqdm(list(zip(lines, cycle(sorted(voices)), strict=False)), desc="replay"):
        tokens = torch.tensor([EDGE, *encode(line), EDGE])
        row = voices[name][table_row(len(tokens)), 0]
        with torch.no_grad(), seeded_noise(seed):
            said = network.forward_train(tokens[None], row[None])
        units = said.durations[0].round().clamp(min=1).long()
        if int(units.sum()) >= shortest:
            curves = said.f0[0], said.energy[0], said.audio[0]
            found.append(Sentence(tokens, units, row, *curves))
    if not found:
        raise InputError(
            f"kokoro.replay: no sentence lasts {shortest} units; lower train.crop_seconds"
        )
    return found


class Replay(nn.Module):
    """The lesson of what the base says, beside some utterances of each batch."""

    def __init__(self, sentences: Sequence[Sentence], share: float) -> None:
        """Takes what `speak` gives, and the share of utterances that a sentence accompanies."""
        super().__init__()
        self._sentences = sentences
        self._share = share

    def forward(
        self,
        network: Kokoro,
        seeds: Sequence[int],
        units: int,
        spectral: losses.SpectralLoss,
        weights: Mapping[str, float],
    ) -> Tensor:
        """The weighted losses [B] of the sentence beside each utterance; 0 where there is none.

        Args:
            network: in training mode.
            seeds: [B], of the utterances' random numbers; a sentence's follow from them.
            units: of a crop.
            spectral: the losses `mel` and `stft`.
            weights: of the losses.
        """
        device = next(network.parameters()).device
        own = [(seed + _ANOTHER) % 2**63 for seed in seeds]
        with UtteranceNoise(own, device) as noise:
            drawn = noise.uniform(_DRAWS).cpu()
        rows = torch.nonzero(drawn[:, 0] < self._share).flatten().tolist()
        total = torch.zeros(len(seeds), device=device)
        if not rows:
            return total
        chosen = [self._sentences[int(drawn[b, 1] * len(self._sentences))] for b in rows]
        spare = [int(sentence.units.sum()) - units for sentence in chosen]
        starts = [int(drawn[b, 2] * (s + 1)) for b, s in zip(rows, spare, strict=True)]
        with UtteranceNoise([own[b] for b in rows], device):
            heard = not weights.keys().isdisjoint(("mel", "stft"))
            found = self._losses(network, chosen, starts, units, spectral if heard else None)
        return total.index_add(0, torch.tensor(rows, device=device), weighted(found, weights))

    @staticmethod
    def _losses(
        network: Kokoro,
        chosen: Sequence[Sentence],
        starts: Sequence[int],
        units: int,
        spectral: losses.SpectralLoss | None,
    ) -> Losses:
        """The losses of crops of sentences; without `spectral` those of prosody alone."""
        device = next(network.parameters()).device

        def cut(name: str, per_unit: int) -> Tensor:
            parts = (
                getattr(sentence, name)[start * per_unit : (start + units) * per_unit]
                for sentence, start in zip(chosen, starts, strict=True)
            )
            return torch.stack([*parts]).to(device)

        tokens, lasting = (
            pad_sequence([getattr(s, name) for s in chosen], batch_first=True).to(device)
            for name in ("tokens", "units")
        )
        f0, energy = (cut(name, FRAMES_PER_UNIT) for name in ("f0", "energy"))
        said = network.forward_train(
            tokens,
            torch.stack([s.row for s in chosen]).to(device),
            teacher_dur=lasting,
            teacher_f0=f0,
            teacher_noise=energy,
            crop=Crop(torch.tensor(starts, device=device), units),
            waveform=spectral is not None,
        )
        pitch, unvoiced = losses.f0_error(said.f0, f0)
        compared = {}
        if spectral:
            mel, stft = spectral(said.audio, cut("audio", SAMPLES_PER_UNIT))
            compared = {"mel": mel, "stft": stft}
        return compared | {
            "duration": losses.duration_l1(said.durations, lasting, said.lengths),
            "duration_ce": losses.duration_ce(said.duration_logits, lasting, said.lengths),
            "f0": pitch,
            "unvoiced": unvoiced,
            "energy": losses.energy_error(said.energy, energy),
        }
