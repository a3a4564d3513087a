from pathlib import Path

import pytest

from lbtts import params
from lbtts.errors import InputError
from tests.train_small import choices


def changed(root: Path, tmp_path: Path, old: str, new: str) -> Path:
    text = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "language", "model"),
    [
        ("demo", "lb", "kokoro"),
        ("folder", "lb", "kokoro"),
        ("max", "lb", "kokoro"),
        ("english", "en", "kokoro"),
        ("baseline", "en", "transformer"),
        ("baseline_small", "en", "transformer"),
    ],
)
def test_every_profile_is_complete_and_valid(root, name, language, model):
    p = params.load(root / "profiles" / f"{name}.yaml")
    assert (p.language, p.model) == (language, model)


@pytest.mark.parametrize("written", ["3e-5", "3.0e-05", "0.00003"])
def test_a_learning_rate_is_a_number_however_it_is_written(root, tmp_path, written):
    path = changed(root, tmp_path, "  lr: 1e-5", f"  lr: {written}")
    assert params.load(path).train.lr == pytest.approx(3e-5, rel=1e-12)


def test_a_key_that_does_not_exist_is_named(root, tmp_path):
    path = changed(root, tmp_path, "  lr: 1e-5", "  lr: 1e-5\n  learning_rate: 2")
    with pytest.raises(InputError, match=r"train\.learning_rate: no such key"):
        params.load(path)


def test_a_missing_key_is_named(root, tmp_path):
    path = changed(root, tmp_path, "  lr: 1e-5\n", "")
    with pytest.raises(InputError, match=r"train\.lr: missing"):
        params.load(path)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("  lr: 1e-5", "  lr: -1", "train.lr"),
        ("  lr: 1e-5", "  lr: fast", "train.lr"),
        ("  batch_seconds: 3", "  batch_seconds: 1", "batch_seconds must hold"),
        ("  test_share: 0.1", "  test_share: 1.5", "corpus.test_share"),
        ("  floor: 60", "  floor: 600", "features.f0"),
        ("  source: pip", "  source: file", "base"),
        ("  backend: kaldi", "  backend: magic", "align.backend"),
    ],
)
def test_a_value_out_of_bounds_is_named_in_one_line(root, tmp_path, old, new, key):
    with pytest.raises(InputError, match=key) as raised:
        params.load(changed(root, tmp_path, old, new))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_yaml_is_an_error_of_one_line(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("a: [1", encoding="utf-8")
    with pytest.raises(InputError, match="not valid YAML") as raised:
        params.load(path)
    assert "\n" not in str(raised.value)


def test_a_missing_file_names_the_remedy(tmp_path):
    with pytest.raises(InputError, match="copy a profile"):
        params.load(tmp_path / "params.yaml")


def test_the_adversary_cannot_count_before_it_learns():

    with pytest.raises(ValueError, match="adversarial losses cannot start before"):
        choices(losses={"adversarial": {"weight": 1, "start": 5}}, discriminators={"start": 6})


def test_nothing_can_be_changed_after_reading(root):
    with pytest.raises(ValueError, match="frozen"):
        params.load(root / "profiles/demo.yaml").train.lr = 1.0
