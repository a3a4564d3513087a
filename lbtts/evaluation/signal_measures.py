"""What is in a waveform that no voice puts there, each as one number.

A measure looks where speech has little: hum below the lowest voice, a comb over a spectrum averaged
until every melody has gone from it, a click above 8 kHz. So none needs a recording of the same
sentence to compare with; what is usual, a corpus tells (`lbtts.evaluation.artefacts`).

All take audio [S] at 24 kHz that is not silent, and tell the same of it at any level.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from lbtts.evaluation.prompt import Audio
from lbtts.grid import HOP, SAMPLE_RATE

Spectrum = NDArray[np.float64]

_LINES = 8192  # samples, a third of a second: lines 2.9 Hz apart
_BAND = 2048
_HUM_FOLD = 4  # zero-padding of its spectrum of one second
_MAINS = (50, 60)  # Hz
_HARMONICS = 3
_COMB_BAND = (1000, 10500)  # Hz
_CLOCK_PERIODS = 80
_CLOCK_LOWEST = 1000  # Hz; below it voices themselves keep in step for a while
_COMB_REACH = 60  # samples of delay to either side that a comb is compared with
_TONES = (2400, 4800, 7200, 9600)  # Hz
_CLICK_HZ = 8000.0  # above it speech is weak and its bursts are longer than a click
_CLICK, _AROUND = 8, 240  # samples: a third of a millisecond within ten
_CLICK_FLOOR = 0.1  # of the mean power up there, below which the surroundings do not count
_LOWEST_DB = -80.0  # so far below loud speech nothing is heard
_OFFSET_DB = -50.0  # below it a mean is not heard, not even as a click at begin and end
_LAST = SAMPLE_RATE // 10  # samples
_FADING = 15 * SAMPLE_RATE // 100
_BAND_DB = 50.0  # so far below the level from 0.5 to 3.5 kHz a band is empty
_TINY = 1e-16
_FLAT_TOP = 0.98  # of the peak


def clipping(audio: Audio) -> float:
    """Share of samples within 2 % of the peak, in thousandths, as log10 (0 is one in a thousand).

    A wave that is cut off dwells at its peak, and one that is not passes it in a sample or two. It
    tells so at whatever level the file is now. Bends of an analogue amplifier it does not see.
    """
    size = np.abs(audio)
    return float(np.log10(1e3 * np.mean(size >= _FLAT_TOP * size.max()) + 1e-3))


def offset(audio: Audio) -> float:
    """Size of the mean against the root mean square, dB; -50 where it cannot be heard."""
    power = float(np.mean(np.square(audio, dtype=np.float64)))
    return _db(float(np.mean(audio, dtype=np.float64)) ** 2 / power, _OFFSET_DB)


def hum(audio: Audio) -> float:
    """How far mains hum stands out, dB: lines at 50 or 60 Hz and their second and third multiples.

    The mean over the three of the line against what is 4 to 12 Hz beside it, of the more marked
    mains. A voice that stays on 100, 120 or 150 Hz is not told from it, so monotone low voices are
    suspected wrongly.
    """
    size = SAMPLE_RATE if len(audio) >= 2 * SAMPLE_RATE else max(len(audio) // 2, _BAND)
    hertz, power = signal.welch(
        _filled(audio, size), SAMPLE_RATE, "blackman", size, nfft=_HUM_FOLD * SAMPLE_RATE
    )
    level = 10 * np.log10(power + _TINY)

    def line(centre: int) -> float:
        away = np.abs(hertz - centre)
        return float(level[away <= 1].max() - np.median(level[(away > 4) & (away < 12)]))

    return max(float(np.mean([line(f * k) for k in range(1, _HARMONICS + 1)])) for f in _MAINS)


def bandwidth(audio: Audio) -> float:
    """Highest frequency in kHz at which the louder half of the frames is within 50 dB of its voice.

    Speech that was once at 8 or 16 kHz ends at 4 or 8; at 22.05 kHz, near 11. A low-pass filter, a
    codec or a dull microphone looks the same.
    """
    hertz, power = _frames(audio, _BAND, 512)
    energy = power.sum(axis=0)
    level = 10 * np.log10(power[:, energy >= np.median(energy)].mean(axis=1) + _TINY)
    voice = np.median(level[(hertz > 500) & (hertz < 3500)])
    there = np.flatnonzero(signal.medfilt(level, 9) > voice - _BAND_DB)
    return float(hertz[there[-1]]) / 1000 if len(there) else 0.0


def comb(audio: Audio, delay: int) -> float:
    """How far a comb of that delay in samples stands out, dB: an echo, or a pulse of that period.

    The log spectrum from 1 to 10.5 kHz, averaged over the loud frames, has a ripple of that period;
    its size is compared with that of ripples of other periods nearby. An F0 of the period, 40 or 80
    Hz, would be taken for it if it stood still. A room's echo hardly is: it has many delays.

    Source: Bogert, Healy and Tukey, "The quefrency alanysis of time series for echoes", 1963.
    """
    hertz, power = _frames(audio, _LINES, 2048)
    energy = power.sum(axis=0)
    level = np.log(power[:, energy > 1e-4 * energy.max()] + _TINY).mean(axis=1)[_comb_band(hertz)]
    ripple = level - signal.savgol_filter(level, 101, 2)
    ripple *= signal.windows.hann(len(ripple))
    away = np.arange(-_COMB_REACH, _COMB_REACH + 1)
    size = np.square(np.abs(_ripples(delay) @ ripple))
    return _db(size[np.abs(away) <= 1].max() / (size[np.abs(away) > 8].mean() + _TINY))


def _comb_band(hertz: Spectrum) -> NDArray[np.bool_]:
    return (hertz > _COMB_BAND[0]) & (hertz < _COMB_BAND[1])


@cache
def _ripples(delay: int) -> NDArray[np.complex128]:
    """Ripples over the lines of the band, of a period from that delay's neighbours, [121, lines].

    To make them takes longer than all else that `comb` does.
    """
    hertz = np.linspace(0, SAMPLE_RATE / 2, _LINES // 2 + 1)
    delays = delay + np.arange(-_COMB_REACH, _COMB_REACH + 1)
    turns = np.outer(delays, hertz[_comb_band(hertz)]) / SAMPLE_RATE
    return np.exp(-2j * np.pi * turns)


def tones(audio: Audio) -> float:
    """How far the most marked steady tone at a multiple of 2.4 kHz stands out, dB.

    The rates between which a decoder's layers go are multiples of 2.4 kHz; where its upsampling
    leaves an image, a tone stays there whatever is said. Whistles elsewhere it does not hear.

    Source: Pons et al., "Upsampling artifacts in neural audio synthesis", ICASSP 2021.
    """
    hertz, power = _frames(audio, _LINES, 2048)
    level = 10 * np.log10(power + _TINY).mean(axis=1)
    out = []
    for tone in _TONES:
        away = np.abs(hertz - tone)
        out.append(level[away <= 5].max() - np.median(level[(away > 20) & (away < 150)]))
    return float(max(out))


def clock(audio: Audio, period: int) -> float:
    """How far audio keeps in step with a period in samples, dB; 0 is what chance leaves.

    Line by line from 1 to 12 kHz, the power of the mean of 80 periods over an 80th of their mean
    power, averaged over all such stretches: of 2 s, for a period of 25 ms. A decoder puts what does
    not depend on what is said into every period alike: a comb, and steady tones. It hears both at
    once, and neither the melody nor an echo, whose phases change.
    """
    if len(audio) < 2 * period:
        return float("nan")
    return _db((_in_step(audio, period) + _in_step(audio[period // 2 :], period)) / 2)


def _in_step(audio: Audio, period: int) -> float:
    """The ratio in the middle of each period; at its ends the window hears nothing."""
    count = min(len(audio) // period, _CLOCK_PERIODS)
    stretches = audio[: len(audio) // (count * period) * count * period].astype(np.float64)
    periods = stretches.reshape(-1, count, period)
    lines = np.fft.rfft(periods * signal.windows.hann(period, sym=False))
    lines = lines[..., _CLOCK_LOWEST * period // SAMPLE_RATE :]
    power = np.square(np.abs(lines)).mean(axis=1)
    locked = np.square(np.abs(lines.mean(axis=1)))
    return float((count * locked / (power + _TINY)).mean())


def click(audio: Audio) -> float:
    """How far the most marked third of a millisecond stands out above 8 kHz from its 10 ms, dB.

    The burst of a stop is longer. Clicks under a sibilant it does not hear, nor does a listener.
    """
    sections = signal.butter(6, _CLICK_HZ, "highpass", fs=SAMPLE_RATE, output="sos")
    power = np.square(signal.sosfiltfilt(sections, audio.astype(np.float64)))
    total = np.concatenate([[0.0], np.cumsum(power)])

    def within(width: int) -> NDArray[np.float64]:
        middle = np.arange(len(power))
        first = np.maximum(middle - width // 2, 0)
        last = np.minimum(middle + (width + 1) // 2, len(power))
        return total[last] - total[first]

    beside = np.maximum(within(_AROUND) - within(3 * _CLICK), 0) / (_AROUND - 3 * _CLICK)
    return _db((within(_CLICK) / _CLICK / (beside + _CLICK_FLOOR * power.mean() + _TINY)).max())


def ending(audio: Audio, end: float | None) -> float:
    """Level after the last word against that of loud speech, dB, -80 at the least.

    Args:
        audio: [S].
        end: second at which the last word ends, from an alignment; the last sound has 0.15 s
            from there to die away, of which aligners cut some off. None takes the last 0.1 s of
            the audio.
    """
    begin = len(audio) - _LAST if end is None else round(end * SAMPLE_RATE) + _FADING
    after = audio[max(0, begin) :]
    if len(after) < HOP:
        return _LOWEST_DB
    power = float(np.mean(np.square(after, dtype=np.float64)))
    return _db(power / loudness(audio), _LOWEST_DB)


def high_share(audio: Audio) -> float:
    """Energy above 4 kHz against that below, dB, in the louder half of the frames."""
    hertz, power = _frames(audio, _BAND, 512)
    energy = power.sum(axis=0)
    loud = power[:, energy >= np.median(energy)].sum(axis=1)
    return _db(loud[hertz > 4000].sum() / loud[hertz <= 4000].sum())


def loudness(audio: Audio) -> float:
    """Power, of full scale, of the 12.5 ms at the 95th percentile."""
    whole = np.square(audio[: max(HOP, len(audio) // HOP * HOP)], dtype=np.float64)
    hops = whole.reshape(-1, HOP).mean(axis=1) if len(whole) % HOP == 0 else whole
    return float(max(np.percentile(hops, 95), _TINY))


def _frames(audio: Audio, size: int, hop: int) -> tuple[Spectrum, Spectrum]:
    """Frequencies [B] in Hz and powers [B, n], of the samples at a mean square of one."""
    filled = _filled(audio, size).astype(np.float64)
    hertz, _, found = signal.stft(
        filled / np.sqrt(np.mean(np.square(filled))),
        SAMPLE_RATE,
        nperseg=size,
        noverlap=size - hop,
        boundary=None,
        padded=False,
    )
    return hertz, np.square(np.abs(found))


def _filled(audio: Audio, least: int) -> Audio:
    """`audio`, of `least` samples at the least."""
    return np.pad(audio, (0, max(0, least - len(audio))))


def _db(power: float, lowest: float = -160.0) -> float:
    return float(10 * np.log10(max(power, 10 ** (lowest / 10))))
