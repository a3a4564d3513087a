"""Kokoro with gradients: stock modules, run as in inference, with teacher forcing.

Shapes: B utterances, T tokens with BOS and EOS, C crop length in duration units, 2C frames of F0
and energy, 600C samples.

Durations are learned on whole utterances. F0, energy and waveform are learned on crops of equal
length, because the biLSTM of F0Ntrain and every instance norm would mix padding into real frames.
Source of that split: StyleTTS2, https://arxiv.org/abs/2306.07691, second-stage training.
"""

from dataclasses import dataclass

import torch
from kokoro import KModel
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lbtts.models.kokoro.network import adapters
from lbtts.models.kokoro.network.recomputation import make_lean
from lbtts.models.kokoro.voices.table import VoiceTable
from lbtts.models.kokoro.weights.checkpoint import instance_norms
from lbtts.models.kokoro.weights.facts import DECODER_STYLE, LEAD, PARTS, UNREACHED, part_of


@dataclass(frozen=True)
class Crop:
    """A crop of every utterance in units: `start` [B] int64 and `units`, the common length C."""

    start: Tensor
    units: int


@dataclass(frozen=True)
class Prediction:
    """Everything that one forward pass computes.

    Attributes:
        duration_logits: [B, T, 50]; a token's duration is the sum of their sigmoids.
        durations: [B, T] float, in units, unrounded; not defined beyond an utterance's length.
        lengths: [B] int64, tokens of each utterance.
        f0: [B, 2C] Hz, predicted.
        energy: [B, 2C] log norm, predicted.
        audio: [B, 600C], 24 kHz; [B, 0] if the decoder did not run.
    """

    duration_logits: Tensor
    durations: Tensor
    lengths: Tensor
    f0: Tensor
    energy: Tensor
    audio: Tensor


class Kokoro(nn.Module):
    """A KModel and its voice table, trainable together, also under autocast.

    These stay in float32, because they need precision: durations and prosody, which are numbers in
    units and Hz; the phase of the harmonic source, a sum over thousands of samples; and the output
    of the last convolution, the spectrum for the inverse STFT.
    """

    def __init__(self, model: KModel, voice: VoiceTable) -> None:
        """Takes both unchanged; `make_trainable` prepares a model for training."""
        super().__init__()
        self.model = model
        self.voice = voice

    def components(self) -> dict[str, list[nn.Parameter]]:
        """The tensors that may train, by part of the KModel, and `voice`.

        Adapters train in place of the part that they adapt.
        """
        found: dict[str, list[nn.Parameter]] = {part: [] for part in PARTS}
        adapted = adapters.parts(self.model)
        fixed = _fixed(self.model)
        for name, parameter in self.model.named_parameters():
            part = part_of(name)
            if name not in fixed and adapters.belongs(name) == (part in adapted):
                found[part].append(parameter)
        return found | {"voice": list(self.voice.parameters())}

    def forward_train(
        self,
        tokens: Tensor,
        voice_row: Tensor,
        *,
        teacher_dur: Tensor | None = None,
        teacher_f0: Tensor | None = None,
        teacher_noise: Tensor | None = None,
        teacher_forced: Tensor | None = None,
        crop: Crop | None = None,
        waveform: bool = True,
        waveform_learns: bool = True,
    ) -> Prediction:
        """Predicts durations for whole utterances, and F0, energy and waveform for a crop of each.

        Args:
            tokens: [B, T] int64, BOS and EOS included, zeros after the EOS.
            voice_row: [B, 256] float32.
            teacher_dur: [B, T] int64 units of the recording; None: the model's own, rounded.
            teacher_f0: [B, 2C] Hz of the recording's crop, for the decoder; None: the model's own.
            teacher_noise: [B, 2C] energy (StyleTTS2's "N"), likewise.
            teacher_forced: [B] bool, the utterances for which the decoder gets `teacher_f0` and
                `teacher_noise`; None: all.
            crop: the part that F0Ntrain and decoder process; None: whole utterances.
            waveform: whether the decoder runs, which takes most of the time.
            waveform_learns: whether its graph is kept, which takes most of the memory.

        Raises:
            ValueError: without a crop, utterances of different lengths in units.
        """
        model, predictor = self.model, self.model.predictor
        decoder_style, prosody_style = voice_row[:, :DECODER_STYLE], voice_row[:, DECODER_STYLE:]
        lengths = token_lengths(tokens)
        mask = torch.arange(tokens.shape[1], device=tokens.device) >= lengths[:, None]

        hidden = model.bert(tokens, attention_mask=(~mask).int())
        with torch.autocast(tokens.device.type, enabled=False):
            hidden = model.bert_encoder(hidden.float()).transpose(-1, -2)
            text = predictor.text_encoder(hidden, prosody_style, lengths, mask)  # [B, T, 640]
            logits = predictor.duration_proj(_packed(predictor.lstm, text, lengths))
            durations = torch.sigmoid(logits).sum(-1)

            units = teacher_dur
            if units is None:
                units = durations.detach().round().clamp(min=1).long().masked_fill(mask, 0)
            index = token_of_unit(units, crop)  # [B, C]
            prosodic = _expanded(text.transpose(-1, -2), index)
            f0, energy = predictor.F0Ntrain(prosodic, prosody_style)
        audio = f0.new_zeros(len(f0), 0)
        if waveform:
            with torch.set_grad_enabled(torch.is_grad_enabled() and waveform_learns):
                phonetic = _expanded(model.text_encoder(tokens, lengths, mask), index)
                audio = model.decoder(
                    phonetic,
                    _forced(f0, teacher_f0, teacher_forced),
                    _forced(energy, teacher_noise, teacher_forced),
                    decoder_style,
                ).squeeze(1)
        return Prediction(logits, durations, lengths, f0, energy, audio)


