"""All parameters: one frozen pydantic model per top-level key of `params.yaml`."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lbtts.errors import InputError
from lbtts.params.data import (
    F0,
    MFA,
    Align,
    Backend,
    Check,
    Corpus,
    Demo,
    Features,
    Kaldi,
    Lexicon,
    Network,
    Quality,
    Source,
)
from lbtts.params.evaluation import Audit, Evaluate, Gate, Words
from lbtts.params.section import Count, Section, Share
from lbtts.params.training import (
    Base,
    Component,
    Components,
    Discriminators,
    KokoroTraining,
    Loss,
    LossWeights,
    TeacherForcing,
    Train,
    Voice,
)
from lbtts.params.transformer import Architecture, History, TransformerLosses, TransformerTraining

__all__ = [
    "F0",
    "MFA",
    "Align",
    "Architecture",
    "Audit",
    "Backend",
    "Base",
    "Check",
    "Component",
    "Components",
    "Corpus",
    "Demo",
    "Discriminators",
    "Evaluate",
    "Export",
    "Features",
    "Gate",
    "History",
    "Kaldi",
    "KokoroTraining",
    "Lexicon",
    "Loss",
    "LossWeights",
    "Network",
    "Params",
    "Quality",
    "Report",
    "Run",
    "Source",
    "TeacherForcing",
    "Train",
    "TransformerLosses",
    "TransformerTraining",
    "Voice",
    "Words",
    "load",
]


class Run(Section):
    """How the work is done. It changes no result, except by rounding, so no stage depends on it."""

    jobs: Annotated[int, Field(ge=0)]  # worker processes; 0 = one per core
    backend: Literal["loky", "dask", "ray"]  # shares the work of data stages; dask, ray: extras
    # address of a running Dask or Ray cluster, which must see the project at the same path; null
    # starts one of `jobs` processes on this machine
    cluster: str | None
    max_rejected: Share  # a stage stops when it rejects a larger share of its utterances
    processes: Count  # on this machine that share each training step: one for each GPU
    loaders: Annotated[int, Field(ge=0)]  # processes that read batches, for each training process
    trackers: tuple[Literal["tensorboard", "wandb"], ...]  # report besides dvclive

    @property
    def workers(self) -> int:
        """Worker processes to start."""
        return self.jobs or len(os.sched_getaffinity(0))

    @model_validator(mode="after")
    def _consistent(self) -> "Run":
        if self.cluster is not None and self.backend == "loky":
            raise ValueError("cluster belongs to backend: dask or ray; loky works on this machine")
        return self


class Report(Section):
    """The listening report."""

    samples: Count  # held-out utterances to listen to


class Export(Section):
    """The exported voice."""

    voice: Annotated[str, Field(pattern=r"^[a-z]+_[a-z0-9]+$")]
    onnx: bool


class Params(Section):
    """The whole of `params.yaml`."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
    run: Run
    corpus: Corpus
    lexicon: Lexicon
    align: Align
    audit: Audit
    features: Features
    base: Base
    voice: Voice
    model: Literal["kokoro", "transformer"]  # a folder of lbtts/models
    train: Train
    kokoro: KokoroTraining
    transformer: TransformerTraining
    evaluate: Evaluate
    report: Report
    export: Export


def load(path: str | Path = "params.yaml") -> Params:
    """The validated parameters in `path`.

    ruamel.yaml reads YAML 1.2, in which `1e-5` is a number; PyYAML would return a string.

    Raises:
        InputError: the file is missing, is not YAML, has an unknown or missing key, or a value is
            out of bounds; the message names each key.
    """
    path = Path(path)
    try:
        tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: not found; run from the project root, or copy a profile there"
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    try:
        return Params.model_validate(tree)
    except ValidationError as error:
        problems = "; ".join(_in_words(problem) for problem in error.errors())
        raise InputError(
            f"{path}: {problems}; lbtts/params lists every key and its bounds"
        ) from None


def _in_words(problem: ErrorDetails) -> str:
    key = ".".join(map(str, problem["loc"]))
    match problem["type"]:
        case "missing":
            return f"{key}: missing"
        case "extra_forbidden":
            return f"{key}: no such key"
        case _:
            return f"{key}: {problem['msg']} (got {problem['input']!r})"
