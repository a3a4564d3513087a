"""Makes two pages for inspecting the corpus: its alignments, and its features."""

from lbtts import languages, params, paths
from lbtts.acoustics.measuring.report import read_report as read_features_report
from lbtts.acoustics.store.features import FeatureStore
from lbtts.alignment.report import read_report
from lbtts.corpus.manifest import read_manifest
from lbtts.inspection import alignment, features, stress
from lbtts.records import write_json
from lbtts.text.tokens import read_token_plans
from stages import run


def main() -> None:
    """Writes both pages and the metrics."""
    p = params.load()
    inventory = languages.get(p.language).inventory
    paths.INSPECTION.mkdir(parents=True, exist_ok=True)
    page = alignment.page(
        read_report(paths.ALIGNMENT_REPORT),
        read_manifest(paths.MANIFEST),
        paths.ALIGNMENT,
        paths.CORRECTIONS,
        f"Alignment of {p.corpus.name}",
    )
    (paths.INSPECTION / "alignment.html").write_text(page, encoding="utf-8")

    store = FeatureStore(paths.FEATURES, p.features.f0)
    report = read_features_report(paths.FEATURES_REPORT)
    plans = {plan.id: plan for plan in read_token_plans(paths.SPOKEN)}
    table = features.describe(store, plans.values(), report, p.run)
    marks, auc = stress.disagreements(
        vowel
        for i, name in enumerate(store.ids)
        for vowel in stress.nuclei(plans[name], store[i], inventory)
    )
    marks.to_csv(paths.INSPECTION / "stress.csv", index=False, lineterminator="\n")
    page = features.page(store, table, report, marks, f"Features of {p.corpus.name}")
    (paths.INSPECTION / "features.html").write_text(page, encoding="utf-8")
    doubts = {"stress_doubts": len(marks)} | ({} if auc is None else {"stress_auc": round(auc, 4)})
    write_json(paths.metrics("inspect"), features.summary(table) | doubts)


if __name__ == "__main__":
    run(main)
