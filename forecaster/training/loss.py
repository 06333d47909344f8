"""What training minimises."""

from __future__ import annotations

from torch import Tensor, maximum

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
    error = targets[..., None] - quantiles
    cells = maximum(levels * error, (levels - 1) * error).mean(dim=(-1, -2))
    known = mask.to(cells.dtype)
    return (cells * known).sum() / known.sum().clamp_min(1)
