"""Rolling calibration: quantiles shifted by the errors of the last days whose outcome is known.

A pure function of forecaster, candles and origin: what is corrected at a date reads nothing later than that date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.config.schema import CalibrationConfig
from forecaster.features.coherence import coherent
from forecaster.features.dataset import Dataset, Rows

_BLOCK = 16_384
"""Origins forecast at once: bounds the memory, and is enough tickers for a sweep (see `light.recurrent`)."""

_EPOCH = np.datetime64("1900-01-01")
"""A Monday before all candles."""

Quantiles = Float[np.ndarray, "origin horizon variable quantile"]


@dataclass(frozen=True, eq=False)
class Offsets:
    """Corrections in units of scale·√step, each in force from its date until the next one.

    Exchange calendars are kept apart: a day in New York ends after the same day in Tokyo, whose forecasts must not
    know its errors.

    Args:
        dates: ascending.
        values: for each calendar; a ticker of another calendar is not corrected.
    """

    dates: Shaped[np.ndarray, " update"]
    values: dict[str, Float[np.ndarray, "update horizon variable quantile"]]

    def apply(self, quantiles: Quantiles, dataset: Dataset, rows: Rows) -> Quantiles:
        """Correct forecasts made at the rows; those before the first date stay as they are."""
        place = np.searchsorted(self.dates, dataset.panel.sessions[rows], "right") - 1
        shift = np.zeros(quantiles.shape)
        calendar = np.asarray(dataset.panel.calendars)[dataset.panel.ticker_of_row[rows]]
        for name, values in self.values.items():
            chosen = (calendar == name) & (place >= 0)
            shift[chosen] = values[place[chosen]]
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
    """Corrections for the origins dated first to last, from the errors of all tickers of a calendar.

    On the first session of every `every` weekdays the errors (outcome − quantile) / (scale·√step) of the last `window`
    origins whose outcome is known give, for each price and level, the shift that would have centred its coverage.

    Args:
        history: rows of its ticker that an origin needs: a window with fewer would reach past its origin.
    """
    dates = dataset.panel.dates
    updates = _updates(dates, settings, first, last)
    shape = (len(updates), len(dataset.steps), 4, len(levels))
    values = {name: np.zeros(shape) for name in dict.fromkeys(dataset.panel.calendars)}
    for place, step in enumerate(dataset.steps):
        if step in settings.steps and len(updates):
            errors = _errors(forecaster, dataset, settings, updates, place, history, len(levels))
            for name, offsets in values.items():
                offsets[:, place] = _shifts(errors, name, settings.window, levels, updates, step)
    return Offsets(dates[updates], values)


def update_on(dates: Shaped[np.ndarray, " time"], settings: CalibrationConfig, day: np.datetime64) -> np.datetime64:
    """The date of the correction that is in force on a day."""
    update: np.datetime64 = dates[_updates(dates, settings, day, day)[0]]
    return update


def first_origin(dates: Shaped[np.ndarray, " time"], settings: CalibrationConfig, day: np.datetime64) -> np.datetime64:
    """The earliest origin whose errors have a part in the correction that is in force on a day."""
    oldest = _updates(dates, settings, day, day)[0] - max(settings.steps) - settings.window + 1
    origin: np.datetime64 = dates[max(int(oldest), 0)]
    return origin


def _updates(
    dates: Shaped[np.ndarray, " time"], settings: CalibrationConfig, first: np.datetime64, last: np.datetime64
) -> Int[np.ndarray, " update"]:
    """Places of the corrections in force from `first` to `last`.

    They are counted in weekdays from a day that is the same for every panel, so that a longer history moves none.
    """
    period = np.busday_count(_EPOCH, dates) // settings.every
    places = np.flatnonzero(np.diff(period, prepend=-1))
    begin = max(int(np.searchsorted(dates[places], first, "right")) - 1, 0)
    return places[begin : int(np.searchsorted(dates[places], last, "right"))]


@dataclass(frozen=True, eq=False)
class _Errors:
    """Standardised errors of one step, and when each was made and known, as places in the panel's dates.

    Origins lie next to each other in memory, so that their quantiles are found three times as fast.
    """

    origin: Shaped[np.ndarray, " origin"]
    outcome: Shaped[np.ndarray, " origin"]
    calendar: Shaped[np.ndarray, " origin"]
    values: Float[np.ndarray, "quantile variable origin"]


def _errors(
    forecaster: Callable[[Rows], Quantiles],
    dataset: Dataset,
    settings: CalibrationConfig,
    updates: Shaped[np.ndarray, " update"],
    place: int,
    history: int,
    levels: int,
) -> _Errors:
    panel, step = dataset.panel, dataset.steps[place]
    date = np.searchsorted(panel.dates, panel.sessions)
    oldest = updates[0] - step - settings.window + 1
    ahead = np.arange(len(panel.sessions)) + step
    inside = ahead < panel.offsets[panel.ticker_of_row + 1]
    deep = np.arange(len(panel.sessions)) - dataset.first_row >= history - 1
    rows = np.flatnonzero(dataset.features.ready & deep & inside & (date >= oldest) & (date <= updates[-1] - step))
    errors = np.empty((levels, 4, len(rows)))
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        error = dataset.moved(block, step)[..., None] - forecaster(block)[:, place]
        errors[..., start : start + _BLOCK] = (error / dataset.units(block)[:, place, None, None]).T
    calendar = np.asarray(panel.calendars)[panel.ticker_of_row[rows]]
    return _Errors(date[rows], date[ahead[rows]], calendar, errors)


def _shifts(
    errors: _Errors,
    calendar: str,
    window: int,
    levels: tuple[float, ...],
    updates: Shaped[np.ndarray, " update"],
    step: int,
) -> Float[np.ndarray, "update variable quantile"]:
    shifts = np.zeros((len(updates), 4, len(levels)))
    own = errors.calendar == calendar
    for index, update in enumerate(updates):
        newest = update - step
        chosen = own & (errors.origin > newest - window) & (errors.origin <= newest) & (errors.outcome <= update)
        if chosen.any():
            for column, level in enumerate(levels):
                shifts[index, :, column] = np.quantile(errors.values[column][:, chosen], level, axis=-1)
    return shifts
