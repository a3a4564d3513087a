"""Residual blocks of the generator that recompute intermediate results in the backward pass.

Most of the memory of a training step holds intermediate results between the convolutions of the
generator: instance norm, style and Snake, nine tensors. `make_lean` makes these one function that
keeps only its input and its output, which the convolutions around it keep anyway. The forward pass
has kokoro's operations in kokoro's order and equals it bit for bit on a CPU; the gradients equal
autograd's up to rounding. It takes no more time: it saves more memory accesses than it adds.

`recompute` keeps only each block's input, and runs its forward pass twice; the gradients stay the
same bit for bit. The blocks draw no random numbers (SineGen draws its noise before them), so no
random state has to be restored.

Source: Rota Bulò et al., https://arxiv.org/abs/1712.02616, for the first idea; Chen et al.,
https://arxiv.org/abs/1604.06174, for the second.
"""

from typing import Any

import torch
from kokoro.istftnet import AdaIN1d, AdaINResBlock1
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint


class LeanResBlock(AdaINResBlock1):
    """A stock block that keeps less for the backward pass; without gradients it is stock."""

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        """The block's output [B, H, L] for features [B, H, L] and decoder styles [B, 128]."""
        if not torch.is_grad_enabled():
            return super().forward(x, s)
        layers = (self.adain1, self.alpha1, self.convs1, self.adain2, self.alpha2, self.convs2)
        for adain1, alpha1, conv1, adain2, alpha2, conv2 in zip(*layers, strict=True):
            inner = conv1(_styled(x, s, adain1, alpha1))
            x = conv2(_styled(inner, s, adain2, alpha2)) + x
        return x


class RecomputedResBlock(LeanResBlock):
    """A lean block that keeps only its input."""

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        """The output, as of `LeanResBlock`."""
        if not torch.is_grad_enabled():
            return super().forward(x, s)
        return checkpoint(super().forward, x, s, use_reentrant=False, preserve_rng_state=False)


def make_lean(model: nn.Module) -> None:
    """Makes the generator's residual blocks keep less, in place; names and values stay.

    The weights and biases of their instance norms, which are frozen, no longer get gradients.
    """
    for module in model.modules():
        if type(module) is AdaINResBlock1:
            module.__class__ = LeanResBlock


def recompute(model: nn.Module) -> None:
    """Makes the generator's residual blocks keep only their inputs, in place."""
    for module in model.modules():
        if isinstance(module, AdaINResBlock1):
            module.__class__ = RecomputedResBlock


def _styled(x: Tensor, s: Tensor, adain: AdaIN1d, alpha: Tensor) -> Tensor:
    """AdaIN and Snake of `x` [B, H, L]."""
    scale, shift = adain.fc(s)[..., None].chunk(2, dim=1)
    norm = adain.norm
    return StyledSnake.apply(x, scale, shift, alpha, norm.weight, norm.bias, norm.eps)


class StyledSnake(torch.autograd.Function):
    """y + sin²(αy) / α with y = (1 + scale) · norm(x) + shift, [B, H, L] in the dtype of x.

    Computes in float32.

    Source: Ziyin et al., https://arxiv.org/abs/2006.08195 (Snake); Huang and Belongie,
    https://arxiv.org/abs/1703.06868 (AdaIN).
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        scale: Tensor,
        shift: Tensor,
        alpha: Tensor,
        weight: Tensor,
        bias: Tensor,
        eps: float,
    ) -> Tensor:
        """The output; keeps x, the output and the tensors without a time axis.

        Args:
            ctx: autograd's.
            x: [B, H, L].
            scale: [B, H, 1], from the style.
            shift: [B, H, 1], from the style.
            alpha: [1, H, 1].
            weight: [H], of the instance norm.
            bias: [H], of the instance norm.
            eps: of the instance norm.
        """
        batch, width, length = x.shape
        rows = x.float().reshape(1, batch * width, length)
        affine = weight.repeat(batch), bias.repeat(batch)
        normed, mean, inverse = torch.native_batch_norm(rows, *affine, None, None, True, 0.0, eps)
        factor, shift = 1 + scale.float(), shift.float()
        y = normed.view_as(x).mul_(factor).add_(shift)
        out = (alpha * y).sin_().square_().mul_(1 / alpha).add_(y).to(x.dtype)
        statistics = mean.view_as(factor), inverse.view_as(factor)
        ctx.save_for_backward(x, out, *statistics, factor, shift, alpha, weight, bias)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, scale, shift and alpha.

        sin² αy follows from the output; the derivative of Snake is 1 + sin 2αy.
        """
        x, out, mean, inverse, factor, shift, alpha, weight, bias = ctx.saved_tensors
        length = x.shape[-1]
        grad = grad.float()
        white = (x - mean).mul_(inverse)
        gain = factor * weight[:, None]
        y = torch.addcmul(torch.addcmul(shift, factor, bias[:, None]), gain, white)
        slope = (2 * alpha * y).sin_().add_(1)
        by_alpha = torch.linalg.vecdot(grad, y.mul_(slope).sub_(out)).sum(0)[None, :, None] / alpha
        by_y = slope.mul_(grad)
        by_shift = by_y.sum(-1, keepdim=True)
        by_gain = torch.linalg.vecdot(by_y, white)[..., None]
        by_scale = by_gain * weight[:, None] + by_shift * bias[:, None]
        by_white = by_y.sub_(by_shift / length).sub_(white.mul_(by_gain / length))
        by_x = by_white.mul_(gain * inverse).to(x.dtype)
        return by_x, by_scale, by_shift, by_alpha, None, None, None
