"""The listening report: one HTML file, audio and pictures inside, for any browser, offline."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lbtts import paths
from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.mel import log_mel
from lbtts.errors import InputError
from lbtts.evaluation.systems import CEILING, FLOOR, RECORDING, VOICE, audio_path, read_audio
from lbtts.grid import FRAME_RATE
from lbtts.page import TOP_HZ, audio_file, panels, png, render, spectrogram
from lbtts.params import F0
from lbtts.text.tokens import TokenPlan

# The file that lists the rejects of each stage; if it has a column `status`, rows with `ok` are
# accepted.
REJECTS = {
    "corpus": paths.MANIFEST,
    "g2p": paths.G2P_REJECTS,
    "align": paths.ALIGNMENT_REPORT,
    "durations": paths.DURATIONS,
    "audit": paths.AUDIT,
    "features": paths.FEATURES_REPORT,
}
_SHOWN_REJECTS = 200  # rows; above it, counts per stage and reason

Array = NDArray[np.float32]


# The recordings of a sample: the folder, the system in it, and its name on the page.
_PLAYED = (
    (paths.REFERENCE, RECORDING, "recording"),
    (paths.REFERENCE, FLOOR, "base (zero shot)"),
    (paths.SPEECH, VOICE, "fine-tuned"),
    (paths.REFERENCE, CEILING, "copy synthesis"),
)


@dataclass(frozen=True)
class Recording:
    """An utterance by one system: name, WAV, log-mel [F, 80] and F0 [F] Hz, 0 where unvoiced."""

    name: str
    path: Path
    mel: Array
    f0: Array


@dataclass(frozen=True)
class Sample:
    """An utterance to listen to, by several systems."""

    id: str
    text: str
    phonemes: str
    recordings: tuple[Recording, ...]


def sample(plan: TokenPlan, f0: F0) -> Sample:
    """The utterance of a token plan by the evaluated systems.

    Raises:
        InputError: a system's audio is missing.
    """
    recordings = []
    for folder, system, name in _PLAYED:
        audio = read_audio(folder, system, plan.id)
        path = audio_path(folder, system, plan.id)
        recordings.append(Recording(name, path, log_mel(audio), track(audio, f0)))
    return Sample(plan.id, plan.text, plan.phonemes, tuple(recordings))


@dataclass(frozen=True)
class Rejected:
    """One utterance, or a number of them, that a stage rejected."""

    stage: str
    id: str
    reason: str


def rejects(files: Mapping[str, Path] = REJECTS) -> list[Rejected]:
    """The rejected utterances with stage and reason, in the order of the stages, each once.

    Above 200 utterances, one entry per stage and reason, with a count in place of the id.

    Raises:
        InputError: a file is missing or lacks a column.
    """
    found: dict[str, Rejected] = {}
    for stage, path in files.items():
        try:
            table = pandas.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
            if "status" in table:
                table = table[table["status"] != "ok"]
            for name, reason in zip(table["id"], table["reason"], strict=True):
                found.setdefault(name, Rejected(stage, name, reason))
        except (OSError, KeyError, pandas.errors.EmptyDataError) as error:
            raise InputError(
                f"{path}: not a report of rejects ({error}); run `dvc repro {stage}`"
            ) from error
    if len(found) <= _SHOWN_REJECTS:
        return list(found.values())
    counts = Counter((reject.stage, reject.reason) for reject in found.values())
    return [Rejected(stage, f"{n} utterances", reason) for (stage, reason), n in counts.items()]


def curves(folder: Path) -> dict[str, pandas.DataFrame]:
    """Training curves by name, columns `step`, `train`, `validation`, from dvclive's files."""
    found: dict[str, pandas.DataFrame] = {}
    for path in sorted(folder.glob("plots/metrics/*/*.tsv")):
        table = pandas.read_csv(path, sep="\t")
        table.columns = pandas.Index(["step", path.parent.name])
        name = path.stem
        found[name] = found[name].merge(table, how="outer", on="step") if name in found else table
    return found


