"""Past stretches by date: which of its candles each ticker follows in a path that takes its days from a date.

On a date every ticker follows its own sessions from its last candle then on: so Tokyo's row beside New York's is the
one that was known on that evening, as at the origin of the forecast. A ticker that has no stretch on a date (too
young, halted) follows another one of its own, chosen so that its correlation with the other tickers is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster import mapped
from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.data.bars import Bars
from forecaster.data.coherence import CLOSE
from forecaster.data.panel import Panel
from forecaster.errors import InputError, at_most_five
from forecaster.features.candles import READY_AGE
from forecaster.features.compute import Features, compute_features
from forecaster.features.dataset import Dataset
from forecaster.inference.shrinkage import shrunk_correlation

FEWEST = 60
"""Fewest stretches of its own of a ticker that has paths."""

_OLD = np.timedelta64(7, "D")
"""A candle older than that is not the one of a date: the ticker was halted."""

_SCORED = 5
"""Sessions over which tickers are correlated: of one day alone Tokyo's would come too early for New York's."""

_PEERS = 60
"""Most tickers whose correlation with one chooses its stand-ins, those with most stretches: of thousands the system of
equations would take hours."""

_TOLD = 0.05
"""Share of dates without a stretch of its own above which a ticker is named."""


def require_stretches(bars: Bars, steps: int) -> None:
    """Check that a history has enough past stretches for paths of so many sessions.

    Raises:
        InputError: it is too short.
    """
    least = READY_AGE + FEWEST + steps
    if len(bars) < least:
        raise InputError(
            f"{bars.ticker} has {len(bars)} candles, but paths of {steps} sessions need {least}: "
            "fetch a longer history, ask for fewer sessions, or leave it out."
        )


@dataclass(frozen=True, eq=False)
class Stretches:
    """Past stretches of several tickers, by date.

    Args:
        dataset: the candles up to the origin.
        dates: ascending.
        rows: the row of the dataset after which each ticker's stretch of a date begins.
        own: whether it is the stretch of that date, not one that stands in for it.
    """

    dataset: Dataset
    dates: Shaped[np.ndarray, " date"]
    rows: Int[np.ndarray, "date ticker"]
    own: Bool[np.ndarray, "date ticker"]

    @classmethod
    def of(cls, bars: Sequence[Bars], steps: int, seed: int = 0) -> Stretches:
        """Stretches of `steps` sessions of all tickers, each history up to its own origin.

        Args:
            seed: for the stand-ins.

        Raises:
            InputError: a history is too short.
        """
        for one in bars:
            require_stretches(one, steps)
        return cls.in_panel(Panel.of(bars), steps, seed)

    @classmethod
    def in_panel(cls, panel: Panel, steps: int, seed: int = 0) -> Stretches:
        """Stretches of `steps` sessions of all tickers of a panel that ends at the origin."""
        dataset = Dataset(panel, _scale(panel), tuple(range(1, steps + 1)))
        dates, rows = _aligned(dataset, steps)
        own = rows >= 0
        return cls(dataset, dates, _filled(dataset, rows, np.random.default_rng([seed, len(panel)])), own)

    def values(self, ticker: int, variables: Sequence[int]) -> Float[np.ndarray, "date step variable"]:
        """Standardised moves, log(price / close of the date) / (volatility known on the date · √step)."""
        dataset = self.dataset
        # Every row has its whole stretch, so none runs into the next ticker.
        rows, place = np.unique(self.rows[:, ticker], return_inverse=True)
        prices, close = dataset.logs[:, list(variables)], dataset.logs[rows, CLOSE, None]
        units = dataset.units(rows)
        moves = np.empty((len(rows), len(dataset.steps), len(variables)), np.float32)
        for number, step in enumerate(dataset.steps):
            moves[:, number] = (prices[rows + step] - close) / units[:, number, None]
        return moves[place]

    def rows_of_days(self) -> Int[np.ndarray, "date ticker"]:
        """Rows from which each ticker's next session is known, by date, also the newest dates; −1 without one."""
        return _aligned(self.dataset, 1)[1]

    def notes(self) -> list[str]:
        """A sentence on the tickers that a correlation stands in for on many dates; none for a single ticker."""
        own = self.own.sum(axis=0)
        lacking = [
            f"{ticker} ({count:,})"
            for ticker, count in zip(self.dataset.panel.tickers, own.tolist(), strict=True)
            if count < (1 - _TOLD) * len(self.dates)
        ]
        if not lacking or len(own) == 1:
            return []
        return [
            f"There are fewer than {len(self.dates):,} past stretches for {at_most_five(lacking)}: on the other dates "
            "a shrunk correlation (Ledoit–Wolf) with the other tickers chooses among its own."
        ]


