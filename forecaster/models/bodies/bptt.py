"""Layers of plain RNN and GRU with their way back written out: backpropagation through time, for training on a CPU.

Torch's own CPU layers of these two record each small operation of each step and go back through the record. Here a step
is a few operations in place, and its way back a few more. State, input and a row of ones lie on top of each other, so
that one product gives what a gate adds up, bias and all, and one more the gradients of its weights. Memory is
"time row batch", each gate one piece; `d_x` is the gradient of the loss with respect to x.

For finite inputs results are torch's, up to the rounding of float32. They are differentiable once, and hooks on the
module see nothing of it. An LSTM has such layers in torch already (oneDNN's), which are as fast.

Source: Werbos (1990), "Backpropagation through time: what it does and how to do it"; equations of `nn.RNN`, `nn.GRU`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import dropout

from forecaster.axes import Float

_d_tanh = torch.ops.aten.tanh_backward.grad_input
_d_sigmoid = torch.ops.aten.sigmoid_backward.grad_input

_MINUS_ONE = torch.tensor(-1.0, device="cpu")

Inputs = Float[Tensor, "time feature batch"]
States = Float[Tensor, "last hidden batch"]


def written_out(cell: nn.RNNBase) -> bool:
    """Whether `last_states` can stand for a module of torch."""
    plain = isinstance(cell, nn.RNN) and cell.nonlinearity == "tanh"
    return (plain or isinstance(cell, nn.GRU)) and cell.batch_first and not (cell.bidirectional or cell.proj_size)


def last_states(
    cell: nn.RNNBase, inputs: Float[Tensor, "batch time feature"], last: int
) -> Float[Tensor, "batch last hidden"]:
    """What a module that is `written_out` gives at the last steps, from zero state."""
    layer, joined = (_Gru, _joined_gru) if isinstance(cell, nn.GRU) else (_Elman, _joined_elman)
    states = inputs.permute(1, 2, 0).to(cell.all_weights[0][0].dtype)  # autocast may have shortened them
    for index, weights in enumerate(cell.all_weights):
        if index:
            states = dropout(states, cell.dropout, cell.training)
        wanted = last if index == cell.num_layers - 1 else len(states)
        biases = weights[2:] or 2 * [weights[1].new_zeros(len(weights[1]))]
        states = layer.apply(states, wanted, *joined(*weights[:2], *biases))  # type: ignore[no-untyped-call]
    return states.permute(2, 0, 1)


def _joined_elman(of_input: Tensor, of_state: Tensor, *biases: Tensor) -> tuple[Tensor]:
    """[W_hh, W_ih, b_ih + b_hh]: weights of state, input and one."""
    return (torch.cat([of_state, of_input, (biases[0] + biases[1])[:, None]], dim=1),)


def _joined_gru(of_input: Tensor, of_state: Tensor, *biases: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of state, input and one for what the gates r and z add up and for o, and those of input and one for n.

    ::

        r  [W_hr  W_ir  b_ir + b_hr]
        z  [W_hz  W_iz  b_iz + b_hz]
        o  [W_hn   0          b_hn ]        n  [W_in  b_in]
    """
    gates = 2 * of_state.shape[1]
    inputs = torch.cat([of_input, biases[0][:, None]], dim=1)
    shared = torch.cat([inputs[:gates], torch.zeros_like(inputs[gates:])])
    ones = torch.cat([torch.zeros_like(of_input), biases[1][:, None]], dim=1)
    return torch.cat([of_state, shared + ones], dim=1), inputs[gates:]


class _Elman(torch.autograd.Function):
    """h' = tanh(W · [h, x, 1])."""

    @staticmethod
    def forward(ctx: Any, inputs: Inputs, last: int, weights: Tensor) -> States:
        stack = _stacked(inputs, hidden := len(weights))
        states, doubled = stack[:, :hidden], 2 * weights
        for read, state in zip(stack[:-1].unbind(), states[1:].unbind(), strict=True):
            _tanh_of_half_(torch.mm(doubled, read, out=state))
        ctx.save_for_backward(stack, weights)
        return states[max(len(states) - last, 1) :]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: States) -> tuple[Tensor | None, None, Tensor]:
        stack, weights = ctx.saved_tensors
        hidden, time = len(weights), len(stack) - 1
        reads, states = stack.unbind(), stack[:, :hidden].unbind()
        of_state, of_input = weights[:, :hidden].t().contiguous(), weights[:, hidden:-1].t().contiguous()
        d_inputs, d_weights = _room(ctx, stack, hidden), torch.zeros_like(weights)
        d_state = d_states.new_zeros(d_states.shape[1:])  # not of its strides: it comes transposed
        d_sum = torch.empty_like(d_state)
        for step in reversed(range(time)):
            if (given := step - time + len(d_states)) >= 0:
                d_state.add_(d_states[given])
            _d_tanh(d_state, states[step + 1], grad_input=d_sum)
            d_weights.addmm_(d_sum, reads[step].t())
            if d_inputs is not None:
                torch.mm(of_input, d_sum, out=d_inputs[step])
            torch.mm(of_state, d_sum, out=d_state)
        return d_inputs, None, d_weights


