"""Writes the release folder and proves that stock kokoro speaks with it."""

from lbtts import models, params
from lbtts.errors import InputError
from lbtts.evaluation.systems import read_summary
from lbtts.paths import EXPORT, FINETUNED, PLANNED, SPEECH, metrics
from lbtts.records import read_json, write_json
from lbtts.release.card import card
from lbtts.text.tokens import each_token_plan
from stages import run


def main() -> None:
    """Exports the fine-tuned voice with its model card."""
    p = params.load()
    shortest = min(
        each_token_plan(PLANNED), key=lambda plan: (len(plan.tokens), plan.id), default=None
    )
    if shortest is None:
        raise InputError(f"{PLANNED}: no utterance to prove the export with; run `dvc repro g2p`")
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
