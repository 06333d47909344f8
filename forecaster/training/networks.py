"""Makes the networks of a run, and what each one's training needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from forecaster.axes import Float
from forecaster.baselines import REFERENCE, FittedBaseline
from forecaster.config.schema import ModelConfig, TaskConfig, TrainingConfig
from forecaster.data.splits import Period
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
from forecaster.training.files import checkpoint as checkpoint_path
from forecaster.training.fit import Report, Validation, fit
from forecaster.training.init import InitialWeights
from forecaster.training.parallel import Training
from forecaster.training.ranks import ALONE, Ranks
from forecaster.training.sampling import Sampler
from forecaster.trial import Trial

Order = Mapping[str, Any]
"""What another process must know to train along, as JSON has it; see `along.order_of`."""


@dataclass(frozen=True, eq=False)
class Job:
    """What to train, and where.

    Args:
        folder: for checkpoints; training resumes from existing ones.
        cores: most networks to train in parallel; as many as the machine has cores if absent.
        init: weights to start from; random ones if absent.
        ranks: the processes that share each batch. This one leads; the others are told to `learn_along`.
        elsewhere: has other processes train the networks of an order, to the last step of their checkpoints.
    """

    trial: Trial
    folder: Path
    say: Say = lambda _: None
    tick: Tick = lambda *_: None
    cores: int | None = None
    init: InitialWeights | None = None
    ranks: Ranks = ALONE
    elsewhere: Callable[[Job, Order], None] | None = None

    def checkpoint(self, order: Order, number: int) -> Path:
        """Path of a network's checkpoint."""
        return checkpoint_path(self.folder, f"{order['mark']}{number}")


def start_network(job: Job, number: int, base: Base) -> Network:
    """A network with its initial weights: random ones, or those of another run."""
    config = job.trial.config
    network = make_seeded(config.networks[number], config.task, config.training.seed + number, job.trial.dataset, base)
    return load_weights(network, job.init.members[number]) if job.init else network


def make_seeded(model: ModelConfig, task: TaskConfig, seed: int, dataset: Dataset, base: Base) -> Network:
    """A network with random initial weights."""
    features = len(dataset.features.names)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_network(model, task.head, features, base, task.decoder, task.teacher_forcing)


def seeded(config: TrainingConfig, number: int) -> TrainingConfig:
    """A seed for each member: two of the same architecture would otherwise be identical."""
    return config.model_copy(update={"seed": config.seed + number})


def make_sampler(trial: Trial, period: Period, ranks: Ranks) -> Sampler:
    """What draws the batches of a period."""
    release_memory()  # return what least squares freed, before training allocates above it
    keep_large_blocks()
    config = trial.config
    learnt = replace(trial.dataset, steps=config.task.learnt)
    device = ranks.device(choose_device(config.training.device))
    require_precision(config.training.precision, device)
    return Sampler(learnt, config.task, period, device, ranks.share)


def training_of(
    job: Job,
    number: int,
    network: Network,
    sampler: Sampler,
    period: Period,
    measure: Validation | None,
    order: Order,
) -> Training:
    """The training of one network; it resumes from its checkpoint, and does nothing if that is at its last step."""
    config = job.trial.config
    return partial(
        fit,
        network.to(sampler.device),
        sampler,
        seeded(config.training, number),
        config.task.levels,
        validation=measure,
        checkpoint=job.checkpoint(order, number),
        fingerprint=fingerprint(job, period, number),
        stop=dict(order["stops"])[number],
        ranks=job.ranks,
    )


def reporter(tick: Tick, steps: int) -> Report:
    """Reports the steps of a training as ticks."""
    return lambda step, point: tick(step, steps, *((point.loss, point.skill) if point else (None, None)))


def validation_of(trial: Trial, train: Period, order: Order) -> Validation | None:
    """How networks are measured beside the reference baseline, for early stopping; None if they do not stop early."""
    validation = trial.validation
    if validation is None or not order["early"]:
        return None
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


def fingerprint(job: Job, period: Period, number: int) -> str:
    """Of all that a network's training depends on."""
    panel, config = job.trial.panel, job.trial.config
    text = f"{panel.fingerprint}{config.model_dump_json()}{versions()}{period}{number}"
    text += job.init.about.model if job.init else ""
    return hashlib.sha256(text.encode()).hexdigest()
