"""A second acoustic model brings its folder, its section and dvc.yaml: nothing else knows one."""

import ast
import shutil
import sys
from pathlib import Path

import pytest

from lbtts import models, params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.corpus.manifest import Entry
from lbtts.evaluation.reference import measure_reference
from lbtts.evaluation.voice import measure_voice
from lbtts.models.recipe import Recipe
from lbtts.paths import CURVES, FEATURES, FINETUNED, REFERENCE, SPEECH
from lbtts.records import read_json, sha256
from lbtts.text.tokens import Phone, TokenPlan
from lbtts.training import session
from tests.conftest import ROOT
from tests.corpora import write_features
from tests.imports import imports
from tests.toy_model import parts

UNITS = {name: [4, *([3, 2, 4] * 4), 4] for name in "abcde"}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The parameters of a project, in whose folder the test runs, that trains the toy model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    for name, module in parts().items():
        monkeypatch.setitem(sys.modules, name, module)
    write_features(tmp_path / FEATURES, UNITS, test=("d", "e"))
    demo = params.load(ROOT / "profiles/demo.yaml")
    changes = {"steps": 30, "lr": 0.3, "crop_seconds": 0.4, "batch_seconds": 1.2}
    train = demo.train.model_copy(update={**changes, "validate_every": 10, "ema": 0.5})
    run = demo.run.model_copy(update={"loaders": 0})
    return demo.model_copy(update={"model": "toy", "train": train, "run": run})


def test_another_model_learns_and_is_saved(toy):
    session.train(toy)
    metrics = read_json("metrics/train.json")
    assert metrics["steps"] == 30
    assert metrics["validation_pitch"] < metrics["first_validation_pitch"] / 2
    assert list(FINETUNED.glob("samples/*.wav"))


def test_another_model_continues_where_it_was_interrupted(toy):
    session.train(toy)
    undisturbed = sha256(FINETUNED / "hum.safetensors")
    for folder in (FINETUNED, CURVES, "scratch"):
        shutil.rmtree(folder)
    shorter = toy.train.model_copy(update={"steps": 12})
    session.train(toy.model_copy(update={"train": shorter}))
    session.train(toy)
    assert sha256(FINETUNED / "hum.safetensors") == undisturbed
    assert len(list(Path("scratch/train").iterdir())) == 1


def test_another_model_is_measured_beside_what_it_is_compared_with(toy):
    session.train(toy)
    store = FeatureStore(FEATURES)
    speech = models.part(toy.model, "speech")
    entries = {name: Entry(name, "test" if name in "de" else "train", "") for name in UNITS}
    plans = [TokenPlan(name, "Mm.", ("mm",), (Phone("m", 0),), ()) for name in UNITS]
    corpus = (store, plans, entries, toy)
    reference = measure_reference(speech.base(), None, *corpus, REFERENCE, Path("scratch"))
    measured = measure_voice(speech.finetuned(), *corpus, REFERENCE, SPEECH, Path("scratch"))
    assert measured["floor_mcd"] == reference["floor_mcd"]
    assert measured["f0_rmse_cents"] < measured["floor_f0_rmse_cents"]
    assert list(SPEECH.glob("voice/*.wav"))


def test_a_recipe_that_lacks_something_cannot_be_made():
    with pytest.raises(TypeError, match="abstract method"):
        Recipe()


@pytest.mark.parametrize("wing", ["training", "evaluation", "release", "inspection"])
def test_no_room_but_the_models_own_knows_a_model(wing):
    for path in (ROOT / "lbtts" / wing).rglob("*.py"):
        found = imports(ROOT, path.relative_to(ROOT).as_posix())
        assert not {name for name in found if name.startswith("lbtts/models/kokoro")}, path


@pytest.mark.parametrize("model", [p.parent.name for p in ROOT.glob("lbtts/models/*/recipe.py")])
def test_every_model_has_all_parts(model):
    wanted = {
        "base": {"make"},
        "voice": {"make"},
        "recipe": {"build", "inputs"},
        "speech": {"base", "finetuned", "stranger"},
        "export": {"make", "rounded"},
    }
    assert wanted.keys() == set(models.PARTS)
    for part, functions in wanted.items():
        tree = ast.parse((ROOT / f"lbtts/models/{model}/{part}.py").read_text(encoding="utf-8"))
        assert functions <= {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}, part
