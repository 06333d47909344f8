"""A trial: config, dataset and split, i.e. everything that training and testing a run needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.data.splits import Period, Split
from forecaster.features.cache import features_of
from forecaster.features.dataset import Dataset, Rows


@dataclass(frozen=True, eq=False)
class Trial:
    """A config with its dataset and its training, validation and test periods.

    Args:
        dataset: candles, features and steps of the config.
    """

    config: Config
    dataset: Dataset
    split: Split

    @classmethod
    def of(cls, config: Config, panel: Panel, split: Split) -> Trial:
        """Compute the config's features from the panel."""
        return cls(config, Dataset(panel, features_of(panel, config.features), config.task.steps), split)

    def over(self, split: Split) -> Trial:
        """The same dataset with another split."""
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
        """The period that weights, base quantiles and baselines are fitted to."""
        return self.split.fitted if self.config.training.refit else self.split.train

    @property
    def validation(self) -> Period | None:
        """The period for early stopping; None if it is trained on too (`training.refit`)."""
        return None if self.config.training.refit else self.split.validation

    @property
    def test(self) -> Period:
        """The test period: nothing is trained or selected on it."""
        return self.split.test

    @cached_property
    def test_rows(self) -> Rows:
        """Origins of the test period: rows of the panel, ascending.

        Raises:
            InputError: there are none.
        """
        return self.origins(self.test)

    def origins(self, period: Period) -> Rows:
        """Origins of a period: rows of the panel, ascending.

        Raises:
            InputError: there are none.
        """
        return self.dataset.require_origins(period, self.config.task.context)
