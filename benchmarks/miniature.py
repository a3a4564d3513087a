"""A miniature of Kokoro, a fortieth of its size, for experiments on a CPU.

Its grid, styles, vocabulary and module classes are Kokoro's; only widths and depths differ. Stock
kokoro cannot load it, because the widths of its Decoder are fixed in its code.
"""

from typing import Any
from unittest.mock import patch

import kokoro.model
from kokoro import KModel
from kokoro.istftnet import AdainResBlk1d, Decoder, Generator
from torch import nn
from torch.nn.utils import weight_norm

from lbtts.models.kokoro.weights import checkpoint, facts

HIDDEN, WIDTH = 64, 128


class SmallDecoder(Decoder):
    """Kokoro's decoder with 128 channels in place of 1024 and 512, and its stock forward pass."""

    def __init__(
        self,
        dim_in: int,
        style_dim: int,
        dim_out: int,
        disable_complex: bool = False,
        **istftnet: Any,
    ) -> None:
        nn.Module.__init__(self)
        wide = WIDTH + 2 + 64
        self.encode = AdainResBlk1d(dim_in + 2, WIDTH, style_dim)
        self.decode = nn.ModuleList(
            [
                AdainResBlk1d(wide, WIDTH, style_dim),
                AdainResBlk1d(wide, istftnet["upsample_initial_channel"], style_dim, upsample=True),
            ]
        )
        self.F0_conv = weight_norm(nn.Conv1d(1, 1, kernel_size=3, stride=2, padding=1))
        self.N_conv = weight_norm(nn.Conv1d(1, 1, kernel_size=3, stride=2, padding=1))
        self.asr_res = nn.Sequential(weight_norm(nn.Conv1d(dim_in, 64, kernel_size=1)))
        self.generator = Generator(style_dim, disable_complex=disable_complex, **istftnet)


def config() -> dict[str, Any]:
    """Its configuration, in the form of Kokoro's `config.json`."""
    published = facts.config()
    small = {
        "hidden_size": HIDDEN,
        "num_attention_heads": 2,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "embedding_size": 32,
    }
    return published | {
        "hidden_dim": HIDDEN,
        "n_layer": 1,
        "istftnet": published["istftnet"] | {"upsample_initial_channel": 64},
        "plbert": published["plbert"] | small,
    }


def random(seed: int = 0) -> KModel:
    """A miniature with weights drawn from `seed`, see `checkpoint.random`."""
    with patch.object(kokoro.model, "Decoder", SmallDecoder):
        return checkpoint.random(config(), seed)
