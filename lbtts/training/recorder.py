"""The run's history of figures, written for DVC's plots and restored with the run."""

from collections.abc import Sequence
from pathlib import Path

from accelerate.tracking import GeneralTracker, TensorBoardTracker, WandBTracker
from dvclive import Live

from lbtts.errors import InputError

Figures = dict[str, float]


class Recorder:
    """Collects named figures by step and hands them to dvclive and to other trackers.

    dvclive's files belong to a DVC stage, which clears them before every start. A resumed run
    therefore writes them again from its history; other trackers keep what they were told.

    Attributes:
        writes: whether this process is the one that writes.
    """

    def __init__(
        self,
        folder: Path | None,
        history: Sequence[tuple[int, Figures]],
        trackers: Sequence[GeneralTracker] = (),
    ) -> None:
        """Begins with `history`; `folder` is None in all processes but the first."""
        self.history: list[tuple[int, Figures]] = []
        self.writes = folder is not None
        self._live = Live(str(folder), dvcyaml=False, save_dvc_exp=False) if folder else None
        self._trackers: Sequence[GeneralTracker] = ()
        for step, figures in history:
            self.log(step, figures)
        self._trackers = trackers

    def log(self, step: int, figures: Figures) -> None:
        """Adds figures at a step; names like `train/mel` become a curve each."""
        self.history.append((step, figures))
        for tracker in self._trackers:
            tracker.log(figures, step=step)
        if self._live is None:
            return
        self._live.step = step
        for name, value in figures.items():
            self._live.log_metric(name, value)

    def close(self) -> None:
        """Completes the files."""
        for tracker in self._trackers:
            tracker.finish()
        if self._live is not None:
            self._live.end()

    def validations(self) -> list[tuple[int, Figures]]:
        """The steps that were validated and their figures, oldest first."""
        return [(s, f) for s, f in self.history if "validation/stft" in f]


def trackers(names: Sequence[str], folder: Path, step: int) -> list[GeneralTracker]:
    """TensorBoard (into `folder`/tensorboard) and Weights & Biases, as `run.trackers` names them.

    Args:
        names: of the trackers.
        folder: the run's own, which it keeps when it is continued.
        step: behind which they continue.

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
            "`pip install -r requirements-trackers.txt`, or take it out of the list"
        ) from error
    return found
