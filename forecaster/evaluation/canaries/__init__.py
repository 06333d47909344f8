"""Canaries: each tries one way in which a run could deceive its user, on the run itself and on the store's candles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import Config
from forecaster.data.bars import Bars
from forecaster.data.splits import Period, Split
from forecaster.evaluation.scorecard import Scorecard
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.ensemble import Member
from forecaster.modelfile import Model
from forecaster.registry import Registry
from forecaster.training.files import Curves
from forecaster.trial import Trial

PASSED, WARNED, FAILED, SKIPPED = "passed", "warned", "failed", "skipped"


@dataclass(frozen=True)
class Check:
    """What was looked at, and what came of it.

    Args:
        part: `installation`, `store` or `run`.
        status: `passed`; `failed`, where something is broken; `warned`, where all works but should not be trusted
            blindly; or `skipped` where there was nothing to look at.
        value: the figure that decided, in the unit that `measured` says; None where there is none.
        meaning: one sentence for a reader who does not know the check.
    """

    part: str
    name: str
    status: str
    value: float | None
    measured: str
    expected: str
    meaning: str


@dataclass(frozen=True, eq=False)
class Patient:
    """A run and the candles it is examined on.

    Args:
        members: as they were tested.
        bars: the run's own tickers, later candles included.
        trial: of these candles up to the end of the test.
        same_candles: these are the very candles that the run was made with.
        card: the scorecard that comes out now.
        quantiles: the run's calibrated forecasts of the test period, as log(price / last close).
        curves: training curve of each member; empty where it is lost.
    """

    model: Model
    members: Sequence[Member]
    bars: tuple[Bars, ...]
    trial: Trial
    same_candles: bool
    card: Scorecard
    quantiles: Float[np.ndarray, "origin horizon variable quantile"]
    curves: Curves

    @property
    def config(self) -> Config:
        return self.model.config

    @property
    def dataset(self) -> Dataset:
        return self.trial.dataset

    @property
    def split(self) -> Split:
        return self.trial.split

    @property
    def period(self) -> Period:
        return self.trial.fitted

    @property
    def rows(self) -> Rows:
        return self.trial.test_rows

    @property
    def levels(self) -> tuple[float, ...]:
        return self.config.task.levels


STILL = "a price that never moved says nothing"


def moved(dataset: Dataset, rows: Rows) -> bool:
    """Whether any price of the first step after some origins was another than the last close."""
    return bool(np.nan_to_num(dataset.moved(rows, dataset.steps[0])).any())


Canary = Callable[[Patient], Check]

CANARIES: Registry[Canary] = Registry("canary", __name__)


def found(
    name: str,
    ok: bool | None,
    value: float | int | None,
    *,
    measured: str,
    expected: str,
    meaning: tuple[str, str] | str,
    broken: bool = True,
) -> Check:
    """A check of a run.

    Args:
        ok: None where there was nothing to look at.
        meaning: of passing and of failing; or one for both.
        broken: False where what is not ok is a weakness, no fault.
    """
    status = SKIPPED if ok is None else PASSED if ok else FAILED if broken else WARNED
    sentence = meaning if isinstance(meaning, str) else meaning[0 if ok else 1]
    return Check("run", name, status, None if value is None else float(value), measured, expected, sentence)
