"""The whole corpus measured, as far as it was not before."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from joblib import Parallel, delayed
from tqdm import tqdm

from lbtts.acoustics.measuring.cache import MeasureCache
from lbtts.acoustics.measuring.extraction import Measures, TimedClip, measure
from lbtts.acoustics.measuring.pitch import Histogram
from lbtts.errors import Reject
from lbtts.grid import UNIT_RATE
from lbtts.params import F0

# Clips given to the workers together; this bounds the memory. joblib hands out new work whether or
# not its results are taken, so it is never given the whole corpus.
WINDOW = 256


@dataclass
class Survey:
    """What is known of a corpus of which every clip was measured."""

    digests: dict[str, str] = field(default_factory=dict)  # id → name in the cache
    rejects: dict[str, str] = field(default_factory=dict)  # id → reason
    pitch: Histogram = field(default_factory=Histogram)  # of all but the rejects
    measured: int = 0  # clips on which something had to be measured


def survey(
    clips: Sequence[TimedClip], cache: MeasureCache, f0_params: F0, parallel: Parallel
) -> Survey:
    """Measures what `cache` does not know and puts it there, each clip as it is finished.

    Args:
        clips: the corpus.
        cache: where the measures are found afterwards.
        f0_params: how F0 is tracked.
        parallel: a pool whose results come as soon as they can, see `lbtts.workers`.

    Raises:
        InputError: the cache cannot be written.
    """
    found = Survey()
    done = 0.0
    with tqdm(total=len(clips), unit="utt", desc="features") as bar:
        for begin in range(0, len(clips), WINDOW):
            tasks = []
            for clip in clips[begin : begin + WINDOW]:
                try:
                    known = cache.get(found.digests.setdefault(clip.id, clip.digest()))
                except Reject as reason:
                    found.rejects[clip.id] = str(reason)
                    bar.update()
                    continue
                if known.f0 is None or known.spectral is None:
                    tasks.append((clip, f0_params, known.f0 is None, known.spectral is None))
                else:
                    _count(found, clip.id, known, f0_params)
                    bar.update()
            # The longest first, so that no worker is left with a long one while the others wait.
            tasks.sort(key=lambda task: -sum(task[0].timing.units))
            found.measured += len(tasks)
            for clip, result in parallel(delayed(_attempt)(*task) for task in tasks):
                if isinstance(result, Reject):
                    found.rejects[clip.id] = str(result)
                else:
                    digest = found.digests[clip.id]
                    cache.put(digest, result)
                    complete = result if result.f0 is not None else cache.get(digest)
                    _count(found, clip.id, complete, f0_params)
                done += sum(clip.timing.units) / UNIT_RATE
                bar.set_postfix_str(f"{done / bar.format_dict['elapsed']:.0f} x real time", False)
                bar.update()
    return found


def _attempt(
    clip: TimedClip, f0_params: F0, f0_wanted: bool, spectral_wanted: bool
) -> tuple[TimedClip, Measures | Reject]:
    """The clip, for results come in any order, and its measures or why there are none."""
    try:
        return clip, measure(clip, f0_params, f0_wanted=f0_wanted, spectral_wanted=spectral_wanted)
    except Reject as reason:
        return clip, reason


def _count(found: Survey, name: str, measures: Measures, f0_params: F0) -> None:
    assert measures.f0 is not None
    if measures.f0.any():
        found.pitch.add(measures.f0)
    else:
        found.rejects[name] = (
            f"no voiced frame between {f0_params.floor:g} and {f0_params.ceiling:g} Hz; "
            "listen to it, or widen features.f0"
        )
