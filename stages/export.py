"""Writes the release folder and proves that it speaks as the trained network does."""

from lbtts import models, params
from lbtts.evaluation.systems import read_summary
from lbtts.paths import EXPORT, FINETUNED, PLANNED, SPEECH, metrics
from lbtts.records import read_json, write_json
from lbtts.release.card import card
from lbtts.text.tokens import shortest_plans
from stages import run


def main() -> None:
    """Exports the fine-tuned voice with its model card."""
    p = params.load()
    (shortest,) = shortest_plans(PLANNED, 1)
    evaluated = read_summary(SPEECH)
    broken = [entry["line"] for entry in evaluated["gate"]["lines"] if entry["met"] is False]
    if broken:
        print("export: THIS VOICE DOES NOT PASS THE GATE:", *broken, sep="\n  ")
    text = card(
        p,
        provenance=read_json(FINETUNED / "provenance.json"),
        evaluated=evaluated,
        phonemes=shortest.phonemes,
    )
    exported = models.part(p.model, "export").make(p)
    (EXPORT / "README.md").write_text(text, encoding="utf-8")
    write_json(metrics("export"), exported)


if __name__ == "__main__":
    run(main)