def page(
    *,
    title: str,
    subtitle: str,
    base: Mapping[str, Any],
    synthetic: bool,
    evaluated: Mapping[str, Any],
    samples: Sequence[Sample],
    learning: Mapping[str, pandas.DataFrame],
    rejected: Sequence[Rejected],
    stages: Mapping[str, Mapping[str, Any]],
) -> str:
    """The whole page as HTML; equal input gives equal bytes.

    Args:
        title: its heading.
        subtitle: what was trained on what, one line.
        base: provenance of the weights that training began with.
        synthetic: the recordings are the demo's, a synthesiser's.
        evaluated: the summary of the stage evaluate, see `lbtts.evaluation.voice`.
        samples: what to listen to.
        learning: from `curves`.
        rejected: from `rejects`.
        stages: each earlier stage's metrics.
    """
    return render(
        "release/report.html.jinja",
        title=title,
        subtitle=subtitle,
        base=base,
        synthetic=synthetic,
        changed={
            name.removeprefix("changed_"): f"{value:.2%}"
            for name, value in stages.get("train", {}).items()
            if name.startswith("changed_")
        },
        initial_voice=stages.get("voice", {}).get("start"),
        utterances=evaluated["utterances"],
        gate=evaluated["gate"],
        checklist=evaluated["checklist"],
        confusions=evaluated["confusions"],
        metrics=rows(evaluated),
        samples=[
            {
                "id": sample.id,
                "text": sample.text,
                "phonemes": sample.phonemes,
                "recordings": [
                    {"name": r.name, "audio": audio_file(r.path)} for r in sample.recordings
                ],
                "picture": png(_spectrograms(sample.recordings)),
            }
            for sample in samples
        ],
        curves=png(_charts(learning)) if learning else "",
        rejects=rejected,
        stages=stages,
    )


def rows(evaluated: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The table of metrics: name, meaning, and each system's value with its interval in words.

    `changed` says whether the voice differs from the floor by more than chance, and to which side.
    """
    found = []
    for metric in evaluated["metrics"]:
        systems = metric["systems"]
        shown = {
            system: _shown(systems.get(system)) for system in (RECORDING, CEILING, VOICE, FLOOR)
        }
        changed = ""
        if metric["more_than_chance"] and FLOOR in systems:
            rose = systems[VOICE][0] > systems[FLOOR][0]
            better = {"less": not rose, "more": rose}.get(metric["better"])
            changed = {None: "changed", True: "better", False: "worse"}[better]
        found.append({**metric, "systems": shown, "changed": changed})
    return found


def _shown(interval: Sequence[float] | None) -> str:
    if interval is None:
        return "–"
    value, low, high = interval
    return f"{value:g}" if low == high else f"{value:g} ({low:g} to {high:g})"


def _spectrograms(recordings: Sequence[Recording]) -> Figure:
    """One log-mel spectrogram per recording on one time axis, with F0 over it."""
    figure = Figure(figsize=(9, 1.7 * len(recordings)), layout="constrained")
    axes = figure.subplots(len(recordings), 1, sharex=True, squeeze=False)[:, 0]
    for axis, recording in zip(axes, recordings, strict=True):
        seconds = len(recording.mel) / FRAME_RATE
        picture = spectrogram(recording.mel, recording.f0)
        axis.imshow(picture, aspect="auto", extent=(0, seconds, 0, TOP_HZ))
        axis.set_ylabel(f"{recording.name}\nF0, Hz", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[-1].set_xlim(0, max(len(recording.mel) for recording in recordings) / FRAME_RATE)
    axes[-1].set_xlabel("seconds", fontsize=8)
    return figure


def _charts(curves: Mapping[str, pandas.DataFrame]) -> Figure:
    """One small chart per curve."""
    figure, axes = panels(list(curves), across=3, width=9, height=2.3)
    for axis, table in zip(axes, curves.values(), strict=True):
        for line in table.columns.drop("step"):
            drawn = table[["step", line]].dropna()
            axis.plot(drawn["step"], drawn[line], label=line, linewidth=1)
        axis.legend(fontsize=7)
    return figure
