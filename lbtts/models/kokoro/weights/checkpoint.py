"""Kokoro's weights on disk: read strictly, written in the published form.

`KModel` catches every error while it loads, removes seven characters from each key and retries with
`strict=False`, so with a wrong file it keeps random weights silently. Here every key is checked.
"""

import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from kokoro import KModel
from kokoro.istftnet import AdaIN1d
from torch import Tensor

from lbtts.errors import InputError, first_line
from lbtts.models.kokoro.weights.facts import COMPONENTS, STYLE, TABLE_ROWS
from lbtts.records import read_json, write_json

_PARALLEL_PREFIX = "module."  # torch.nn.DataParallel wrote the published checkpoint
_POSITIONS = "bert.embeddings.position_ids"  # a constant that older transformers saved with weights
_PRIOR_UNITS = 3  # 75 ms per token: a typical mean, for a model without training

State = dict[str, Tensor]


def build(config: dict[str, Any]) -> KModel:
    """A stock KModel of `config` with torch's own random weights, in eval mode, on the CPU.

    KModel always reads a checkpoint; it gets an empty one, so nothing is downloaded.
    """
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    with warnings.catch_warnings():  # of kokoro's old weight norm and its dropout on one layer
        warnings.simplefilter("ignore")
        return KModel(repo_id="", config=config, model=empty).eval()


def random(config: dict[str, Any], seed: int) -> KModel:
    """A KModel of `config` with weights drawn from `seed`.

    The duration bias gives a token 3 units: torch's default, sigmoid(0) in each of 50
    bins, would make every token last 625 ms.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build(config)
    bias = model.predictor.duration_proj.linear_layer.bias
    share = _PRIOR_UNITS / bias.numel()
    with torch.no_grad():
        bias.fill_(math.log(share / (1 - share)))
    return model


def instance_norms(model: KModel) -> set[str]:
    """Names of the instance-norm weights and biases inside AdaIN, which the style replaces.

    In the original training they did not exist (`affine=False`); kokoro's inference code adds them
    for ONNX and expects 1 and 0.
    """
    return {
        f"{name}.norm.{kind}"
        for name, module in model.named_modules()
        if isinstance(module, AdaIN1d)
        for kind in ("weight", "bias")
    }


def load_published(model: KModel, path: str | Path) -> None:
    """Fills `model` from a checkpoint in Kokoro's published form, {component: state dict}.

    The instance norms of AdaIN may be missing, but only all together; then they stay at 1 and 0.
    Any other missing or unknown tensor, or one of a wrong shape, is refused.

    Raises:
        InputError: the file is missing, unreadable or differs; names the file and the first keys.
    """
    path = Path(path)
    try:
        published = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever pickle, zip or the OS raise
        raise InputError(
            f"{path}: not a readable checkpoint ({first_line(error)}); "
            "delete it and run `dvc repro base`"
        ) from error
    if not isinstance(published, dict) or set(published) != set(COMPONENTS):
        raise InputError(
            f"{path}: not a Kokoro checkpoint; its parts must be {', '.join(COMPONENTS)}"
        )
    fill(model, _flatten(published), path)


def fill(model: KModel, state: State, path: str | Path) -> None:
    """Fills `model` from flat names, as strictly as `load_published`; `path` is for messages."""
    expected = model.state_dict()
    positions = state.pop(_POSITIONS, None)
    if positions is not None and not torch.equal(
        positions.flatten(), torch.arange(positions.numel(), dtype=positions.dtype)
    ):
        raise InputError(f"{path}: {_POSITIONS} is not 0, 1, 2 …; kokoro could not use this file")
    missing, unknown = expected.keys() - state.keys(), state.keys() - expected.keys()
    if missing != (norms := instance_norms(model)):
        _refuse(path, "lacks", missing - norms or missing)
    _refuse(path, "has unknown", unknown)
    _refuse(path, "has other shapes for", {k for k in state if state[k].shape != expected[k].shape})
    model.load_state_dict(state, strict=False)


def load_voices(folder: str | Path) -> State:
    """The voice tables [510, 1, 256] float32 in `folder`, by voice.

    One file each: `<voice>.pt` as on the hub, or `<voice>.bin` as kokoro-js ships them, raw
    little-endian float32 numbers, row by row.

    Raises:
        InputError: a file is unreadable or is not such a table, or a voice exists in both forms.
    """
    tables: State = {}
    for path in sorted(Path(folder).iterdir() if Path(folder).is_dir() else ()):
        if path.suffix not in (".pt", ".bin"):
            continue
        if path.stem in tables:
            raise InputError(f"{path}: {path.stem}.bin exists too; remove one of them")
        tables[path.stem] = load_voice(path)
    return tables


def load_voice(path: Path) -> Tensor:
    """The voice table [510, 1, 256] float32 in one file; see `load_voices`."""
    return _load_raw_voice(path) if path.suffix == ".bin" else _load_saved_voice(path)


def _load_raw_voice(path: Path) -> Tensor:
    size, expected = path.stat().st_size, 4 * TABLE_ROWS * STYLE
    if size != expected:
        raise InputError(
            f"{path}: {size} bytes, but a voice of Kokoro has {expected}; "
            "download it again or remove it"
        )
    numbers = np.fromfile(path, dtype="<f4").astype(np.float32)
    return check_voice(torch.from_numpy(numbers).view(TABLE_ROWS, 1, STYLE), path)


def _load_saved_voice(path: Path) -> Tensor:
    try:
        table = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever pickle, zip or the OS raise
        raise InputError(
            f"{path}: not a readable voice ({first_line(error)}); download it again or remove it"
        ) from error
    return check_voice(table, path)


def check_voice(table: object, where: str | Path) -> Tensor:
    """`table`, if it is a voice table [510, 1, 256] float32 of finite numbers.

    Raises:
        InputError: it is not; the message names `where` it was found.
    """
    shape = (TABLE_ROWS, 1, STYLE)
    if not isinstance(table, Tensor) or table.shape != shape or table.dtype != torch.float32:
        raise InputError(
            f"{where}: not a voice of Kokoro, which is {list(shape)} float32 numbers; remove it"
        )
    if not torch.isfinite(table).all():
        raise InputError(f"{where}: has NaN or infinite styles; download it again or remove it")
    return table.contiguous()


def save_published(state: State, path: str | Path) -> None:
    """Writes flat `state` as {component: state dict}, every tensor float32 and contiguous.

    All tensors are written, the instance norms too, so stock KModel's strict loading succeeds and
    its silent retry is not needed.
    """
    parts: dict[str, State] = {component: {} for component in COMPONENTS}
    for name, tensor in state.items():
        component, _, key = name.partition(".")
        parts[component][key] = tensor.detach().float().contiguous().cpu()
    torch.save(parts, path)


def save_finetuned(
    folder: str | Path,
    model: KModel,
    table: Tensor,
    config: dict[str, Any],
    provenance: dict[str, str | int | float | None],
) -> None:
    """Writes config.json, model.safetensors, voice.safetensors and provenance.json into `folder`.

    Args:
        folder: made if it does not exist.
        model: its whole state dict is written, float32.
        table: [510, 1, 256] float32, the voice table.
        config: the model's configuration.
        provenance: where the weights come from, flat.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().float().contiguous().cpu() for k, v in model.state_dict().items()}
    safetensors.torch.save_file(state, folder / "model.safetensors")
    safetensors.torch.save_file({"table": table.contiguous()}, folder / "voice.safetensors")
    write_json(folder / "config.json", config)
    write_json(folder / "provenance.json", provenance)


