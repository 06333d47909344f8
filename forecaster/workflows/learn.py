"""The steps of a training run that need torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from forecaster.config.schema import Config
from forecaster.data.splits import Split
from forecaster.evaluation.baselines import BASELINES, Forecaster
from forecaster.evaluation.scorecard import Scorecard, make_scorecard
from forecaster.evaluation.scores import Scores, score
from forecaster.features.dataset import Dataset
from forecaster.inference.sweep import Reach, quantiles
from forecaster.modelfile import Header, base_as_lists, save_model, versions
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.training.checkpoint import CurvePoint
from forecaster.training.fit import Validation, choose_device, fit
from forecaster.training.sampling import Sampler

Base = Float[np.ndarray, "horizon variable quantile"]


def learn(
    config: Config,
    dataset: Dataset,
    split: Split,
    base: Base,
    checkpoint: Path,
    say: Callable[[str], None],
    tick: Callable[[int, int, float | None, float | None], None],
) -> tuple[Network, list[CurvePoint]]:
    """Build the seeded network and fit it; a checkpoint that is there is taken up."""
    device = choose_device(config.training.device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        network = make_network(config, len(dataset.features.names), base).to(device)
    period = split.fitted if config.training.refit else split.train
    sampler = Sampler(dataset, config.task, period, device)
    validation = None if config.training.refit else _validation(config, dataset, split)
    steps = config.training.steps
    say(f"training {config.model.name} for {steps:,} steps on {len(sampler.cells):,} origins ({device})")
    curve = fit(
        network,
        sampler,
        config.training,
        config.task.levels,
        validation=validation,
        checkpoint=checkpoint,
        fingerprint=_fingerprint(config, dataset),
        report=lambda step, point: tick(step, steps, *((point.loss, point.skill) if point else (None, None))),
    )
    return network.cpu(), curve


def evaluate(network: Network, config: Config, dataset: Dataset, split: Split) -> Scorecard:
    """Score the network and its baselines on the same origins of the test period.

    Raises:
        InputError: the test period has no origin, or fewer sessions than the horizon.
    """
    levels, fitted = config.task.levels, split.fitted if config.training.refit else split.train
    rows = dataset.require_origins(split.test, config.task.context)
    forecasters = {config.model.name: forecaster(network, config, dataset)}
    forecasters |= {name: BASELINES[name](dataset, fitted, levels) for name in config.evaluation.baselines}
    scores = {name: score(one, dataset, rows, split.test, levels) for name, one in forecasters.items()}
    tickers = len(np.unique(dataset.panel.ticker_of_row[rows]))
    return make_scorecard(scores, dataset.panel.sessions[rows], tickers, dataset.steps)


def forecaster(network: Network, config: Config, dataset: Dataset) -> Forecaster:
    """A network as what baselines are too: origins → coherent quantiles."""
    reach = Reach.of(config.task)
    return lambda rows: quantiles(network, dataset, rows, reach)


def write_model(
    path: Path, network: Network, config: Config, dataset: Dataset, split: Split, base: Base, scorecard: Scorecard
) -> None:
    """Write the one file that a forecast needs."""
    fitted = split.fitted if config.training.refit else split.train
    header = Header(
        config=config.model_dump(mode="json", exclude_none=True),
        features=dataset.features.names,
        base=base_as_lists(base),
        tickers=dataset.panel.tickers,
        split={"train": str(split.train_end), "validation": str(split.validation_end), "test": str(split.test_end)},
        fitted_to=str(fitted.end),
        fingerprint=dataset.panel.fingerprint,
        versions=versions(),
        scorecard=scorecard.as_data(),
    )
    save_model(path, network, header)


def _validation(config: Config, dataset: Dataset, split: Split) -> Validation:
    rows = dataset.require_origins(split.validation, config.task.context)
    levels, root = config.task.levels, np.sqrt(dataset.steps)

    def loss(one: Forecaster) -> float:
        return _mean_loss(score(one, dataset, rows, split.validation, levels), root)

    reference = BASELINES[config.evaluation.baselines[0]](dataset, split.train, levels)
    return Validation(
        loss=lambda network: loss(forecaster(network, config, dataset)),  # type: ignore[arg-type]
        reference=loss(reference),
    )


def _mean_loss(scores: Scores, root: Float[np.ndarray, " horizon"]) -> float:
    """Mean over steps of pinball / √step."""
    steps = [scores.pinball[scores.known[:, place], place].mean() for place in range(len(root))]
    return float(np.mean(steps / root))


def _fingerprint(config: Config, dataset: Dataset) -> str:
    return hashlib.sha256(f"{dataset.panel.fingerprint}{config.model_dump_json()}".encode()).hexdigest()
