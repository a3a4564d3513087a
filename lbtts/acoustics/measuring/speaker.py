"""Speaker encoders: a waveform's embedding, one vector that identifies the speaker."""

import warnings
from collections.abc import Callable
from functools import cache

import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from lbtts.errors import InputError, first_line
from lbtts.grid import SAMPLE_RATE
from lbtts.params import Voice
from lbtts.threads import one_thread

_ENCODER_RATE = 16_000  # Hz; both encoders were trained at it
_LEVEL = 10 ** (-30 / 20)  # root mean square that Resemblyzer was trained at, of full scale
_SILENT = 1e-6  # of full scale; a lower level counts as silence

Audio = NDArray[np.float32]


def embed(audio: Audio, voice: Voice) -> NDArray[np.float32]:
    """The speaker embedding of one utterance, float32: 256 numbers (Resemblyzer) or 512 (WavLM).

    Every utterance is scaled to one level: Resemblyzer's mel spectrogram has no logarithm, and
    louder audio would get another embedding.

    Args:
        audio: [S] float32, 24 kHz.
        voice: the section `voice`, which names the encoder.

    Raises:
        InputError: WavLM's weights cannot be downloaded.
    """
    encode = _resemblyzer() if voice.encoder == "resemblyzer" else _wavlm(voice.wavlm)
    resampled = soxr.resample(audio, SAMPLE_RATE, _ENCODER_RATE)
    level = np.sqrt(np.mean(np.square(resampled)))
    with one_thread():
        vector = encode(resampled * np.float32(_LEVEL / max(level, _SILENT)))
    return vector.astype(np.float32)


@cache
def _resemblyzer() -> Callable[[Audio], Audio]:
    """Resemblyzer, whose weights lie inside its wheel. Source: Wan et al., arXiv:1710.10467."""
    with warnings.catch_warnings():  # its voice detector imports the deprecated pkg_resources
        warnings.simplefilter("ignore", UserWarning)
        from resemblyzer import VoiceEncoder

    return VoiceEncoder("cpu", verbose=False).embed_utterance


@cache
def _wavlm(name: str) -> Callable[[Audio], Audio]:
    """WavLM's x-vectors, from the hub at a pinned commit. Source: Chen et al., arXiv:2110.13900."""
    from transformers import AutoFeatureExtractor, WavLMForXVector

    repo, _, revision = name.partition("@")
    try:
        prepare = AutoFeatureExtractor.from_pretrained(repo, revision=revision)
        model = WavLMForXVector.from_pretrained(repo, revision=revision).eval()
    except OSError as error:
        raise InputError(
            f"voice.wavlm: {name} cannot be loaded ({first_line(error)}); "
            "check the network, or set voice.encoder to resemblyzer"
        ) from error

    @torch.no_grad()
    def encode(audio: Audio) -> Audio:
        inputs = prepare(audio, sampling_rate=_ENCODER_RATE, return_tensors="pt")
        return model(**inputs).embeddings[0].numpy()

    return encode
