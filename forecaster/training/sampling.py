"""Batches as gathers from tensors that stay on the device: no Python work per window."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from forecaster.axes import Bool, Float, Int
from forecaster.config.schema import TaskConfig
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset

DENSE_SPAN = 100
"""Candles of a chunk at which a forecast is learnt under dense supervision (science: chunks of 140, the last 100)."""

LARGEST_MOVE = 30.0
"""Standardised moves are clipped here: false prices must not rule the loss."""


@dataclass(frozen=True)
class Batch:
    """What one optimiser step learns from.

    Args:
        targets: standardised moves; 0 where the mask is false.
        mask: where the outcome is known in the period.
    """

    inputs: Float[Tensor, "batch time feature"]
    targets: Float[Tensor, "batch span horizon variable"]
    mask: Bool[Tensor, "batch span horizon"]


def supervised(task: TaskConfig) -> int:
    """Candles of a chunk at which a forecast is learnt: the one difference between `window` and `dense`."""
    return DENSE_SPAN if task.supervision == "dense" else 1


class Sampler:
    """Draws chunks of one ticker's candles that end near a random training cell.

    Args:
        period: origins and outcomes both lie in it.
        device: where all tensors live.

    Raises:
        InputError: no ticker has enough history before the period, or enough sessions in it.
    """

    def __init__(self, dataset: Dataset, task: TaskConfig, period: Period, device: torch.device) -> None:
        self.span = supervised(task)
        self.length = task.context + self.span - 1
        self.cells = torch.from_numpy(dataset.require_origins(period, history=task.context))
        self.device = device
        features = dataset.features
        # Relative to each ticker's own start, so that float32 keeps moves exact to 1e-6.
        logs = dataset.logs - dataset.logs[dataset.first_row, 3][:, None]
        self.inputs = torch.from_numpy(features.values).to(device)
        self.logs = torch.from_numpy(logs).float().to(device)
        self.scale = torch.from_numpy(features.scale).float().to(device)
        self.ready = torch.from_numpy(features.ready).to(device)
        self.first_row = torch.from_numpy(dataset.first_row)
        self.last_row = torch.from_numpy(dataset.last_row(period))
        self.steps = torch.tensor(dataset.steps, device=device)

    def draw(self, size: int, generator: torch.Generator) -> Batch:
        """A batch of chunks; the generator lives on the CPU."""
        rows, last = self.chunks(size, generator)
        return self._gather(rows.to(self.device), last.to(self.device))

    def chunks(self, size: int, generator: torch.Generator) -> tuple[Int[Tensor, "batch time"], Int[Tensor, "batch 1"]]:
        """Rows of a batch, and the last row of the period that each may read."""
        cells = self.cells[torch.randint(len(self.cells), (size,), generator=generator)]
        jitter = torch.randint(self.span, (size,), generator=generator)
        last = self.last_row[cells]
        end = torch.minimum(cells + jitter, last)
        start = torch.maximum(end - self.length + 1, self.first_row[cells])
        return start[:, None] + torch.arange(self.length), last[:, None]

    def _gather(self, rows: Int[Tensor, "batch time"], last: Int[Tensor, "batch 1"]) -> Batch:
        origins = rows[:, -self.span :]
        outcomes = origins[..., None] + self.steps
        mask = (outcomes <= last[..., None]) & self.ready[origins.clamp(max=last)][..., None]
        origins, outcomes = origins.clamp(max=last), outcomes.clamp(max=last[..., None])
        moves = self.logs[outcomes] - self.logs[origins][..., None, 3:]
        targets = moves / (self.scale[origins][..., None] * self.steps.sqrt())[..., None]
        targets = torch.where(mask[..., None], targets, 0.0).clamp(-LARGEST_MOVE, LARGEST_MOVE)
        return Batch(self.inputs[rows.clamp(max=last)], targets, mask)
