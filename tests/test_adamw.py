"""The optimiser does what torch's own class does, and imports no compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from forecaster.training.adamw import AdamW
from tests.studio import environment, settings

pytest_plugins = ("tests.studio_fixtures",)

RATES = (1e-2, 3e-3, 1e-2, 0.0, 2e-2, 5e-3)


class Net(nn.Module):
    """Two layers, of which the second is not always asked."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.second = nn.Linear(5, 7), nn.Linear(7, 3)

    def loss(self, step: int) -> torch.Tensor:
        inputs = torch.randn(4, 5, generator=torch.Generator().manual_seed(step))
        hidden = self.first(inputs)
        return (hidden if step % 3 == 0 else self.second(torch.tanh(hidden))).pow(2).sum()


def moved_by_torch(decay: float) -> Net:
    net = Net()
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=decay, fused=True)
    for step, rate in enumerate(RATES):
        optimiser.zero_grad()
        net.loss(step).backward()  # type: ignore[no-untyped-call]
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()
    return net


def move(net: Net, optimiser: AdamW, steps: range) -> None:
    for step in steps:
        optimiser.zero_grad()
        net.loss(step).backward()  # type: ignore[no-untyped-call]
        optimiser.step(RATES[step])


def assert_equal(found: Net, expected: Net) -> None:
    for one, other in zip(found.parameters(), expected.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("norm", [1e-3, 1.0, 1e6])
def test_it_clips_gradients_to_the_bit_as_torch_does(norm: float) -> None:
    ours, theirs = Net(), Net()
    for step in range(2):
        for net in (ours, theirs):
            net.zero_grad()
            net.loss(step).backward()  # type: ignore[no-untyped-call]
        before = [one.grad.clone() for one in ours.parameters() if one.grad is not None]
        AdamW(ours.parameters(), 0.0).clip(norm)
        nn.utils.clip_grad_norm_(theirs.parameters(), norm)
        found, expected = ([one.grad for one in net.parameters() if one.grad is not None] for net in (ours, theirs))
        assert len(found) == (2, 4)[step], "the second layer learns of the second step alone"
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
        assert all(torch.equal(one, other) for one, other in zip(found, before, strict=True)) == (norm == 1e6)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_it_moves_weights_to_the_bit_as_torch_does(decay: float) -> None:
    net = Net()
    move(net, AdamW(net.parameters(), decay), range(len(RATES)))
    assert_equal(net, moved_by_torch(decay))


def test_it_goes_on_from_a_state() -> None:
    net = Net()
    before = AdamW(net.parameters(), 0.1)
    move(net, before, range(3))
    after = AdamW(net.parameters(), 0.1)
    after.load({place: {name: value.clone() for name, value in one.items()} for place, one in enumerate(before.state)})
    move(net, after, range(3, len(RATES)))
    assert_equal(net, moved_by_torch(0.1))


def test_a_parameter_without_a_state_begins_anew() -> None:
    net = Net()
    optimiser = AdamW(net.parameters(), 0.0)
    move(net, optimiser, range(2))
    optimiser.load({1: optimiser.state[1]})
    assert [float(one["step"]) for one in optimiser.state] == [0, 2, 0, 0]


def test_a_training_imports_no_compiler(store: Path, tmp_path: Path) -> None:
    """Neither the first step nor a checkpoint nor going on from it."""
    places = ("--data-dir", str(store), "--runs-dir", str(tmp_path), "--name", "run")
    command = ["train", "gru", *settings("training.refit=true", "training.steps=55"), *places]
    work = f"assert cli.run({command!r}) == 0"
    program = f"import sys\nfrom forecaster import cli\n{work}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    modules = done.stderr.split()
    assert "torch.optim.adamw" in modules
    assert {"torch._dynamo", "torch._inductor", "sympy"}.isdisjoint(modules)
