"""Writes the release folder and proves that it speaks as the trained network does."""

from lbtts import models, params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import read_manifest
from lbtts.evaluation import releases
from lbtts.evaluation.systems import read_summary
from lbtts.paths import (
    EXPORT,
    FEATURES,
    FINETUNED,
    MANIFEST,
    PLANNED,
    REFERENCE,
    SPEECH,
    SPOKEN,
    metrics,
)
from lbtts.records import read_json, write_json
from lbtts.release.card import card
from lbtts.scratch import scratch_folder
from lbtts.text.tokens import read_token_plans, shortest_plans
from stages import run


def main() -> None:
    """Exports the fine-tuned voice with its model card."""
    p = params.load()
    (shortest,) = shortest_plans(PLANNED, 1)
    evaluated = read_summary(SPEECH)
    broken = [entry["line"] for entry in evaluated["gate"]["lines"] if entry["met"] is False]
    if broken:
        print("export: THIS VOICE DOES NOT PASS THE GATE:", *broken, sep="\n  ")
    exported = models.part(p.model, "export").make(p) | _rounded(p)
    precisions = {"fp32": "onnx_mb", "fp16": "fp16_mb", "int8": "int8_mb"}
    text = card(
        p,
        provenance=read_json(FINETUNED / "provenance.json"),
        evaluated=evaluated,
        phonemes=shortest.phonemes,
        graphs={name: exported[key] for name, key in precisions.items() if key in exported},
    )
    (EXPORT / "README.md").write_text(text, encoding="utf-8")
    write_json(metrics("export"), exported)


def _rounded(p: params.Params) -> dict[str, float]:
    """Megabytes of each smaller form that is kept."""
    forms = list(models.part(p.model, "export").rounded(p))
    if not forms:
        return {}
    files = {name: path for name, path, _ in forms}
    speakers = {name: speaker for name, _, speaker in forms}
    store = FeatureStore(FEATURES, p.features.f0)
    plans, entries = read_token_plans(SPOKEN), read_manifest(MANIFEST)
    recognisers = scratch_folder("recogniser")
    lost = releases.lost_limits(speakers, store, plans, entries, p, REFERENCE, SPEECH, recognisers)
    return releases.keep_as_good(files, lost)


if __name__ == "__main__":
    run(main)
