"""The run's history of metrics, written for DVC's plots and restored with the run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from accelerate.tracking import GeneralTracker, TensorBoardTracker, WandBTracker
from dvclive import Live

from lbtts.errors import InputError

Metrics = dict[str, float]


class Recorder:
    """Collects named metrics by step and hands them to dvclive and to other trackers.

    DVC deletes dvclive's files before each start of the stage, so a resumed run writes them again
    from its history. Other trackers keep what was logged before.

    Attributes:
        writes: whether this process is the one that writes.
    """

    def __init__(
        self,
        folder: Path | None,
        history: Sequence[tuple[int, Metrics]],
        trackers: Sequence[GeneralTracker] = (),
    ) -> None:
        """Starts with `history`; `folder` is None in all processes except the first."""
        self.history: list[tuple[int, Metrics]] = []
        self.writes = folder is not None
        self._live = Live(str(folder), dvcyaml=False, save_dvc_exp=False) if folder else None
        self._trackers: Sequence[GeneralTracker] = ()
        for step, metrics in history:
            self.log(step, metrics)
        self._trackers = trackers

    def log(self, step: int, metrics: Metrics) -> None:
        """Adds metrics at a step; each name, such as `train/mel`, becomes a curve."""
        self.history.append((step, metrics))
        for tracker in self._trackers:
            tracker.log(metrics, step=step)
        if self._live is None:
            return
        self._live.step = step
        for name, value in metrics.items():
            self._live.log_metric(name, value)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Completes the files, of a run that failed too."""
        for tracker in self._trackers:
            tracker.finish()
        if self._live is not None:
            self._live.end()

    def validations(self) -> list[tuple[int, Metrics]]:
        """The steps that were validated and their metrics, oldest first."""
        return [(s, m) for s, m in self.history if "validation/total" in m]


def trackers(names: Sequence[str], folder: Path, step: int) -> list[GeneralTracker]:
    """TensorBoard (into `folder`/tensorboard) and Weights & Biases, as `run.trackers` names them.

    Args:
        names: of the trackers.
        folder: of the run, the same when it is continued.
        step: after which they continue.

    Raises:
        InputError: a package is missing.
    """
    found: list[GeneralTracker] = []
    try:
        for name in names:
            if name == "tensorboard":
                found.append(TensorBoardTracker(name, str(folder), purge_step=step + 1))
            else:
                found.append(WandBTracker("lbtts", dir=str(folder), id=folder.name, resume="allow"))
            found[-1].start()
    except (ImportError, NameError) as error:
        raise InputError(
            f"run.trackers: {name} is not installed ({error}); "
            "`pip install -r requirements-trackers.txt`, or remove it from the list"
        ) from error
    return found
