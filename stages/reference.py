"""Renders and measures the reference systems: recordings, ceiling and floor."""

import shutil

from lbtts import models, params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.evaluation.reference import measure_reference
from lbtts.paths import FEATURES, REFERENCE, metrics
from lbtts.records import write_json
from stages import run


def main() -> None:
    """Renders each utterance of the report by the untrained base and by copy synthesis."""
    p = params.load()
    store = FeatureStore(FEATURES, p.features.f0)
    base = models.part(p.model, "speech").base()
    shutil.rmtree(REFERENCE, ignore_errors=True)
    write_json(metrics("reference"), measure_reference(base, store, p, REFERENCE))


if __name__ == "__main__":
    run(main)
