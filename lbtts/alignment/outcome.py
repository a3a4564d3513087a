"""The result of the alignment: token plans with the phones that were spoken, and the report."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lbtts.alignment import textgrid
from lbtts.alignment.prealigned import follow_words
from lbtts.alignment.pronunciation import follow
from lbtts.alignment.quality import Measures, confidence, disagreement, status_of
from lbtts.alignment.report import CORRECTED, Row, Status
from lbtts.alignment.textgrid import AlignmentResult
from lbtts.errors import Reject
from lbtts.params import Quality
from lbtts.text.dictionary import Dictionary
from lbtts.text.inventory import Inventory
from lbtts.text.tokens import TokenPlan


@dataclass
class Outcome:
    """The utterances whose phones are known, and the others.

    grids: folder with the TextGrid of each plan.
    plans: with the phones that were spoken.
    measures: of their alignments.
    rejects: why the others have no alignment, by id.
    variants: how many plans have other phones than were planned.
    """

    grids: Path
    plans: list[TokenPlan] = field(default_factory=list)
    measures: Measures = field(default_factory=Measures)
    rejects: dict[str, str] = field(default_factory=dict)
    variants: int = 0

    def grid(self, name: str) -> Path:
        """The TextGrid of an utterance."""
        return self.grids / f"{name}.TextGrid"

    def disagreements(
        self, others: Iterable[tuple[str, AlignmentResult | Reject]], inventory: Inventory
    ) -> dict[str, float]:
        """How far the results of a second backend are from these, in ms, by id."""
        return {
            name: disagreement(textgrid.read(self.grid(name)).phones, other.phones, inventory)
            for name, other in others
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
    table = outcome.measures.table()
    table.insert(0, "confidence", confidence(table).round(3))
    numbers = dict(zip(table.index, table.round(4).itertuples(index=False), strict=True))
    rows = []
    for name, backend in backends.items():
        if name in outcome.rejects:
            rows.append(Row(name, outcome.rejects[name], backend, None))
            continue
        known = numbers[name]._asdict()
        decided: Status = "keep"
        reason = ""
        if backend != CORRECTED:
            decided, reason = status_of(known["confidence"], quality)
        apart = float(np.round(disagreements.get(name, math.nan), 2))
        rows.append(Row(name, reason, backend, decided, **known, disagreement_ms=apart))
    return rows


def spoken(
    plans: Iterable[TokenPlan],
    results: Iterable[tuple[str, AlignmentResult | Reject]],
    dictionary: Dictionary,
    inventory: Inventory,
    grids: Path,
) -> Outcome:
    """The plans as they were spoken; the TextGrid of each is written as soon as it is known.

    Args:
        plans: as they were planned.
        results: the id of each plan with its alignment, in the same order.
        dictionary: pronunciations that a word may have besides its plan's.
        inventory: the language's phones.
        grids: folder for the TextGrids.
    """
    outcome = Outcome(grids)
    for planned, (name, result) in zip(plans, results, strict=True):
        try:
            if isinstance(result, Reject):
                raise result
            plan, phones = follow_words(planned, result.words, result.phones, inventory) or follow(
                planned, result.phones, dictionary, inventory
            )
        except Reject as reason:
            outcome.rejects[name] = str(reason)
            continue
        alignment = textgrid.from_phones(plan, phones, result.seconds)
        textgrid.write(alignment, outcome.grid(name))
        outcome.measures.add(name, replace(result, phones=phones))
        outcome.plans.append(plan)
        outcome.variants += plan.phones != planned.phones
    return outcome
