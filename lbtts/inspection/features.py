"""The page of features: distributions over the corpus, and the most unusual utterances."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyloudnorm
from joblib import delayed

from lbtts.acoustics.measuring.report import Row
from lbtts.acoustics.store.features import FeatureStore
from lbtts.acoustics.store.layout import Utterance
from lbtts.errors import InputError
from lbtts.grid import FRAME_RATE, SAMPLE_RATE
from lbtts.page import bitmap, histograms, png, render, spectrogram
from lbtts.params import Run
from lbtts.text.tokens import TokenPlan
from lbtts.workers import workers

WORST = 10  # utterances shown by each measure
_SILENCE_DB = 40  # below its loud frames an utterance is silent
_LOUD = 95  # percentile of its frames
_NEPER_DB = 10 / np.log(10)  # N is the natural logarithm of a power
_ZOOM = 2  # pixels per mel and per frame
_TASK = 64  # utterances per task of a worker


@dataclass(frozen=True)
class Measure:
    """A measure of an utterance.

    Attributes:
        name: the column, with its unit.
        meaning: in words.
        worst: `far` from the median on either side, or `high`.
    """

    name: str
    meaning: str
    worst: str


MEASURES = (
    Measure("seconds", "length, s", "far"),
    Measure("f0_median_hz", "median F0, Hz", "far"),
    Measure("loudness_lufs", "loudness, LUFS (ITU-R BS.1770-4)", "far"),
    Measure("phones_per_second", "speaking rate, phones a second without silence", "far"),
    Measure("silence_share", f"share of frames {_SILENCE_DB} dB below the loud ones", "high"),
    Measure("clipping_share", "clipping: share of samples within 1 % of the peak", "high"),
    Measure("voiced", "share of voiced frames", "far"),
    Measure("outside", "share of voiced frames outside the speaker's range", "high"),
    Measure("jumps", "octave jumps a voiced second", "high"),
)


def measure(utterance: Utterance, phones: int) -> dict[str, float]:
    """The measures of an utterance that follow from its features.

    Args:
        utterance: whole.
        phones: how many it has.
    """
    silent = utterance.energy < (np.percentile(utterance.energy, _LOUD) - _SILENCE_DB / _NEPER_DB)
    level = np.abs(utterance.audio)
    voiced = utterance.f0[utterance.f0 > 0]
    loudness = pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(utterance.audio)
    return {
        "seconds": len(utterance.audio) / SAMPLE_RATE,
        "f0_median_hz": float(np.median(voiced)),
        "loudness_lufs": float(max(loudness, -70)),  # -inf if the gate of BS.1770 leaves nothing
        "phones_per_second": phones * FRAME_RATE / int((~silent).sum()),
        "silence_share": float(silent.mean()),
        "clipping_share": float((level >= 0.99 * level.max()).mean()),
    }


def describe(
    store: FeatureStore, plans: Iterable[TokenPlan], report: Iterable[Row], run: Run
) -> pd.DataFrame:
    """The measures of every utterance in the store, by id, with `text` and `suspicion`.

    Args:
        store: the features.
        plans: of all utterances in the store.
        report: of the stage features.
        run: the section.

    Raises:
        InputError: an utterance has no plan or is not in the report.
    """
    said = {plan.id: (plan.text, len(plan.phones)) for plan in plans}
    rows = {row.id: row for row in report}
    missing = [name for name in store.ids if name not in said or name not in rows]
    if missing:
        raise InputError(f"{missing[0]}: in the features but not in their report; run `dvc repro`")
    phones = [said[name][1] for name in store.ids]
    with workers(run) as parallel:
        work = parallel(
            delayed(_measure_some)(store, begin, phones[begin : begin + _TASK])
            for begin in range(0, len(store), _TASK)
        )
        measured = [measures for some in work for measures in some]
    table = pd.DataFrame(measured, index=pd.Index(store.ids))
    table["text"] = [said[name][0] for name in store.ids]
    for column in ("voiced", "outside", "jumps", "suspicion"):
        table[column] = [getattr(rows[name], column) for name in store.ids]
    return table


def _measure_some(store: FeatureStore, begin: int, phones: list[int]) -> list[dict[str, float]]:
    return [measure(store[begin + number], count) for number, count in enumerate(phones)]


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Quantiles of each measure over the utterances, flat: `seconds_p05` and so on."""
    return {
        f"{m.name}_{name}": float(f"{table[m.name].quantile(share):.4g}")
        for m in MEASURES
        for name, share in (("p05", 0.05), ("median", 0.5), ("p95", 0.95))
    }


def worst(table: pd.DataFrame, measure: Measure) -> list[str]:
    """Ids of the worst utterances by a measure, the worst first."""
    values = table[measure.name]
    if measure.worst == "far":
        values = (values - values.median()).abs()
    values = values[values > 0].sort_values(ascending=False, kind="stable")
    return [str(name) for name in values.index[:WORST]]


def page(
    store: FeatureStore,
    table: pd.DataFrame,
    report: Sequence[Row],
    marks: pd.DataFrame,
    title: str,
) -> str:
    """The whole page as HTML, pictures inside; equal input gives equal bytes.

    Args:
        store: the features.
        table: from `describe`.
        report: of the stage features.
        marks: from `lbtts.inspection.stress.disagreements`.
        title: its heading.
    """
    index = {name: number for number, name in enumerate(store.ids)}
    shown = {m.name: worst(table, m) for m in MEASURES}
    pictures = {name: _picture(store[index[name]]) for names in shown.values() for name in names}
    return render(
        "inspection/features.html.jinja",
        title=title,
        utterances=len(table),
        hours=table["seconds"].sum() / 3600,
        distributions=png(
            histograms(table, [m.name for m in MEASURES], across=3, width=9, height=2.2)
        ),
        measures=[
            {
                "name": m.name,
                "meaning": m.meaning,
                "quantiles": [f"{table[m.name].quantile(q):.4g}" for q in (0, 0.05, 0.5, 0.95, 1)],
                "worst": [
                    {
                        "id": name,
                        "value": f"{table.at[name, m.name]:.4g}",
                        "text": table.at[name, "text"],
                        "picture": pictures[name],
                    }
                    for name in shown[m.name]
                ],
            }
            for m in MEASURES
        ],
        marks=marks.to_dict("records"),
        suspects=[{"id": row.id, "reason": row.suspicion} for row in report if row.suspicion],
        rejects=[{"id": row.id, "reason": row.reason} for row in report if row.reason],
    )


def _picture(utterance: Utterance) -> str:
    return bitmap(spectrogram(utterance.mel, utterance.f0, _ZOOM))