class _Gru(torch.autograd.Function):
    """r, z = σ(·) and o of W · [h, x, 1], n = tanh(V · [x, 1] + r o), h' = n + z (h − n)."""

    @staticmethod
    def forward(ctx: Any, inputs: Inputs, last: int, weights: Tensor, of_new: Tensor) -> States:
        stack = _stacked(inputs, hidden := len(of_new))
        states, below = stack[:, :hidden], stack[:, hidden:]
        gates = inputs.new_empty(len(inputs), 4 * hidden, inputs.shape[2])  # r, z, o, n
        views = (stack[:-1], below[:-1], states[:-1], states[1:], gates, gates[:, : 3 * hidden], gates[:, : 2 * hidden])
        for read, x, state, following, gate, shared, opened in zip(*map(torch.unbind, views), strict=True):
            reset, update, old, new = gate.chunk(4)
            torch.mm(weights, read, out=shared)
            torch.mm(of_new, x, out=new)
            opened.sigmoid_()
            _tanh_of_half_(new.addcmul_(reset, old).mul_(2))
            torch.lerp(new, state, update, out=following)
        ctx.save_for_backward(stack, gates, weights, of_new)
        return states[max(len(states) - last, 1) :]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: States) -> tuple[Tensor | None, None, Tensor, Tensor]:
        stack, gates, weights, of_new = ctx.saved_tensors
        hidden, time = len(of_new), len(gates)
        views = (stack[:-1], stack[:-1, :hidden], stack[:-1, hidden:], gates, gates[:, : 2 * hidden])
        steps = list(zip(*map(torch.unbind, views), strict=True))
        of_state, of_input = weights[:, :hidden].t().contiguous(), weights[:, hidden:-1].t().contiguous()
        new_of_input = of_new[:, :-1].t()
        d_inputs, d_weights, d_of_new = _room(ctx, stack, hidden), torch.zeros_like(weights), torch.zeros_like(of_new)
        d_state = d_states.new_zeros(d_states.shape[1:])  # not of its strides: it comes transposed
        d_kept, d_gates = torch.empty_like(d_state), torch.empty_like(gates[0])
        d_shared, d_opened = d_gates[: 3 * hidden], d_gates[: 2 * hidden]
        d_reset, d_update, d_old, d_new = d_gates.chunk(4)
        for step in reversed(range(time)):
            read, state, x, gate, opened = steps[step]
            reset, update, old, new = gate.chunk(4)
            if (given := step - time + len(d_states)) >= 0:
                d_state.add_(d_states[given])
            torch.mul(d_state, update, out=d_kept)
            _d_tanh(torch.sub(d_state, d_kept, out=d_new), new, grad_input=d_new)
            torch.mul(d_new, reset, out=d_old)
            torch.mul(d_new, old, out=d_reset)
            torch.sub(state, new, out=d_update).mul_(d_state)
            _d_sigmoid(d_opened, opened, grad_input=d_opened)
            d_weights.addmm_(d_shared, read.t())
            d_of_new.addmm_(d_new, x.t())
            if d_inputs is not None:
                torch.mm(of_input, d_shared, out=d_inputs[step]).addmm_(new_of_input, d_new)
            torch.addmm(d_kept, of_state, d_shared, out=d_state)
        return d_inputs, None, d_weights, d_of_new


def _stacked(inputs: Inputs, hidden: int) -> Float[Tensor, "time_and_one state_input_one batch"]:
    """What each step reads, with room for the states, of which the first is 0, and the last is read by no step."""
    time, features, batch = inputs.shape
    stack = inputs.new_empty(time + 1, hidden + features + 1, batch)
    stack[0, :hidden] = 0.0
    stack[:-1, hidden:-1] = inputs
    stack[:, -1] = 1.0
    return stack


def _room(ctx: Any, stack: Tensor, hidden: int) -> Inputs | None:
    """For the gradients of the inputs, where a layer below wants them."""
    return torch.empty_like(stack[:-1, hidden:-1]) if ctx.needs_input_grad[0] else None


def _tanh_of_half_(sums: Tensor) -> Tensor:
    """tanh(x/2) = 2 σ(x) − 1 in place: off by 2e-7 at most, in a third of the time of torch's (finer near 0)."""
    return torch.add(_MINUS_ONE, sums.sigmoid_(), alpha=2, out=sums)
