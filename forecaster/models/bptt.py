"""Layers of plain RNN and GRU with their way back written out: backpropagation through time, for training on a CPU.

Torch's own CPU layers of these two record each small operation of each step and go back through the record. Here a step
is a few operations in place, and its way back a few more. State, input and a row of ones lie on top of each other, so
that one product gives what a gate adds up, bias and all, and one more the gradients of its weights. A step in memory is
"row batch", each gate one piece. Results are torch's, up to the rounding of float32.

An LSTM has such layers in torch already (oneDNN's), which are as fast.

Source: Werbos (1990), "Backpropagation through time: what it does and how to do it"; equations of `nn.RNN`, `nn.GRU`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import dropout

from forecaster.axes import Float

_tanh_back = torch.ops.aten.tanh_backward.grad_input
_sigmoid_back = torch.ops.aten.sigmoid_backward.grad_input

_MINUS_ONE = torch.tensor(-1.0)

States = Float[Tensor, "steps hidden batch"]


def written_out(cell: nn.RNNBase) -> bool:
    """Whether `last_states` can stand for a module of torch."""
    plain = isinstance(cell, nn.RNN) and cell.nonlinearity == "tanh"
    return (plain or isinstance(cell, nn.GRU)) and not (cell.bidirectional or cell.proj_size)


def last_states(
    cell: nn.RNNBase, inputs: Float[Tensor, "batch time feature"], last: int
) -> Float[Tensor, "batch last hidden"]:
    """What a module that is `written_out` gives at the last steps, from zero state; differentiable once."""
    layer, joined = (_Gru, _joined_gru) if isinstance(cell, nn.GRU) else (_Elman, _joined_elman)
    states = inputs.permute(1, 2, 0)
    for index, weights in enumerate(cell.all_weights):
        if index:
            states = dropout(states, cell.dropout, cell.training)
        wanted = last if index == cell.num_layers - 1 else len(states)
        biases = weights[2:] or 2 * [weights[1].new_zeros(len(weights[1]))]
        states = layer.apply(states, wanted, *joined(*weights[:2], *biases))  # type: ignore[no-untyped-call]
    return states.permute(2, 0, 1)


def _joined_elman(of_input: Tensor, of_state: Tensor, *biases: Tensor) -> tuple[Tensor]:
    """Weights of state, input and one."""
    return (torch.cat([of_state, of_input, (biases[0] + biases[1])[:, None]], dim=1),)


def _joined_gru(of_input: Tensor, of_state: Tensor, *biases: Tensor) -> tuple[Tensor, Tensor]:
    """Of reset gate, update gate and what a new state takes of the old one; and of what it takes of the input."""
    gates = 2 * of_state.shape[1]
    inputs = torch.cat([of_input, biases[0][:, None]], dim=1)
    shared = torch.cat([inputs[:gates], torch.zeros_like(inputs[gates:])])
    ones = torch.cat([torch.zeros_like(of_input), biases[1][:, None]], dim=1)
    return torch.cat([of_state, shared + ones], dim=1), inputs[gates:]


class _Elman(torch.autograd.Function):
    """h' = tanh(W · [h, x, 1])."""

    @staticmethod
    def forward(ctx: Any, inputs: Float[Tensor, "time feature batch"], last: int, weights: Tensor) -> States:
        stack, states, _ = _stacked(inputs, hidden := len(weights))
        doubled = 2 * weights
        for below, state in zip(stack[:-1].unbind(), states[1:].unbind(), strict=True):
            _tanh_of_half_(torch.mm(doubled, below, out=state))
        ctx.hidden = hidden
        ctx.save_for_backward(stack, weights)
        return states[-last:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: States) -> tuple[Tensor | None, None, Tensor]:
        stack, weights = ctx.saved_tensors
        stacks, states = stack.unbind(), stack[:, : ctx.hidden].unbind()
        below, gradient = weights.t().contiguous(), torch.zeros_like(weights)
        inputs = _room(ctx, stack)
        summed = torch.empty_like(states[0])
        for step, at_state in _backwards(given, len(stacks) - 1):
            _tanh_back(at_state, states[step + 1], grad_input=summed)
            gradient.addmm_(summed, stacks[step].t())
            if inputs is not None:
                torch.mm(below[ctx.hidden : -1], summed, out=inputs[step])
            torch.mm(below[: ctx.hidden], summed, out=at_state)
        return inputs, None, gradient


