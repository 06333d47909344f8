"""Canaries: the checks of `forecast doctor RUN`. Each tests one way in which a run could mislead its user."""

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
    """What was checked, and the result.

    Args:
        part: `installation`, `store` or `run`.
        status: `passed`; `failed`, if something is broken; `warned`, if everything works but should not be trusted
            blindly; or `skipped`, if there was nothing to check.
        value: the deciding figure, in the unit that `measured` states; None if there is none.
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
class RunUnderTest:
    """A run and the candles it is checked on.

    Args:
        members: with the weights that were tested.
        bars: the run's own tickers, including candles after its test period.
        trial: made from these candles up to the end of the test.
        same_candles: the store still has exactly the candles that the run was trained on.
        card: the scorecard, recomputed.
        quantiles: the run's calibrated forecasts of the test period, as log(price / last close).
        curves: training curve of each member; empty if the file is gone.
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


NO_MOVES = "no price ever moved, so there is nothing to check"


def any_move(dataset: Dataset, rows: Rows) -> bool:
    """Whether any price of the first step after these origins differs from the last close."""
    return bool(np.nan_to_num(dataset.moved(rows, dataset.steps[0])).any())


Canary = Callable[[RunUnderTest], Check]

CANARIES: Registry[Canary] = Registry("canary", __name__)


def check(
    name: str,
    ok: bool | None,
    value: float | int | None,
    *,
    measured: str,
    expected: str,
    meaning: tuple[str, str] | str,
    broken: bool = True,
) -> Check:
    """Makes the `Check` of a run.

    Args:
        ok: None if there was nothing to check (`skipped`).
        meaning: one sentence for passing and one for failing; or one for both.
        broken: False if a failure is a weakness (`warned`) rather than a fault (`failed`).
    """
    status = SKIPPED if ok is None else PASSED if ok else FAILED if broken else WARNED
    sentence = meaning if isinstance(meaning, str) else meaning[0 if ok else 1]
    return Check("run", name, status, None if value is None else float(value), measured, expected, sentence)
