"""From any number of answers to opinions and preferences with intervals.

Listeners and sentences are both samples: another panel, or other sentences, would have answered
otherwise. So both are drawn in the bootstrap, independently (listeners' rows and sentences' columns
at once), which is a little cautious. A preference counts "no difference" as half.

Whoever finds the hidden recording no better than the anchor is left out and counted.

What they cannot tell: with one listener the intervals are about sentences only, and a panel of the
project's own friends is one opinion.

Source: Owen and Eckles, "Bootstrapping data arrays of arbitrary order", Annals of Applied
Statistics 6(3), 2012, on drawing both sides; ITU-R BS.1534-3, section 4.1.2, on leaving out.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lbtts.errors import InputError
from lbtts.evaluation.bootstrap import CONFIDENCE, Estimate
from lbtts.evaluation.listening.design import ANCHOR, REFERENCE
from lbtts.records import read_json

_RESAMPLES = 4000
_NO_PREFERENCE = 0.5


@dataclass(frozen=True)
class Results:
    """What a panel said.

    Attributes:
        listeners: whose answers count.
        left_out: those who did not find the recording better than the anchor.
        opinions: mean opinion score, 1 to 5, of each system, best first.
        preferences: share of comparisons, 0 to 1, in which the first of two systems was preferred.
    """

    listeners: int
    left_out: tuple[str, ...]
    opinions: dict[str, Estimate]
    preferences: dict[tuple[str, str], Estimate]

    def lines(self) -> list[str]:
        """The results in words, one line each."""
        left = f"; left out: {', '.join(self.left_out)}" if self.left_out else ""
        found = [f"{self.listeners} listeners{left}"]
        for system, e in self.opinions.items():
            found.append(f"{system}: MOS {e.value:.2f} ({e.low:.2f} to {e.high:.2f})")
        for (one, other), e in self.preferences.items():
            sure = e.low > _NO_PREFERENCE or e.high < _NO_PREFERENCE
            found.append(
                f"{one} rather than {other}: {e.value:.0%} ({e.low:.0%} to {e.high:.0%})"
                f"{'' if sure else ', no more than chance'}"
            )
        return found


def read(keys: Sequence[Path], answers: Sequence[Path]) -> pd.DataFrame:
    """One row an answer: `listener`, `utterance`, `system`, `other` (empty for ratings), `value`.

    Args:
        keys: of the tests, which the command that made them wrote.
        answers: files that listeners sent back; a listener who sent twice counts once.

    Raises:
        InputError: a file is none of these, or belongs to a test whose key is not given.
    """
    tests = {}
    for path in keys:
        key = read_json(path)
        tests[_of(key, "name", path)] = key
    rows: list[dict[str, Any]] = []
    seen = set()
    for path in answers:
        sent = read_json(path)
        name = _of(sent, "test", path)
        if name not in tests:
            raise InputError(f"{path}: of the test {name}, whose key was not given; give it too")
        who = _of(sent, "listener", path)
        if (name, who) in seen:
            continue
        seen.add((name, who))
        try:
            rows += [_row(tests[name], who, answer) for answer in sent["answers"]]
        except (KeyError, IndexError, TypeError) as error:
            raise InputError(f"{path}: not answers to the test {name} ({error!r})") from error
    return pd.DataFrame(rows, columns=["listener", "utterance", "system", "other", "value"])


def results(table: pd.DataFrame, seed: int = 0) -> Results:
    """What the answers in `table`, from `read`, say.

    Raises:
        InputError: there are none, or none that count.
    """
    bad = tuple(sorted(who for who, own in table.groupby("listener") if _deaf(own)))
    kept = table[~table["listener"].isin(bad)]
    if kept.empty:
        raise InputError(
            f"listening: no answers that count, {len(bad)} listeners left out; give more files"
        )
    ratings = kept[kept["other"] == ""]
    opinions = {str(s): _estimate(own, seed) for s, own in ratings.groupby("system")}
    preferences = {}
    for (one, other), own in _oriented(kept[kept["other"] != ""]).items():
        preferences[one, other] = _estimate(own, seed)
    return Results(
        kept["listener"].nunique(),
        bad,
        dict(sorted(opinions.items(), key=lambda item: -item[1].value)),
        preferences,
    )


def _row(key: dict[str, Any], who: str, answer: dict[str, Any]) -> dict[str, Any]:
    numbers = key["questions"][answer["question"]]["stimuli"]
    stimuli = [key["stimuli"][number] for number in numbers]
    return {
        "listener": who,
        "utterance": stimuli[0]["utterance"],
        # The value of a comparison is the share of the second; it is stored as of `system`.
        "system": stimuli[-1]["system"],
        "other": stimuli[0]["system"] if len(stimuli) == 2 else "",
        "value": float(answer["value"]),
    }


def _oriented(table: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Comparisons by pair of systems in alphabetic order, each value the share of the first."""
    found = defaultdict(list)
    for row in table.to_dict("records"):
        one, other = sorted((row["system"], row["other"]))
        value = row["value"] if row["system"] == one else 1 - row["value"]
        found[one, other].append({**row, "value": value})
    return {pair: pd.DataFrame(rows) for pair, rows in sorted(found.items())}


def _deaf(own: pd.DataFrame) -> bool:
    """Whether a listener rated the recording no better than the anchor."""
    means = own[own["other"] == ""].groupby("system")["value"].mean()
    return REFERENCE in means and ANCHOR in means and means[REFERENCE] <= means[ANCHOR]


def _estimate(table: pd.DataFrame, seed: int) -> Estimate:
    """The mean with its interval over listeners and utterances."""
    grid = table.pivot_table(index="listener", columns="utterance", values="value").to_numpy()
    draw = np.random.default_rng(seed)
    there = np.isfinite(grid)
    values = np.where(there, grid, 0.0)
    means = []
    for _ in range(_RESAMPLES):
        rows = np.bincount(draw.integers(0, len(grid), len(grid)), minlength=len(grid))
        width = grid.shape[1]
        columns = np.bincount(draw.integers(0, width, width), minlength=width)
        if weight := rows @ there @ columns:
            means.append(rows @ values @ columns / weight)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Estimate(float(grid[there].mean()), float(low), float(high), grid.shape[1])


def _of(record: dict[str, Any], field: str, path: Path) -> str:
    if not isinstance(record.get(field), str):
        raise InputError(f"{path}: no `{field}`; give the key first, then the answers")
    return str(record[field])
