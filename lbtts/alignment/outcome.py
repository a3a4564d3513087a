"""The result of the alignment: token plans with the phones that were spoken, and the report."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lbtts.alignment import textgrid
from lbtts.alignment.prealigned import follow_words
from lbtts.alignment.pronunciation import follow
from lbtts.alignment.quality import confidence, disagreement, measures, status_of
from lbtts.alignment.report import CORRECTED, Row, Status
from lbtts.alignment.textgrid import AlignmentResult
from lbtts.errors import Reject
from lbtts.params import Quality
from lbtts.text.dictionary import Dictionary
from lbtts.text.inventory import Inventory
from lbtts.text.tokens import TokenPlan


@dataclass(frozen=True)
class Outcome:
    """The utterances whose phones are known, and the others.

    plans: with the phones that were spoken.
    results: where the phones of each plan lie, by id.
    rejects: why the others have no alignment, by id.
    variants: how many plans have other phones than were planned.
    """

    plans: list[TokenPlan]
    results: dict[str, AlignmentResult]
    rejects: dict[str, Reject]
    variants: int

    def write_grids(self, folder: Path) -> None:
        """Writes one TextGrid per utterance into `folder`."""
        for plan in tqdm(self.plans, desc="write", unit="utt"):
            result = self.results[plan.id]
            alignment = textgrid.from_phones(plan, result.phones, result.seconds)
            textgrid.write(alignment, folder / f"{plan.id}.TextGrid")

    def disagreements(
        self, others: Mapping[str, AlignmentResult | Reject], inventory: Inventory
    ) -> dict[str, float]:
        """How far the results of a second backend are from these, in ms, by id."""
        return {
            name: disagreement(self.results[name], other, inventory)
            for name, other in others.items()
            if isinstance(other, AlignmentResult)
        }


def report(
    outcome: Outcome,
    backends: Mapping[str, str],
    disagreements: Mapping[str, float],
    quality: Quality,
) -> list[Row]:
    """The alignment report, one row per utterance.

    Args:
        outcome: of all utterances.
        backends: of each utterance, in the order of the rows.
        disagreements: see `Outcome.disagreements`.
        quality: the bounds of the statuses; alignments corrected by a person are always kept.
    """
    table = measures(outcome.results)
    table.insert(0, "confidence", confidence(table).round(3))
    numbers = table.round(4).to_dict("index")
    rows = []
    for name, backend in backends.items():
        if name in outcome.rejects:
            rows.append(Row(name, str(outcome.rejects[name]), backend, None))
            continue
        decided: Status = "keep"
        reason = ""
        if backend != CORRECTED:
            decided, reason = status_of(float(table.at[name, "confidence"]), quality)
        beam = outcome.results[name].beam
        known = numbers[name] | {"beam": math.nan if beam is None else beam}
        apart = float(np.round(disagreements.get(name, math.nan), 2))
        rows.append(Row(name, reason, backend, decided, **known, disagreement_ms=apart))
    return rows


def spoken(
    plans: Iterable[TokenPlan],
    results: Mapping[str, AlignmentResult | Reject],
    dictionary: Dictionary,
    inventory: Inventory,
) -> Outcome:
    """The plans as they were spoken.

    Args:
        plans: as they were planned.
        results: of each plan, by id.
        dictionary: pronunciations that a word may have besides its plan's.
        inventory: the language's phones.
    """
    followed: list[TokenPlan] = []
    found: dict[str, AlignmentResult] = {}
    rejects: dict[str, Reject] = {}
    variants = 0
    for planned in plans:
        result = results[planned.id]
        try:
            if isinstance(result, Reject):
                raise result
            plan, phones = follow_words(planned, result.words, result.phones, inventory) or follow(
                planned, result.phones, dictionary, inventory
            )
        except Reject as reason:
            rejects[planned.id] = reason
            continue
        followed.append(plan)
        found[plan.id] = replace(result, phones=phones)
        variants += plan.phones != planned.phones
    return Outcome(followed, found, rejects, variants)
