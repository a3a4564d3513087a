"""Real speech of the development data, as the stage `corpus` would prepare it."""

from collections.abc import Callable
from pathlib import Path

from lbtts import params
from lbtts.corpus.audio import decode, prepare
from lbtts.evaluation.prompt import Audio


def marylux_texts(shared: Callable[..., Path], count: int | None = None) -> dict[str, str]:
    """The first `count` texts of the Marylux sample, by id."""
    lines = shared("marylux", "metadata.csv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("|", 1) for line in lines[:count])


def marylux_clips(shared: Callable[..., Path], root: Path, count: int) -> dict[str, Audio]:
    """The first `count` clips of the Marylux sample, by id."""
    corpus = params.load(root / "profiles/folder.yaml").corpus
    return {
        name: prepare(*decode(shared("marylux", "wavs", f"{name}.flac")), corpus).samples
        for name in marylux_texts(shared, count)
    }
