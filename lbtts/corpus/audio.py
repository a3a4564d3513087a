"""Recordings prepared for the corpus: 24 kHz mono, trimmed, equally loud, on the grid."""

import re
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import pyloudnorm
import soundfile
import soxr
from numpy.typing import NDArray

from lbtts.errors import Reject
from lbtts.grid import HOP, SAMPLE_RATE, samples_to_grid, samples_to_seconds
from lbtts.params import Corpus

PEAK = 0.99  # of full scale; the gain is reduced where a peak would exceed it
TRIM_WINDOW = 4 * HOP  # 50 ms: more than two periods of the lowest voice

# File name endings that libsndfile reads; RAW and MATLAB files say nothing about their audio.
SUFFIXES = frozenset(
    f".{name.lower()}"
    for name in soundfile.available_formats()
    if not name.startswith(("RAW", "MAT"))
) | {".aif", ".aifc", ".oga", ".opus", ".snd"}

# libsndfile's log of a RIFF, AIFF or AU header that states more bytes than the file has. Programs
# that write to a pipe cannot know the length and state about 2 or 4 GiB: no sign of damage.
_DATA_SIZE = re.compile(r"(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)")
_UNKNOWN_LENGTH = 0x7FFF_0000


@dataclass(frozen=True)
class PreparedAudio:
    """The audio of an utterance as the corpus stores it.

    samples: float32 [S] in -1..1, 24 kHz, S a multiple of 600.
    start: sample of the recording, at 24 kHz, at which it starts; negative if silence was added
        before the recording.
    peak_limited: whether its loudness is below the target because its peak would exceed `PEAK`.
    """

    samples: NDArray[np.float32]
    start: int
    peak_limited: bool


def decode(path: Path) -> tuple[NDArray[np.float32], int]:
    """The samples of an audio file, float32 [S], channels averaged, and their rate in Hz.

    Raises:
        Reject: the file is missing, damaged, shorter than its header says, empty, or has samples
            that are not finite.
    """
    if not path.is_file():
        raise Reject(f"{path}: audio file not found; put it there or remove the utterance")
    try:
        with soundfile.SoundFile(path) as file:
            stated, rate, log = file.frames, file.samplerate, file.extra_info
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise Reject(f"{path}: truncated, damaged or not audio ({error}); replace it") from None
    if len(samples) < stated or _header_states_more(log):
        raise Reject(f"{path}: truncated, ends before the length in its header; replace it")
    if not len(samples):
        raise Reject(f"{path}: zero length, no samples; replace it")
    if not np.isfinite(samples).all():
        raise Reject(f"{path}: has NaN or infinite samples; export it again")
    return samples.mean(axis=1), rate


def prepare(samples: NDArray[np.float32], rate: int, corpus: Corpus) -> PreparedAudio:
    """A recording, resampled, trimmed, normalised in loudness, on the unit grid.

    `corpus.edge_seconds` of the recording, or zeros where it is shorter, are kept on both sides of
    the speech, so BOS and EOS always have silence. The last unit is filled in the same way.

    Args:
        samples: float32 [S], mono.
        rate: of the samples, in Hz.
        corpus: bounds and targets.

    Raises:
        Reject: the audio is silent, or shorter or longer than the bounds.

    Source: loudness by ITU-R BS.1770-4 (pyloudnorm).
    """
    samples = soxr.resample(samples, rate, SAMPLE_RATE)
    _, (first, last) = librosa.effects.trim(
        samples, top_db=corpus.trim_db, frame_length=TRIM_WINDOW, hop_length=HOP
    )
    edge = round(corpus.edge_seconds * SAMPLE_RATE)
    start = int(first) - edge
    stop = start + samples_to_grid(int(last) + edge - start)
    before, after = max(0, -start), max(0, stop - len(samples))
    samples = np.pad(samples[max(0, start) : stop], (before, after))

    seconds = samples_to_seconds(len(samples))
    if not corpus.min_seconds <= seconds <= corpus.max_seconds:
        raise Reject(
            f"{seconds:.3f} s with its edges, outside corpus.min_seconds to max_seconds, "
            f"{corpus.min_seconds:g} to {corpus.max_seconds:g}; split it, join it or change them"
        )
    loudness = pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples)
    if not np.isfinite(loudness):
        raise Reject("silent: no part of it is louder than -70 LUFS; replace the recording")
    gain = 10 ** ((corpus.loudness - loudness) / 20)
    ceiling = PEAK / float(np.abs(samples).max())
    return PreparedAudio(
        (samples * min(gain, ceiling)).astype(np.float32),
        start,
        bool(gain > ceiling),
    )


def write_flac(path: Path, samples: NDArray[np.float32]) -> None:
    """Writes samples [S] in -1..1 as 24 kHz, 16-bit FLAC; equal samples give equal bytes."""
    soundfile.write(path, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")


def _header_states_more(log: str) -> bool:
    """Whether libsndfile noted a data size beyond the end of the file."""
    sizes = _DATA_SIZE.search(log)
    return sizes is not None and int(sizes[2]) < int(sizes[1]) < _UNKNOWN_LENGTH
