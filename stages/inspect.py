"""Shows what the data stages made of the corpus: a page of its alignments, one of its features."""

from pathlib import Path

from lbtts import params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import read_manifest
from lbtts.inspection import alignment, features, stress
from lbtts.records import write_json
from lbtts.text.tokens import read_token_plans
from stages import run

OUT = Path("metrics/inspection")
ALIGNMENT = Path("data/alignment")
CORRECTIONS = Path("data/corrections")


def main() -> None:
    """Writes both pages and the figures."""
    p = params.load()
    OUT.mkdir(parents=True, exist_ok=True)
    found = alignment.read_report(ALIGNMENT / "report.csv")
    manifest = read_manifest().set_index("id")
    title = f"Alignment of {p.corpus.name}"
    page = alignment.page(found, manifest, ALIGNMENT, CORRECTIONS, title)
    (OUT / "alignment.html").write_text(page, encoding="utf-8")

    store = FeatureStore("data/features.h5", p.features.f0)
    report = features.read_report(Path("data/features_report.csv"))
    plans = read_token_plans(ALIGNMENT / "utterances.jsonl")
    table = features.describe(store, plans, report, p.run.workers)
    said = {plan.id: plan for plan in plans}
    marks, auc = stress.disagreements(
        vowel for i, name in enumerate(store.ids) for vowel in stress.nuclei(said[name], store[i])
    )
    marks.to_csv(OUT / "stress.csv", index=False, lineterminator="\n")
    page = features.page(store, table, report, marks, f"Features of {p.corpus.name}")
    (OUT / "features.html").write_text(page, encoding="utf-8")
    told = {} if auc is None else {"stress_auc": round(auc, 4)}
    write_json(
        "metrics/inspect.json", features.summary(table) | {"stress_doubts": len(marks)} | told
    )


if __name__ == "__main__":
    run(main)
