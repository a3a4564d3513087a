"""The losses of the baseline, one value for each utterance.

Shapes: B utterances, T tokens, N steps of R frames, F = R N frames.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from lbtts.models.recipe import Losses
from lbtts.models.transformer.network.model import Output

NAMES = ("mel", "duration", "stop")
_LAST = 5.0  # weight of the one step that is the last


def losses(made: Output, mel: Tensor, frames: Tensor, units: Tensor) -> Losses:
    """Each of `NAMES`, [B] float32.

    mel: L1 of the normalised frames, averaged over them. duration: squared error of the logarithm
    of the units, averaged over tokens. stop: cross-entropy of "this step is the last", in which the
    last step counts five times, averaged over steps.

    Args:
        made: by the network.
        mel: [B, F, 80], normalised.
        frames: [B] int64, how many of them count.
        units: [B, T] int64, 0 for padding.
    """
    place = torch.arange(mel.shape[1], device=mel.device)
    valid = (place < frames[:, None]).float()
    apart = (made.mel.float() - mel).abs().mean(-1)
    per_step = mel.shape[1] // made.stop.shape[1]
    steps = -(-frames // per_step)
    place = torch.arange(made.stop.shape[1], device=mel.device)
    last = (place == steps[:, None] - 1).float()
    wrong = F.binary_cross_entropy_with_logits(
        made.stop.float(), last, pos_weight=mel.new_tensor(_LAST), reduction="none"
    )
    tokens = (units > 0).float()
    logarithm = units.clamp(min=1).float().log()
    return {
        "mel": _mean(apart, valid),
        "duration": _mean((made.log_units.float() - logarithm) ** 2, tokens),
        "stop": _mean(wrong, (place < steps[:, None]).float()),
    }


def _mean(values: Tensor, valid: Tensor) -> Tensor:
    return (values * valid).sum(1) / valid.sum(1)
