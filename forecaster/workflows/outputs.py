"""A run's forecasts at every candle of a ticker: the outputs of an N-to-N network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.axes import Float, Shaped
from forecaster.data.coherence import CLOSE
from forecaster.data.dates import DateLike, to_day
from forecaster.data.panel import Panel
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError
from forecaster.runs.covariates import require_recent
from forecaster.runs.run import Run


@dataclass(frozen=True, eq=False)
class Outputs:
    """A forecast from each candle of a ticker.

    Args:
        dates: of the origins.
        close: of each origin, adjusted for splits and dividends to the last candle read.
        steps: sessions ahead.
        levels: quantile levels, ascending.
        quantiles: coherent, of log(price / close of the origin); open, high, low, close.
    """

    ticker: str
    run: str
    dates: Shaped[np.ndarray, " time"]
    close: Float[np.ndarray, " time"]
    steps: tuple[int, ...]
    levels: tuple[float, ...]
    quantiles: Float[np.ndarray, "time step 4 quantile"]

    @property
    def prices(self) -> Float[np.ndarray, "time step 4 quantile"]:
        """The quantiles as prices, on the scale of `close`."""
        return self.close[:, None, None, None] * np.exp(self.quantiles)


def outputs(
    ticker: str,
    *,
    run: str = "latest",
    start: DateLike | None = None,
    end: DateLike | None = None,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
) -> Outputs:
    """Reads a ticker candle by candle, and returns the networks' forecast after each of them.

    Each is the forecast as of its own date: no later candle affects it. These are the raw outputs of the networks,
    without rolling calibration.

    Args:
        start: first origin; if absent, the first with enough candles before it.
        end: last origin; the newest candle if absent.

    Raises:
        UnknownNameError: no such run or ticker.
        InputError: no candle between the dates has enough history, or a covariate is missing or ends early.
    """
    from forecaster.features.compute import compute_features
    from forecaster.features.dataset import Dataset
    from forecaster.inference.ensemble import ensemble
    from forecaster.inference.sweep import Reach

    one, store = Run.find(runs_dir, run), open_store(data_dir)
    (name,) = normalise_all([ticker])
    first, last = to_day(start, "start"), to_day(end, "end")
    known = one.history(store, name, last).bars
    if not len(known):
        raise InputError(f"{name} has no candle up to {last}: choose other dates.")
    panel, config = Panel.of([known], one.covariates(store, last)), one.config
    require_recent(panel.covariates, panel)
    networks, task = one.model.light(), config.task
    market = one.market(store, networks, panel.sessions[-1:])
    features = compute_features(panel, config.features, market.means if market else None)
    dataset = Dataset(panel, features, task.steps)
    depth = np.arange(len(panel.sessions)) + 1
    usable = features.ready & (depth >= (task.context if task.supervision == "window" else 1))
    if first is not None:
        usable &= panel.sessions >= first
    rows = np.flatnonzero(usable)
    if not len(rows):
        raise InputError(
            f"{name} has no candle from {start} to {end} with enough others before it: choose other dates."
        )
    quantiles = ensemble(networks, dataset, Reach.of(task), config.weights)(rows)
    close = panel.prices[rows, CLOSE] * (known.close[-1] / panel.prices[-1, CLOSE])
    return Outputs(name, one.name, panel.sessions[rows], close, task.steps, task.levels, quantiles)
