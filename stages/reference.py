"""Renders and measures the reference systems: recordings, ceiling and floor."""

import shutil

from lbtts import models, params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import read_manifest
from lbtts.evaluation.reference import measure_reference
from lbtts.paths import FEATURES, MANIFEST, REFERENCE, SPOKEN, metrics
from lbtts.records import write_json
from lbtts.scratch import scratch_folder
from lbtts.text.tokens import read_token_plans
from stages import run


def main() -> None:
    """Renders each utterance of the report by the untrained base and by copy synthesis."""
    p = params.load()
    store = FeatureStore(FEATURES, p.features.f0)
    speech = models.part(p.model, "speech")
    plans, entries = read_token_plans(SPOKEN), read_manifest(MANIFEST)
    shutil.rmtree(REFERENCE, ignore_errors=True)
    keep = scratch_folder("recogniser")
    measured = measure_reference(
        speech.base(), speech.stranger(), store, plans, entries, p, REFERENCE, keep
    )
    write_json(metrics("reference"), measured)


if __name__ == "__main__":
    run(main)
