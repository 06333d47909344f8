"""Fitting the members of a run: the steps of a training that need torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from forecaster.axes import Float
from forecaster.baselines import BASELINES, FittedBaseline
from forecaster.config.schema import Config, ModelConfig, TaskConfig
from forecaster.data.splits import Period, Split
from forecaster.evaluation.scores import Scores, score
from forecaster.features.dataset import Dataset, Forecaster, pooled_quantiles
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach
from forecaster.modelfile import versions
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.training.checkpoint import CurvePoint
from forecaster.training.fit import Report, Validation, choose_device, fit
from forecaster.training.sampling import Sampler
from forecaster.workflows import runs
from forecaster.workflows.prepare import Say

Tick = Callable[[int, int, float | None, float | None], None]
"""Called after every optimiser step with step, steps, and where measured the loss and the validation skill."""

Base = Float[np.ndarray, "horizon variable quantile"]
Members = list[Network | FittedBaseline]


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be fitted, and where.

    Args:
        folder: where checkpoints are kept; one that is there is taken up.
    """

    config: Config
    dataset: Dataset
    folder: Path
    say: Say
    tick: Tick


@dataclass(frozen=True, eq=False)
class Learnt:
    """Members fitted on one period.

    Args:
        base: pooled quantiles of the period, that the networks start from.
        curves: training curve of each member; empty for a baseline.
    """

    members: Members
    base: Base
    curves: list[list[CurvePoint]]

    def best_steps(self) -> list[int]:
        """Optimiser steps behind each member's weights: the best by validation, else all; 0 for a baseline."""
        return [_best_step(curve) if curve else 0 for curve in self.curves]


def learn(
    job: Job, period: Period, *, validation: Period | None = None, stops: Sequence[int] = (), mark: str = ""
) -> Learnt:
    """Fit each member of a run on a period.

    Args:
        validation: what chooses the step whose weights are kept; without it the last step's are.
        stops: for each member the step to stop at, on the schedule of all steps.
        mark: put before the names of the checkpoints.
    """
    config, dataset = job.config, job.dataset
    base = pooled_quantiles(dataset, period, dataset.units, config.task.levels)
    members: Members = []
    curves: list[list[CurvePoint]] = []
    for number, model in enumerate(config.networks):
        if model.name in BASELINES:
            job.say(f"fitting {model.name}")
            members.append(FittedBaseline.learnt(model.name, dataset, period, config.task.levels))
            curves.append([])
            continue
        network = _seeded(model, config.task, config.training.seed + number, dataset, base)
        stop = stops[number] if stops else config.training.steps
        checkpoint = runs.checkpoint(job.folder, f"{mark}{number}")
        curves.append(_fitted(network, job, number, period, validation, checkpoint, stop))
        members.append(network.cpu())
    return Learnt(members, base, curves)


def _fitted(
    network: Network, job: Job, number: int, period: Period, validation: Period | None, checkpoint: Path, stop: int
) -> list[CurvePoint]:
    """Train a network in place; its curve."""
    config = job.config
    dataset = replace(job.dataset, steps=config.task.learnt)
    device = choose_device(config.training.device)
    sampler = Sampler(dataset, config.task, period, device)
    job.say(f"training {config.networks[number].name} for {stop:,} steps on {len(sampler.cells):,} origins ({device})")
    return fit(
        network.to(device),
        sampler,
        config.training.model_copy(update={"seed": config.training.seed + number}),
        config.task.levels,
        validation=_validation(config, dataset, period, validation) if validation else None,
        checkpoint=checkpoint,
        fingerprint=_fingerprint(config, dataset, period, number),
        report=_reporter(job.tick, stop),
        stop=stop,
    )


def evaluated_periods(config: Config, split: Split) -> tuple[Period, Period | None]:
    """What a run to be tested learns from, and what chooses its step."""
    return (split.fitted, None) if config.training.refit else (split.train, split.validation)


def _best_step(curve: Sequence[CurvePoint]) -> int:
    judged = [point for point in curve if point.validation is not None]
    return min(judged, key=lambda point: point.validation or 0.0).step if judged else curve[-1].step


def _reporter(tick: Tick, steps: int) -> Report:
    return lambda step, point: tick(step, steps, *((point.loss, point.skill) if point else (None, None)))


def _seeded(model: ModelConfig, task: TaskConfig, seed: int, dataset: Dataset, base: Base) -> Network:
    features = len(dataset.features.names)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_network(model, task.head, features, base, task.decoder, task.teacher_forcing)


def _validation(config: Config, dataset: Dataset, train: Period, validation: Period) -> Validation:
    rows = dataset.require_origins(validation, config.task.context)
    levels, root = config.task.levels, np.sqrt(dataset.steps)

    def loss(one: Forecaster) -> float:
        return _mean_loss(score(one, dataset, rows, validation, levels), root)

    reference = FittedBaseline.learnt(config.evaluation.baselines[0], dataset, train, levels)
    return Validation(
        loss=lambda network: loss(ensemble([network], dataset, Reach.of(config.task))),
        reference=loss(reference.bind(dataset)),
    )


def _mean_loss(scores: Scores, root: Float[np.ndarray, " horizon"]) -> float:
    """Mean over steps of pinball / √step."""
    steps = [scores.pinball[scores.known[:, place], place].mean() for place in range(len(root))]
    return float(np.mean(steps / root))


def _fingerprint(config: Config, dataset: Dataset, period: Period, number: int) -> str:
    text = f"{dataset.panel.fingerprint}{config.model_dump_json()}{versions()}{period}{number}"
    return hashlib.sha256(text.encode()).hexdigest()
