"""Plain RNN and GRU layers with a hand-written backward pass (backpropagation through time), for training on a CPU.

Torch's CPU layers of these two record every small operation of every step (autograd) and replay the record. Here a step
is a few in-place operations, and so is its backward pass.

Layout. Memory is "time row batch". The stack holds, for each step, the rows [h; x; 1], so that one matmul gives all
gate pre-activations, biases included, and one more their weight gradients. For hidden 2, features 3:

    row    0 1        2 3 4     5
           h[t]       x[t]      1          W · stack[t] = W_hh·h[t] + W_ih·x[t] + b

Step t reads stack[t] and writes h[t + 1] into stack[t + 1]; h[0] is zero. `d_x` is the gradient of the loss with
respect to x; `d_sum` is that of a pre-activation.

For finite inputs the results equal torch's up to float32 rounding. They are differentiable once, and hooks on the
module are not called. There is no LSTM here: torch's own (oneDNN's) is as fast.

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


def has_backward_pass(cell: nn.RNNBase) -> bool:
    """Whether `last_states` can replace a torch module."""
    plain = isinstance(cell, nn.RNN) and cell.nonlinearity == "tanh"
    return (plain or isinstance(cell, nn.GRU)) and cell.batch_first and not (cell.bidirectional or cell.proj_size)


def last_states(
    cell: nn.RNNBase, inputs: Float[Tensor, "batch time feature"], last: int
) -> Float[Tensor, "batch last hidden"]:
    """Hidden states at the last steps, from zero initial state, of a module that `has_backward_pass`."""
    layer, join = (_Gru, _join_gru) if isinstance(cell, nn.GRU) else (_Elman, _join_elman)
    states = inputs.permute(1, 2, 0).to(cell.all_weights[0][0].dtype)  # autocast may have cast the inputs down
    for index, weights in enumerate(cell.all_weights):
        if index:
            states = dropout(states, cell.dropout, cell.training)
        # Lower layers pass on every step; only the top one is cut to the last.
        wanted = last if index == cell.num_layers - 1 else len(states)
        # Without biases the row of ones stays, with weights of 0.
        biases = weights[2:] or 2 * [weights[1].new_zeros(len(weights[1]))]
        states = layer.apply(states, wanted, *join(*weights[:2], *biases))  # type: ignore[no-untyped-call]
    return states.permute(2, 0, 1)


def _join_elman(of_input: Tensor, of_state: Tensor, *biases: Tensor) -> tuple[Tensor]:
    """[W_hh, W_ih, b_ih + b_hh]: weights of the rows [h; x; 1]."""
    return (torch.cat([of_state, of_input, (biases[0] + biases[1])[:, None]], dim=1),)


def _join_gru(of_input: Tensor, of_state: Tensor, *biases: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of [h; x; 1] for r, z and o, and of [x; 1] for n; n = tanh(W_in·x + b_in + r·o) keeps o apart.

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
        stack = _stack(inputs, hidden := len(weights))
        # 2 · W, because `_tanh_of_half_` halves its argument.
        states, doubled = stack[:, :hidden], 2 * weights
        for read, state in zip(stack[:-1].unbind(), states[1:].unbind(), strict=True):
            # Written straight into the stack, where the next step reads it.
            _tanh_of_half_(torch.mm(doubled, read, out=state))
        ctx.save_for_backward(stack, weights)
        # From 1: states[0] is the initial state and never returned.
        return states[max(len(states) - last, 1) :]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: States) -> tuple[Tensor | None, None, Tensor]:
        stack, weights = ctx.saved_tensors
        hidden, time = len(weights), len(stack) - 1
        reads, states = stack.unbind(), stack[:, :hidden].unbind()
        of_state, of_input = weights[:, :hidden].t().contiguous(), weights[:, hidden:-1].t().contiguous()
        d_inputs, d_weights = _d_x(ctx, stack, hidden), torch.zeros_like(weights)
        # new_zeros, not zeros_like: d_states arrives transposed, and its strides would be copied.
        d_state = d_states.new_zeros(d_states.shape[1:])
        d_sum = torch.empty_like(d_state)
        for step in reversed(range(time)):
            # d_states covers the last steps only; earlier states get gradients through time alone.
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
        stack = _stack(inputs, hidden := len(of_new))
        states, below = stack[:, :hidden], stack[:, hidden:]
        # Kept for the backward pass: r, z and n after their activations, o before its product with r.
        gates = inputs.new_empty(len(inputs), 4 * hidden, inputs.shape[2])  # r, z, o, n
        views = (stack[:-1], below[:-1], states[:-1], states[1:], gates, gates[:, : 3 * hidden], gates[:, : 2 * hidden])
        for read, x, state, following, gate, shared, opened in zip(*map(torch.unbind, views), strict=True):
            reset, update, old, new = gate.chunk(4)
            torch.mm(weights, read, out=shared)
            torch.mm(of_new, x, out=new)
            opened.sigmoid_()
            _tanh_of_half_(new.addcmul_(reset, old).mul_(2))
            # n + z (h − n)
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
        d_inputs, d_weights, d_of_new = _d_x(ctx, stack, hidden), torch.zeros_like(weights), torch.zeros_like(of_new)
        # new_zeros, not zeros_like: d_states arrives transposed, and its strides would be copied.
        d_state = d_states.new_zeros(d_states.shape[1:])
        d_kept, d_gates = torch.empty_like(d_state), torch.empty_like(gates[0])
        # Views of one buffer, so that one matmul serves all the gates that read h (r, z, o) or the sigmoids (r, z).
        d_shared, d_opened = d_gates[: 3 * hidden], d_gates[: 2 * hidden]
        d_reset, d_update, d_old, d_new = d_gates.chunk(4)
        # Backward through h' = n + z (h − n), n = tanh(V·[x; 1] + r o), then through the sigmoids of r and z.
        for step in reversed(range(time)):
            read, state, x, gate, opened = steps[step]
            reset, update, old, new = gate.chunk(4)
            if (given := step - time + len(d_states)) >= 0:
                d_state.add_(d_states[given])
            # Direct path: ∂h'/∂h = z. The remaining 1 − z of the gradient goes to n.
            torch.mul(d_state, update, out=d_kept)
            _d_tanh(torch.sub(d_state, d_kept, out=d_new), new, grad_input=d_new)
            # n's argument contains r o: ∂/∂o = r, ∂/∂r = o.
            torch.mul(d_new, reset, out=d_old)
            torch.mul(d_new, old, out=d_reset)
            # ∂h'/∂z = h − n
            torch.sub(state, new, out=d_update).mul_(d_state)
            _d_sigmoid(d_opened, opened, grad_input=d_opened)
            d_weights.addmm_(d_shared, read.t())
            d_of_new.addmm_(d_new, x.t())
            if d_inputs is not None:
                torch.mm(of_input, d_shared, out=d_inputs[step]).addmm_(new_of_input, d_new)
            # Gradient of the previous state: the direct path plus the path through the gates.
            torch.addmm(d_kept, of_state, d_shared, out=d_state)
        return d_inputs, None, d_weights, d_of_new


def _stack(inputs: Inputs, hidden: int) -> Float[Tensor, "time_and_one state_input_one batch"]:
    """The rows [h; x; 1] of every step: h[0] is 0, the others are written by the steps, and h[time] is read by none."""
    time, features, batch = inputs.shape
    stack = inputs.new_empty(time + 1, hidden + features + 1, batch)
    stack[0, :hidden] = 0.0
    stack[:-1, hidden:-1] = inputs
    stack[:, -1] = 1.0
    return stack


def _d_x(ctx: Any, stack: Tensor, hidden: int) -> Inputs | None:
    """Memory for the gradients of the inputs; None if no layer below needs them."""
    return torch.empty_like(stack[:-1, hidden:-1]) if ctx.needs_input_grad[0] else None


def _tanh_of_half_(sums: Tensor) -> Tensor:
    """tanh(x/2) = 2 σ(x) − 1, in place: error up to 2e-7, in a third of the time of torch's (more exact near 0)."""
    return torch.add(_MINUS_ONE, sums.sigmoid_(), alpha=2, out=sums)
