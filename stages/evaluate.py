"""Measures the fine-tuned voice on held-out utterances."""

import shutil

from lbtts import models, params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import read_manifest
from lbtts.evaluation.voice import measure_voice
from lbtts.paths import FEATURES, FINETUNED, MANIFEST, REFERENCE, SPEECH, SPOKEN, metrics
from lbtts.records import read_json, write_json
from lbtts.scratch import scratch_folder
from lbtts.text.tokens import read_token_plans
from stages import run


def main() -> None:
    """Speaks each utterance of the report with the fine-tuned voice; writes all metrics."""
    p = params.load()
    store = FeatureStore(FEATURES, p.features.f0)
    voice = models.part(p.model, "speech").finetuned()
    plans, entries = read_token_plans(SPOKEN), read_manifest(MANIFEST)
    shutil.rmtree(SPEECH, ignore_errors=True)
    keep = scratch_folder("recogniser")
    measured = measure_voice(voice, store, plans, entries, p, REFERENCE, SPEECH, keep)
    origin = {"base": read_json(FINETUNED / "provenance.json")["base"]}
    write_json(metrics("evaluate"), origin | measured)


if __name__ == "__main__":
    run(main)
