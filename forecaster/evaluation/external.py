"""Forecasts that were made elsewhere: as one array, in log(price / last close), checked before they are scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecaster.axes import Bool, Float
from forecaster.config.schema import VARIABLES
from forecaster.data.coherence import CLOSE, HIGH, LOW, OPEN
from forecaster.data.dates import require_day
from forecaster.data.panel import Panel
from forecaster.data.symbols import normalise
from forecaster.errors import InputError, UnknownNameError, at_most_five
from forecaster.features.dataset import Rows

Origin = tuple[str, np.datetime64]

COLUMNS = ("ticker", "origin", "step", "variable", "level", "value")
"""Columns of a long frame of forecasts: those of `forecaster.to_frame`, without the date."""

_LARGEST = 5.0
"""A move of e⁵ is a factor of 148: whoever gives more has most likely given prices."""


@dataclass(frozen=True, eq=False)
class External:
    """Quantiles of open, high, low and close at some origins.

    Args:
        steps: sessions ahead, ascending.
        levels: quantile levels in (0, 1), ascending.
        values: log(price / close of the origin).
        in_prices: `values` are prices instead.
    """

    origins: tuple[Origin, ...]
    steps: tuple[int, ...]
    levels: tuple[float, ...]
    values: Float[np.ndarray, "origin horizon variable quantile"]
    in_prices: bool = False

    @classmethod
    def of_array(
        cls,
        values: Any,
        origins: Iterable[Any],
        steps: Sequence[int],
        levels: Sequence[float],
    ) -> External:
        """From an array of log(price / close of the origin).

        Args:
            values: anything that numpy makes an array of.
            origins: pairs of ticker and date.
            steps: 1 to horizon if empty.

        Raises:
            InputError: no numbers or no origins, sizes that do not fit, or levels without a median.
        """
        named = tuple(map(_origin, origins))
        try:
            array = np.asarray(values, float)
        except (TypeError, ValueError) as error:
            raise InputError(f"quantiles is no array of numbers ({error}): expected log moves.") from error
        if not named:
            raise InputError("origins is empty, expected pairs of ticker and date, such as windows.origins().")
        wanted = f"[{len(named)} origins, horizon, 4, {len(levels)} levels]"
        if array.ndim != 4 or (len(array), *array.shape[2:]) != (len(named), 4, len(levels)):
            raise InputError(f"quantiles has shape {list(array.shape)}, expected {wanted}: reshape it.")
        days = tuple(steps) or tuple(range(1, array.shape[1] + 1))
        if len(days) != array.shape[1] or list(days) != sorted(set(days)) or not days or days[0] < 1:
            raise InputError(f"steps is {list(days)}, expected {array.shape[1]} ascending numbers of sessions from 1.")
        return cls(named, days, _checked_levels(levels), array)

    @classmethod
    def of_frame(cls, frame: Any) -> External:
        """From a long frame of prices, as `forecaster.to_frame` makes it of forecasts.

        Raises:
            InputError: a column or a cell is missing, or there are two of one.
        """
        lacking = [name for name in COLUMNS if name not in frame.columns]
        if lacking:
            raise InputError(f"the frame lacks the columns {at_most_five(lacking)}: expected {', '.join(COLUMNS)}.")
        rows = frame[frame["level"].notna()]
        pairs = list(zip(rows["ticker"], rows["origin"], strict=True))
        origins, steps, levels = dict.fromkeys(pairs), sorted(set(rows["step"])), sorted(set(rows["level"]))
        unknown = set(rows["variable"]) - set(VARIABLES)
        if unknown:
            raise UnknownNameError("variable", str(min(unknown)), VARIABLES)
        at = tuple(
            _places(values, order)
            for values, order in (
                (pairs, list(origins)), (rows["step"], steps), (rows["variable"], VARIABLES), (rows["level"], levels),
            )
        )  # fmt: skip
        shape = len(origins), len(steps), len(VARIABLES), len(levels)
        values = np.full(shape, np.nan)
        values[at] = rows["value"]
        if len(rows) != values.size or not np.isfinite(values).all():
            raise InputError(
                f"the frame has {len(rows)} quantiles, expected {values.size}, one for each of {shape[0]} origins, "
                f"{shape[1]} steps, 4 prices and {shape[3]} levels: fill in what is missing, or drop what is twice."
            )
        named = tuple(map(_origin, origins))
        return cls(named, tuple(int(step) for step in steps), _checked_levels(levels), values, in_prices=True)

    def as_moves(self, closes: Float[np.ndarray, " origin"]) -> External:
        """Prices as log(price / close of the origin).

        Raises:
            InputError: a price is not positive.
        """
        if (self.values <= 0).any():
            raise InputError(f"a price of the frame is {self.values.min():.6g}, expected one above 0.")
        moves = np.log(self.values / closes[:, None, None, None])
        return External(self.origins, self.steps, self.levels, moves)

    def rows(self, panel: Panel) -> Rows:
        """The origins as rows of a panel.

        Raises:
            UnknownNameError: the panel has no such ticker.
            InputError: an origin is no session of its ticker, or is there twice.
        """
        twice = len(self.origins) - len(set(self.origins))
        if twice:
            raise InputError(f"{twice} of {len(self.origins)} origins are there twice: give each once.")
        return np.array([_row(panel, *origin) for origin in self.origins], np.int64)

    def check(self) -> None:
        """Check that the moves are finite and the candles coherent.

        Raises:
            InputError: the first cell that is not, and how many there are.
        """
        values = self.values
        self._refuse(~np.isfinite(values), "expected a finite number")
        self._refuse(
            np.abs(values) > _LARGEST, "expected log(price / close of the origin): give the log, not the price"
        )
        crossing = np.zeros(values.shape, bool)
        crossing[..., 1:] = np.diff(values, axis=-1) < 0
        self._refuse(crossing, "below that of a lower level: sort them, as numpy.sort(quantiles, axis=-1) does")
        for price in (OPEN, CLOSE):
            for side, outside in ((HIGH, values[..., HIGH, :] < values[..., price, :]),
                                  (LOW, values[..., LOW, :] > values[..., price, :])):  # fmt: skip
                wrong = np.zeros(values.shape, bool)
                wrong[..., side, :] = outside
                relation = "below" if side == HIGH else "above"
                self._refuse(
                    wrong, f"{relation} the {VARIABLES[price]}: forecaster.data.coherence.coherent(quantiles) mends it"
                )

    def _refuse(self, wrong: Bool[np.ndarray, "origin horizon variable quantile"], why: str) -> None:
        if not wrong.any():
            return
        origin, step, variable, level = np.argwhere(wrong)[0]
        ticker, day = self.origins[origin]
        place = f"{VARIABLES[variable]} of {ticker} from {day} at step {self.steps[step]}, level {self.levels[level]:g}"
        value = self.values[origin, step, variable, level]
        count = int(wrong.sum())
        more = "" if count == 1 else f" ({count:,} such values)"
        raise InputError(f"{place} is {value:.6g}, {why}{more}.")


def _origin(pair: Any) -> Origin:
    try:
        ticker, date = pair
    except (TypeError, ValueError):
        raise InputError(f"origin {pair!r}: expected a ticker and a date, as in ('AAPL', '2012-06-29').") from None
    return normalise(ticker), require_day(date, "origin")


def _row(panel: Panel, ticker: str, day: np.datetime64) -> int:
    rows = panel.rows(ticker)
    sessions = panel.sessions[rows]
    place = int(np.searchsorted(sessions, day))
    if place < len(sessions) and sessions[place] == day:
        return rows.start + place
    near = f"the last one before is {sessions[place - 1]}" if place else f"its first is {sessions[0]}"
    raise InputError(f"{ticker} has no candle on {day}, but an origin is a session of its ticker: {near}.")


def _checked_levels(levels: Sequence[float]) -> tuple[float, ...]:
    found = tuple(float(level) for level in levels)
    inside = all(0 < level < 1 for level in found)
    if not inside or list(found) != sorted(set(found)) or 0.5 not in found:
        raise InputError(f"levels is {list(found)}, expected ascending numbers between 0 and 1, 0.5 among them.")
    return found


def _places(values: Iterable[Any], order: Sequence[Any]) -> np.ndarray:
    index = {value: place for place, value in enumerate(order)}
    return np.array([index[value] for value in values], np.int64)
