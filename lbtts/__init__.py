"""lbtts fine-tunes Kokoro-82M on a new language, and speaks with what comes out.

from lbtts import Voice; see lbtts.voice.
"""

from typing import Any

__all__ = ["Voice"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`Voice`, imported when it is asked for: the stages need no onnxruntime."""
    if name == "Voice":
        from lbtts.voice import Voice

        return Voice
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
