"""The training loop, with its learning-rate schedule and early stopping."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch

from forecaster.config.schema import TrainingConfig
from forecaster.errors import DivergedError
from forecaster.models.network import Network
from forecaster.models.threads import one_thread
from forecaster.training.adamw import AdamW
from forecaster.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from forecaster.training.device import autocast
from forecaster.training.files import CurvePoint
from forecaster.training.loss import pinball
from forecaster.training.ranks import ALONE, Ranks
from forecaster.training.sampling import Sampler

REPORT_EVERY = 50
"""Steps between two points of the curve. At each, validation is measured and a checkpoint written."""

_BETWEEN_RANKS = 2**52
"""Between the seeds of two processes' dropout: more than any seed of a step (`seed_of`)."""

Report = Callable[[int, CurvePoint | None], None]


@dataclass(frozen=True)
class Validation:
    """Validation during training.

    Args:
        loss: current loss of the network on the validation period; lower is better.
        reference: loss of the reference baseline on the same cells.
    """

    loss: Callable[[Network], float]
    reference: float


@one_thread()
def fit(
    network: Network,
    sampler: Sampler,
    config: TrainingConfig,
    levels: tuple[float, ...],
    *,
    validation: Validation | None,
    checkpoint: Path | None,
    fingerprint: str,
    report: Report = lambda *_: None,
    stop: int | None = None,
    ranks: Ranks = ALONE,
) -> list[CurvePoint]:
    """Train a network in place; resumes from a checkpoint of the same run.

    Early stopping: with `validation`, the weights with the lowest validation loss are kept; without it, those of the
    last step. Training runs to its last step either way, so that the learning-rate schedule is the same. The
    randomness of a step depends on seed and step alone, so a killed and resumed run gives the same bytes.

    Args:
        checkpoint: None for a process that follows another one.
        report: called after every step, with a point of the curve where one was measured.
        stop: step to end at, on the learning-rate schedule of all steps; the last step if absent.
        ranks: the processes that share each batch; all begin with the weights and the step of rank 0.

    Returns:
        The training curve; it ends before the last step where the loss diverged after a step that is kept.

    Raises:
        InputError: the loss diverged before any validation, or the checkpoint cannot be used.
    """
    optimiser = AdamW(network.parameters(), config.weight_decay)
    progress = Progress(fingerprint)
    if checkpoint is not None and checkpoint.is_file():
        progress = load_checkpoint(checkpoint, fingerprint, network, optimiser)
        report(progress.step, progress.curve[-1])
    progress.step = ranks.align(network, optimiser, progress.step)
    # Dropout draws from the process's generator, whose state the caller gets back.
    with torch.random.fork_rng(devices=[]):
        while progress.step < (end := min(stop or config.steps, config.steps)):
            loss = _train_to_report(network, sampler, optimiser, config, levels, progress, report, end, ranks)
            try:
                progress.curve.append(_measure(network, validation, progress, loss))
            except DivergedError:
                if ranks.size > 1 or not progress.best_weights:
                    raise
                break  # early stopping: the weights of the best step are good ones
            if checkpoint is not None:
                save_checkpoint(checkpoint, progress, network, optimiser)
            report(progress.step, progress.curve[-1])
    if validation is not None:
        network.load_state_dict(progress.best_weights)  # early stopping: back to the best weights
    network.eval()
    return progress.curve


def seed_of(seed: int, step: int) -> int:
    """Seed of one step's random draws, reproducible from the run's seed."""
    # Members have neighbouring seeds: within a million steps, no two of them draw from the same one.
    return seed * 1_000_003 + step


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Learning-rate schedule: linear warm-up times a cosine decay to 0."""
    warm = min(1.0, (step + 1) / config.warmup) if config.warmup else 1.0
    return config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / config.steps))


def _dropout_generator(device: torch.device) -> torch.Generator | ModuleType:
    """Source of the network's own random numbers."""
    return torch.default_generator if device.type == "cpu" else torch


def _train_to_report(
    network: Network,
    sampler: Sampler,
    optimiser: AdamW,
    config: TrainingConfig,
    levels: tuple[float, ...],
    progress: Progress,
    report: Report,
    last: int,
    ranks: Ranks,
) -> float:
    """Train to the next report; returns the mean loss, copied from the device only once."""
    network.train()
    generator, dropout = torch.Generator(), _dropout_generator(sampler.device)
    weights = torch.tensor(levels, device=sampler.device)
    # The next multiple, not 50 more steps: points of the curve lie at the same steps after a resume.
    end = min(progress.step - progress.step % REPORT_EVERY + REPORT_EVERY, last)
    total, count = torch.zeros((), device=sampler.device), end - progress.step
    for step in range(progress.step, end):
        seed = seed_of(config.seed, step)
        # Every step is seeded anew, so that a checkpoint needs no state of a generator.
        generator.manual_seed(seed)
        # Each process drops other units: those of its own rows.
        dropout.manual_seed(seed + ranks.rank * _BETWEEN_RANKS)
        batch = sampler.draw(config.batch, generator)
        with autocast(config.precision, sampler.device):
            quantiles = network(batch.inputs, sampler.span, batch.targets)
        loss = pinball(quantiles.float(), batch.targets, batch.mask, weights)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if ranks.size > 1:
            loss = ranks.mean(network.parameters(), loss, batch.mask.sum())
        optimiser.clip(config.clip)
        optimiser.step(learning_rate(step, config))
        total += loss.detach()
        report(step + 1, None)
    progress.step = end
    return float(total) / count


def _measure(network: Network, validation: Validation | None, progress: Progress, loss: float) -> CurvePoint:
    _require_finite("loss", loss, progress.step)
    if validation is None:
        return CurvePoint(progress.step, loss)
    network.eval()
    score = validation.loss(network)
    _require_finite("validation loss", score, progress.step)
    if progress.best is None or score < progress.best:
        progress.best = score  # early stopping keeps these weights
        progress.best_weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
    # If no price moved in validation, all losses are 0 and skill is undefined.
    skill = 1 - score / validation.reference if validation.reference else 0.0
    return CurvePoint(progress.step, loss, score, skill)


def _require_finite(what: str, value: float, step: int) -> None:
    if not math.isfinite(value):
        raise DivergedError(f"training.learning_rate: the {what} became {value} by step {step}: lower the rate.")
