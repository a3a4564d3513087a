"""Writes the folder that is given away and proves that stock kokoro speaks with it."""

import shutil
from pathlib import Path

import numpy as np

from lbtts import languages, params
from lbtts.errors import InputError
from lbtts.models.kokoro import export
from lbtts.models.kokoro.checkpoint import load_finetuned, read_config
from lbtts.records import read_json, write_json
from lbtts.release.card import card
from lbtts.text.tokens import read_token_plans
from stages import run

FINETUNED, OUT = Path("models/finetuned"), Path("models/export")
EVALUATED = Path("metrics/evaluate.json")
PLANS = Path("data/g2p/utterances.jsonl")
ADDITIONS, KNOWN = Path("data/additions.tsv"), Path("data/lexicon")


def main() -> None:
    """Exports weights, voice, graph and card; proves them on the shortest sentences there are."""
    p = params.load()
    voice, language = p.export.voice, languages.get(p.language)
    model, table = load_finetuned(FINETUNED)
    provenance = read_json(FINETUNED / "provenance.json")
    shortest = sorted(read_token_plans(PLANS), key=lambda plan: (len(plan.tokens), plan.id))[:2]
    if not shortest:
        raise InputError(f"{PLANS}: no utterance to prove the export with; run `dvc repro g2p`")
    spoken = [np.array(plan.input_ids, dtype=np.int64) for plan in shortest]

    text = card(
        p.export,
        p.corpus,
        p.train,
        language,
        provenance=provenance,
        metrics=read_json(EVALUATED),
        phonemes=shortest[0].phonemes,
    )
    shutil.rmtree(OUT, ignore_errors=True)
    export.write(OUT, model, table, read_config(FINETUNED), voice)
    export.write_front_end(OUT, ADDITIONS, KNOWN, language.learnt)
    (OUT / "README.md").write_text(text, encoding="utf-8")
    figures: dict[str, float | str] = {"base": provenance["base"]}
    figures |= export.prove(OUT, model, table, voice, spoken[0])
    print(f"export: stock kokoro loads all {figures['tensors_equal']} tensors and speaks")
    if p.export.onnx:
        export.write_onnx(OUT, model, table, voice)
        figures |= export.prove_onnx(OUT, model, table, spoken)
    write_json(Path("metrics/export.json"), figures | export.sizes(OUT))


if __name__ == "__main__":
    run(main)
