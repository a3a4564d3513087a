"""The weights to start from: the hub's, a file's, or seeded random ones, in one layout."""

from pathlib import Path

from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from lbtts import params
from lbtts.errors import InputError, first_line
from lbtts.model import checkpoint, facts
from lbtts.params import Base
from lbtts.records import write_json
from stages import run

OUT = Path("models/base")
CHECKPOINT = "kokoro-v1_0.pth"
VOICES = "voices"  # the folder of the published tables, on the hub and beside a local checkpoint


def download(base: Base) -> tuple[Path, Path, Path]:
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
            f"base.source: hub: {base.repo}@{base.revision} cannot be fetched "
            f"({first_line(error)}); check the network, or set base.source to file"
        ) from error
    return config, weights, Path(snapshot) / VOICES


def main() -> None:
    """Reads or draws the weights, strictly, and writes them with where they came from."""
    base = params.load().base
    if base.source == "random":
        config = facts.config()
        model = checkpoint.random(config, base.seed)
        print("base: RANDOM WEIGHTS. Everything downstream runs, but the voice will be noise.")
        origin = {"base": "random", "base_seed": base.seed}
        voices = {}
    else:
        if base.source == "hub":
            config_path, weights, folder = download(base)
        else:
            weights = Path(base.path or "")
            config_path, folder = weights.parent / "config.json", weights.parent / VOICES
            if not weights.is_file():
                raise InputError(f"base.path: {weights}: no such file")
        digest = checkpoint.sha256(weights)
        if digest != base.sha256:
            raise InputError(
                f"{weights}: its SHA-256 is {digest}, not the {base.sha256} of base.sha256; "
                "delete it and fetch it again, or correct base.sha256"
            )
        config = (
            checkpoint.read_config(config_path.parent) if config_path.exists() else facts.config()
        )
        model = checkpoint.build(config)
        checkpoint.load_published(model, weights)
        voices = checkpoint.load_voices(folder)
        origin = {"base": base.source, "base_sha256": digest}
        if base.source == "hub":
            origin |= {"base_repo": base.repo, "base_revision": base.revision}

    checkpoint.save_base(OUT, model, voices, config, origin)
    count = sum(p.numel() for p in model.parameters())
    write_json("metrics/base.json", origin | {"parameters": count, "voices": len(voices)})


if __name__ == "__main__":
    run(main)
