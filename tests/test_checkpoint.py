import io

import pytest
import torch

from benchmarks import miniature
from lbtts.errors import InputError
from lbtts.models.kokoro.weights import checkpoint, facts


@pytest.fixture(scope="module")
def model():
    return miniature.random(seed=3)


def published(model, tmp_path, change=None):
    """A file as Kokoro publishes it: parallel prefix, no instance norms; then changed."""
    norms = checkpoint.instance_norms(model)
    parts = {component: {} for component in facts.COMPONENTS}
    for name, tensor in model.state_dict().items():
        component, _, key = name.partition(".")
        if name not in norms:
            parts[component][f"module.{key}"] = tensor.clone()
    if change:
        change(parts)
    path = tmp_path / "kokoro.pth"
    torch.save(parts, path)
    return path


def test_a_published_checkpoint_fills_every_tensor_but_the_instance_norms(model, tmp_path):
    other = miniature.random(seed=4)
    checkpoint.load_published(other, published(model, tmp_path))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_the_constant_positions_of_older_transformers_are_let_through(model, tmp_path):
    def add(parts):
        parts["bert"]["module.embeddings.position_ids"] = torch.arange(512)[None]

    checkpoint.load_published(miniature.random(), published(model, tmp_path, add))


def drop_one_norm(parts):
    parts["decoder"]["module.encode.norm1.norm.weight"] = torch.ones(66)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda p: p["decoder"].pop("module.encode.conv1.bias"),
            "lacks .*decoder.encode.conv1.bias",
        ),
        (lambda p: p["bert"].update(extra=torch.ones(1)), "unknown .*bert.extra"),
        (lambda p: p["bert_encoder"].update({"module.bias": torch.ones(3)}), "other shapes"),
        (lambda p: p.pop("predictor"), "its parts must be"),
        (drop_one_norm, "lacks"),
    ],
)
def test_any_other_difference_is_refused_by_name(model, tmp_path, change, complaint):
    with pytest.raises(InputError, match=complaint):
        checkpoint.load_published(miniature.random(), published(model, tmp_path, change))


def test_new_style_weight_norm_names_are_refused(model, tmp_path):
    def rename(parts):
        state = parts["text_encoder"]
        for key in [k for k in state if k.endswith("weight_g")]:
            state[key.replace("weight_g", "parametrizations.weight.original0")] = state.pop(key)

    with pytest.raises(InputError, match="weight_g"):
        checkpoint.load_published(miniature.random(), published(model, tmp_path, rename))


def test_a_file_that_is_no_checkpoint_is_one_clear_line(tmp_path):
    path = tmp_path / "kokoro.pth"
    path.write_bytes(b"not a zip")
    with pytest.raises(InputError, match=r"kokoro\.pth: not a readable checkpoint") as raised:
        checkpoint.load_published(miniature.random(), path)
    assert "\n" not in str(raised.value)


def test_what_is_saved_as_published_loads_in_stock_kokoro_without_its_silent_retry(model, tmp_path):
    path = tmp_path / "model.pth"
    checkpoint.save_published(model.state_dict(), path)
    other = miniature.random(seed=5)
    for component, state in torch.load(path, weights_only=True).items():
        getattr(other, component).load_state_dict(state, strict=True)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in model.state_dict().items())


def test_random_weights_follow_from_the_seed_and_leave_torch_alone():
    before = torch.random.get_rng_state()
    first, again, other = (miniature.random(seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_saving_twice_gives_the_same_bytes(model):
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        checkpoint.save_published(model.state_dict(), file)
    assert files[0].getvalue() == files[1].getvalue()


@pytest.mark.slow
def test_the_full_model_has_the_published_sizes():
    model = checkpoint.random(facts.config(), seed=0)
    norms = checkpoint.instance_norms(model)
    sizes = {name: tensor.numel() for name, tensor in model.state_dict().items()}
    assert sum(sizes[name] for name in norms) == 46_612
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(81.81e6, rel=1e-4)
