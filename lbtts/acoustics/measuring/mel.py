"""Log-mel and energy as StyleTTS2, on which Kokoro builds, defines them.

Source: StyleTTS2 (Li et al., https://arxiv.org/abs/2306.07691), `meldataset.py` and `log_norm` of
its training code. There the filterbank is built for 16 kHz but applied to 24 kHz
audio: an oversight, but the published weights were trained with it.
"""

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lbtts.acoustics.store.layout import N_MELS
from lbtts.grid import HOP

VERSION = 1  # raise it when the same audio gives another mel or energy

N_FFT = 2048
WINDOW = 1200  # samples, Hann
FILTERBANK_RATE = 16_000  # Hz; see above
LOG_FLOOR = 1e-5  # added to the mel power before the logarithm

FILTERBANK = librosa.filters.mel(  # [80, 1025] float32
    sr=FILTERBANK_RATE, n_fft=N_FFT, n_mels=N_MELS, fmin=0, fmax=8000, htk=True, norm=None
)

# A dense product would go through BLAS, whose last digits change with its number of threads.
_SPARSE = csr_array(FILTERBANK)


def log_mel(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """The natural logarithm of the mel power spectrum, [F, 80] float32, not normalised.

    Frame i is centred on sample 300 i; the audio is mirrored at its ends.

    Args:
        audio: [S] float32 in -1..1, S = 300 F.
    """
    spectrum = librosa.stft(
        audio, n_fft=N_FFT, hop_length=HOP, win_length=WINDOW, pad_mode="reflect"
    )
    power = spectrum.real**2 + spectrum.imag**2
    frames = len(audio) // HOP  # a centred transform has one more, centred on the end
    return np.log(LOG_FLOOR + _SPARSE @ power).T[:frames]


def energy(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """StyleTTS2's N, [F] float32: the logarithm of the L2 norm over mels of exp(log-mel).

    Args:
        mel: [F, 80] float32, as `log_mel` returns it.
    """
    return np.log(np.linalg.norm(np.exp(mel), axis=1))
