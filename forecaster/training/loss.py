"""The training loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from forecaster.axes import Bool, Float


def pinball(
    quantiles: Float[Tensor, "batch span horizon variable quantile"],
    targets: Float[Tensor, "batch span horizon variable"],
    mask: Bool[Tensor, "batch span horizon"],
    levels: Float[Tensor, " quantile"],
) -> Float[Tensor, ""]:
    """Pinball loss (without the factor 2), mean over levels and variables, then over the cells whose outcome is known.

    Source: Koenker & Bassett (1978).
    """
    loss: Tensor = _Pinball.apply(quantiles, targets, mask, levels)  # type: ignore[no-untyped-call]
    return loss


class _Pinball(torch.autograd.Function):
    """Pinball loss with a hand-written backward pass, in a third of autograd's time.

    The gradient is [outcome < quantile] − level, and the loss is its dot product with the error: both come from the
    forward pass. Arrays are "quantile batch span horizon variable", levels outermost as the heads lay them out.
    """

    @staticmethod
    def forward(ctx: Any, quantiles: Tensor, targets: Tensor, mask: Tensor, levels: Tensor) -> Tensor:
        over = quantiles.movedim(-1, 0) - targets
        # out= converts while comparing: four times as fast as a comparison and its conversion.
        gradient = torch.gt(over, 0, out=torch.empty_like(over))
        gradient.sub_(levels[:, None, None, None, None]).mul_(mask[..., None])
        # A batch without a known outcome has loss 0, not 0 / 0.
        cells = mask.sum().clamp_min(1) * (over.shape[0] * over.shape[-1])
        ctx.save_for_backward(gradient, cells)
        return torch.dot(over.flatten(), gradient.flatten()) / cells

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, None, None, None]:
        gradient, cells = ctx.saved_tensors
        return (gradient * (scale / cells)).movedim(0, -1), None, None, None