def load_finetuned(folder: str | Path) -> tuple[KModel, Tensor]:
    """The fine-tuned KModel in eval mode and its voice table [510, 1, 256] float32.

    Raises:
        InputError: a file is missing or a tensor is missing, unknown or has a wrong shape.
    """
    folder = Path(folder)
    model = build(read_config(folder))
    fill(model, load_tensors(folder / "model.safetensors"), folder / "model.safetensors")
    return model, load_tensors(folder / "voice.safetensors")["table"]


def save_base(
    folder: str | Path,
    model: KModel,
    voices: State,
    config: dict[str, Any],
    provenance: dict[str, Any],
) -> None:
    """Writes config.json, model.pth, voices.safetensors and provenance.json into `folder`.

    Args:
        folder: made if it does not exist.
        model: its whole state dict is written, float32.
        voices: the base's own voice tables [510, 1, 256] float32, by name; may be none.
        config: the model's configuration.
        provenance: where the weights come from, flat.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_published(model.state_dict(), folder / "model.pth")
    safetensors.torch.save_file(voices, folder / "voices.safetensors")
    write_json(folder / "config.json", config)
    write_json(folder / "provenance.json", provenance)


def load_base(folder: str | Path) -> KModel:
    """The base KModel that the stage `base` wrote into `folder`, in eval mode."""
    folder = Path(folder)
    model = build(read_config(folder))
    load_published(model, folder / "model.pth")
    return model


def load_tensors(path: str | Path) -> State:
    """All tensors of a safetensors file.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        return safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(
            f"{path}: not readable ({error}); run `dvc repro` to make it again"
        ) from error


def read_config(folder: str | Path) -> dict[str, Any]:
    """The configuration in `folder`/config.json."""
    return read_json(Path(folder) / "config.json")


def _flatten(parts: dict[str, State]) -> State:
    """{component: {key: tensor}} as {component.key: tensor}, without the parallel prefix."""
    return {
        f"{component}.{key.removeprefix(_PARALLEL_PREFIX)}": tensor
        for component, state in parts.items()
        for key, tensor in state.items()
    }


def _refuse(path: str | Path, verb: str, keys: set[str]) -> None:
    if keys:
        shown = ", ".join(sorted(keys)[:3])
        raise InputError(
            f"{path}: {verb} {len(keys)} tensors ({shown}{', …' if len(keys) > 3 else ''}); "
            "it is not a checkpoint of this architecture in Kokoro's published form"
        )
