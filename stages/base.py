"""The weights to start from, and their own voices."""

from pathlib import Path

from lbtts import params
from lbtts.models.kokoro.weights import checkpoint
from lbtts.models.kokoro.weights import sources as base
from lbtts.records import write_json
from stages import run

OUT = Path("models/base")


def main() -> None:
    """Writes models/base, with where it comes from."""
    start = base.load(params.load().base)
    if start.origin["base"] == "random":
        print("base: RANDOM WEIGHTS. Everything downstream runs, but the voice will be noise.")
    checkpoint.save_base(OUT, start.model, start.voices, start.config, start.origin)
    count = sum(tensor.numel() for tensor in start.model.parameters())
    figures = {"parameters": count, "voices": len(start.voices)}
    write_json("metrics/base.json", start.origin | figures)


if __name__ == "__main__":
    run(main)
