"""Makes the initial voice."""

from lbtts import models, params
from lbtts.paths import metrics
from lbtts.records import write_json
from stages import run


def main() -> None:
    """Writes models/voice, as the model that params.yaml names makes it."""
    p = params.load()
    write_json(metrics("voice"), models.part(p.model, "voice").make(p))


if __name__ == "__main__":
    run(main)
