"""Writes the release folder and proves that stock kokoro speaks with it."""

from lbtts import models, params
from lbtts.errors import InputError
from lbtts.paths import EXPORT, FINETUNED, PLANNED, metrics
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
    text = card(
        p,
        provenance=read_json(FINETUNED / "provenance.json"),
        metrics=read_json(metrics("evaluate")),
        phonemes=shortest.phonemes,
    )
    exported = models.part(p.model, "export").make(p)
    (EXPORT / "README.md").write_text(text, encoding="utf-8")
    write_json(metrics("export"), exported)


if __name__ == "__main__":
    run(main)
