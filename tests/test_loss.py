"""The training loss against its definition."""

from __future__ import annotations

import math

import pytest
import torch

from forecaster.training.loss import pinball

LEVELS = (0.05, 0.5, 0.9)


def slow_pinball(quantiles: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> float:
    """Mean over levels and prices of max(τe, (τ−1)e), then over the known cells."""
    cells = []
    for batch, time, step in mask.nonzero().tolist():
        losses = []
        for variable in range(4):
            for place, level in enumerate(LEVELS):
                error = float(targets[batch, time, step, variable] - quantiles[batch, time, step, variable, place])
                losses.append(max(level * error, (level - 1) * error))
        cells.append(sum(losses) / len(losses))
    return sum(cells) / len(cells)


def test_pinball_is_as_defined() -> None:
    torch.manual_seed(0)
    quantiles, targets = torch.randn(3, 5, 2, 4, 3), torch.randn(3, 5, 2, 4)
    mask = torch.rand(3, 5, 2) < 0.6
    found = pinball(quantiles, targets, mask, torch.tensor(LEVELS))
    assert float(found) == pytest.approx(slow_pinball(quantiles, targets, mask), rel=1e-6)


def test_an_unknown_outcome_weighs_nothing_and_teaches_nothing() -> None:
    quantiles = torch.zeros(1, 2, 1, 4, 3, requires_grad=True)
    mask = torch.tensor([[[True], [False]]])
    targets = torch.ones(1, 2, 1, 4)
    targets[0, 1] = 1e6
    loss = pinball(quantiles, targets, mask, torch.tensor(LEVELS))
    loss.backward()
    assert loss.item() == pytest.approx(sum(LEVELS) / 3)
    assert quantiles.grad is not None
    assert quantiles.grad[0, 0].abs().min() > 0
    assert not quantiles.grad[0, 1].any()


def test_nothing_known_is_a_loss_of_zero() -> None:
    loss = pinball(
        torch.ones(1, 1, 1, 4, 3), torch.zeros(1, 1, 1, 4), torch.zeros(1, 1, 1, dtype=torch.bool), torch.tensor(LEVELS)
    )
    assert float(loss) == 0


def test_the_true_quantile_has_the_lowest_loss() -> None:
    targets = torch.randn(4000, 1, 1, 4, generator=torch.Generator().manual_seed(0))
    mask, level = torch.ones(4000, 1, 1, dtype=torch.bool), torch.tensor([0.9])
    truth = 1.2816
    losses = [
        float(pinball(torch.full((4000, 1, 1, 4, 1), truth + shift), targets, mask, level))
        for shift in (-0.3, 0.0, 0.3)
    ]
    assert losses[1] == min(losses)
    assert math.isclose(losses[1], 0.1755, abs_tol=0.01)  # the density of the normal at its .9 quantile
