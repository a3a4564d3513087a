"""Distances of synthetic speech from a recording; lower is better for all of them.

There are three kinds. With the reference's durations both sides have the same frames, so spectrum
and F0 are compared frame by frame. Free-running speech has its own timing, so its cepstra are first
aligned with the reference's by time warping. Durations are compared token by token.
"""

import io
from functools import cache

import numpy as np
import torch
from auraloss.freq import MultiResolutionSTFTLoss
from mel_cepstral_distance import compare_audio_files
from numpy.typing import NDArray
from scipy.io import wavfile

from lbtts.acoustics.measuring.pitch import JUMP
from lbtts.grid import HOP, SAMPLE_RATE

Array = NDArray[np.float32]

_MCD_WINDOW = 1024  # samples, 43 ms
_CENTS = 1200  # an octave


def mel_cepstral_distance(audio: Array, reference: Array, *, warp: bool) -> float:
    """Mean Euclidean distance between mel cepstra, in the unit of mel-cepstral-distance.

    20 mel energies in bel, cosine transform without normalisation, coefficients 2 to 16, both sides
    scaled to peak 1, window 1024 and hop 300 samples: that package's defaults on Kokoro's time
    grid. It cannot be compared with values in dB from WORLD or SPTK cepstra.

    Args:
        audio: [S] float32 in -1..1.
        reference: [S'] float32; the same length unless `warp`.
        warp: find the frames' correspondence by dynamic time warping on the mels (FastDTW, radius
            10); otherwise frame k corresponds to frame k.

    Returns:
        The distance, or NaN where either side is silent or shorter than a window.

    Source: Kubichek, "Mel-cepstral distance measure for objective speech quality assessment", 1993;
    Salvador & Chan, "FastDTW", 2007; both as implemented in mel-cepstral-distance 0.0.4.
    """
    if min(len(audio), len(reference)) <= _MCD_WINDOW or not (audio.any() and reference.any()):
        return float("nan")
    window = 1000 * _MCD_WINDOW / SAMPLE_RATE  # ms
    distance, _ = compare_audio_files(
        _wav(audio),  # type: ignore[arg-type]  # it passes any file to scipy
        _wav(reference),  # type: ignore[arg-type]
        n_fft=window,
        win_len=window,
        hop_len=1000 * HOP / SAMPLE_RATE,
        aligning="dtw" if warp else "pad",
    )
    return float(distance)


def f0_differences(f0: Array, reference: Array) -> dict[str, float]:
    """Sums over the frames of an utterance, from which F0 errors are computed.

    `f0_squared_hz` and `f0_squared_cents`: squared differences over the `f0_frames` that are voiced
    on both sides (a cent is a hundredth of a semitone); `f0_gross`: of these frames, those that are
    more than half an octave apart, where a tracker or a creaking voice halves or doubles F0, and
    `f0_fine_squared_cents` over the other `f0_fine_frames`; `voicing_wrong`: of all `frames`, those
    that are voiced on one side only.

    Two percent of gross errors of an octave are an RMS error of 170 cents by themselves, and hide
    how well intonation follows.
    Source: gross and fine errors, Rabiner et al., "A comparative performance study of several pitch
    detection algorithms", 1976.

    Args:
        f0: [F] Hz, 0 where unvoiced.
        reference: [F] likewise, the same frames.
    """
    both = (f0 > 0) & (reference > 0)
    ours, theirs = f0[both].astype(np.float64), reference[both].astype(np.float64)
    squared = np.square(_CENTS * np.log2(ours / theirs))
    fine = squared <= (_CENTS * JUMP) ** 2
    return {
        "f0_squared_hz": float(np.square(ours - theirs).sum()),
        "f0_squared_cents": float(squared.sum()),
        "f0_frames": float(both.sum()),
        "f0_gross": float((~fine).sum()),
        "f0_fine_squared_cents": float(squared[fine].sum()),
        "f0_fine_frames": float(fine.sum()),
        "voicing_wrong": float(((f0 > 0) != (reference > 0)).sum()),
        "frames": float(len(f0)),
    }


def duration_error(units: NDArray[np.int64], reference: NDArray[np.int64]) -> float:
    """Mean absolute difference in units (25 ms) over all tokens except BOS and EOS.

    These two hold the silence around an utterance, which depends on how the recording was cut.

    Args:
        units: [T] with BOS and EOS.
        reference: [T] likewise.
    """
    return float(np.abs(units[1:-1] - reference[1:-1]).mean())


def log_mel_l1(mel: Array, reference: Array) -> float:
    """Mean absolute difference of two natural-log mel spectrograms [F, 80]."""
    return float(np.abs(mel.astype(np.float64) - reference.astype(np.float64)).mean())


def spectral_distance(audio: Array, reference: Array) -> float:
    """Multi-resolution STFT distance of two waveforms [S]: spectral convergence + log magnitude L1.

    Mean over FFT/hop/window 1024/120/600, 2048/240/1200 and 512/50/240 samples.

    Source: Yamamoto et al., Parallel WaveGAN, arXiv:1910.11480; auraloss's defaults.
    """
    with torch.no_grad():
        return float(_stft_distance()(_batch(audio), _batch(reference)))


@cache
def _stft_distance() -> MultiResolutionSTFTLoss:
    return MultiResolutionSTFTLoss()


def _batch(audio: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(audio, dtype=np.float32))[None, None]


def _wav(audio: Array) -> io.BytesIO:
    """A WAV in memory: the package reads files only."""
    file = io.BytesIO()
    wavfile.write(file, SAMPLE_RATE, audio.astype(np.float32))
    file.seek(0)
    return file