def _scale(panel: Panel) -> Features:
    """The volatility known at each row; of large stores in a mapped file."""
    return compute_features(panel, ("base",), allocate=(mapped.empty, mapped.empty))


def _aligned(dataset: Dataset, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Dates on which most tickers trade and half have a whole stretch, and each one's row; −1 without a stretch."""
    panel, dates = dataset.panel, dataset.panel.dates
    rows = np.full((len(dates), len(panel)), -1, np.int64)
    traded = np.zeros(len(dates), np.int64)
    for ticker in range(len(panel)):
        span = panel.rows_of(ticker)
        sessions = panel.sessions[span]
        place = np.searchsorted(sessions, dates, "right") - 1
        row = span.start + np.maximum(place, 0)
        there = (place >= 0) & (place + steps < len(sessions)) & (dates - sessions[np.maximum(place, 0)] <= _OLD)
        rows[there, ticker] = row[there]
        rows[~dataset.features.ready[row], ticker] = -1
        traded[np.searchsorted(dates, sessions)] += 1
    whole = (rows >= 0).sum(axis=1)
    # A day on which few trade, such as a Saturday of coins beside stocks, would repeat the others' Friday.
    enough = (2 * whole >= len(panel)) & (2 * traded > len(panel))
    if enough.sum() < FEWEST:
        enough = whole > 0  # histories that hardly overlap: each has enough stretches of its own
    return dates[enough], rows[enough]


def _filled(
    dataset: Dataset, rows: Int[np.ndarray, "date ticker"], rng: np.random.Generator
) -> Int[np.ndarray, "date ticker"]:
    """Each −1 replaced by a row of the ticker's own; the tickers with most stretches first."""
    missing = rows < 0
    if not missing.any():
        return rows
    rows, scores, whole = rows.copy(), np.empty(rows.shape), list[int]()
    for ticker in np.argsort(missing.sum(axis=0), kind="stable").tolist():
        lacking = missing[:, ticker]
        stretches = _own_rows(dataset, ticker)
        own_scores = _scores(dataset, stretches)
        if lacking.any():
            scores[~lacking, ticker] = own_scores[np.searchsorted(stretches, rows[~lacking, ticker])]
            wanted = _conditional(scores[:, whole[:_PEERS]], scores[:, ticker], lacking, rng)
            order = np.argsort(own_scores, kind="stable")
            chosen = order[np.minimum((wanted * len(order)).astype(np.int64), len(order) - 1)]
            rows[lacking, ticker] = stretches[chosen]
        scores[:, ticker] = own_scores[np.searchsorted(stretches, rows[:, ticker])]
        whole.append(ticker)
    return rows


def _own_rows(dataset: Dataset, ticker: int) -> Int[np.ndarray, " stretch"]:
    span = dataset.panel.rows_of(ticker)
    rows = np.arange(span.start, span.stop - dataset.steps[-1])
    return rows[dataset.features.ready[rows]]


def _scores(dataset: Dataset, rows: Int[np.ndarray, " stretch"]) -> Float[np.ndarray, " stretch"]:
    """Normal scores of the standardised closes after some sessions."""
    from scipy.special import ndtri

    place = min(_SCORED, len(dataset.steps)) - 1
    moves = dataset.moved(rows, dataset.steps[place])[:, CLOSE] / dataset.units(rows)[:, place]
    ranks = np.argsort(np.argsort(moves, kind="stable"), kind="stable")
    return np.asarray(ndtri((ranks + 0.5) / len(rows)))


def _conditional(
    others: Float[np.ndarray, "date other"],
    own: Float[np.ndarray, " date"],
    lacking: Bool[np.ndarray, " date"],
    rng: np.random.Generator,
) -> Float[np.ndarray, " lacking"]:
    """Shares in [0, 1] at which a ticker lies on the dates that it lacks: normal, given the others' scores."""
    from scipy.special import ndtr

    noise = rng.standard_normal(int(lacking.sum()))
    both = np.column_stack([others, own])[~lacking]
    if not others.shape[1] or len(both) < FEWEST:
        return np.asarray(ndtr(noise))
    correlation = shrunk_correlation(both)
    weights = np.linalg.solve(correlation[:-1, :-1], correlation[:-1, -1])
    left = np.sqrt(max(1 - float(weights @ correlation[:-1, -1]), 0.0))
    return np.asarray(ndtr(others[lacking] @ weights + left * noise))
