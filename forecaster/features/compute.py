"""Feature groups → one matrix, a row for each row of the panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Bool, Float, Float32
from forecaster.data.panel import Panel
from forecaster.features import GROUPS
from forecaster.features.blocks import by_block, ready
from forecaster.features.candles import Candles, Market

CLIP = 8.0
"""Largest absolute value of a feature."""


@dataclass(frozen=True, eq=False)
class Features:
    """What is known at the close of each of the panel's rows.

    Args:
        names: `group.feature` of each column.
        values: NaN → 0, clipped at ±`CLIP`.
        scale: daily volatility known at the close (see `Candles.scale`).
        ready: the ticker has enough sessions behind it.
    """

    names: tuple[str, ...]
    values: Float32[np.ndarray, "row feature"]
    scale: Float[np.ndarray, " row"]
    ready: Bool[np.ndarray, " row"]


def compute_features(panel: Panel, groups: Sequence[str], market: Panel | Market | None = None) -> Features:
    """Compute the named groups for every row of a panel.

    Args:
        market: what the market group reads, or the tickers whose means it is; the panel itself if absent.

    Raises:
        UnknownNameError: no such group.
    """
    names: list[str] = []
    members = [(name, GROUPS[name]) for name in groups]

    def block(candles: Candles) -> np.ndarray:
        columns = {f"{name}.{key}": value for name, group in members for key, value in group(candles).items()}
        names[:] = columns
        # Each feature in one piece, [feature, time, ticker]: three times as fast as writing every 117th number.
        stack = np.empty((len(columns), *candles.volume.shape), np.float32)
        for value, place in zip(columns.values(), stack, strict=True):
            np.clip(value, -CLIP, CLIP, out=place, casting="same_kind")
        stack[np.isnan(stack)] = 0
        return np.moveaxis(stack, 0, -1)

    values = by_block(panel, block, market)
    scale = np.nan_to_num(by_block(panel, lambda candles: candles.scale), nan=1.0)
    return Features(tuple(names), values, scale, ready(panel))
