"""Rolling calibration: corrects quantiles by the errors of recent days whose outcome is known.

A pure function of forecaster, candles and origin: the correction at a date reads nothing later than that date. At
step 1 each level is shifted (`shift`); at later steps only the width of the bands changes (`width`).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.config.schema import CalibrationConfig
from forecaster.data.coherence import coherent
from forecaster.data.panel import Panel
from forecaster.errors import InputError, OutsideError
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.errorwindow import ErrorWindow
from forecaster.inference.shift import Shift
from forecaster.inference.width import Width
from forecaster.tensorfile import PARSING_ERRORS, load_tensors, save_tensors

FORM = "shift at step 1, width beyond"
"""Version key of the method, in words: cached corrections of another method are not read."""

_BLOCK = 16_384
"""Origins forecast at a time: bounds the memory, and fills the batches of a sweep (see `light.recurrent`)."""

_EPOCH = np.datetime64("1900-01-01")
"""A Monday before any candle."""

Quantiles = Float[np.ndarray, "origin horizon variable quantile"]


@dataclass(frozen=True, eq=False)
class Offsets:
    """Corrections in units of scale·√step, each valid from its date until the next one.

    Exchange calendars are kept apart: New York closes after Tokyo on the same date, so mixing their errors would be
    look-ahead.

    Args:
        dates: ascending.
        values: for each calendar; a ticker of another calendar is not corrected.
    """

    dates: Shaped[np.ndarray, " update"]
    values: dict[str, Float[np.ndarray, "update horizon variable quantile"]]

    def apply(self, quantiles: Quantiles, dataset: Dataset, rows: Rows) -> Quantiles:
        """Correct forecasts made at the rows; those without spread or before the first date stay unchanged."""
        # The latest update on or before the origin's date; −1 before the first.
        place = np.searchsorted(self.dates, dataset.panel.sessions[rows], "right") - 1
        shift = np.zeros(quantiles.shape)
        calendar = np.asarray(dataset.panel.calendars)[dataset.panel.ticker_of_row[rows]]
        corrected = (place >= 0) & has_spread(quantiles)
        for name, values in self.values.items():
            chosen = (calendar == name) & corrected
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
    """Corrections for the origins from `first` to `last`, from the errors of all tickers of a calendar.

    An update happens on the first session of every `every` weekdays. It uses the errors (actual − quantile) /
    (scale·√step) of the last `window` origin dates whose outcome is known by then.

    Args:
        history: candles an origin needs: a shorter window would read past its origin.
    """
    dates = dataset.panel.dates
    updates = _updates(dates, settings, first, last)
    # One error collector for each (calendar, step): values[calendar][update, step, variable, quantile].
    shape = (len(updates), len(dataset.steps), 4, len(levels))
    # Calendars and steps that are not calibrated keep their zeros.
    values = {name: np.zeros(shape) for name in dict.fromkeys(dataset.panel.calendars)}
    errors = {
        (name, place): (Shift if step == 1 else Width)(updates, step, settings.window, levels)
        for name in values
        for place, step in enumerate(dataset.steps)
        if step in settings.steps
    }
    if len(updates) and errors:
        _collect(errors, forecaster, dataset, history)
        for (name, place), of in errors.items():
            values[name][:, place] = of.corrections()
    return Offsets(dates[updates], values)


def has_spread(quantiles: Quantiles) -> Bool[np.ndarray, " origin"]:
    """Whether there are bands: a point forecast has nothing to calibrate."""
    spread: np.ndarray = (quantiles[..., -1] != quantiles[..., 0]).any(axis=(1, 2))
    return spread


def update_on(dates: Shaped[np.ndarray, " time"], settings: CalibrationConfig, day: np.datetime64) -> np.datetime64:
    """Date of the update valid on a day."""
    update: np.datetime64 = dates[_updates(dates, settings, day, day)[0]]
    return update


def first_origin(dates: Shaped[np.ndarray, " time"], settings: CalibrationConfig, day: np.datetime64) -> np.datetime64:
    """Date of the earliest origin whose errors enter the update valid on a day."""
    oldest = _updates(dates, settings, day, day)[0] - max(settings.steps) - settings.window + 1
    origin: np.datetime64 = dates[max(int(oldest), 0)]
    return origin


@dataclass(frozen=True)
class OffsetCache:
    """A folder of corrections: computing one reads every ticker of the run, a forecast only its own.

    File names are hashes of all inputs.

    Args:
        model: fingerprint of the model file.
    """

    folder: Path
    model: str

    def get(
        self, market: Panel, settings: CalibrationConfig, day: np.datetime64, compute: Callable[[], Offsets]
    ) -> Offsets:
        """The corrections valid on a day, from the cache or else computed and cached.

        A damaged file is computed again; a read-only folder only costs time.
        """
        path = self.folder / f"{self._key(market, settings, day)}.safetensors"
        with contextlib.suppress(InputError, *PARSING_ERRORS):
            tensors, header = load_tensors(path)
            return Offsets(np.array(header["dates"], "datetime64[D]"), tensors)
        offsets = compute()
        with contextlib.suppress(OutsideError):
            save_tensors(path, offsets.values, {"dates": offsets.dates.astype(str).tolist()})
        return offsets

    def _key(self, market: Panel, settings: CalibrationConfig, day: np.datetime64) -> str:
        """Hash of method, model, settings, and candles up to the date of the update: later ones don't enter it."""
        update = update_on(market.dates, settings, day)
        text = f"{FORM}{self.model}{settings.model_dump_json()}{update}{market.until(update).fingerprint}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _updates(
    dates: Shaped[np.ndarray, " time"], settings: CalibrationConfig, first: np.datetime64, last: np.datetime64
) -> Int[np.ndarray, " update"]:
    """Indices in `dates` of the updates valid from `first` to `last`.

    Updates are spaced in weekdays from a fixed day, so that a longer history moves none of them. With every = 5:
    the first session of each week.
    """
    # Example with every = 5, dates from a Thursday on: periods 7 7 8 8 8 … differ first on Thursday (the first date
    # of all counts as an update) and then on Monday.
    period = np.busday_count(_EPOCH, dates) // settings.every
    places = np.flatnonzero(np.diff(period, prepend=-1))
    # The last update before `first` is still valid on that day.
    begin = max(int(np.searchsorted(dates[places], first, "right")) - 1, 0)
    return places[begin : int(np.searchsorted(dates[places], last, "right"))]


