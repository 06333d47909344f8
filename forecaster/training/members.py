"""Trains the members of a run: the part of `train` that needs torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from forecaster.axes import Float
from forecaster.baselines import BASELINES, REFERENCE, FittedBaseline
from forecaster.config.schema import ModelConfig, TaskConfig, TrainingConfig
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.evaluation.scores import Scores, score
from forecaster.events import Say, Tick
from forecaster.features.dataset import Base, Dataset, Forecaster
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach
from forecaster.memory import keep_large_blocks, release_memory
from forecaster.modelfile import versions
from forecaster.models.build import load_weights, make_network
from forecaster.models.network import Network
from forecaster.training.device import choose_device, require_precision
from forecaster.training.files import CurvePoint
from forecaster.training.files import checkpoint as checkpoint_path
from forecaster.training.fit import Report, Validation, fit
from forecaster.training.init import InitialWeights
from forecaster.training.parallel import Training, max_parallel, train_in_parallel
from forecaster.training.ranks import ALONE, Ranks
from forecaster.training.sampling import Sampler
from forecaster.trial import Trial

Members = list[Network | FittedBaseline]


@dataclass(frozen=True, eq=False)
class Job:
    """What to train, and where.

    Args:
        folder: for checkpoints; training resumes from existing ones.
        cores: most networks to train in parallel; as many as the machine has cores if absent.
        init: weights to start from; random ones if absent.
        ranks: the processes that share each batch. This one leads; the others are told to `learn_along`.
    """

    trial: Trial
    folder: Path
    say: Say = lambda _: None
    tick: Tick = lambda *_: None
    cores: int | None = None
    init: InitialWeights | None = None
    ranks: Ranks = ALONE


@dataclass(frozen=True, eq=False)
class Learnt:
    """Members fitted on one period.

    Args:
        base: pooled quantiles of the period, or of the run that training starts from: the networks' starting point.
        curves: training curve of each member; empty for a baseline.
    """

    members: Members
    base: Base
    curves: list[list[CurvePoint]]

    def best_steps(self) -> list[int]:
        """Optimiser step of each member's weights: the early-stopping step, or the last; 0 for a baseline."""
        return [_best_step(curve) if curve else 0 for curve in self.curves]


def learn(job: Job, period: Period | None = None, *, stops: Sequence[int] = (), mark: str = "") -> Learnt:
    """Fit each member of a run.

    Args:
        period: period to train on; the weights of the last step are kept. Without it, the trial's own training period,
            with early stopping on its validation period if it has one.
        stops: for each member the step to stop at, on the learning-rate schedule of all steps.
        mark: prefix of the checkpoint names.
    """
    config, dataset, validation = job.trial.config, job.trial.dataset, None if period else job.trial.validation
    period = period or job.trial.fitted
    base = job.init.base if job.init else dataset.base(period, config.task.levels)
    members = [_start_member(job, number, period, base) for number in range(len(config.networks))]
    networks = {number: member for number, member in enumerate(members) if isinstance(member, Network)}
    stop_of = {number: stops[number] if stops else config.training.steps for number in networks}
    curves: dict[int, list[CurvePoint]] = {}
    if networks:
        job.ranks.send("learn", **_order(job.trial, period, base, stop_of))
        sampler = _make_sampler(job.trial, period, job.ranks)
        measure = _validation(job.trial, period, validation) if validation else None
        trainings = {
            number: partial(
                fit,
                network.to(sampler.device),
                sampler,
                _seeded(config.training, number),
                config.task.levels,
                validation=measure,
                checkpoint=checkpoint_path(job.folder, f"{mark}{number}"),
                fingerprint=_fingerprint(job, period, number),
                stop=stop_of[number],
                ranks=job.ranks,
            )
            for number, network in networks.items()
        }
        curves = _train(job, networks, trainings, sampler, stop_of)
        for number, curve in curves.items():
            if curve and curve[-1].step < stop_of[number]:
                name, last, best = config.networks[number].name, curve[-1].step, _best_step(curve)
                advice = f"the weights of step {best} are kept; lower training.learning_rate"
                job.say(f"{name} diverged after step {last}: {advice}")
    return Learnt(members, base, [curves.get(number, []) for number in range(len(members))])


def learn_along(trial: Trial, order: Mapping[str, Any], ranks: Ranks) -> None:
    """Take this process's share of what rank 0 learns; its weights are those of rank 0, and nothing is written.

    Args:
        order: what `learn` sent.

    Raises:
        InputError: the candles are not those of rank 0.
    """
    if order["fingerprint"] != trial.panel.fingerprint:
        raise InputError(
            f"rank {ranks.rank} reads other candles than rank 0: copy the data folder to all machines again."
        )
    start, end = (date and np.datetime64(date, "D") for date in order["period"])
    config, base = trial.config, np.array(order["base"])
    sampler = _make_sampler(trial, Period(start, end), ranks)
    for number, stop in order["stops"]:
        training = _seeded(config.training, number)
        network = _make_seeded(config.networks[number], config.task, training.seed, trial.dataset, base)
        network.to(sampler.device)
        # Without validation and checkpoint, which are rank 0's.
        fit(
            network,
            sampler,
            training,
            config.task.levels,
            validation=None,
            checkpoint=None,
            fingerprint="",
            stop=stop,
            ranks=ranks,
        )
    release_memory()


