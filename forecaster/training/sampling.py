"""Batch sampling by gathers from tensors on the device: no Python work per window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from forecaster import mapped
from forecaster.axes import Bool, Float, Float32, Int
from forecaster.config.schema import TaskConfig
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset

DENSE_SPAN = 100
"""Candles of a chunk that are training targets under dense supervision (chunks of 140, the last 100 supervised)."""

LARGEST_MOVE = 30.0
"""Targets are clipped at this standardised move: bad prices must not dominate the loss."""


@dataclass(frozen=True)
class Batch:
    """The batch of one optimiser step.

    Args:
        targets: standardised moves; 0 where the mask is false.
        mask: whether the outcome is known within the period.
    """

    inputs: Float[Tensor, "batch time feature"]
    targets: Float[Tensor, "batch span horizon variable"]
    mask: Bool[Tensor, "batch span horizon"]


def supervised_span(task: TaskConfig) -> int:
    """Supervised candles of a chunk: the only difference between `window` and `dense`."""
    return DENSE_SPAN if task.supervision == "dense" else 1


class Sampler:
    """Draws chunks of one ticker's candles that end near a random training origin.

    A chunk is `length` candles: context − 1 to warm up, then `span` supervised ones.

    Args:
        period: origins and outcomes both lie in it.
        device: of all tensors.
        share: rows of each batch that this process gathers.

    Raises:
        InputError: no ticker has enough history before the period, or enough sessions in it.
    """

    def __init__(
        self, dataset: Dataset, task: TaskConfig, period: Period, device: torch.device, share: slice = slice(None)
    ) -> None:
        self.share = share
        self.span = supervised_span(task)
        self.length = task.context + self.span - 1
        self.cells = torch.from_numpy(dataset.require_origins(period, history=task.context))
        self.furthest = dataset.steps[-1]
        self.device = device
        features, beyond = dataset.features, self.length + self.furthest
        self.inputs = torch.from_numpy(features.values).to(device)
        # Padded, so that a window may start at the very last row; the mask excludes what is read there.
        self.logs = torch.from_numpy(_relative_logs(dataset, beyond)).to(device)
        self.scale = pad(torch.from_numpy(features.scale).float(), (0, beyond), value=1.0).to(device)
        self.ready = pad(torch.from_numpy(features.ready), (0, beyond)).to(device)
        self.borders = torch.from_numpy(_borders(dataset, period))
        self.steps = torch.tensor(dataset.steps, device=device)
        self.roots = self.steps.sqrt()
        self.candles, self.origins = torch.arange(self.length), torch.arange(self.span)
        # Places of all outcomes in a window: span 2 and steps (1, 3) give 1 3 2 4, origin by origin.
        self.ahead = (self.origins[:, None].to(device) + self.steps).flatten()

    def draw(self, size: int, generator: torch.Generator) -> Batch:
        """A batch of chunks, or this process's share of it; `generator` is on the CPU."""
        # All processes draw the whole batch, so that its rows do not depend on how many share it.
        rows, last = self.chunks(size, generator)
        return self._gather(rows[self.share], last[self.share])

    def chunks(self, size: int, generator: torch.Generator) -> tuple[Int[Tensor, "batch time"], Int[Tensor, "batch 1"]]:
        """Rows of each chunk, and the last row of the period for its ticker."""
        cells = self.cells.index_select(0, torch.randint(len(self.cells), (size,), generator=generator))
        # The drawn origin becomes any of the span's candles, not always its last.
        jitter = torch.randint(self.span, (size,), generator=generator)
        first, last = self.borders.index_select(0, cells).unbind(1)  # rows of the cell's ticker in the period
        end = torch.minimum(cells + jitter, last)
        start = torch.maximum(end - self.length + 1, first)
        return start[:, None] + self.candles, last[:, None]

    def _gather(self, rows: Int[Tensor, "batch time"], last: Int[Tensor, "batch 1"]) -> Batch:
        origins = rows[:, -self.span]
        # Rows past `last` belong to other periods or tickers: masked.
        left = (last - origins[:, None] - self.origins).to(self.device)
        origins = origins.to(self.device)
        ready, scale = (windows(of, origins, self.span) for of in (self.ready, self.scale))
        logs = windows(self.logs, origins, self.span + self.furthest)
        mask = (self.steps <= left[..., None]) & ready[..., None]
        outcomes = logs.index_select(1, self.ahead).view(len(logs), self.span, len(self.steps), 4)
        # 3: is the close of the origin, sliced rather than indexed so that the axis stays for broadcasting.
        targets = (outcomes - logs[:, : self.span, None, 3:]).div_((scale[..., None] * self.roots)[..., None])
        targets = targets.masked_fill_(~mask[..., None], 0.0).clamp_(-LARGEST_MOVE, LARGEST_MOVE)
        return Batch(self._inputs(rows, last), targets, mask)

    def _inputs(self, rows: Int[Tensor, "batch time"], last: Int[Tensor, "batch 1"]) -> Tensor:
        past = (rows[:, -1:] > last)[:, 0]  # a ticker that starts so late that its chunk runs past the period
        late = int(past.sum())
        # `windows` needs a table of at least `length` rows; otherwise gather row by row.
        if len(self.inputs) < self.length or late == len(rows):
            return self.inputs[rows.clamp(max=last).to(self.device)]
        # Only chunks in `past` can run over the end of the table, and they are replaced below.
        start = rows[:, 0].clamp(max=len(self.inputs) - self.length)
        inputs = windows(self.inputs, start.to(self.device), self.length)
        if late:
            inputs[past.to(self.device)] = self.inputs[rows[past].clamp(max=last[past]).to(self.device)]
        return inputs


def _relative_logs(dataset: Dataset, beyond: int) -> Float32[np.ndarray, "row 4"]:
    """Logs relative to each ticker's first close, so that moves stay exact to 1e-6 in float32; then rows of zeros."""
    logs, rows = dataset.logs, len(dataset.logs)
    found = mapped.empty((rows + beyond, 4), np.float32)
    for block in mapped.blocks(rows):
        found[block] = logs[block] - logs[dataset.first_row[block], 3][:, None]
    found[rows:] = 0
    return found


def _borders(dataset: Dataset, period: Period) -> Int[np.ndarray, "row 2"]:
    """First row, and last row within the period, of the ticker that each row belongs to."""
    found = mapped.empty((len(dataset.first_row), 2), np.int64)
    return np.stack([dataset.first_row, dataset.last_row(period)], axis=1, out=found)


def windows(rows: Tensor, starts: Int[Tensor, " batch"], length: int) -> Tensor:
    """`length` rows from each start, [batch, length, …]: contiguous copies, ten times as fast as row by row."""
    # A view, nothing is copied: rows a b c d and length 3 give [[a b c], [b c d]].
    every = rows.as_strided((len(rows) - length + 1, length, *rows.shape[1:]), (rows.stride(0), *rows.stride()))
    return every.index_select(0, starts)
