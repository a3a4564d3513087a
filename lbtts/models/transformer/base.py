"""The weights that the baseline starts from: random ones."""

from typing import Any

from lbtts.models.transformer import weights
from lbtts.params import Params
from lbtts.paths import BASE
from lbtts.records import write_json


def make(p: Params) -> dict[str, Any]:
    """Writes `models/base`; returns its origin and size, for the metrics."""
    network = weights.untrained(p.transformer.architecture, p.base.seed)
    weights.save(network, BASE)
    origin = {"base": "scratch", "base_seed": p.base.seed}
    write_json(BASE / "provenance.json", origin)
    return origin | network.model_info()
