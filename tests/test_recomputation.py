import pytest
import torch
from kokoro.istftnet import AdaINResBlock1
from torch.optim.swa_utils import AveragedModel

from benchmarks import miniature
from lbtts.models.kokoro.network.recomputation import make_lean, recompute

H, L, STYLE = 16, 300, 128


def block(kind=None, dtype=torch.float32):
    """A block far from its initial weights, the instance norms frozen as Kokoro freezes them."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = torch.nn.ModuleList([AdaINResBlock1(H, 7, (1, 3, 5), STYLE)])
        for name, parameter in made.named_parameters():
            parameter.data += 0.3 * torch.rand_like(parameter)
            parameter.requires_grad_(".norm." not in name)
    if kind:
        kind(made)
    return made[0].to(dtype)


def backward(module, dtype=torch.float32):
    """The output of a block, and its gradients by name."""
    draw = torch.Generator().manual_seed(1)
    x, s, grad = (
        torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype)
        for shape in ((2, H, L), (2, STYLE), (2, H, L))
    )
    x.requires_grad_()
    s.requires_grad_()
    out = module(x, s)
    out.backward(grad)
    grads = {name: p.grad for name, p in module.named_parameters() if p.requires_grad}
    return out.detach(), grads | {"x": x.grad, "s": s.grad}


def distance(found, true):
    return ((found - true).norm() / true.norm()).item()


def test_a_lean_block_speaks_as_the_stock_block_to_the_last_bit():
    assert torch.equal(backward(block())[0], backward(block(make_lean))[0])


def test_a_lean_block_has_the_gradients_of_the_stock_block():
    stock, lean = backward(block())[1], backward(block(make_lean))[1]
    true = backward(block(dtype=torch.float64), torch.float64)[1]
    assert true.keys() == lean.keys()
    for name in true:
        if name.startswith("convs1") and not name.endswith("_v"):
            continue  # an instance norm undoes these: the true gradient is nil, the rest rounding
        assert distance(lean[name], true[name]) < 2 * distance(stock[name], true[name]) < 1e-4, name


def test_recomputed_blocks_have_the_same_gradients_to_the_bit():
    (said, kept), (said_again, again) = backward(block(make_lean)), backward(block(recompute))
    assert torch.equal(said, said_again)
    assert [name for name in kept if not torch.equal(kept[name], again[name])] == []


@pytest.mark.parametrize(("kind", "share"), [(make_lean, 0.4), (recompute, 0.05)])
def test_fewer_tensors_are_kept(kind, share):
    def kept(module):
        sizes = {}

        def note(tensor):
            if tensor.shape == (2, H, L):
                sizes[tensor.untyped_storage().data_ptr()] = tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            module(torch.ones(2, H, L).requires_grad_(), torch.ones(2, STYLE))
        return sum(sizes.values())

    assert kept(block(kind)) < share * kept(block())


@pytest.mark.parametrize("kind", [make_lean, recompute])
def test_weights_keep_their_names_and_an_average_can_be_taken(kind):
    stock, changed = miniature.random(), miniature.random()
    kind(changed)
    assert list(changed.state_dict()) == list(stock.state_dict())
    for module in changed.modules():  # as the trainer does before it copies
        if hasattr(module, "weight_g"):
            module.weight = module.weight.detach()
    average = AveragedModel(changed)
    average.update_parameters(changed)
    tokens, row = torch.tensor([[0, 43, 54, 56, 0]]), torch.ones(1, 256)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        spoken, _ = average.module.forward_with_tokens(tokens, row)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert torch.equal(stock.forward_with_tokens(tokens, row)[0], spoken)
