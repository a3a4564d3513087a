"""A folder with the network: `model.safetensors`, `config.json` with its shape and symbols."""

from pathlib import Path
from typing import Any

import safetensors.torch
from pydantic import ValidationError
from safetensors import SafetensorError

from lbtts.errors import InputError, first_line
from lbtts.models.randomness import seeded_noise
from lbtts.models.transformer import mel
from lbtts.models.transformer.network.model import Transformer
from lbtts.params import Architecture
from lbtts.records import read_json, write_json
from lbtts.text.vocab import VOCAB

WEIGHTS, CONFIG = "model.safetensors", "config.json"
_FORM = "lbtts transformer 1"  # raise it when a folder of before cannot be read


def untrained(shape: Architecture, seed: int) -> Transformer:
    """A network with random weights, in evaluation mode."""
    with seeded_noise(seed):
        return Transformer(shape).eval()


def save(network: Transformer, folder: Path) -> None:
    """Writes weights and configuration into `folder`, made if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    safetensors.torch.save_file(tensors, folder / WEIGHTS)
    write_json(folder / CONFIG, _config(network))


def load(folder: Path) -> Transformer:
    """The network that `save` wrote, in evaluation mode.

    Raises:
        InputError: a file is missing, damaged or of another form.
    """
    config = read_json(folder / CONFIG)
    if config.get("form") != _FORM:
        raise InputError(f"{folder / CONFIG}: not a model of the form {_FORM!r}; make it again")
    try:
        network = Transformer(Architecture.model_validate(config["architecture"])).eval()
        network.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
    except (KeyError, OSError, RuntimeError, SafetensorError, ValidationError) as error:
        raise InputError(
            f"{folder}: not a readable model ({first_line(error)}); run `dvc repro`"
        ) from None
    return network


def _config(network: Transformer) -> dict[str, Any]:
    return {
        "form": _FORM,
        "architecture": network.shape.model_dump(),
        "mel": {
            "rate": mel.RATE,
            "hop": mel.HOP,
            "n_fft": mel.N_FFT,
            "n_mels": mel.N_MELS,
            "fmin": mel.FMIN,
            "fmax": mel.FMAX,
            "logarithm": 10,
        },
        "symbols": VOCAB,
        **network.model_info(),
    }
