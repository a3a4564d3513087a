import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lbtts.params import Params
from tests.conftest import ROOT
from tests.imports import closure

STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
ORDER = [
    "corpus",
    "lexicon",
    "g2p",
    "align",
    "durations",
    "audit",
    "features",
    "inspect",
    "base",
    "voice",
    "reference",
    "train",
    "evaluate",
    "report",
    "export",
]
# What carries choices, errors and files about, and changes no result: DVC sees the values.
PLUMBING = {
    *(Path(f"lbtts/{name}.py") for name in ("download", "errors", "faults", "records", "page")),
    *(Path(f"lbtts/{name}.py") for name in ("cache", "scratch", "paths")),
    *(Path(f"lbtts/{name}.py") for name in ("workers", "threads", "dask_backend", "child")),
    *(
        Path(f"lbtts/params/{name}.py")
        for name in ("__init__", "data", "evaluation", "section", "training")
    ),
    Path("lbtts/alignment/kept.py"),  # what it returns was made elsewhere
    Path("lbtts/models/__init__.py"),  # calls a part by name
    Path("lbtts/languages/__init__.py"),  # likewise, as do
    Path("lbtts/languages/language.py"),
    *(path.relative_to(ROOT) for path in ROOT.glob("lbtts/languages/*/__init__.py")),
    Path("stages/__init__.py"),
}
WINGS = [
    "corpus",
    "text",
    "languages",
    "alignment",
    "acoustics",
    "models",
    "training",
    "evaluation",
    "inspection",
    "release",
    "speaking",
    "server",
]


def test_the_pipeline_has_the_stages_of_the_design():
    assert list(STAGES) == ORDER


# The part of each model that a stage calls by name, see lbtts.models.
PARTS = {
    "base": "base",
    "voice": "voice",
    "train": "recipe",
    "reference": "speech",
    "evaluate": "speech",
    "export": "export",
}
MODELS = [path.parent.name for path in (ROOT / "lbtts/models").glob("*/recipe.py")]


def code_of(stage: str) -> set[Path]:
    """All modules of the project that a stage runs, the models' parts among them."""
    found = closure(ROOT, f"stages/{stage}.py")
    for model in MODELS if stage in PARTS else ():
        found |= closure(ROOT, f"lbtts/models/{model}/{PARTS[stage]}.py")
    return {Path(module) for module in found}


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_runs_its_script_and_depends_on_its_code(stage):
    assert STAGES[stage]["cmd"] == f"python -m stages.{stage}"
    listed = [Path(dep) for dep in STAGES[stage]["deps"]]
    code = code_of(stage)
    missing = {m for m in code - PLUMBING if not any(m.is_relative_to(dep) for dep in listed)}
    assert not missing
    folders = [dep for dep in listed if dep.parts[0] in ("lbtts", "stages")]
    needless = {f for f in folders if not any(m.is_relative_to(f) for m in code)}
    assert not {f for f in needless if f.suffix != ".jinja"}


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_depends_on_the_parameters_that_its_code_reads_and_no_others(stage):
    source = "".join((ROOT / module).read_text(encoding="utf-8") for module in code_of(stage))
    read = {key for key in Params.model_fields if re.search(rf"\b(p|load\(\))\.{key}\b", source)}
    if "p.model}" in source or "getattr(p, p.model)" in source:
        read |= set(MODELS)
    listed = {param.split(".")[0] for param in STAGES[stage].get("params", [])}
    assert listed == read - {"run"}


def test_no_parameter_is_without_a_stage():
    listed = {p.split(".")[0] for s in STAGES.values() for p in s.get("params", [])}
    assert listed == set(Params.model_fields) - {"run"}


def test_every_stage_has_metrics_but_the_report_which_shows_them():
    for stage in (stage for stage in ORDER if stage != "report"):
        metrics = [next(iter(m)) for m in STAGES[stage]["metrics"]]
        assert metrics == [f"metrics/{stage}.json"]


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_imports_only_wings_above_it(wing):
    below = WINGS[WINGS.index(wing) + 1 :]
    for module in (ROOT / "lbtts" / wing).rglob("*.py"):
        source = module.read_text(encoding="utf-8")
        found = [w for w in below if re.search(rf"lbtts\.{w}\b", source)]
        found += re.findall(r"^(?:from|import) stages\b", source, re.M)
        assert not found, f"{module} imports {found}"


def test_the_readme_lists_the_stages_as_they_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", readme, re.M)
    assert [name for name, _ in rows] == ORDER
    for name, written in rows:
        outs = {out if isinstance(out, str) else next(iter(out)) for out in STAGES[name]["outs"]}
        assert set(re.findall(r"`([^`]+)`", written)) == outs
