"""Trains along with another process: its share of every batch, or whole networks of its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.features.dataset import Base
from forecaster.memory import release_memory
from forecaster.training.fit import fit
from forecaster.training.networks import (
    Job,
    Order,
    make_sampler,
    make_seeded,
    seeded,
    start_network,
    training_of,
    validation_of,
)
from forecaster.training.ranks import Ranks
from forecaster.trial import Trial


def order_of(
    trial: Trial, period: Period, base: Base, stops: Mapping[int, int], *, mark: str, early: bool, known: np.datetime64
) -> dict[str, Any]:
    """What other processes must know to train the networks of this one.

    Args:
        stops: for each network's number the step to stop at.
        mark: prefix of the checkpoint names.
        early: whether training stops early, where the trial has a validation period.
        known: last date that the initial weights may know of, see `init.initial_weights`.
    """
    return {
        "fingerprint": trial.panel.fingerprint,
        "period": [None if date is None else str(date) for date in (period.start, period.end)],
        "base": base.tolist(),
        "stops": sorted(stops.items()),
        "mark": mark,
        "early": early,
        "known": str(known),
    }


def period_of(order: Order) -> Period:
    """The period that an order's networks are trained on."""
    start, end = (date and np.datetime64(date, "D") for date in order["period"])
    return Period(start, end)


def learn_along(trial: Trial, order: Order, ranks: Ranks) -> None:
    """Take this process's share of what rank 0 learns; its weights are those of rank 0, and nothing is written.

    Args:
        order: of `order_of`.

    Raises:
        InputError: the candles are not those of rank 0.
    """
    if order["fingerprint"] != trial.panel.fingerprint:
        raise InputError(
            f"rank {ranks.rank} reads other candles than rank 0: copy the data folder to all machines again."
        )
    config, base = trial.config, np.array(order["base"])
    sampler = make_sampler(trial, period_of(order), ranks)
    for number, stop in order["stops"]:
        training = seeded(config.training, number)
        network = make_seeded(config.networks[number], config.task, training.seed, trial.dataset, base)
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


def learn_one(job: Job, order: Order, number: int, on_share: Callable[[float], None]) -> None:
    """Train one network of another process's run to the last step of its checkpoint, which that process reads.

    Raises:
        InputError: the loss diverged, or the checkpoint is of other candles or of another config.
        OutsideError: the checkpoint cannot be written.
    """
    trial, period, stop = job.trial, period_of(order), dict(order["stops"])[number]
    sampler, measure = make_sampler(trial, period, job.ranks), validation_of(trial, period, order)
    network = start_network(job, number, np.array(order["base"]))
    train = training_of(job, number, network, sampler, period, measure, order)
    train(report=lambda step, _: on_share(step / stop))
    release_memory()
