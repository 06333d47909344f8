"""Forecasts that need no network: what every evaluation is held against, and what a run may use as its model.

A baseline learns a few arrays from a period; bound to candles, it forecasts from them and from what is known at an
origin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forecaster.axes import Float
from forecaster.data.coherence import coherent
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, Forecaster, Rows, pooled_quantiles
from forecaster.registry import Registry

FORMULAS = ("ewma-random-walk", "ewma-garman-klass", "har", "climatology")
"""The simple formulas, which anybody gets without a network: always scored, whatever a config asks for."""

REFERENCE = FORMULAS[0]
"""What rows of a scorecard are compared with, so that figures of all times can be."""

Fitted = Mapping[str, np.ndarray]
"""What was learnt, as named arrays: a model file can hold them."""

Scales = Callable[[Rows], Float[np.ndarray, "origin horizon"]]
"""Origins → what a move of each step is measured in."""


class Baseline(Protocol):
    """What every baseline offers."""

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        """Learn from the origins whose outcome lies in the period."""
        ...

    def bind(self, fitted: Fitted, dataset: Dataset) -> Forecaster:
        """The forecaster on some candles, those learnt from or others."""
        ...


BASELINES: Registry[Baseline] = Registry("baseline", __name__, "forecaster.baselines")


@dataclass(frozen=True, eq=False)
class FittedBaseline:
    """A baseline with what it has learnt: a member of a run, as a network with its weights is."""

    name: str
    fitted: Fitted

    @classmethod
    def learnt(cls, name: str, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> FittedBaseline:
        """Fit a registered baseline.

        Raises:
            UnknownNameError: no such baseline.
            InputError: it needs a library that is not installed.
        """
        return cls(name, BASELINES[name].fit(dataset, period, levels))

    @property
    def reach(self) -> int | None:
        """Sessions that it looks back; None where it reads whole histories, or where it does not say."""
        reach: int | None = getattr(BASELINES[self.name], "reach", None)
        return reach

    def bind(self, dataset: Dataset) -> Forecaster:
        """Coherent quantiles of log(price / last close) for origins of some candles."""
        return BASELINES[self.name].bind(self.fitted, dataset)


@dataclass(frozen=True, eq=False)
class Scaled:
    """What most baselines are: a scale known at the origin × the pooled quantiles of moves in its units.

    Args:
        scales: the scale on some candles, given what was learnt.
        learn: what the scale is made with; nothing for most.
        reach: sessions that the scale looks back, besides features; None where it reads the whole history.
    """

    scales: Callable[[Dataset, Fitted], Scales]
    learn: Callable[[Dataset, Period], Fitted] = lambda dataset, period: {}  # noqa: ARG005
    reach: int | None = None

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        learnt = self.learn(dataset, period)
        return {**learnt, "pooled": pooled_quantiles(dataset, period, self.scales(dataset, learnt), levels)}

    def bind(self, fitted: Fitted, dataset: Dataset) -> Forecaster:
        # One positive scale for all prices and levels keeps their order: what is coherent once stays so.
        scales, pooled = self.scales(dataset, fitted), coherent(fitted["pooled"])
        return lambda rows: scales(rows)[..., None, None] * pooled


@dataclass(frozen=True, eq=False)
class Unchanging:
    """The same quantiles at every origin.

    Args:
        quantiles: of log(price / last close), as learnt from a period.
    """

    quantiles: Callable[[Dataset, Period, tuple[float, ...]], Float[np.ndarray, "horizon variable quantile"]]

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        return {"quantiles": coherent(self.quantiles(dataset, period, levels))}

    def bind(self, fitted: Fitted, dataset: Dataset) -> Forecaster:  # noqa: ARG002
        quantiles = fitted["quantiles"]
        return lambda rows: np.broadcast_to(quantiles, (len(rows), *quantiles.shape)).copy()
