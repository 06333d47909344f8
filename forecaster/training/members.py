"""Trains the members of a run: the part of `train` that needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from forecaster.baselines import BASELINES, FittedBaseline
from forecaster.data.splits import Period
from forecaster.features.dataset import Base
from forecaster.memory import release_memory
from forecaster.models.network import Network
from forecaster.training.along import order_of
from forecaster.training.files import CurvePoint
from forecaster.training.networks import (
    Job,
    Order,
    make_sampler,
    reporter,
    start_network,
    training_of,
    validation_of,
)
from forecaster.training.parallel import max_parallel, train_in_parallel

Members = list[Network | FittedBaseline]


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
    config, dataset, early = job.trial.config, job.trial.dataset, period is None
    known = job.trial.split.validation_end if period is None else period.end
    period = period or job.trial.fitted
    base = job.init.base if job.init else dataset.base(period, config.task.levels)
    members = [_start_member(job, number, period, base) for number in range(len(config.networks))]
    networks = {number: member for number, member in enumerate(members) if isinstance(member, Network)}
    stop_of = {number: stops[number] if stops else config.training.steps for number in networks}
    curves: dict[int, list[CurvePoint]] = {}
    if networks:
        order = order_of(job.trial, period, base, stop_of, mark=mark, early=early, known=known)
        job.ranks.send("learn", **order)
        if job.elsewhere:
            job.elsewhere(job, order)
        curves = _train(_quiet(job) if job.elsewhere else job, networks, period, order)
        for number, curve in curves.items():
            if curve and curve[-1].step < stop_of[number]:
                name, last, best = config.networks[number].name, curve[-1].step, _best_step(curve)
                advice = f"the weights of step {best} are kept; lower training.learning_rate"
                job.say(f"{name} diverged after step {last}: {advice}")
    return Learnt(members, base, [curves.get(number, []) for number in range(len(members))])


def _quiet(job: Job) -> Job:
    """Of networks that are trained already nothing is to be reported, but that their weights are read."""
    return replace(job, say=lambda _: None, tick=lambda *_: None)


def _start_member(job: Job, number: int, period: Period, base: Base) -> Network | FittedBaseline:
    """A member before training: a fitted baseline, or a network with its initial weights."""
    config, model = job.trial.config, job.trial.config.networks[number]
    if job.init and model.name in BASELINES:
        return FittedBaseline(model.name, job.init.members[number])
    if model.name in BASELINES:
        job.say(f"fitting {model.name}")
        return FittedBaseline.learnt(model.name, job.trial.dataset, period, config.task.levels, job.say)
    return start_network(job, number, base)


def _train(job: Job, networks: dict[int, Network], period: Period, order: Order) -> dict[int, list[CurvePoint]]:
    """Run the trainings and return their curves; moves the networks back to the CPU."""
    sampler, stops = make_sampler(job.trial, period, job.ranks), dict(order["stops"])
    measure = validation_of(job.trial, period, order)
    trainings = {
        number: training_of(job, number, network, sampler, period, measure, order)
        for number, network in networks.items()
    }
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
        found = train_in_parallel(list(trainings.values()), workers, reporter(job.tick, last))
        curves = dict(zip(trainings, found, strict=True))
    else:
        curves = {}
        for number, training in trainings.items():
            job.say(f"training {names[number]} for {stops[number]:,} steps {extent}")
            curves[number] = training(report=reporter(job.tick, stops[number]))
    for network in networks.values():
        network.cpu()
    release_memory()
    return curves


def _best_step(curve: Sequence[CurvePoint]) -> int:
    measured = [point for point in curve if point.validation is not None]
    return min(measured, key=lambda point: point.validation or 0.0).step if measured else curve[-1].step
