"""Baselines: forecasts without a network. Every evaluation compares with them, and a run can use one as its model.

A baseline fits a few arrays to a period. Bound to candles, it forecasts from these arrays and from what is known at an
origin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forecaster.axes import Float
from forecaster.data.coherence import coherent
from forecaster.data.splits import Period
from forecaster.events import Say
from forecaster.features.dataset import Dataset, Forecaster, Rows, pooled_quantiles
from forecaster.registry import Registry

FORMULAS = ("ewma-random-walk", "ewma-garman-klass", "har", "climatology")
"""The simple formulas: always scored, whatever the config says."""

REFERENCE = FORMULAS[0]
"""The reference of every scorecard: fixed, so that scorecards of any age are comparable."""

Fitted = Mapping[str, np.ndarray]
"""What was fitted, as named arrays, which a model file can store."""

Scales = Callable[[Rows], Float[np.ndarray, "origin horizon"]]
"""Origins → the unit of moves, for each step."""


class Baseline(Protocol):
    """The contract of every baseline."""

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        """Fit to the origins whose outcome lies in the period."""
        ...

    def bind(self, fitted: Fitted, dataset: Dataset) -> Forecaster:
        """The forecaster on a dataset, the one fitted to or another."""
        ...


BASELINES: Registry[Baseline] = Registry("baseline", __name__, "forecaster.baselines")


def require_libraries(names: Iterable[str]) -> None:
    """Check that the baselines among some names can be fitted here, before hours of work and not after.

    Raises:
        InputError: a library is not installed; the message names it and how to get it.
    """
    for name in names:
        if name in BASELINES:
            getattr(BASELINES[name], "library", lambda: None)()


@dataclass(frozen=True, eq=False)
class FittedBaseline:
    """A baseline with its fitted arrays: a member of a run, as a network with its weights is."""

    name: str
    fitted: Fitted

    @classmethod
    def learnt(
        cls, name: str, dataset: Dataset, period: Period, levels: tuple[float, ...], say: Say = lambda _: None
    ) -> FittedBaseline:
        """Fit a registered baseline.

        Args:
            say: called with the progress of a baseline that `reports` it, because fitting takes long.

        Raises:
            UnknownNameError: no such baseline.
            InputError: the baseline needs a library that is not installed.
        """
        baseline = BASELINES[name]
        more = {"say": say} if getattr(baseline, "reports", False) else {}
        return cls(name, baseline.fit(dataset, period, levels, **more))

    @property
    def reach(self) -> int | None:
        """Sessions that it looks back; None if it reads whole histories or does not declare it."""
        reach: int | None = getattr(BASELINES[self.name], "reach", None)
        return reach

    def bind(self, dataset: Dataset) -> Forecaster:
        """Coherent quantiles of log(price / last close) for origins of a dataset."""
        return BASELINES[self.name].bind(self.fitted, dataset)


@dataclass(frozen=True, eq=False)
class Scaled:
    """The usual form: a scale known at the origin × pooled quantiles of moves in units of that scale.

    Args:
        scales: the scale on a dataset, given the fitted arrays.
        learn: fits the arrays that the scale needs; none for most.
        reach: sessions that the scale looks back, features apart; None if it reads the whole history.
        library: imports what fitting needs, and raises InputError where it is not installed; a forecast needs nothing.
    """

    scales: Callable[[Dataset, Fitted], Scales]
    learn: Callable[[Dataset, Period], Fitted] = lambda dataset, period: {}  # noqa: ARG005
    reach: int | None = None
    library: Callable[[], object] = lambda: None

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        learnt = self.learn(dataset, period)
        return {**learnt, "pooled": pooled_quantiles(dataset, period, self.scales(dataset, learnt), levels)}

    def bind(self, fitted: Fitted, dataset: Dataset) -> Forecaster:
        # One positive scale for all prices and levels keeps their order, so coherent quantiles stay coherent.
        scales, pooled = self.scales(dataset, fitted), coherent(fitted["pooled"])
        return lambda rows: scales(rows)[..., None, None] * pooled


@dataclass(frozen=True, eq=False)
class Unchanging:
    """The same quantiles at every origin.

    Args:
        quantiles: of log(price / last close), fitted to a period.
    """

    quantiles: Callable[[Dataset, Period, tuple[float, ...]], Float[np.ndarray, "horizon variable quantile"]]

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        return {"quantiles": coherent(self.quantiles(dataset, period, levels))}

    def bind(self, fitted: Fitted, dataset: Dataset) -> Forecaster:  # noqa: ARG002
        quantiles = fitted["quantiles"]
        return lambda rows: np.broadcast_to(quantiles, (len(rows), *quantiles.shape)).copy()
