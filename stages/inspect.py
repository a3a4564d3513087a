"""Shows what the data stages made of the corpus: a page of its alignments, one of its features."""

from pathlib import Path

from lbtts import params
from lbtts.acoustics.features import FeatureStore
from lbtts.corpus import read_manifest
from lbtts.inspection import alignment, features
from lbtts.records import write_json
from lbtts.text.tokens import each_plan
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
    plans = each_plan(ALIGNMENT / "utterances.jsonl")
    table = features.describe(store, plans, report, p.run.workers)
    page = features.page(store, table, report, f"Features of {p.corpus.name}")
    (OUT / "features.html").write_text(page, encoding="utf-8")
    write_json("metrics/inspect.json", features.summary(table))


if __name__ == "__main__":
    run(main)
