"""Kaldi's MFCC features on a 10 ms grid."""

import zlib
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from lbtts.errors import Reject
from lbtts.grid import SAMPLE_RATE

FRAME_SECONDS = 0.01
DIMENSION = 39  # 13 cepstra, their slopes and the slopes' slopes

_WINDOW_MS = 20
_SLOPE_REACH = 2  # frames to either side


def read_mfcc(path: str | Path) -> NDArray[np.float32]:
    """The features of a file, as `mfcc` makes them.

    Raises:
        Reject: the file is missing, cannot be decoded or is shorter than a frame.
    """
    try:
        samples, rate = soundfile.read(path, dtype="int16")
    except soundfile.LibsndfileError as error:
        raise Reject(f"{path}: {error.error_string} Run `dvc repro corpus`") from None
    return mfcc(samples, rate, Path(path).stem)


def mfcc(samples: NDArray[np.int16], rate: int, name: str) -> NDArray[np.float32]:
    """The MFCC features, [n, 39] float32: 13 cepstra minus their mean, first and second slopes.

    Frame k covers seconds 0.01 k to 0.01 (k + 1); its window extends 5 ms further on both sides.
    Dither keeps the logarithm of digital silence finite; its seed is the name. Audio at another
    rate than 24 kHz is resampled: 10 ms at 22.05 kHz are not a whole number of samples, and Kaldi's
    frames would drift by 2.3 ms per second.

    Args:
        samples: audio [S].
        rate: in Hz.
        name: of the utterance.

    Raises:
        Reject: the audio is shorter than a frame.
    """
    if rate != SAMPLE_RATE:
        samples = soxr.resample(samples, rate, SAMPLE_RATE)
    dither = np.random.default_rng(zlib.crc32(name.encode()))
    waveform = samples + dither.standard_normal(len(samples), dtype=np.float32)

    options = knf.MfccOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.frame_length_ms = _WINDOW_MS
    options.frame_opts.snip_edges = False
    options.frame_opts.dither = 0
    computer = knf.OnlineMfcc(options)
    computer.accept_waveform(SAMPLE_RATE, waveform)
    computer.input_finished()
    if not computer.num_frames_ready:
        raise Reject(f"{name}: too short for a single frame; run `dvc repro corpus`")
    cepstra = np.stack([computer.get_frame(k) for k in range(computer.num_frames_ready)])
    cepstra -= cepstra.mean(axis=0)
    slopes = _slopes(cepstra)
    return np.hstack([cepstra, slopes, _slopes(slopes)]).astype(np.float32)


def _slopes(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Regression slope of each column over five frames, the edges repeated."""
    padded = np.pad(x, ((_SLOPE_REACH, _SLOPE_REACH), (0, 0)), mode="edge")
    reach = range(-_SLOPE_REACH, _SLOPE_REACH + 1)
    weighted = [k * padded[_SLOPE_REACH + k : _SLOPE_REACH + k + len(x)] for k in reach]
    return np.sum(weighted, axis=0) / sum(k * k for k in reach)