def _collect(
    errors: Mapping[tuple[str, int], ErrorWindow],
    forecaster: Callable[[Rows], Quantiles],
    dataset: Dataset,
    history: int,
) -> None:
    """Forecast each origin once, block by block; pass its errors to the collectors of its calendar, one per step."""
    panel, one = dataset.panel, next(iter(errors.values()))
    steps = [of.step for of in errors.values()]
    # Windows count the dates of the whole panel, whichever calendar they are from.
    rows, date = np.arange(len(panel.sessions)), panel.date_of_row
    end = panel.offsets[panel.ticker_of_row + 1]
    # An origin counts once its nearest outcome exists, within the same ticker.
    used = dataset.features.ready & (rows - dataset.first_row >= history - 1) & (rows + min(steps) < end)
    # The oldest origin in the first update's window of the longest step, and the newest whose shortest step is over
    # by the last update: no other can enter any window.
    oldest, newest = one.updates[0] - max(steps) - one.window + 1, one.updates[-1] - min(steps)
    rows = rows[used & (date >= oldest) & (date <= newest)]
    calendars = np.asarray(panel.calendars)
    for start in range(0, len(rows), _BLOCK):  # error below: [origin, variable, quantile]
        block = rows[start : start + _BLOCK]
        quantiles, units, calendar = forecaster(block), dataset.units(block), calendars[panel.ticker_of_row[block]]
        for (name, place), of in errors.items():
            chosen = (calendar == name) & (block + of.step < end[block])
            own = block[chosen]
            error = dataset.moved(own, of.step)[..., None] - quantiles[chosen, place]
            # With the date of the outcome, not origin + step: a halted ticker's outcome may be known months later.
            of.add(date[own], date[own + of.step], error / units[chosen, place, None, None])
