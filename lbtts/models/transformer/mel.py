"""The mel spectrogram of the baseline, which is that of its vocoder, and its time grid.

Source: the LJSpeech recipes of ESPnet and ParallelWaveGAN (`hifigan.v1`), whose vocoder is in
transformers as `FastSpeech2ConformerHifiGan`: 22,050 Hz, n_fft 1024, hop 256, 80 mels, 80 to 7,600
Hz, logarithm to base 10 of the amplitude. HiFi-GAN's own configurations take 0 to 8,000 Hz and the
natural logarithm; these weights were not trained on that.
"""

import librosa
import numpy as np
import soxr
from numpy.typing import ArrayLike, NDArray

from lbtts.grid import SAMPLE_RATE, SAMPLES_PER_UNIT

RATE = 22_050  # Hz
HOP = 256  # samples
N_FFT = 1024  # also the window
N_MELS = 80
FMIN, FMAX = 80, 7600  # Hz
FLOOR = 1e-5  # of the amplitude

FILTERBANK = librosa.filters.mel(sr=RATE, n_fft=N_FFT, n_mels=N_MELS, fmin=FMIN, fmax=FMAX)
FRAMES_PER_UNIT = SAMPLES_PER_UNIT / SAMPLE_RATE * RATE / HOP  # 2.153


def log_mel(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Base-10 logarithm of the mel amplitude, [frames(U), 80] float32, of U units of audio.

    Frame i is centred on sample 256 i at 22,050 Hz; the audio is mirrored at its ends.

    Args:
        audio: [600 U] float32 at 24 kHz.
    """
    total = int(boundaries([len(audio) // SAMPLES_PER_UNIT])[-1])
    resampled = soxr.resample(audio, SAMPLE_RATE, RATE)
    spectrum = librosa.stft(resampled, n_fft=N_FFT, hop_length=HOP, pad_mode="reflect")
    mel = FILTERBANK @ np.abs(spectrum[:, :total])
    return np.log10(np.maximum(mel, FLOOR)).T.astype(np.float32)


def boundaries(units: ArrayLike) -> NDArray[np.int64]:
    """The frame at which each token ends, [..., T] int64, from its units [..., T].

    Boundaries are rounded, not durations, so no frame is lost, and a unit has two or three frames.
    """
    ends = np.cumsum(np.asarray(units, dtype=np.int64), axis=-1)
    return np.floor(ends * FRAMES_PER_UNIT + 0.5).astype(np.int64)


def frames(units: ArrayLike) -> NDArray[np.int64]:
    """Frames of each token, [..., T] int64, from its units [..., T]; 0 units have none."""
    return np.diff(boundaries(units), axis=-1, prepend=0)
