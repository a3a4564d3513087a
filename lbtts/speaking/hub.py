"""Exported folders on the model hub."""

import re
from pathlib import Path

from lbtts.errors import InputError, first_line

_NAME = re.compile(r"[\w.-]+/[\w.-]+(?:@[\w.-]+)?")
# What speaking needs; not the checkpoint for torch.
_FILES = ["config.json", "g2p/*", "onnx/*"]


def local(folder: str | Path) -> Path:
    """The folder on this machine: itself, or a downloaded copy of `owner/name` or `...@revision`.

    Raises:
        InputError: there is no such folder, or the download fails.
    """
    path = Path(folder)
    if path.is_dir():
        return path
    if not _NAME.fullmatch(str(folder)):
        raise InputError(f"{folder}: no such folder; name an exported folder, or owner/name")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise InputError(
            f"{folder}: no such folder; to take it for a name on the hub, "
            "`pip install huggingface_hub`"
        ) from None
    name, _, revision = str(folder).partition("@")
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=_FILES))
    except Exception as error:  # of many kinds: network, names, permissions
        raise InputError(
            f"{folder}: no such folder, and the hub says: {first_line(error)}"
        ) from error
