"""Heads start at the base quantiles and never cross, whatever the network says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from forecaster.errors import UnknownNameError
from forecaster.models.heads import make_head

LEVELS = 7
BASE = torch.tensor([-1.7, -1.2, -0.6, 0.02, 0.6, 1.3, 1.8]).expand(2, 4, LEVELS)

raws = arrays(np.float32, (3, 2, 4, LEVELS), elements=st.floats(-20, 20, width=32))


def raw(head: torch.nn.Module, values: np.ndarray | None = None) -> Tensor:
    count = head.parameters_per_cell
    assert isinstance(count, int)
    full = torch.zeros(3, 2, 4, LEVELS) if values is None else torch.from_numpy(values)
    return full[..., :count]


@pytest.mark.parametrize("name", ["scale", "quantile"])
def test_a_silent_network_forecasts_the_base_quantiles(name: str) -> None:
    head = make_head(name, BASE)
    torch.testing.assert_close(head(raw(head)), BASE.expand(3, 2, 4, LEVELS), atol=1e-5, rtol=1e-5)


def test_a_silent_point_is_the_base_median() -> None:
    head = make_head("point", BASE[..., 3:4])
    assert torch.equal(head(raw(head)), BASE[..., 3:4].expand(3, 2, 4, 1))


def test_a_point_has_one_level() -> None:
    head = make_head("point", BASE[..., 3:4])
    assert head(torch.ones(5, 2, 4, 1)).shape == (5, 2, 4, 1)


@pytest.mark.parametrize("name", ["scale", "quantile"])
@given(values=raws)
def test_quantiles_never_cross(name: str, values: np.ndarray) -> None:
    head = make_head(name, BASE)
    quantiles = head(raw(head, values))
    assert torch.isfinite(quantiles).all()
    assert (quantiles.diff(dim=-1) >= 0).all()


def test_the_scale_head_keeps_the_shape_and_learns_the_width() -> None:
    head = make_head("scale", BASE)
    wide = head(torch.full((1, 2, 4, 1), 0.5))
    torch.testing.assert_close(wide[0], BASE * np.exp(0.5))


@pytest.mark.parametrize("name", ["scale", "quantile", "point"])
def test_every_number_of_the_network_moves_its_own_cell_alone(name: str) -> None:
    head = make_head(name, BASE[..., 3:4] if name == "point" else BASE)
    numbers = raw(head).clone().requires_grad_()
    head(numbers)[1, 1, 2].sum().backward()
    assert numbers.grad is not None
    assert (numbers.grad[1, 1, 2] != 0).all()
    others = numbers.grad.clone()
    others[1, 1, 2] = 0
    assert not others.any()


def test_equal_base_quantiles_can_still_part() -> None:
    """Where much of training stands still (a wick of 0), neighbouring base quantiles are equal."""
    head = make_head("quantile", torch.zeros(2, 4, LEVELS))
    assert torch.isfinite(head(raw(head))).all()
    assert head(raw(head)).abs().max() < 1e-3
    apart = head(torch.full((1, 2, 4, LEVELS), 3.0)).diff(dim=-1)
    assert (apart > 0).all()
    nearer = head(torch.full((1, 2, 4, LEVELS), -2.0)).diff(dim=-1)
    assert (nearer < apart).all()


def test_an_unknown_head_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'quantile'"):
        make_head("quantiles", BASE)
