"""The training loop beside a bare torch loop of the same network, batch and loss on tensors already in memory.

The bare loop is tuned as far as we know how: the allocator keeps its blocks, one thread, the fused optimiser. It draws
no batch, clips no gradient, knows no schedule and keeps no checkpoint; ours does. Its recurrent layer is torch's own;
where ours is another, a second bare loop has that one too, so that what the loop itself costs is seen by itself.
"""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from figures import Figure
from torch import Tensor, nn

from forecaster.features.dataset import pooled_quantiles
from forecaster.memory import keep_large_blocks, tuned_allocator
from forecaster.models import MODELS
from forecaster.models.bodies.bptt import has_backward_pass
from forecaster.models.bodies.recurrent import Recurrent
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.training.fit import fit
from forecaster.training.loss import pinball
from forecaster.training.sampling import Batch, Sampler
from forecaster.trial import Trial

CELLS = ("rnn", "lstm", "gru")
TASKS = {
    "window": ("task={horizon: 5, context: 60, supervision: window}", "training.batch=256"),
    "dense": ("task={horizon: 5, context: 40, supervision: dense}", "training.batch=64"),
}
PLAIN = ("features=[base, vol]", "training.warmup=0", "training.device=cpu")
STEPS = 50
"""Of one stretch of ours, after which it writes a checkpoint."""


def loop_figures(store: Path, repeats: int) -> Iterator[Figure]:
    """Windows or chunks a CPU-second, and how near that comes to the bare loop's, taken in turns."""
    torch.set_num_threads(1)
    for supervision, task in TASKS.items():
        for cell in CELLS:
            config = load_config(cell, (*task, *PLAIN, f"training.steps={STEPS}"))
            trial = prepare(config, store)
            with tuned_allocator():
                keep_large_blocks()
                loops = _loops(trial)
                for loop in loops:
                    loop()  # once, to warm up
                ours, bare, alike = zip(*([_seconds(loop) for loop in loops] for _ in range(repeats)), strict=True)
            name, rows = f"{cell}, {supervision}", STEPS * config.training.batch
            yield Figure(f"{name}: a CPU-second", tuple(rows / one for one in ours), "")
            yield Figure(f"{name}: of a bare loop", _ratios(bare, ours), " ×", 0.93, "least")
            if has_backward_pass(MODELS[cell](1).cell):
                yield Figure(f"{name}: of a bare loop with our layers", _ratios(alike, ours), " ×", 0.93, "least")


class _Torchs(nn.Module):
    """A recurrent body by torch's module itself."""

    def __init__(self, body: Recurrent) -> None:
        super().__init__()
        self.body = body

    def forward(self, inputs: Tensor) -> Tensor:
        return self.body.read(inputs)[0]


def _loops(trial: Trial) -> tuple[Callable[[], None], ...]:
    """Ours, the bare one of torch's layers, the bare one of ours."""
    config, dataset, levels = trial.config, trial.dataset, trial.levels
    sampler = Sampler(dataset, config.task, trial.split.train, torch.device("cpu"))
    base = pooled_quantiles(dataset, trial.split.train, dataset.units, levels)
    network = make_network(config.networks[0], config.task.head, len(dataset.features.names), base, "direct", 0.0)
    batch = sampler.draw(config.training.batch, torch.Generator().manual_seed(0))

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "checkpoint"
            fit(network, sampler, config.training, levels, validation=None, checkpoint=checkpoint, fingerprint="")

    def bare(network: Network) -> Callable[[], None]:
        return lambda: _bare(network, batch, sampler.span, torch.tensor(levels))

    torchs = copy.deepcopy(network)
    torchs.body = _Torchs(torchs.body)
    return ours, bare(torchs), bare(copy.deepcopy(network))


def _ratios(bare: Sequence[float], ours: Sequence[float]) -> tuple[float, ...]:
    return tuple(one / own for one, own in zip(bare, ours, strict=True))


def _bare(network: Network, batch: Batch, span: int, levels: torch.Tensor) -> None:
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)
    for _ in range(STEPS):
        loss = pinball(network(batch.inputs, span), batch.targets, batch.mask, levels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()


def _seconds(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