def make_trainable(model: KModel, voice: VoiceTable) -> Kokoro:
    """`model` and its voice table, ready for training; changes the model in place.

    Parameters that get no gradient are frozen, residual blocks keep less of the forward pass, and
    the harmonic source runs without autocast. The model's output stays the same.
    """
    for name in _fixed(model):
        model.get_parameter(name).requires_grad_(False)
    _keep_source_in_float32(model)
    make_lean(model)
    return Kokoro(model, voice)


def _fixed(model: KModel) -> set[str]:
    """The parameters that never train."""
    norms = instance_norms(model)
    return {
        name for name, _ in model.named_parameters() if name in norms or name.startswith(UNREACHED)
    }


def token_lengths(tokens: Tensor) -> Tensor:
    """Tokens of each utterance, [B] int64, EOS included, from [B, T] ids padded with zeros.

    BOS, EOS and padding all have the id 0, and no other token has it, so the EOS is the zero after
    the last id that is not zero.
    """
    position = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
    return (tokens.ne(0) * position).amax(1) + 1


def token_of_unit(units: Tensor, crop: Crop | None = None) -> Tensor:
    """For each duration unit, the index of its token: [B, C] int64 from the units [B, T] of tokens.

    Raises:
        ValueError: without a crop, utterances of different lengths; with one, a crop that leaves
            its utterance.
    """
    ends = units.cumsum(1)
    totals = ends[:, -1]
    if crop is None:
        if not bool((totals == totals[0]).all()):
            raise ValueError(f"utterances of {totals.tolist()} units need a crop")
        crop = Crop(torch.zeros_like(totals), int(totals[0]))
    if bool((crop.start + crop.units > totals).any()):
        raise ValueError(
            f"a crop of {crop.units} units leaves utterances of {totals.tolist()} units"
        )
    position = crop.start[:, None] + torch.arange(crop.units, device=units.device)
    return torch.searchsorted(ends, position, right=True)


def in_network_time(units: Tensor) -> Tensor:
    """Durations [B, T] int64 with which the network sounds at the times that `units` [B, T] say.

    Every boundary is `LEAD` later, but none beyond the end: BOS is longer, and EOS is shorter, or
    where that is not enough the tokens before it too.
    """
    ends = units.cumsum(1)
    later = torch.minimum(ends + LEAD, ends[:, -1:])
    return later.diff(dim=1, prepend=later.new_zeros(len(later), 1))


def _packed(lstm: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    """The LSTM's output [B, T, H] with padding left out of the recurrence."""
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]


def _expanded(x: Tensor, index: Tensor) -> Tensor:
    """Columns [B, H, C] of `x` [B, H, T], each token repeated for its units."""
    return x.gather(2, index[:, None].expand(-1, x.shape[1], -1))


def _forced(own: Tensor, teacher: Tensor | None, forced: Tensor | None) -> Tensor:
    """The curve [B, 2C] for the decoder: the recording's if teacher-forced, else predicted."""
    if teacher is None:
        return own
    return teacher if forced is None else torch.where(forced[:, None], teacher, own)


def _keep_source_in_float32(model: KModel) -> None:
    """Makes the harmonic source and the output of the last convolution float32 under autocast.

    Kokoro's generator computes them inside its own forward pass, so hooks switch autocast off.
    """
    generator = model.decoder.generator
    before: list[bool] = []

    def leave(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        device = inputs[0].device.type
        before.append(torch.is_autocast_enabled(device))
        torch.set_autocast_enabled(device, False)

    def come_back(module: nn.Module, inputs: tuple[Tensor, ...], output: object) -> None:
        torch.set_autocast_enabled(inputs[0].device.type, before.pop())

    generator.m_source.register_forward_pre_hook(leave)
    generator.m_source.register_forward_hook(come_back, always_call=True)
    generator.conv_post.register_forward_hook(lambda module, inputs, output: output.float())
