"""Acoustic models, one folder each, with all that is specific to that model.

A model is a package with these modules; the stages get them by `part`:

base      make(p) -> metrics: writes the weights to start from into `models/base`
voice     make(p) -> metrics: writes the voice to start from into `models/voice`
recipe    build(p, store, device, autocast) -> Recipe, and inputs() -> the files that count for it
speech    base() and finetuned() -> Synthesiser: what is compared on held-out utterances;
          stranger() -> Synthesiser of another speaker, or None
export    make(p) -> metrics: writes the folder that is given away into `models/export` and
          proves it;
          rounded(p) -> name, file and Speaker of each smaller form, written when it is asked for

A model that has nothing to do in a stage returns metrics that say that.
"""

from importlib import import_module
from typing import Any

PARTS = ("base", "voice", "recipe", "speech", "export")


def part(model: str, name: str) -> Any:
    """The module `name`, one of `PARTS`, of the model that `model:` in params.yaml names."""
    return import_module(f"{__name__}.{model}.{name}")
