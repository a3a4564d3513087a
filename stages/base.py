"""Loads the weights to start from, and the voices published with them."""

from lbtts import models, params
from lbtts.paths import metrics
from lbtts.records import write_json
from stages import run


def main() -> None:
    """Writes models/base, as the model that params.yaml names makes it."""
    p = params.load()
    write_json(metrics("base"), models.part(p.model, "base").make(p))


if __name__ == "__main__":
    run(main)
