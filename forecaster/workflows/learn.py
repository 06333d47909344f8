"""The steps of a training run that need torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from forecaster.axes import Float
from forecaster.config.schema import Config, ModelConfig
from forecaster.data.splits import Period, Split
from forecaster.evaluation.baselines import BASELINES, Forecaster
from forecaster.evaluation.scorecard import Scorecard, make_scorecard
from forecaster.evaluation.scores import Scores, score
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.calibration import rolling_offsets
from forecaster.inference.ensemble import ensemble_quantiles
from forecaster.inference.sweep import Reach
from forecaster.modelfile import Header, base_as_lists, save_model, versions
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.training.checkpoint import CurvePoint
from forecaster.training.fit import Report, Validation, choose_device, fit
from forecaster.training.sampling import Sampler
from forecaster.workflows import runs

Say = Callable[[str], None]
"""Called with what happens now, in words."""

Tick = Callable[[int, int, float | None, float | None], None]
"""Called after every optimiser step with step, steps, and where measured the loss and the validation skill."""

Base = Float[np.ndarray, "horizon variable quantile"]


def learn(
    config: Config,
    dataset: Dataset,
    split: Split,
    base: Base,
    folder: Path,
    say: Say,
    tick: Tick,
) -> tuple[list[Network], list[list[CurvePoint]]]:
    """Build and fit each network of the run; a checkpoint that is there is taken up."""
    device = choose_device(config.training.device)
    sampler = Sampler(dataset, config.task, fitted_period(config, split), device)
    networks, curves = [], []
    for member, model in enumerate(config.networks):
        training = config.training.model_copy(update={"seed": config.training.seed + member})
        say(f"training {model.name} for {training.steps:,} steps on {len(sampler.cells):,} origins ({device})")
        network = _seeded(model, config.task.head, training.seed, dataset, base).to(device)
        curve = fit(
            network,
            sampler,
            training,
            config.task.levels,
            validation=None if training.refit else _validation(config, dataset, split),
            checkpoint=runs.checkpoint(folder, member),
            fingerprint=_fingerprint(config, dataset, member),
            report=_reporter(tick, training.steps),
        )
        networks.append(network.cpu())
        curves.append(curve)
    return networks, curves


def _reporter(tick: Tick, steps: int) -> Report:
    return lambda step, point: tick(step, steps, *((point.loss, point.skill) if point else (None, None)))


def fitted_period(config: Config, split: Split) -> Period:
    """The period that weights, base quantiles and baselines learn from."""
    return split.fitted if config.training.refit else split.train


def _seeded(model: ModelConfig, head: str, seed: int, dataset: Dataset, base: Base) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_network(model, head, len(dataset.features.names), base)


def evaluate(networks: Sequence[Network], config: Config, dataset: Dataset, split: Split) -> Scorecard:
    """Score the networks' forecast and its baselines on the same origins of the test period.

    Raises:
        InputError: the test period has no origin, or fewer sessions than the horizon.
    """
    rows = dataset.require_origins(split.test, config.task.context)
    scores = {
        name: score(one, dataset, rows, split.test, config.task.levels)
        for name, one in forecasters(networks, config, dataset, split, rows).items()
    }
    tickers = len(np.unique(dataset.panel.ticker_of_row[rows]))
    return make_scorecard(scores, dataset.panel.sessions[rows], tickers, dataset.steps)


def forecasters(
    networks: Sequence[Network], config: Config, dataset: Dataset, split: Split, rows: Rows
) -> dict[str, Forecaster]:
    """The networks first, then each baseline, fitted on the same period and calibrated alike for the origins."""
    found = {config.name: forecaster(networks, config, dataset)}
    for name in config.evaluation.baselines:
        found[name] = BASELINES[name](dataset, fitted_period(config, split), config.task.levels)
    return {name: _calibrated(one, config, dataset, rows) for name, one in found.items()}


def forecaster(networks: Sequence[Network], config: Config, dataset: Dataset) -> Forecaster:
    """Networks as what baselines are too: origins → coherent quantiles."""
    reach = Reach.of(config.task)
    return lambda rows: ensemble_quantiles(networks, dataset, rows, reach)


def _calibrated(one: Forecaster, config: Config, dataset: Dataset, rows: Rows) -> Forecaster:
    has_spread = np.ptp(one(rows[:1]), axis=-1).any()  # the last close carried forward has nothing to calibrate
    if not config.calibration.rolling or not has_spread:
        return one
    dates = dataset.panel.sessions[rows]
    offsets = rolling_offsets(
        one, dataset, config.calibration, config.task.levels, dates.min(), dates.max(), config.task.context
    )
    return lambda origins: offsets.apply(one(origins), dataset, origins)


def write_model(
    path: Path,
    networks: Sequence[Network],
    config: Config,
    dataset: Dataset,
    split: Split,
    base: Base,
    scorecard: Scorecard,
) -> None:
    """Write the one file that a forecast needs."""
    header = Header(
        config=config.model_dump(mode="json", exclude_none=True),
        features=dataset.features.names,
        base=base_as_lists(base),
        tickers=dataset.panel.tickers,
        split={"train": str(split.train_end), "validation": str(split.validation_end), "test": str(split.test_end)},
        fitted_to=str(split.validation_end),
        fingerprint=dataset.panel.fingerprint,
        versions=versions(),
        scorecard=scorecard.as_data(),
    )
    save_model(path, networks, header)


def _validation(config: Config, dataset: Dataset, split: Split) -> Validation:
    rows = dataset.require_origins(split.validation, config.task.context)
    levels, root = config.task.levels, np.sqrt(dataset.steps)

    def loss(one: Forecaster) -> float:
        return _mean_loss(score(one, dataset, rows, split.validation, levels), root)

    reference = BASELINES[config.evaluation.baselines[0]](dataset, split.train, levels)
    return Validation(
        loss=lambda network: loss(forecaster([network], config, dataset)),
        reference=loss(reference),
    )


def _mean_loss(scores: Scores, root: Float[np.ndarray, " horizon"]) -> float:
    """Mean over steps of pinball / √step."""
    steps = [scores.pinball[scores.known[:, place], place].mean() for place in range(len(root))]
    return float(np.mean(steps / root))


def _fingerprint(config: Config, dataset: Dataset, member: int) -> str:
    return hashlib.sha256(
        f"{dataset.panel.fingerprint}{config.model_dump_json()}{versions()}{member}".encode()
    ).hexdigest()
