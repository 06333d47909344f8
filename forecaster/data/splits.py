"""Training, validation and test split: by date, the same for all tickers, with a purge at each border."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Bool, Shaped
from forecaster.config.schema import SPAN, SplitConfig
from forecaster.errors import InputError


@dataclass(frozen=True)
class Period:
    """Dates with start < date ≤ end; `start` None means from the beginning."""

    start: np.datetime64 | None
    end: np.datetime64

    def holds(self, dates: Shaped[np.ndarray, " date"]) -> Bool[np.ndarray, " date"]:
        """Mask of dates inside the period."""
        inside: np.ndarray = dates <= self.end
        return inside if self.start is None else inside & (dates > self.start)

    def __str__(self) -> str:
        return f"after {self.start} to {self.end}" if self.start else f"to {self.end}"


@dataclass(frozen=True)
class Split:
    """Three dates, each the last of its period.

    A forecast belongs to a period only if its origin AND its target session are inside (purging): at a border, the
    last origins, whose outcome lies beyond it, are dropped.
    """

    train_end: np.datetime64
    validation_end: np.datetime64
    test_end: np.datetime64
    train_start: np.datetime64 | None = None

    @property
    def train(self) -> Period:
        return Period(self.train_start, self.train_end)

    @property
    def validation(self) -> Period:
        return Period(self.train_end, self.validation_end)

    @property
    def test(self) -> Period:
        return Period(self.validation_end, self.test_end)

    @property
    def fitted(self) -> Period:
        """Training and validation together, for a refit."""
        return Period(self.train_start, self.validation_end)


def make_split(config: SplitConfig, first: np.datetime64, last: np.datetime64) -> Split:
    """Resolve a split config to dates, given a panel's first and last date; spans are counted back from the last.

    Raises:
        InputError: nothing is left for training, or the test begins after the last date.
    """
    if config.test and config.validation:
        test_end = last.astype(dt.date)
        validation_end = _back(test_end, config.test)
        train_end = _back(validation_end, config.validation)
    else:
        train_end, validation_end, test_end = _dates(config)
    split = Split(np.datetime64(train_end), np.datetime64(validation_end), np.datetime64(test_end))
    if split.train_end <= first:
        raise InputError(
            f"data.split ends training on {train_end}, but the candles begin on {first}: "
            "shorten the spans or fetch more."
        )
    if split.validation_end >= last:
        raise InputError(
            f"data.split begins the test after {validation_end}, but the candles end on {last}: choose earlier."
        )
    return split


def _dates(config: SplitConfig) -> tuple[dt.date, dt.date, dt.date]:
    if config.train_end is None or config.validation_end is None or config.test_end is None:
        raise InputError("data.split: expected three dates or two spans.")
    return config.train_end, config.validation_end, config.test_end


def span_before(date: np.datetime64, span: str) -> np.datetime64:
    """The date minus a span such as `5y` or `18m`.

    Raises:
        InputError: it is not a valid span.
    """
    if not re.fullmatch(SPAN, span):
        raise InputError(f"{span!r} is not a span: expected one such as 5y or 18m.")
    return np.datetime64(_back(date.astype("datetime64[D]").astype(dt.date), span))


def _back(date: dt.date, span: str) -> dt.date:
    months = int(span[:-1]) * (12 if span[-1] == "y" else 1)
    count = date.year * 12 + date.month - 1 - months
    year, month = count // 12, count % 12 + 1
    if year < 1:
        raise InputError(f"data.split: {span} reaches back before the year 1: choose a shorter span.")
    # The last day of a shorter month: 31 March less 1m is 28 February.
    return dt.date(year, month, min(date.day, calendar.monthrange(year, month)[1]))
