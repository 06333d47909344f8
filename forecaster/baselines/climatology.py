"""Climatology: each ticker's quantiles over its whole past, whatever the present day looks like."""

from __future__ import annotations

import numpy as np

from forecaster.baselines import BASELINES, Fitted, names
from forecaster.baselines.constant import constant
from forecaster.data.coherence import coherent
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, Forecaster

_FEWEST = 250
"""With fewer outcomes, a ticker's own quantiles are less reliable than those of all tickers."""


class Climatology:
    """Each ticker's own quantiles in the fitted period; those of all tickers if it has too little history.

    Skill over it means knowing something about the coming days, not just which tickers move a lot.

    Source: Murphy (1988), "Skill Scores Based on the Mean Square Error", for the term and its use as a reference in
    forecast verification.
    """

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        pooled = constant(dataset, period, levels)
        own = np.repeat(pooled[None], len(dataset.panel), axis=0)
        rows = dataset.origins(period)
        known = dataset.known(rows, period)
        # Origins ascend by row, hence by ticker: cut at the tickers' borders, a part may be empty.
        for index, mine in enumerate(
            np.split(np.arange(len(rows)), np.searchsorted(rows, dataset.panel.offsets[1:-1]))
        ):
            for place, step in enumerate(dataset.steps):
                outcomes = dataset.moved(rows[mine][known[mine, place]], step)
                if len(outcomes) >= _FEWEST:
                    own[index, place] = np.quantile(outcomes, levels, axis=0).T
        return {"pooled": pooled, "own": own, "tickers": names.as_array(dataset.panel.tickers)}

    def bind(self, fitted: Fitted, dataset: Dataset) -> Forecaster:
        # An unknown ticker has place −1, the last row: the pooled quantiles.
        table = coherent(np.concatenate([fitted["own"], fitted["pooled"][None]]))
        of_row = names.places(dataset.panel.tickers, fitted["tickers"])[dataset.panel.ticker_of_row]
        return lambda rows: table[of_row[rows]]


BASELINES.add("climatology", Climatology())
