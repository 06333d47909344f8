"""How each ticker moved on all its days so far: what anybody knows who knows nothing of these days."""

from __future__ import annotations

import numpy as np

from forecaster.baselines import BASELINES, Fitted, names
from forecaster.baselines.constant import constant
from forecaster.data.coherence import coherent
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, Forecaster

_FEWEST = 250
"""Outcomes below which a ticker's own quantiles say less than those of all tickers."""


class Climatology:
    """Each ticker's own quantiles in the period learnt from; those of all tickers where it has too little history.

    Skill over it is knowledge of the days to come, not only of which ticker moves much. Source: the term and the use as
    a reference are those of forecast verification, as in Murphy (1988), "Skill Scores Based on the Mean Square Error".
    """

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        pooled = constant(dataset, period, levels)
        own = np.repeat(pooled[None], len(dataset.panel), axis=0)
        rows = dataset.origins(period)
        known = dataset.known(rows, period)
        for index, mine in enumerate(
            np.split(np.arange(len(rows)), np.searchsorted(rows, dataset.panel.offsets[1:-1]))
        ):
            for place, step in enumerate(dataset.steps):
                outcomes = dataset.moved(rows[mine][known[mine, place]], step)
                if len(outcomes) >= _FEWEST:
                    own[index, place] = np.quantile(outcomes, levels, axis=0).T
        return {"pooled": pooled, "own": own, "tickers": names.as_array(dataset.panel.tickers)}

    def bind(self, fitted: Fitted, dataset: Dataset) -> Forecaster:
        # Place −1, of a ticker that was not learnt from, is the last: the pooled quantiles.
        table = coherent(np.concatenate([fitted["own"], fitted["pooled"][None]]))
        of_row = names.places(dataset.panel.tickers, fitted["tickers"])[dataset.panel.ticker_of_row]
        return lambda rows: table[of_row[rows]]


BASELINES.add("climatology", Climatology())
