"""Shows what the data stages made of the corpus: a page of its alignments."""

from pathlib import Path

from lbtts import params
from lbtts.corpus import read_manifest
from lbtts.inspection import alignment
from stages import run

OUT = Path("metrics/inspection")
ALIGNMENT = Path("data/alignment")


def main() -> None:
    """Writes metrics/inspection."""
    p = params.load()
    OUT.mkdir(parents=True, exist_ok=True)
    page = alignment.page(
        alignment.read_report(ALIGNMENT / "report.csv"),
        read_manifest().set_index("id"),
        ALIGNMENT,
        Path("data/corrections"),
        f"Alignment of {p.corpus.name}",
    )
    (OUT / "alignment.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run(main)