def _order(trial: Trial, period: Period, base: Base, stops: Mapping[int, int]) -> dict[str, Any]:
    """What the other processes must know to learn along."""
    dates = [None if date is None else str(date) for date in (period.start, period.end)]
    return {
        "fingerprint": trial.panel.fingerprint,
        "period": dates,
        "base": base.tolist(),
        "stops": sorted(stops.items()),
    }


def _make_sampler(trial: Trial, period: Period, ranks: Ranks) -> Sampler:
    release_memory()  # return what least squares freed, before training allocates above it
    keep_large_blocks()
    config = trial.config
    learnt = replace(trial.dataset, steps=config.task.learnt)
    device = ranks.device(choose_device(config.training.device))
    require_precision(config.training.precision, device)
    return Sampler(learnt, config.task, period, device, ranks.share)


def _seeded(config: TrainingConfig, number: int) -> TrainingConfig:
    """A seed for each member: two of the same architecture would otherwise be identical."""
    return config.model_copy(update={"seed": config.seed + number})


def _start_member(job: Job, number: int, period: Period, base: Base) -> Network | FittedBaseline:
    """A member before training: a fitted baseline, or a network with its initial weights."""
    config, model = job.trial.config, job.trial.config.networks[number]
    if job.init and model.name in BASELINES:
        return FittedBaseline(model.name, job.init.members[number])
    if model.name in BASELINES:
        job.say(f"fitting {model.name}")
        return FittedBaseline.learnt(model.name, job.trial.dataset, period, config.task.levels, job.say)
    network = _make_seeded(model, config.task, config.training.seed + number, job.trial.dataset, base)
    return load_weights(network, job.init.members[number]) if job.init else network


def _train(
    job: Job, networks: dict[int, Network], trainings: Mapping[int, Training], sampler: Sampler, stops: dict[int, int]
) -> dict[int, list[CurvePoint]]:
    """Run the trainings and return their curves; moves the networks back to the CPU."""
    names = {number: job.trial.config.networks[number].name for number in networks}
    extent = f"on {len(sampler.cells):,} origins ({sampler.device})"
    if job.ranks.size > 1:
        extent += f" in {job.ranks.size} processes"
    # Processes that share batches train one network after the other.
    workers = 1 if job.ranks.size > 1 else max_parallel(list(networks.values()), sampler, job.cores)
    if workers > 1:
        last = max(stops.values())
        *others, last_name = names.values()
        job.say(f"training {', '.join(others)} and {last_name} in parallel for {last:,} steps {extent}")
        found = train_in_parallel(list(trainings.values()), workers, _reporter(job.tick, last))
        curves = dict(zip(trainings, found, strict=True))
    else:
        curves = {}
        for number, training in trainings.items():
            job.say(f"training {names[number]} for {stops[number]:,} steps {extent}")
            curves[number] = training(report=_reporter(job.tick, stops[number]))
    for network in networks.values():
        network.cpu()
    release_memory()
    return curves


def _best_step(curve: Sequence[CurvePoint]) -> int:
    measured = [point for point in curve if point.validation is not None]
    return min(measured, key=lambda point: point.validation or 0.0).step if measured else curve[-1].step


def _reporter(tick: Tick, steps: int) -> Report:
    return lambda step, point: tick(step, steps, *((point.loss, point.skill) if point else (None, None)))


def _make_seeded(model: ModelConfig, task: TaskConfig, seed: int, dataset: Dataset, base: Base) -> Network:
    features = len(dataset.features.names)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_network(model, task.head, features, base, task.decoder, task.teacher_forcing)


def _validation(trial: Trial, train: Period, validation: Period) -> Validation:
    rows, dataset, config = trial.origins(validation), trial.dataset, trial.config
    levels, root = trial.levels, np.sqrt(dataset.steps)

    def loss(one: Forecaster) -> float:
        return mean_loss(score(one, dataset, rows, validation, levels), root)

    reference = FittedBaseline.learnt(REFERENCE, dataset, train, levels)
    return Validation(
        loss=lambda network: loss(ensemble([network], dataset, Reach.of(config.task))),
        reference=loss(reference.bind(dataset)),
    )


def mean_loss(scores: Scores, root: Float[np.ndarray, " horizon"]) -> float:
    """Mean over steps of pinball / √step."""
    # Over √step, so that far steps, whose moves are larger, do not outweigh near ones. In float64, because float32
    # sums over millions of origins lose digits.
    steps = [scores.pinball[scores.known[:, place], place].mean(dtype=np.float64) for place in range(len(root))]
    return float(np.mean(steps / root))


def _fingerprint(job: Job, period: Period, number: int) -> str:
    panel, config = job.trial.panel, job.trial.config
    text = f"{panel.fingerprint}{config.model_dump_json()}{versions()}{period}{number}"
    text += job.init.about.model if job.init else ""
    return hashlib.sha256(text.encode()).hexdigest()
