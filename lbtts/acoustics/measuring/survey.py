"""The measures of the whole corpus; only what the cache lacks is measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from joblib import Parallel, delayed
from tqdm import tqdm

from lbtts.acoustics.measuring.cache import MeasureCache
from lbtts.acoustics.measuring.extraction import Measures, TimedUtterance, measure
from lbtts.acoustics.measuring.pitch import Histogram
from lbtts.errors import Reject
from lbtts.grid import UNIT_RATE
from lbtts.params import F0

# Utterances given to the workers together; this bounds the memory. joblib starts new tasks even if
# their results are not read, so it never gets the whole corpus.
WINDOW = 256


@dataclass
class Survey:
    """The state of a corpus after every utterance was measured."""

    digests: dict[str, str] = field(default_factory=dict)  # id → name in the cache
    rejects: dict[str, str] = field(default_factory=dict)  # id → reason
    pitch: Histogram = field(default_factory=Histogram)  # of all but the rejects
    measured: int = 0  # utterances that were not completely in the cache


def survey(
    utterances: Sequence[TimedUtterance], cache: MeasureCache, f0_params: F0, parallel: Parallel
) -> Survey:
    """Measures what `cache` lacks and puts it there, each utterance as soon as it is finished.

    Args:
        utterances: the corpus.
        cache: holds the measures afterwards.
        f0_params: how F0 is tracked.
        parallel: a pool that returns results in any order, see `lbtts.workers`.

    Raises:
        InputError: the cache cannot be written.
    """
    found = Survey()
    done = 0.0
    with tqdm(total=len(utterances), unit="utt", desc="features") as bar:
        for begin in range(0, len(utterances), WINDOW):
            tasks = []
            for utterance in utterances[begin : begin + WINDOW]:
                try:
                    known = cache.get(found.digests.setdefault(utterance.id, utterance.digest()))
                except Reject as reason:
                    found.rejects[utterance.id] = str(reason)
                    bar.update()
                    continue
                if known.f0 is None or known.spectral is None:
                    tasks.append((utterance, f0_params, known.f0 is None, known.spectral is None))
                else:
                    _count(found, utterance.id, known, f0_params)
                    bar.update()
            # The longest first, so no worker has a long one left while the others wait.
            tasks.sort(key=lambda task: -sum(task[0].timing.units))
            found.measured += len(tasks)
            for utterance, result in parallel(delayed(_attempt)(*task) for task in tasks):
                if isinstance(result, Reject):
                    found.rejects[utterance.id] = str(result)
                else:
                    digest = found.digests[utterance.id]
                    cache.put(digest, result)
                    complete = result if result.f0 is not None else cache.get(digest)
                    _count(found, utterance.id, complete, f0_params)
                done += sum(utterance.timing.units) / UNIT_RATE
                bar.set_postfix_str(f"{done / bar.format_dict['elapsed']:.0f} x real time", False)
                bar.update()
    return found


def _attempt(
    utterance: TimedUtterance, f0_params: F0, f0_wanted: bool, spectral_wanted: bool
) -> tuple[TimedUtterance, Measures | Reject]:
    """The utterance (results come in any order) and its measures or the reason why it has none."""
    try:
        return utterance, measure(
            utterance, f0_params, f0_wanted=f0_wanted, spectral_wanted=spectral_wanted
        )
    except Reject as reason:
        return utterance, reason


def _count(found: Survey, name: str, measures: Measures, f0_params: F0) -> None:
    assert measures.f0 is not None
    if measures.f0.any():
        found.pitch.add(measures.f0)
    else:
        found.rejects[name] = (
            f"no voiced frame between {f0_params.floor:g} and {f0_params.ceiling:g} Hz; "
            "listen to it, or widen features.f0"
        )
