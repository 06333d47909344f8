"""Rolling calibration: quantiles shifted by the errors of the last days whose outcome is known.

A pure function of forecaster, candles and origin: what is corrected at a date reads nothing later than that date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from forecaster.config.schema import CalibrationConfig
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.coherence import coherent

Quantiles = Float[np.ndarray, "origin horizon variable quantile"]


@dataclass(frozen=True, eq=False)
class Offsets:
    """Corrections in units of scale·√step, each in force from its date until the next one.

    Args:
        dates: ascending.
    """

    dates: Shaped[np.ndarray, " update"]
    values: Float[np.ndarray, "update horizon variable quantile"]

    def apply(self, quantiles: Quantiles, dataset: Dataset, rows: Rows) -> Quantiles:
        """Correct forecasts made at the rows; those before the first date stay as they are."""
        place = np.searchsorted(self.dates, dataset.panel.sessions[rows], "right") - 1
        shift = np.where((place >= 0)[:, None, None, None], self.values[place], 0.0)
        return coherent(quantiles + shift * dataset.units(rows)[..., None, None])


def rolling_offsets(
    forecaster: Callable[[Rows], Quantiles],
    dataset: Dataset,
    settings: CalibrationConfig,
    levels: tuple[float, ...],
    first: np.datetime64,
    last: np.datetime64,
    history: int = 1,
) -> Offsets:
    """Corrections for the origins dated first to last, from the errors of all tickers of the dataset.

    At every `every`-th date of the panel the errors (outcome − quantile) / (scale·√step) of the last `window` origins
    whose outcome is known give, for each price and level, the shift that would have centred that level's coverage.

    Args:
        history: rows of its ticker that an origin needs: a window with fewer would reach past its origin.
    """
    dates = dataset.panel.dates
    every = np.arange(len(dates))[:: settings.every]
    begin = max(int(np.searchsorted(dates[every], first, "right")) - 1, 0)
    updates = every[begin : int(np.searchsorted(dates[every], last, "right"))]
    values = np.zeros((len(updates), len(dataset.steps), 4, len(levels)))
    for place, step in enumerate(dataset.steps):
        if step in settings.steps and len(updates):
            _fill(values[:, place], forecaster, dataset, settings, levels, updates, place, history)
    return Offsets(dates[updates], values)


def _fill(
    values: Float[np.ndarray, "update variable quantile"],
    forecaster: Callable[[Rows], Quantiles],
    dataset: Dataset,
    settings: CalibrationConfig,
    levels: tuple[float, ...],
    updates: Shaped[np.ndarray, " update"],
    place: int,
    history: int,
) -> None:
    panel, step = dataset.panel, dataset.steps[place]
    date_of_row = np.searchsorted(panel.dates, panel.sessions)
    oldest = updates[0] - step - settings.window + 1
    ahead = np.arange(len(panel.sessions)) + step
    inside = ahead < panel.offsets[panel.ticker_of_row + 1]
    deep = np.arange(len(panel.sessions)) - dataset.first_row >= history - 1
    rows = np.flatnonzero(
        dataset.features.ready & deep & inside & (date_of_row >= oldest) & (date_of_row <= updates[-1] - step)
    )
    if not len(rows):
        return
    origin, outcome = date_of_row[rows], date_of_row[ahead[rows]]
    errors = dataset.moves(rows)[:, place, :, None] - forecaster(rows)[:, place]
    errors /= dataset.units(rows)[:, place, None, None]
    for index, update in enumerate(updates):
        newest = update - step
        chosen = (origin > newest - settings.window) & (origin <= newest) & (outcome <= update)
        if chosen.any():
            for column, level in enumerate(levels):
                values[index, :, column] = np.quantile(errors[chosen, :, column], level, axis=0)
