"""The model card: what a voice is, where it comes from, on what terms, and how to use it."""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from lbtts.evaluation.renditions import FIGURES
from lbtts.languages.language import Language
from lbtts.page import render
from lbtts.params import Corpus, Export, Train

KOKORO = "hexgrad/Kokoro-82M"  # on the model hub
_TRAINING = ("steps", "batch_seconds", "crop_seconds", "lr", "lr_bert", "lr_voice", "ema", "seed")


def card(
    export: Export,
    corpus: Corpus,
    train: Train,
    language: Language,
    *,
    provenance: Mapping[str, Any],
    metrics: Mapping[str, Any],
    phonemes: str,
) -> str:
    """The card as Markdown with the hub's YAML front matter.

    Args:
        export: what was written.
        corpus: whose recordings, on what terms.
        train: how they were learned.
        language: what is spoken.
        provenance: models/finetuned/provenance.json.
        metrics: metrics/evaluate.json.
        phonemes: an example that the model can speak.
    """
    training = {name: getattr(train, name) for name in _TRAINING}
    return render(
        "release/card.md.jinja",
        front_matter=_front_matter(corpus.licence, language, provenance),
        language=language,
        voice=export.voice,
        onnx=export.onnx,
        corpus=corpus,
        synthetic=corpus.source == "demo",
        base=provenance["base"],
        provenance=provenance,
        training=training | {"steps": provenance["steps"], "seed": provenance["seed"]},
        metrics=metrics,
        figures=FIGURES,
        phonemes=phonemes,
    )


def _front_matter(licence: str, language: Language, provenance: Mapping[str, Any]) -> str:
    """YAML by the hub's rules: licence identifiers are SPDX's in lower case."""
    fields: dict[str, Any] = {
        "license": licence.lower(),
        "language": language.code,
        "pipeline_tag": "text-to-speech",
        "tags": ["kokoro", language.name.lower(), "lbtts"],
    }
    if provenance["base"] in ("hub", "pip"):
        fields["base_model"] = provenance.get("base_repo", KOKORO)
    text = io.StringIO()
    YAML().dump(fields, text)
    return text.getvalue().rstrip()
