"""Shows what the corpus looks like: one page of its features, and their figures."""

from pathlib import Path

from lbtts import params
from lbtts.acoustics.features import FeatureStore
from lbtts.inspection import features
from lbtts.records import write_json
from lbtts.text.tokens import each_plan
from stages import run

OUT = Path("metrics/inspection")


def main() -> None:
    """Measures every utterance and writes page and figures."""
    p = params.load()
    store = FeatureStore("data/features.h5", p.features.f0)
    report = features.read_report(Path("data/features_report.csv"))
    plans = each_plan("data/g2p/utterances.jsonl")
    table = features.describe(store, plans, report, p.run.workers)
    OUT.mkdir(parents=True, exist_ok=True)
    page = features.page(store, table, report, f"Features of {p.corpus.name}")
    (OUT / "features.html").write_text(page, encoding="utf-8")
    write_json("metrics/inspect.json", features.summary(table))


if __name__ == "__main__":
    run(main)
