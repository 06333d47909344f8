"""Windows of plain candles as a torch dataset, for custom networks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from forecaster.axes import Float, Int
from forecaster.data.dates import DateLike, to_day
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.errors import InputError


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Pairs (window, target) of adjusted candles [open, high, low, close], both views of one tensor, without copies.

    A target starts with the candle after its window, and neither reaches into another ticker. Sessions are the
    ticker's own.

    Args:
        candles: all rows of the panel, ticker after ticker.
        firsts: the first row of each window.
    """

    def __init__(
        self,
        panel: Panel,
        candles: Float[Tensor, "row 4"],
        firsts: Int[Tensor, " window"],
        context: int,
        horizon: int,
    ) -> None:
        self.panel = panel
        self.candles = candles
        self.firsts = firsts
        self.context = context
        self.horizon = horizon

    def __len__(self) -> int:
        return len(self.firsts)

    def __getitem__(self, index: int) -> tuple[Float[Tensor, "context 4"], Float[Tensor, "horizon 4"]]:
        first = int(self.firsts[index])
        origin = first + self.context
        return self.candles[first:origin], self.candles[origin : origin + self.horizon]

    def tensors(self) -> tuple[Float[Tensor, "window context 4"], Float[Tensor, "window horizon 4"]]:
        """All pairs, as copies."""
        rows = self.firsts[:, None] + torch.arange(self.context + self.horizon)
        pairs = self.candles[rows]
        return pairs[:, : self.context], pairs[:, self.context :]

    def origin(self, index: int) -> tuple[str, np.datetime64]:
        """Ticker and date of a window's last candle, after whose close the forecast is made."""
        row = int(self.firsts[index]) + self.context - 1
        return self.panel.tickers[self.panel.ticker_of_row[row]], self.panel.sessions[row]

    def origins(self) -> list[tuple[str, np.datetime64]]:
        """`origin` of every window, as `forecaster.evaluate` takes them."""
        return [self.origin(index) for index in range(len(self))]


def windows(
    panel: Panel, *, context: int = 60, horizon: int = 1, after: DateLike | None = None, until: DateLike | None = None
) -> Windows:
    """Every window of a panel whose target is completely known.

    Args:
        context: candles in a window.
        horizon: candles in a target.
        after: the window's last candle is later than this date.
        until: the target's last candle is not later than this date, so that windows `until` a date and windows `after`
            it share no target.

    Raises:
        InputError: sizes below 1, or no ticker has enough candles between the dates.
    """
    for name, size in (("context", context), ("horizon", horizon)):
        if size < 1:
            raise InputError(f"{name} is {size}, expected at least 1 candle.")
    rows = np.arange(len(panel.sessions))
    last = to_day(until, "until")
    period = Period(to_day(after, "after"), panel.sessions.max() if last is None else last)
    outcomes = rows + context + horizon - 1
    usable = outcomes <= panel.last_rows(period.end)[panel.ticker_of_row]
    origins = panel.sessions[np.minimum(rows + context - 1, len(rows) - 1)]
    firsts = np.flatnonzero(usable & period.holds(origins))
    if not len(firsts):
        dates = f"after {after or 'the start'} and until {until or 'the end'}"
        raise InputError(
            f"context {context} and horizon {horizon} need {context + horizon} candles, but no ticker has so many "
            f"{dates} (the longest history has {panel.lengths.max()} in all): choose smaller ones or other dates."
        )
    candles = torch.from_numpy(panel.prices.astype(np.float32))
    return Windows(panel, candles, torch.from_numpy(firsts), context, horizon)
