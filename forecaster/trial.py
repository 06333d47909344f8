"""A trial: a config with its candles and its split, which says what is learnt from and what it is tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.data.splits import Period, Split
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Rows


@dataclass(frozen=True, eq=False)
class Trial:
    """What is learnt and tested, ready.

    Args:
        dataset: candles and features of the config.
    """

    config: Config
    dataset: Dataset
    split: Split

    @classmethod
    def of(cls, config: Config, panel: Panel, split: Split) -> Trial:
        """With the features that the config names, computed from the panel."""
        return cls(config, Dataset(panel, compute_features(panel, config.features), config.task.steps), split)

    def over(self, split: Split) -> Trial:
        """The same candles, split otherwise."""
        return replace(self, split=split)

    @property
    def panel(self) -> Panel:
        """The candles."""
        return self.dataset.panel

    @property
    def levels(self) -> tuple[float, ...]:
        """Quantile levels, ascending."""
        return self.config.task.levels

    @property
    def fitted(self) -> Period:
        """The period that weights, base quantiles and baselines learn from."""
        return self.split.fitted if self.config.training.refit else self.split.train

    @property
    def validation(self) -> Period | None:
        """The period that chooses the optimiser step; None where it is learnt from too (`training.refit`)."""
        return None if self.config.training.refit else self.split.validation

    @property
    def test(self) -> Period:
        """The period that nothing is learnt from."""
        return self.split.test

    @cached_property
    def test_rows(self) -> Rows:
        """Origins of the test period: rows of the panel, ascending.

        Raises:
            InputError: there is none.
        """
        return self.origins(self.test)

    def origins(self, period: Period) -> Rows:
        """Rows of the panel that a forecast of the period can start from.

        Raises:
            InputError: there is none.
        """
        return self.dataset.require_origins(period, self.config.task.context)
