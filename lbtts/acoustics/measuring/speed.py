"""Utterances spoken faster or slower, as a tape that runs at another speed."""

import numpy as np
from scipy.signal import resample_poly

from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.layout import Crop
from lbtts.alignment.rounding import whole_boundaries
from lbtts.grid import SAMPLES_PER_UNIT, units_to_frames


def at_length(whole: Crop, total: int) -> Crop:
    """The utterance at the speed at which it fills `total` units; pitch and formants move with it.

    Boundaries move in proportion and are rounded as those of the recordings are, F0 is that of the
    nearest frame, scaled, and energy is measured again. A duration may pass 50 units.

    Args:
        whole: an utterance from its first unit to its last.
        total: units, at least one for each token.
    """
    before = len(whole.audio) // SAMPLES_PER_UNIT
    ends = np.append(0, np.cumsum(whole.units)) * (total / before)
    audio = resample_poly(whole.audio, total, before)
    frames = units_to_frames(total)
    nearest = np.rint(np.arange(frames) * (before / total)).astype(int)
    return Crop(
        id=whole.id,
        tokens=whole.tokens,
        units=np.diff(whole_boundaries(ends, total)),
        f0=whole.f0[np.minimum(nearest, len(whole.f0) - 1)] * np.float32(before / total),
        energy=mel.energy(mel.log_mel(audio)),
        audio=audio,
    )
