"""Raw network outputs → quantiles of the standardised move log(price / last close) / (scale·√step).

Each head starts near the pooled training quantiles ("base") and learns to depart from them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from forecaster.axes import Float
from forecaster.errors import UnknownNameError

Base = Float[Tensor, "horizon variable quantile"]


class Scale(nn.Module):
    """One log-scale a cell: the base keeps its shape, the width is learnt.

    Source: `base · exp(output)`; with an output of 0 the forecast is the pooled quantiles themselves.
    """

    def __init__(self, base: Base) -> None:
        super().__init__()
        self.register_buffer("base", base, persistent=False)
        self.base: Tensor
        self.parameters_per_cell = 1

    def forward(
        self, raw: Float[Tensor, "*batch horizon variable 1"]
    ) -> Float[Tensor, "*batch horizon variable quantile"]:
        # Levels outermost in memory: the loss works on all cells of one level at a time.
        # base "horizon variable quantile" → [quantile, 1 …, horizon, variable], one 1 for each leading axis of raw.
        base = self.base.movedim(-1, 0).contiguous()
        return (base[:, *[None] * (raw.dim() - 3)] * torch.exp(raw[..., 0])).movedim(0, -1)


class Quantile(nn.Module):
    """Free quantiles without crossing: the lowest is shifted, each further one is a positive step (softplus) above."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        # Equal quantiles (of prices that hardly moved) are 0 apart, which softplus never reaches.
        steps = base.diff(dim=-1).clamp_min(1e-4)
        # Not persistent: the base quantiles are in the model file's header, not among its weights.
        self.register_buffer("lowest", base[..., :1], persistent=False)
        self.register_buffer("steps", _inverse_softplus(steps), persistent=False)
        self.lowest: Tensor
        self.steps: Tensor
        self.parameters_per_cell = base.shape[-1]

    def forward(
        self, raw: Float[Tensor, "*batch horizon variable raw"]
    ) -> Float[Tensor, "*batch horizon variable quantile"]:
        lowest = self.lowest + raw[..., :1]
        return torch.cat([lowest, lowest + softplus(self.steps + raw[..., 1:]).cumsum(dim=-1)], dim=-1)


class Point(nn.Module):
    """One level, the median, trained on the absolute error; says nothing about uncertainty."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        self.register_buffer("base", base, persistent=False)
        self.base: Tensor
        self.parameters_per_cell = 1

    def forward(self, raw: Float[Tensor, "*batch horizon variable 1"]) -> Float[Tensor, "*batch horizon variable 1"]:
        return self.base + raw


_HEADS: dict[str, type[Scale] | type[Quantile] | type[Point]] = {"scale": Scale, "quantile": Quantile, "point": Point}


def make_head(name: str, base: Base) -> Scale | Quantile | Point:
    """A head by its YAML name, around the base quantiles."""
    if name not in _HEADS:
        raise UnknownNameError("head", name, _HEADS)
    return _HEADS[name](base)


def _inverse_softplus(values: Tensor) -> Tensor:
    # log(eˣ − 1), in a form that does not overflow for large x.
    return values + torch.log(-torch.expm1(-values))
