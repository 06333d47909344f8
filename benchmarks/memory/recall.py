"""The task: a symbol is shown once, noise follows, and after so many steps the symbol is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from forecaster.axes import Float
from forecaster.models import MODELS

HIDDEN, BATCH, MOST_STEPS, CHECK_EVERY = 32, 32, 5000, 20
RATES = (1e-2, 3e-3)
"""Learning rates, tried in turn: an RNN may get stuck with the larger one, a GRU is slow with the smaller."""

SOLVED, QUICK, TRIALS = 0.99, 200, 1000
"""Training stops where so many answers are right, first on a few fresh sequences and then on many."""


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


@dataclass(frozen=True)
class Learnt:
    """A trained network.

    Args:
        steps: training steps until it recalled; None where none of the learning rates got it there.
        rate: the learning rate it was trained with.
        share: right answers on fresh sequences, after the training; 0.5 is chance.
    """

    network: Recaller
    steps: int | None
    rate: float
    share: float


def draw(delay: int, size: int) -> tuple[Float[Tensor, "batch time 2"], Float[Tensor, " batch"]]:
    """Sequences of delay + 1 steps: a symbol of ±1 flagged by the second input, then noise of the same size."""
    symbol = torch.randint(2, (size,)).float()
    inputs = torch.zeros(size, delay + 1, 2)
    inputs[..., 0] = 2 * torch.rand(size, delay + 1) - 1
    inputs[:, 0] = torch.stack([2 * symbol - 1, torch.ones(size)], dim=-1)
    return inputs, symbol


def share_recalled(network: Recaller, delay: int, trials: int) -> float:
    """Share of fresh sequences whose symbol is answered correctly."""
    with torch.inference_mode():
        inputs, symbol = draw(delay, trials)
        return ((network(inputs) > 0) == (symbol > 0.5)).float().mean().item()


def learn(cell: Cell, delay: int, seed: int) -> Learnt:
    """Train with each learning rate in turn until the network recalls the symbol, or the steps are used up."""
    for rate in RATES:
        torch.manual_seed(seed)
        network = Recaller(cell, delay)
        steps = _train(network, delay, rate)
        if steps is not None:
            break
    return Learnt(network, steps, rate, share_recalled(network, delay, TRIALS))


def _train(network: Recaller, delay: int, rate: float) -> int | None:
    """Early stopping on success; the steps until then."""
    optimiser = torch.optim.Adam(network.parameters(), rate)
    for step in range(1, MOST_STEPS + 1):
        inputs, symbol = draw(delay, BATCH)
        loss = cross_entropy(network(inputs), symbol)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if step % CHECK_EVERY == 0 and all(share_recalled(network, delay, size) >= SOLVED for size in (QUICK, TRIALS)):
            return step
    return None


def gradient_reach(network: Recaller, steps: int) -> list[float]:
    """Norm of the output's gradient to the input k steps ago, k = 0 … steps, over the norm's largest value."""
    inputs, _ = draw(steps, 64)
    inputs.requires_grad_(True)
    network(inputs).sum().backward()
    assert inputs.grad is not None
    norms = inputs.grad.norm(dim=-1).mean(dim=0).flip(0)
    return (norms / norms.max()).tolist()
