"""A causal transformer encoder with a fixed receptive field."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge, Le, Lt
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from forecaster.axes import Float
from forecaster.models import MODELS

_NEVER = float("-inf")

_STATE = 0.3
"""Initial scale of the states, as in a recurrent network: training starts at the base quantiles."""


class Attention(nn.Module):
    """Causal self-attention over the last `span` candles, with relative positions only.

    Relative, not absolute: a training chunk may begin anywhere, and a forecast must not depend on where its chunk
    began. Each layer looks back at most `span` candles, so a forecast depends on exactly the last
    num_layers · (span − 1) + 1 candles.

    Args:
        input_size: features per candle.
        hidden_size: width of the states; a multiple of num_heads.
        num_layers: layers of attention, each with its feed-forward part twice as wide.
        num_heads: heads, each with a learnt weight for every distance.
        span: candles that a layer looks at, the newest included.
        dropout: share dropped after attention and feed-forward part in training.
        skip: let the readout see the inputs too, linearly.

    Raises:
        ValueError: hidden_size is not a multiple of num_heads.

    Source: Vaswani et al. (2017), with layer norm before each part (Xiong et al., 2020); distances begin as the linear
    penalties of Press et al. (2022) and are learnt from there.
    """

    def __init__(
        self,
        input_size: int,
        *,
        hidden_size: Annotated[int, Ge(1), Le(16_384)] = 64,
        num_layers: Annotated[int, Ge(1), Le(128)] = 2,
        num_heads: Annotated[int, Ge(1), Le(1024)] = 4,
        span: Annotated[int, Ge(2), Le(2000)] = 30,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
        skip: bool = True,
    ) -> None:
        super().__init__()
        if hidden_size % num_heads:
            raise ValueError(f"hidden_size is {hidden_size}, but {num_heads} heads share it: take a multiple of them")
        self.embed = nn.Linear(input_size, hidden_size)
        self.layers = nn.ModuleList(_Layer(hidden_size, num_heads, span, dropout) for _ in range(num_layers))
        self.norm = nn.LayerNorm(hidden_size)
        nn.init.constant_(self.norm.weight, _STATE)
        self.reach = num_layers * (span - 1) + 1
        self.output_size = hidden_size
        self.causal = True
        self.skip = skip

    def forward(self, inputs: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time state"]:
        """The normalised last layer at every candle."""
        states = self.embed(inputs)
        for layer in self.layers:
            states = layer(states)
        normalised: Tensor = self.norm(states)
        return normalised


class _Layer(nn.Module):
    def __init__(self, size: int, heads: int, span: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.span = heads, span
        self.norm, self.wide_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.queries_keys_values = nn.Linear(size, 3 * size)
        self.merge = nn.Linear(size, size)
        self.wide = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size))
        self.dropout = nn.Dropout(dropout)
        # [head, distance]. A geometric sequence over the heads, as in ALiBi: with a slope of 1/2 a head sees the last
        # few candles; with 1/64 it begins by weighing a span of 30 almost evenly.
        slopes = 2.0 ** -torch.linspace(1, 6, heads)
        self.distance = nn.Parameter(-slopes[:, None] * torch.arange(span))

    def forward(self, states: Float[Tensor, "batch time state"]) -> Float[Tensor, "batch time state"]:
        states = states + self.dropout(self.merge(self._attend(self.norm(states))))
        wider: Tensor = states + self.dropout(self.wide(self.wide_norm(states)))
        return wider

    def _attend(self, states: Float[Tensor, "batch time state"]) -> Float[Tensor, "batch time state"]:
        """Attention in blocks of `span` candles, each looking at itself and the block before: linear in time.

        With span 3, the queries of block 1 see keys of blocks 0 and 1; `x` is allowed, `.` masked:

            keys     0 1 2 | 3 4 5
            query 3  . x x | x . .
            query 4  . . x | x x .
            query 5  . . . | x x x
        """
        time, span = states.shape[1], self.span
        # Padded at the end, to whole blocks: no real query looks at a later key.
        padded = pad(self.queries_keys_values(states), (0, 0, 0, -time % span))
        parts = padded.reshape(len(states), -1, span, 3, self.heads, states.shape[2] // self.heads)
        queries, keys, values = parts.permute(3, 0, 4, 1, 2, 5)  # each [batch, head, block, candle, part]
        found = scaled_dot_product_attention(queries, _with_previous(keys), _with_previous(values), self._mask(keys))
        # [batch, block, candle, head, part] → [batch, time, state], without the padding.
        merged: Tensor = found.permute(0, 2, 3, 1, 4).flatten(3).flatten(1, 2)[:, :time]
        return merged

    def _mask(self, keys: Tensor) -> Float[Tensor, "head block query key"]:
        """The learnt bias of each distance; −∞ for later candles, those out of reach, and those before the first."""
        places = torch.arange(self.span, device=keys.device)
        # Keys are the block before (0 … span − 1) and the query's own (from span on): query q meets its own candle at
        # key q + span.
        distance = places[:, None] + self.span - torch.arange(2 * self.span, device=keys.device)
        seen = (distance >= 0) & (distance < self.span)
        # Clamped, because an index must be valid even where the result is masked.
        weights = self.distance[:, distance.clamp(0, self.span - 1)]
        banded = torch.where(seen, weights, _NEVER)[:, None].expand(-1, keys.shape[2], -1, -1)
        # Before the first block there is none: those keys are the zeros of `_with_previous`.
        first = (torch.arange(keys.shape[2], device=keys.device) == 0)[:, None, None]
        return torch.where(first & (torch.arange(2 * self.span, device=keys.device) < self.span), _NEVER, banded)


def _with_previous(blocks: Float[Tensor, "batch head block candle part"]) -> Float[Tensor, "batch head block key part"]:
    """Each block preceded by the block before it, along the keys; zeros before the first."""
    return torch.cat([pad(blocks, (0, 0, 0, 0, 1, 0))[:, :, :-1], blocks], dim=3)


MODELS.add("attention", Attention)
