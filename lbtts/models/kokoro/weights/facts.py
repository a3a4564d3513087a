"""Constants of Kokoro-82M: architecture, voice tables, and parameters without gradients.

Source: hexgrad/Kokoro-82M `config.json` (Apache-2.0) and the modules of kokoro 0.9.4.
"""

import re
from typing import Any

from lbtts.grid import MAX_TOKENS, MAX_UNITS
from lbtts.text.vocab import N_TOKEN, VOCAB

LICENCE = "Apache-2.0"  # of the published weights and voices
COMPONENTS = ("bert", "bert_encoder", "predictor", "decoder", "text_encoder")

# What trains at its own rate: the first whose pattern matches the start of a tensor's name.
_PARTS = {
    "adain": r"decoder\..*\.fc\.",
    "upsampling": r"decoder\.generator\.ups\.",
    "generator": r"decoder\.generator\.",
} | {name: rf"{name}\." for name in COMPONENTS}
PARTS = tuple(_PARTS)

TABLE_ROWS = MAX_TOKENS  # row n-1 conditions a string of n symbols
STYLE = 256  # floats per row
DECODER_STYLE = 128  # row[:128] conditions the decoder, row[128:] the prosody predictor

# Units of 25 ms by which the network sounds before its durations say. Given the true times of 12
# Luxembourgish recordings, the base's mel is nearest to theirs when every boundary is 2 units later
# (2.31; 2.68 at the true times, 2.37 at 1, 2.57 at 3), and words of the demo's voice begin 50 ms
# early (benchmarks/word_times.py). kokoro's own join_timestamps takes off 3.
LEAD = 2

# These get no gradient: KModel reads ALBERT's last hidden state, not its pooler, and runs
# the harmonic source under no_grad.
UNREACHED = ("bert.pooler.", "decoder.generator.m_source.l_linear.")


def part_of(name: str) -> str:
    """The part of `KModel`, one of `PARTS`, to which the tensor of this name belongs."""
    return next(part for part, pattern in _PARTS.items() if re.match(pattern, name))


def table_row(tokens: Any) -> Any:
    """The row of the voice table for a sequence of `tokens` ids, including BOS and EOS.

    Takes a number or a tensor of numbers. KPipeline takes row n-1 for n symbols.
    """
    return tokens - 3


def config() -> dict[str, Any]:
    """The published configuration, as `KModel(config=...)` takes it.

    Source: config.json of hexgrad/Kokoro-82M at v1.0; tests compare it with a copy of the original.
    """
    return {
        "istftnet": {
            "upsample_kernel_sizes": [20, 12],
            "upsample_rates": [10, 6],
            "gen_istft_hop_size": 5,
            "gen_istft_n_fft": 20,
            "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
            "resblock_kernel_sizes": [3, 7, 11],
            "upsample_initial_channel": 512,
        },
        "dim_in": 64,
        "dropout": 0.2,
        "hidden_dim": 512,
        "max_conv_dim": 512,
        "max_dur": MAX_UNITS,
        "multispeaker": True,
        "n_layer": 3,
        "n_mels": 80,
        "n_token": N_TOKEN,
        "style_dim": DECODER_STYLE,
        "text_encoder_kernel_size": 5,
        "plbert": {
            "hidden_size": 768,
            "num_attention_heads": 12,
            "intermediate_size": 2048,
            "max_position_embeddings": MAX_TOKENS + 2,
            "num_hidden_layers": 12,
            "dropout": 0.1,
        },
        "vocab": dict(VOCAB),
    }
