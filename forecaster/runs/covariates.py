"""Reads the covariates that a config names, and refuses those that say nothing about the days asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.closings import newest_known
from forecaster.data.interval import not_daily
from forecaster.data.panel import Panel
from forecaster.data.splits import Split
from forecaster.data.store import Store
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, InputError, at_most_five
from forecaster.events import Say
from forecaster.features.covariates import STALE, stale


def read_covariates(
    store: Store, tickers: Sequence[str], start: np.datetime64 | None = None, end: np.datetime64 | None = None
) -> tuple[Bars, ...]:
    """The candles of covariates with start ≤ date ≤ end.

    Raises:
        InputError: the store lacks one, or it has no candle between the dates.
        DataError: the file of one is damaged, or its candles are not daily.
    """
    names = normalise_all(tickers)
    if missing := [name for name in names if not store.holds(name)]:
        raise InputError(
            f"covariates has {at_most_five(missing)}, expected tickers of the store: fetch what is missing, as in "
            f"forecast fetch {missing[0]}, or train without."
        )
    found = tuple(store.read(name).between(start, end) for name in names)
    for one in found:
        if not len(one):
            raise InputError(
                f"covariates has {one.ticker}, which has no candles between {start or 'the start'} and "
                f"{end or 'the end'}: fetch a longer history (forecast fetch {one.ticker}), or train without."
            )
        if not_daily(one.dates):
            raise DataError(f"covariates has {one.ticker}, whose candles are not daily: see forecast data verify.")
    return found


def check_span(covariates: Sequence[Bars], panel: Panel, split: Split, say: Say) -> None:
    """Checks that covariates begin in training and reach the panel's end; says which begin late.

    Raises:
        InputError: one does not.
    """
    require_recent(covariates, panel)
    for one in covariates:
        if one.dates[0] > split.train_end:
            raise InputError(
                f"covariates has {one.ticker}, whose candles begin on {one.dates[0]}, but training ends on "
                f"{split.train_end}: fetch a longer history (forecast fetch {one.ticker}), choose a later data.split, "
                "or train without."
            )
        if one.dates[0] - panel.dates[0] > STALE:
            say(f"note: the covariate {one.ticker} begins on {one.dates[0]}: its columns are 0 before")


def require_recent(covariates: Sequence[Bars], panel: Panel) -> None:
    """Checks that covariates are known at the last candle of the panel's tickers that go on longest.

    Raises:
        InputError: one ends more than 14 days before.
    """
    last = panel.sessions[panel.offsets[1:] - 1]
    newest = int(np.argmax(last))
    require_known(covariates, panel.tickers[newest], last[newest], panel.calendars[newest])


def require_known(covariates: Sequence[Bars], ticker: str, day: np.datetime64, calendar: str) -> None:
    """Checks that covariates have a recent candle at a ticker's close.

    Raises:
        InputError: the newest one is more than 14 days old, or there is none.
    """
    for one in stale(covariates, day, calendar):
        before = one.dates[one.dates <= day]
        ends = f"have none between {before[-1]} and" if len(before) else f"begin on {one.dates[0]}, after"
        if len(before) == len(one):
            ends = f"end on {before[-1]}, more than {STALE.astype(int)} days before"
        raise InputError(
            f"covariates has {one.ticker}, whose candles {ends} {ticker}'s on {day}: fetch it "
            f"(forecast fetch {one.ticker}), or end the other candles where it does (data.end, --as-of)."
        )


def lagging(covariates: Sequence[Bars], day: np.datetime64, calendar: str) -> Iterator[str]:
    """A warning for each covariate that lacks candles which its own calendar had by a ticker's close."""
    for one in covariates:
        last = one.dates[newest_known(one.dates, one.calendar, np.array([day]), calendar)[0]]
        expected = sessions(one.calendar, last + 1, day)
        missing = newest_known(expected, one.calendar, np.array([day]), calendar)[0] + 1
        if missing:
            lacks = "its newest session" if missing == 1 else f"its newest {missing} sessions"
            yield f"The covariate {one.ticker} lacks {lacks}, after {last}: fetch it for a better forecast."
