"""What the skill benchmark measures: one method at a time, beside the random walk at the same origins."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from forecaster.config.schema import Config, DataConfig, TaskConfig
from forecaster.evaluation.evaluate import forecasters
from forecaster.evaluation.scorecard import Scorecard, make_scorecard
from forecaster.evaluation.scores import Scores, score_all
from forecaster.features.dataset import Rows
from forecaster.memory import tuned_allocator
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.training.members import learn
from forecaster.training.networks import Job
from forecaster.trial import Trial


@dataclass(frozen=True, eq=False)
class Measured:
    """Scores of a method and of the baselines of its config at the same origins, fitted and calibrated alike.

    Args:
        scores: the method's first.
        cpu: seconds of processor time that fitting took.
        wall: seconds that it took.
        broken: candles that are not coherent, and quantiles that cross, over all origins, steps and levels.
    """

    scores: Mapping[str, Scores]
    dates: np.ndarray
    tickers: int
    steps: tuple[int, ...]
    cpu: float
    wall: float
    broken: tuple[int, int]

    @property
    def name(self) -> str:
        """What the method is called."""
        return next(iter(self.scores))

    def skills(self) -> tuple[float, float, float]:
        """Over the random walk at step 1, over the steps to 5 and at the last: mean of the four prices', in percent."""
        near = [place for place, step in enumerate(self.steps) if step <= 5]
        own, theirs = self.scores[self.name], self.scores[self.card.reference]
        one, five, last = (
            float(100 * (1 - _mean(own, places) / _mean(theirs, places)).mean())
            for places in ([0], near, [len(self.steps) - 1])
        )
        return one, five, last

    @cached_property
    def card(self) -> Scorecard:
        """The scorecard beside every baseline, over all steps."""
        return make_scorecard(self.scores, self.dates, self.tickers, self.steps)

    def against(self, other: str) -> Scorecard:
        """The scorecard of the method beside one baseline."""
        pair = {self.name: self.scores[self.name], other: self.scores[other]}
        return make_scorecard(pair, self.dates, self.tickers, self.steps)


@tuned_allocator()
def measure(store: Path, name: str, settings: Sequence[str]) -> Measured:
    """Fit a shipped config, changed by settings, and score it and its baselines on its test period."""
    config = load_config(name, settings)
    trial = replace(_prepared(config.data, config.features, config.task, store), config=config)
    cpu, wall = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        members = learn(Job(trial, Path(folder))).members
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    rows, dataset = trial.test_rows, trial.dataset
    found = forecasters(members, trial, rows)
    return Measured(
        scores=score_all(found, dataset, rows, trial.test, trial.levels),
        dates=dataset.panel.sessions[rows],
        tickers=len(np.unique(dataset.panel.ticker_of_row[rows])),
        steps=dataset.steps,
        cpu=cpu,
        wall=wall,
        broken=_broken(found[config.name], rows),
    )


@cache
def _prepared(data: DataConfig, features: tuple[str, ...], task: TaskConfig, store: Path) -> Trial:
    """Candles, features and split: computed once for all that share them."""
    config = Config.model_validate({"data": data, "features": features, "task": task, "model": {"name": "gru"}})
    return prepare(config, store)


def _mean(scores: Scores, places: Sequence[int]) -> np.ndarray:
    """Mean pinball loss of each price over origins, then over steps."""
    by_step = [scores.pinball[scores.known[:, place], place].mean(axis=0) for place in places]
    means: np.ndarray = np.mean(by_step, axis=0)
    return means


def _broken(forecast: Callable[[Rows], np.ndarray], rows: Rows, block: int = 16_384) -> tuple[int, int]:
    """How many candles are not coherent, and how many quantiles cross."""
    incoherent = crossed = 0
    for start in range(0, len(rows), block):
        candles = forecast(rows[start : start + block])
        opens, highs, lows, closes = np.moveaxis(candles, -2, 0)
        incoherent += int(np.sum((lows > np.minimum(opens, closes)) | (highs < np.maximum(opens, closes))))
        crossed += int(np.sum(np.diff(candles, axis=-1) < 0))
    return incoherent, crossed
