"""The model card of a voice: contents, use, origin, licence, metrics."""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from lbtts import languages
from lbtts.languages.language import Language
from lbtts.page import render
from lbtts.params import Params
from lbtts.release.report import rows

KOKORO = "hexgrad/Kokoro-82M"  # on the model hub
_TEMPLATES = {
    "kokoro": "release/card.md.jinja",
    "transformer": "release/card.transformer.md.jinja",
}
_TRAINING = ("steps", "batch_seconds", "crop_seconds", "lr", "ema", "seed")


def card(
    p: Params,
    *,
    provenance: Mapping[str, Any],
    evaluated: Mapping[str, Any],
    phonemes: str,
    graphs: Mapping[str, float],
) -> str:
    """The card as Markdown with the hub's YAML front matter.

    Args:
        p: the parameters: speaker, licence and training.
        provenance: models/finetuned/provenance.json.
        evaluated: the summary of the stage evaluate, see `lbtts.evaluation.voice`.
        phonemes: an example that the model can speak.
        graphs: megabytes of the exported graphs, by precision; empty where there are none.
    """
    sections = p.train.model_dump() | getattr(p, p.model).model_dump()
    language = languages.get(p.language)
    training = {name: sections[name] for name in _TRAINING if name in sections}
    return render(
        _TEMPLATES[p.model],
        front_matter=_front_matter(p, language, provenance),
        language=language,
        voice=p.export.voice,
        graphs=graphs,
        corpus=p.corpus,
        synthetic=p.corpus.source == "demo",
        base=provenance["base"],
        provenance=provenance,
        training=training | {"steps": provenance["steps"], "seed": provenance["seed"]},
        utterances=evaluated["utterances"],
        metrics=rows(evaluated),
        gate=evaluated["gate"],
        checklist=evaluated["checklist"],
        phonemes=phonemes,
    )


def _front_matter(p: Params, language: Language, provenance: Mapping[str, Any]) -> str:
    """YAML by the hub's rules: licence identifiers are SPDX's in lower case."""
    fields: dict[str, Any] = {
        "license": p.corpus.licence.lower(),
        "language": language.code,
        "pipeline_tag": "text-to-speech",
        "tags": [p.model, language.name.lower(), "lbtts"],
    }
    if provenance["base"] in ("hub", "pip"):
        fields["base_model"] = provenance.get("base_repo", KOKORO)
    text = io.StringIO()
    YAML().dump(fields, text)
    return text.getvalue().rstrip()
