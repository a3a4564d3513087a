"""The timings of a corpus's tokens, from its TextGrids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from lbtts.alignment import textgrid
from lbtts.alignment.durations import durations
from lbtts.alignment.timing import Timing
from lbtts.corpus.manifest import Entry
from lbtts.errors import Reject
from lbtts.grid import SAMPLE_RATE, UNIT_RATE, samples_to_units
from lbtts.text.tokens import TokenPlan


@dataclass(frozen=True)
class Converted:
    """The timings of a corpus, on the time grid.

    rows: of each utterance its timing, or its id and why it has none.
    shifts: how far rounding moved the phones of each that has one, in units.
    """

    rows: list[Timing | tuple[str, Reject]]
    shifts: list[float]

    @property
    def rejected(self) -> int:
        """The number of utterances without timing."""
        return len(self.rows) - len(self.shifts)

    def metrics(self) -> dict[str, float]:
        """Counts, hours, and what rounding and cutting changed."""
        timings = [row for row in self.rows if isinstance(row, Timing)]
        units = [n for timing in timings for n in timing.units]
        cut = sum(end - begin for timing in timings for begin, end in timing.cuts)
        return {
            "utterances": len(timings),
            "rejected": self.rejected,
            "hours": round(sum(units) / UNIT_RATE / 3600, 4),
            "units_per_token": round(sum(units) / max(1, len(units)), 3),
            "seconds_cut": cut / SAMPLE_RATE,
            "rounding_ms": round(1000 / UNIT_RATE * sum(self.shifts) / max(1, len(timings)), 3),
        }


def convert(plans: Sequence[TokenPlan], entries: Mapping[str, Entry], grids: Path) -> Converted:
    """The timings of all plans.

    Args:
        plans: with the phones that were spoken.
        entries: of the manifest, by id.
        grids: folder of the TextGrids.
    """
    rows: list[Timing | tuple[str, Reject]] = []
    shifts: list[float] = []
    for plan in tqdm(plans, desc="durations", unit="utt"):
        try:
            alignment = textgrid.read(grids / f"{plan.id}.TextGrid")
            total = samples_to_units(entries[plan.id].samples)
            timing, shift = durations(plan, alignment, total)
        except Reject as reason:
            rows.append((plan.id, reason))
        else:
            rows.append(timing)
            shifts.append(shift)
    return Converted(rows, shifts)
