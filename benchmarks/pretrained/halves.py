"""What the benchmarks of the shipped model share: weights of half of the tickers, and skill on others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from forecaster.baselines import FittedBaseline
from forecaster.config.schema import Config
from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.sources import SourceOptions
from forecaster.data.splits import Period, Split
from forecaster.data.store import Store
from forecaster.evaluation.scores import score
from forecaster.features.dataset import Dataset, Forecaster
from forecaster.inference.ensemble import Member, ensemble
from forecaster.inference.sweep import Reach
from forecaster.runs.config import load_config
from forecaster.training.init import InitialWeights
from forecaster.training.members import Learnt, learn
from forecaster.training.networks import Job
from forecaster.trial import Trial
from forecaster.workflows.fetch import fetch

CONFIG = Path(__file__).with_name("pretrained.yaml")
STEPS = {"h = 1": slice(0, 1), "h = 1–5": slice(0, 5), "h = 20": slice(19, 20)}

Losses = np.ndarray
"""Mean pinball loss "step variable"; NaN where an open is known already, as on markets that never close."""


def day(text: str) -> np.datetime64:
    """A date as numpy's datetime64."""
    return np.datetime64(text, "D")


def fetched(path: Path, folder: Path, calendar: str | None = None) -> Store:
    """A table of candles as a store."""
    fetch(source="file", options=SourceOptions(path=path, calendar=calendar), data_dir=folder)
    return Store(folder)


def halves(store: Store) -> tuple[list[str], list[str]]:
    """The tickers to learn from and the others: every second one by name."""
    names = list(store.tickers())
    return names[::2], names[1::2]


def histories(store: Store, names: Sequence[str], end: str, needed: int, before: str) -> list[Bars]:
    """Candles up to a day of those tickers that have enough of them before another."""
    found = [store.read(name).between(end=day(end)) for name in names if store.record(name).first < day(before)]
    return [one for one in found if (one.dates <= day(before)).sum() >= needed]


def learnt(
    config: Config, bars: Sequence[Bars], train_end: str, seed: int = 0, init: InitialWeights | None = None
) -> Learnt:
    """Members fitted to all candles up to a day."""
    training = config.training.model_copy(update={"seed": seed})
    end = day(train_end)
    trial = Trial.of(config.model_copy(update={"training": training}), Panel.of(bars), Split(end, end, end))
    with tempfile.TemporaryDirectory() as folder:
        return learn(Job(trial, Path(folder), init=init), Period(None, end))


def dataset_of(config: Config, bars: Sequence[Bars]) -> Dataset:
    """Candles with a config's features."""
    end = day("2100-01-01")
    return Trial.of(config, Panel.of(bars), Split(end, end, end)).dataset


def forecaster(members: Sequence[Member], config: Config, dataset: Dataset) -> Forecaster:
    """The members' mean, as a run has it."""
    return ensemble(members, dataset, Reach.of(config.task), config.weights)


def formulas(names: Sequence[str], dataset: Dataset, end: str, levels: tuple[float, ...]) -> dict[str, Forecaster]:
    """Simple formulas fitted up to a day."""
    period = Period(None, day(end))
    return {name: FittedBaseline.learnt(name, dataset, period, levels).bind(dataset) for name in names}


def losses(
    forecasters: Mapping[str, Forecaster], dataset: Dataset, period: Period, levels: tuple[float, ...]
) -> dict[str, Losses]:
    """Mean pinball loss of each, on the same origins."""
    rows = dataset.origins(period)
    scored = dataset.scored(rows)
    found = {}
    for name, one in forecasters.items():
        scores = score(one, dataset, rows, period, levels)
        mean = np.full((len(dataset.steps), 4), np.nan)
        for place in range(len(dataset.steps)):
            for variable in range(4):
                cells = scores.known[:, place] & scored[:, variable]
                if cells.any():
                    mean[place, variable] = scores.pinball[cells, place, variable].mean(dtype=np.float64)
        found[name] = mean
    return found


def held(one: Forecaster, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> list[float]:
    """Share of closes inside the 80% band, for each entry of `STEPS`."""
    rows = dataset.origins(period)
    quantiles, moves, known = one(rows)[:, :, 3], dataset.moves(rows)[:, :, 3], dataset.known(rows, period)
    inside = (moves >= quantiles[..., levels.index(0.1)]) & (moves <= quantiles[..., levels.index(0.9)])
    return [float(inside[:, steps][known[:, steps]].mean()) for steps in STEPS.values()]


def skill(own: Losses, other: Losses) -> list[float]:
    """Per cent by which a loss is lower, mean over the prices, for each entry of `STEPS`."""
    return [100 * float(np.nanmean(1 - _mean(own[steps]) / _mean(other[steps]))) for steps in STEPS.values()]


def _mean(losses: Losses) -> np.ndarray:
    real = ~np.isnan(losses).all(axis=0)
    return np.nanmean(losses[:, real], axis=0)


def shipped_config() -> Config:
    """The shipped model's config."""
    return load_config(CONFIG)
