"""The task: a symbol is shown once, noise follows, and after so many steps the symbol is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from forecaster.axes import Float
from forecaster.models import MODELS

HIDDEN, BATCH, RATE, MOST_STEPS, CHECK_EVERY, TRIALS = 32, 32, 1e-2, 200, 20, 1000
SOLVED = 0.99


@dataclass(frozen=True)
class Cell:
    """What is compared.

    Args:
        model: name in the registry.
        opened: whether the gate that holds the memory starts open for about as long as the delay.
    """

    label: str
    model: str
    opened: bool = False


CELLS = (
    Cell("RNN", "rnn"),
    Cell("GRU", "gru"),
    Cell("LSTM", "lstm"),
    Cell("GRU, gates opened", "gru", opened=True),
    Cell("LSTM, gates opened", "lstm", opened=True),
)


class Recaller(nn.Module):
    """A body of the project, and one linear output from its newest state."""

    def __init__(self, cell: Cell, delay: int) -> None:
        super().__init__()
        self.body = MODELS[cell.model](2, hidden_size=HIDDEN)
        self.readout = nn.Linear(HIDDEN, 1)
        if cell.opened:  # the second block of biases: LSTM forget gate, GRU update gate; Tallec & Ollivier 2018
            with torch.no_grad():
                self.body.cell.bias_ih_l0[HIDDEN : 2 * HIDDEN] += math.log(delay)

    def forward(self, inputs: Float[Tensor, "batch time 2"]) -> Float[Tensor, " batch"]:
        return self.readout(self.body(inputs)[:, -1])[:, 0]


def draw(delay: int, size: int) -> tuple[Float[Tensor, "batch time 2"], Float[Tensor, " batch"]]:
    """Sequences of delay + 1 steps: a symbol of ±1 flagged by the second input, then noise of the same size."""
    symbol = torch.randint(2, (size,)).float()
    inputs = torch.zeros(size, delay + 1, 2)
    inputs[..., 0] = 2 * torch.rand(size, delay + 1) - 1
    inputs[:, 0] = torch.stack([2 * symbol - 1, torch.ones(size)], dim=-1)
    return inputs, symbol


def share_recalled(network: Recaller, delay: int, trials: int) -> float:
    """Share of fresh sequences whose symbol is told rightly; 0.5 is chance."""
    with torch.inference_mode():
        inputs, symbol = draw(delay, trials)
        return ((network(inputs) > 0) == (symbol > 0.5)).float().mean().item()


def learn(cell: Cell, delay: int, seed: int) -> tuple[Recaller, int]:
    """Train until the symbol is told, or the steps are used up; the steps that it took."""
    torch.manual_seed(seed)
    network = Recaller(cell, delay)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    for step in range(1, MOST_STEPS + 1):
        inputs, symbol = draw(delay, BATCH)
        loss = cross_entropy(network(inputs), symbol)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if step % CHECK_EVERY == 0 and share_recalled(network, delay, 200) >= SOLVED:
            break
    return network, step


def gradient_reach(network: Recaller, steps: int) -> list[float]:
    """Norm of the output's gradient to the input k steps ago, k = 0 … steps, over the norm's largest value."""
    inputs, _ = draw(steps, 64)
    inputs.requires_grad_(True)
    network(inputs).sum().backward()
    assert inputs.grad is not None
    norms = inputs.grad.norm(dim=-1).mean(dim=0).flip(0)
    return (norms / norms.max()).tolist()
