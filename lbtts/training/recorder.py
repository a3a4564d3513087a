"""The run's history of figures, written for DVC's plots and restored with the run."""

from pathlib import Path

from dvclive import Live

Figures = dict[str, float]


class Recorder:
    """Collects named figures by step and hands them to dvclive.

    dvclive's files belong to a DVC stage, which clears them before every start. A resumed run
    therefore writes them again from its history.
    """

    def __init__(self, folder: Path, history: list[tuple[int, Figures]]) -> None:
        self.history: list[tuple[int, Figures]] = []
        self._live = Live(str(folder), dvcyaml=False, save_dvc_exp=False)
        for step, figures in history:
            self.log(step, figures)

    def log(self, step: int, figures: Figures) -> None:
        """Adds figures at a step; names like `train/mel` become a curve each."""
        self.history.append((step, figures))
        self._live.step = step
        for name, value in figures.items():
            self._live.log_metric(name, value)

    def close(self) -> None:
        """Completes dvclive's files."""
        self._live.end()

    def validations(self) -> list[Figures]:
        """The validation figures so far, oldest first."""
        return [f for _, f in self.history if any(n.startswith("validation/") for n in f)]
