import pytest
import torch

from lbtts.models.recipe import changes


def initial(name: str) -> str:
    return name[0]


def test_a_part_has_moved_by_the_norm_of_its_difference_over_its_norm():
    start = {"a.one": torch.tensor([3.0, 0.0]), "a.two": torch.tensor([[4.0]]), "b": torch.ones(4)}
    now = {"a.one": torch.tensor([3.0, 3.0]), "a.two": torch.tensor([[8.0]]), "b": torch.ones(4)}
    assert changes(now, start, initial) == {"a": 1.0, "b": 0.0}


def test_networks_with_other_tensors_are_not_compared():
    with pytest.raises(ValueError, match="different architecture"):
        changes({"a": torch.ones(1)}, {"b": torch.ones(1)}, initial)