class _Gru(torch.autograd.Function):
    """r, z = σ(·) and o of W · [h, x, 1], n = tanh(V · [x, 1] + r o), h' = n + z (h − n)."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Float[Tensor, "time feature batch"], last: int, weights: Tensor, of_new: Tensor
    ) -> States:
        stack, states, read = _stacked(inputs, hidden := len(of_new))
        gates = inputs.new_empty(len(inputs), 4 * hidden, inputs.shape[2])
        views = (stack, read, states, states[1:], gates[:, : 3 * hidden], gates[:, : 2 * hidden], gates)
        for below, x, state, following, shared, opened, gate in zip(*map(torch.unbind, views), strict=False):
            reset, update, old, new = gate.chunk(4)
            torch.mm(weights, below, out=shared)
            torch.mm(of_new, x, out=new)
            opened.sigmoid_()
            _tanh_of_half_(new.addcmul_(reset, old).mul_(2))
            torch.lerp(new, state, update, out=following)
        ctx.hidden = hidden
        ctx.save_for_backward(stack, gates, weights, of_new)
        return states[-last:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: States) -> tuple[Tensor | None, None, Tensor, Tensor]:
        stack, gates, weights, of_new = ctx.saved_tensors
        hidden = ctx.hidden
        views = (stack, stack[:, :hidden], stack[:, hidden:], gates, gates[:, : 2 * hidden])
        steps = list(zip(*map(torch.unbind, views), strict=False))
        below, gradients = weights.t().contiguous(), (torch.zeros_like(weights), torch.zeros_like(of_new))
        inputs, kept = _room(ctx, stack), gates.new_empty(given.shape[1:])
        at_gates = torch.empty_like(gates[0])
        at_shared, at_opened, (at_reset, at_update, at_old, at_new) = (
            at_gates[: 3 * hidden],
            at_gates[: 2 * hidden],
            at_gates.chunk(4),
        )
        to_state, to_input = below[:hidden], below[hidden:-1]
        for step, at_state in _backwards(given, len(gates)):
            stacked, state, x, gate, opened = steps[step]
            reset, update, old, new = gate.chunk(4)
            torch.mul(at_state, update, out=kept)
            _tanh_back(torch.sub(at_state, kept, out=at_new), new, grad_input=at_new)
            torch.mul(at_new, reset, out=at_old)
            torch.mul(at_new, old, out=at_reset)
            torch.sub(state, new, out=at_update).mul_(at_state)
            _sigmoid_back(at_opened, opened, grad_input=at_opened)
            gradients[0].addmm_(at_shared, stacked.t())
            gradients[1].addmm_(at_new, x.t())
            if inputs is not None:
                torch.mm(to_input, at_shared, out=inputs[step]).addmm_(of_new[:, :-1].t(), at_new)
            torch.addmm(kept, to_state, at_shared, out=at_state)
        return inputs, None, *gradients


def _stacked(
    inputs: Float[Tensor, "time feature batch"], hidden: int
) -> tuple[Float[Tensor, "steps state_input_one batch"], States, Float[Tensor, "steps input_one batch"]]:
    """What the steps read, with room for the states, the first of which is 0; and views of its two parts."""
    time, features, batch = inputs.shape
    stack = inputs.new_empty(time + 1, hidden + features + 1, batch)
    stack[0, :hidden] = 0.0
    stack[:-1, hidden:-1] = inputs
    stack[:, -1] = 1.0
    return stack, stack[:, :hidden], stack[:, hidden:]


def _room(ctx: Any, stack: Tensor) -> Float[Tensor, "time feature batch"] | None:
    """For the gradients of the inputs, where a layer below wants them."""
    return torch.empty_like(stack[:-1, ctx.hidden : -1]) if ctx.needs_input_grad[0] else None


def _backwards(given: States, steps: int) -> Iterator[tuple[int, Float[Tensor, "hidden batch"]]]:
    """Each step from the last on, and the gradient at its state, where the caller leaves that of the state before."""
    at_state = given.new_zeros(given.shape[1:])  # not of its strides: it comes transposed
    unasked = steps - len(given)
    for step in reversed(range(steps)):
        if step >= unasked:
            at_state.add_(given[step - unasked])
        yield step, at_state


def _tanh_of_half_(sums: Tensor) -> Tensor:
    """tanh(x/2) = 2 σ(x) − 1 in place: right to 2e-7, in a third of the time of torch's tanh, which is finer near 0."""
    return torch.add(_MINUS_ONE, sums.sigmoid_(), alpha=2, out=sums)
