"""The layers whose way back is written out, beside torch's own modules and beside differences of their outputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from forecaster.models.bodies.bptt import has_backward_pass, last_states
from forecaster.models.bodies.recurrent import Recurrent

TIME, FEATURES, HIDDEN = 7, 3, 5
KINDS = (nn.RNN, nn.GRU)


def module(kind: type[nn.RNNBase], dtype: torch.dtype = torch.float32, **parameters: object) -> nn.RNNBase:
    torch.manual_seed(0)
    return kind(FEATURES, HIDDEN, batch_first=True, dtype=dtype, **parameters)


def candles(batch: int = 4, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(batch, TIME, FEATURES, generator=torch.Generator().manual_seed(1), dtype=dtype)


def gradients(cell: nn.RNNBase, states: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Of the weights and of the inputs, for a loss in which each state counts differently."""
    inputs = candles().requires_grad_()
    found = states(inputs)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(2))
    return list(torch.autograd.grad((found * weights).sum(), [*cell.parameters(), inputs]))


def nodes(states: Tensor) -> int:
    """Operations in the record from which autograd goes back."""
    seen: set[object] = set()
    ahead: list[object] = [states.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is not None and node not in seen:
            seen.add(node)
            ahead += [before for before, _ in node.next_functions]  # type: ignore[attr-defined]
    return len(seen)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("last", [1, 4, TIME])
def test_states_and_gradients_are_those_of_torch(kind: type[nn.RNNBase], layers: int, bias: bool, last: int) -> None:
    cell = module(kind, num_layers=layers, bias=bias)
    torch.testing.assert_close(last_states(cell, candles(), last), cell(candles())[0][:, -last:], rtol=1e-5, atol=1e-6)
    ours = gradients(cell, lambda inputs: last_states(cell, inputs, last))
    theirs = gradients(cell, lambda inputs: cell(inputs)[0][:, -last:])
    assert len(ours) == layers * (4 if bias else 2) + 1
    for mine, other in zip(ours, theirs, strict=True):
        assert other.abs().max() > 0
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_the_slopes_of_the_outputs(kind: type[nn.RNNBase]) -> None:
    cell = module(kind, torch.float64, num_layers=2)
    inputs = candles(2, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda given, *_: last_states(cell, given, 3), (inputs, *cell.parameters()))


@pytest.mark.parametrize("kind", KINDS)
def test_states_and_gradients_stay_finite_where_sums_are_huge(kind: type[nn.RNNBase]) -> None:
    cell = module(kind)
    inputs = candles() * 1e4
    states = last_states(cell, inputs, TIME)
    torch.testing.assert_close(states, cell(inputs)[0], rtol=1e-5, atol=1e-6)
    assert states.abs().max() <= 1
    assert all(one.isfinite().all() for one in torch.autograd.grad(states.sum(), list(cell.parameters())))


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_acts_between_layers_in_training_alone_and_by_the_seed(kind: type[nn.RNNBase]) -> None:
    cell, plain = module(kind, num_layers=2, dropout=0.5), module(kind, num_layers=2)

    def drawn(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return last_states(cell, candles(), TIME)

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))
    cell.eval()
    torch.testing.assert_close(last_states(cell, candles(), TIME), plain(candles())[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_recorded_for_the_way_back_does_not_grow_with_the_steps(kind: type[nn.RNNBase]) -> None:
    cell = module(kind)
    few, many = (nodes(last_states(cell, torch.randn(4, time, FEATURES), 1)) for time in (5, 50))
    assert few == many
    assert nodes(cell(torch.randn(4, 50, FEATURES))[0]) > 50, "torch's own, for comparison"


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_may_lie_in_memory_as_they_like(kind: type[nn.RNNBase]) -> None:
    cell, rows = module(kind), torch.randn(TIME, FEATURES, 4)
    for inputs in (rows.permute(2, 0, 1), rows[:, :, :1].permute(2, 0, 1).expand(4, -1, -1), candles()[::2]):
        assert not inputs.is_contiguous()
        torch.testing.assert_close(last_states(cell, inputs, TIME), cell(inputs)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_do_not_learn_have_no_gradient(kind: type[nn.RNNBase]) -> None:
    cell = module(kind, num_layers=2)
    cell.weight_hh_l0.requires_grad_(False)
    learning = [one for one in cell.parameters() if one.requires_grad]
    ours, theirs = (
        torch.autograd.grad(one.sum(), learning)
        for one in (last_states(cell, candles(), 1), cell(candles())[0][:, -1:])
    )
    assert len(ours) == 7
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_under_autocast_they_stay_in_float32(kind: type[nn.RNNBase]) -> None:
    cell, below = module(kind), nn.Linear(FEATURES, FEATURES)
    with torch.autocast("cpu", torch.bfloat16):
        shortened = below(candles())
        states = last_states(cell, shortened, TIME)
    assert (shortened.dtype, states.dtype) == (torch.bfloat16, torch.float32)
    states.sum().backward()
    assert below.weight.grad is not None
    torch.testing.assert_close(states, cell(shortened.float())[0], rtol=1e-5, atol=1e-6)


def test_other_layers_are_left_to_torch() -> None:
    assert all(has_backward_pass(module(kind)) for kind in KINDS)
    assert not has_backward_pass(module(nn.LSTM))
    assert not has_backward_pass(module(nn.RNN, nonlinearity="relu"))
    assert not any(has_backward_pass(module(kind, bidirectional=True)) for kind in KINDS)
    assert not any(has_backward_pass(kind(FEATURES, HIDDEN)) for kind in KINDS), "time first"


@pytest.mark.parametrize(
    ("kind", "nonlinearity"), [(nn.RNN, "tanh"), (nn.RNN, "relu"), (nn.GRU, "tanh"), (nn.LSTM, "tanh")]
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_body_gives_the_same_states_with_gradients_and_without(
    kind: type[nn.RNNBase], nonlinearity: str, bidirectional: bool
) -> None:
    body = Recurrent(FEATURES, cell=kind, hidden_size=HIDDEN, nonlinearity=nonlinearity, bidirectional=bidirectional)
    learning = body(candles())
    assert learning.requires_grad
    with torch.inference_mode():
        torch.testing.assert_close(learning, body(candles()), rtol=1e-5, atol=1e-6)
    for last in (1, 2, TIME + 1):
        tail = body.tail(candles(), last)
        torch.testing.assert_close(tail, learning[:, -last:])
        slopes = [
            torch.autograd.grad(one.sum(), body.parameters(), retain_graph=True) for one in (tail, learning[:, -last:])
        ]
        torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-5)
