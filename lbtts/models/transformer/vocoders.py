"""Vocoders: from the baseline's mels to audio, behind one interface."""

from pathlib import Path
from typing import Any, Protocol

import librosa
import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from lbtts.errors import InputError, first_line
from lbtts.grid import SAMPLE_RATE
from lbtts.models.transformer import mel as mels

_ITERATIONS = 60
_LEAST = 1e-10  # of an amplitude

Array = NDArray[np.float32]


class Vocoder(Protocol):
    """Makes audio."""

    def audio(self, mel: Array) -> Array:
        """Audio [256 F] float32 at 22,050 Hz of `mel` [F, 80], as `mel.log_mel` returns it."""


class GriffinLim:
    """Phases that fit the amplitudes, found by iteration; needs no weights, sounds metallic.

    Source: Perraudin et al., "A fast Griffin-Lim algorithm", WASPAA 2013, as in librosa. The
    amplitudes are the mels' by the pseudo-inverse of the filterbank, as in ESPnet.
    """

    def __init__(self) -> None:
        """Inverts the filterbank."""
        self._inverse = np.linalg.pinv(mels.FILTERBANK)

    def audio(self, mel: Array) -> Array:
        """Audio [256 F] float32; the same mel gives the same audio."""
        amplitude = np.maximum(self._inverse @ (10.0**mel.T), _LEAST)
        found = librosa.griffinlim(
            np.pad(amplitude, ((0, 0), (0, 1)), mode="edge"),
            n_iter=_ITERATIONS,
            hop_length=mels.HOP,
            n_fft=mels.N_FFT,
            random_state=0,
            length=len(mel) * mels.HOP,
        )
        return np.clip(found, -1, 1).astype(np.float32)


class HifiGan:
    """HiFi-GAN with weights trained on LJSpeech, by transformers.

    Source: Kong et al., https://arxiv.org/abs/2010.05646; ESPnet's weights.
    """

    def __init__(self, model: str, device: str = "cpu") -> None:
        """Loads `model`: a folder, or a name on the hub with its commit, `NAME@COMMIT`.

        Raises:
            InputError: it is not there, or takes other mels.
        """
        from transformers import FastSpeech2ConformerHifiGan

        name, _, revision = model.partition("@")
        if not Path(name).is_dir() and not revision:
            raise InputError(
                f"transformer.hifigan: {model}: no such folder; give one that exists, or a name on "
                "the hub with its commit, NAME@COMMIT"
            )
        try:
            loaded: Any = FastSpeech2ConformerHifiGan.from_pretrained(
                name, revision=revision or "main"
            )
        except (OSError, ValueError) as error:
            raise InputError(
                f"transformer.hifigan: {model} cannot be loaded ({first_line(error)}); check the "
                "network and the commit, give a folder, or set transformer.vocoder: griffinlim"
            ) from None
        hop, bands = int(np.prod(loaded.config.upsample_rates)), loaded.config.model_in_dim
        if (hop, bands) != (mels.HOP, mels.N_MELS):
            raise InputError(
                f"transformer.hifigan: {model} is for hop {hop} and {bands} mels, not {mels.HOP} "
                f"and {mels.N_MELS}"
            )
        self._device = device
        self._model = loaded.to(device).eval()

    def audio(self, mel: Array) -> Array:
        """Audio [256 F] float32."""
        with torch.inference_mode():
            made = self._model(torch.from_numpy(mel).to(self._device))
        return made.clamp(-1, 1).cpu().numpy().astype(np.float32)


def vocoder(name: str, hifigan: str | None, device: str = "cpu") -> Vocoder:
    """The vocoder of that name, `griffinlim` or `hifigan`.

    Raises:
        InputError: HiFi-GAN's weights are not named or cannot be had.
    """
    if name == "griffinlim":
        return GriffinLim()
    if hifigan is None:
        raise InputError(
            "transformer.hifigan: names no weights; give a folder, or "
            "espnet/fastspeech2_conformer_hifigan@COMMIT of the hub"
        )
    return HifiGan(hifigan, device)


def on_grid(audio: Array, samples: int | None = None) -> Array:
    """Audio at 24 kHz of audio at 22,050 Hz; cut or filled with silence to `samples`."""
    resampled = soxr.resample(audio, mels.RATE, SAMPLE_RATE).astype(np.float32)
    if samples is None:
        return resampled
    return np.pad(resampled[:samples], (0, max(0, samples - len(resampled))))
