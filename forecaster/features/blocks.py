"""Panel rows ↔ [time, ticker] blocks, and the market averages over all tickers.

The panel stores tickers one below the other, as rows; a block puts up to `_BLOCK` tickers side by side, all starting at
row 0 and padded with NaN at the end. Two tickers, of 2 and 3 rows: panel rows a0 a1 b0 b1 b2 ↔ block

    a0  b0
    a1  b1
    NaN b2
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np

from forecaster import mapped
from forecaster.axes import Bool, Float, Int
from forecaster.cores import thread_map
from forecaster.data.panel import Panel
from forecaster.features.candles import MARKET_NAMES, READY_AGE, Candles, Market, centred_log_scale
from forecaster.features.state import EwmaState, Requirements, ResumedCandles, RunningMean, ewma_state_at, requirements

Tickers = Int[np.ndarray, " ticker"]

Allocate = Callable[[tuple[int, ...], np.dtype], np.ndarray]
"""Shape and type → an array to write into: in memory, or a map of a file."""

_BLOCK = 16
"""Tickers computed at once: few enough that a column of 20 years stays in the processor's cache."""

MARKET_AGE = 20
"""Earlier sessions a ticker needs to count in the market's means."""


def ages(panel: Panel, ewma_state: EwmaState | None = None) -> Int[np.ndarray, " row"]:
    """Number of earlier sessions of each row's ticker, those before the panel's first rows included."""
    # The two tickers above (offsets 0 and 2): rows 0 1 2 3 4 − 0 0 2 2 2 = ages 0 1 0 1 2.
    own = np.arange(len(panel.sessions)) - panel.offsets[panel.ticker_of_row]
    return own if ewma_state is None else own + ewma_state.age[panel.ticker_of_row]


def ready(panel: Panel, ewma_state: EwmaState | None = None) -> Bool[np.ndarray, " row"]:
    """Rows with at least `READY_AGE` earlier sessions of their ticker."""
    return ages(panel, ewma_state) >= READY_AGE


def by_block(
    panel: Panel,
    compute: Callable[[Candles], np.ndarray],
    market: Panel | Market | None = None,
    ewma_state: EwmaState | None = None,
) -> np.ndarray:
    """Apply a function of [time, ticker] blocks to all tickers; returns its results as panel rows.

    Tickers of similar length share a block, which keeps the padding small.

    Args:
        market: market means, or the tickers to average, with whole histories; the panel itself if absent.
        ewma_state: running means before the panel's first rows; without it they start at the first row.
    """
    return several_by_block(panel, lambda candles, _: (compute(candles),), market, ewma_state)[0]


def several_by_block(
    panel: Panel,
    compute: Callable[[Candles, int], tuple[np.ndarray, ...]],
    market: Panel | Market | None = None,
    ewma_state: EwmaState | None = None,
    since: Int[np.ndarray, " ticker"] | None = None,
    allocate: Sequence[Allocate] = (),
) -> tuple[np.ndarray, ...]:
    """`by_block` for a function that returns several arrays, from a given row of the block on.

    Args:
        since: first row of each ticker to return results for, counted from the ticker's start; earlier rows only feed
            lookbacks. All rows if absent.
        allocate: makes each result's array; by `mapped.empty` if absent.
    """
    # Results hold no row before `begin`, so their tickers lie at offsets of their own: `borders`.
    begin = np.zeros(len(panel), np.int64) if since is None else since
    borders = np.concatenate([[0], np.cumsum(panel.lengths - begin)])
    # Measured on demand: it takes a pass over all tickers, and most groups never read the market.
    measured = cache(lambda: market if isinstance(market, Market) else measure_market(market or panel))

    def compute_block(tickers: Tickers) -> tuple[np.ndarray, ...]:
        # One first row for the whole block; `write_rows` skips the rest of tickers that begin later.
        return compute(_candles(panel, tickers, measured, ewma_state), int(begin[tickers].min()))

    def write_rows(tickers: Tickers, blocks: tuple[np.ndarray, ...]) -> None:
        skipped = begin[tickers] - begin[tickers].min()
        for result, block in zip(results, blocks, strict=True):
            for column, (ticker, row) in enumerate(zip(tickers.tolist(), skipped.tolist(), strict=True)):
                place = result[borders[ticker] : borders[ticker + 1]]
                # Bounded by len(place) too, which leaves out the padding below a shorter ticker.
                place[:] = block[row : row + len(place), column]

    first, *others = _by_length(panel)
    blocks = compute_block(first)  # first and alone: it measures the market, which the others then reuse
    makers = allocate or (mapped.empty,) * len(blocks)
    results = tuple(
        make((int(borders[-1]), *block.shape[2:]), block.dtype) for make, block in zip(makers, blocks, strict=True)
    )
    write_rows(first, blocks)
    for _ in thread_map(lambda tickers: write_rows(tickers, compute_block(tickers)), others):
        pass
    return results


def requirements_of(panel: Panel, functions: Iterable[Callable[[Candles], object]]) -> Requirements:
    """Running means and lags that functions of a block need."""
    # Which means and lags a group reads depends on its code, never on values: one candle is enough.
    first = panel.select(np.arange(len(panel.sessions)) == 0)
    return requirements(_candles(first, np.array([0]), lambda: measure_market(first)), functions)


def ewma_state_of(panel: Panel, rows: Int[np.ndarray, " ticker"], means: Sequence[RunningMean]) -> EwmaState:
    """EWMA state at one row of each ticker, counted from its start."""

    def block_state(tickers: Tickers) -> EwmaState:
        block = _candles(panel, tickers, lambda: measure_market(panel))
        return ewma_state_at(block, rows[tickers], means)

    order = _by_length(panel)
    # argsort of a permutation is its inverse: it puts the tickers, sorted by length, back into the panel's order.
    return EwmaState.joined(list(thread_map(block_state, order))).of(np.argsort(np.concatenate(order)))


def _by_length(panel: Panel) -> list[Tickers]:
    """Tickers sorted by length, `_BLOCK` at a time.

    Raises:
        ValueError: the panel is empty.
    """
    if not len(panel):
        raise ValueError("an empty panel has no candles")
    order = np.argsort(panel.lengths, kind="stable")
    return [order[start : start + _BLOCK] for start in range(0, len(order), _BLOCK)]


def _candles(
    panel: Panel, tickers: Tickers, market: Callable[[], Market], ewma_state: EwmaState | None = None
) -> Candles:
    shape = (int(panel.lengths[tickers].max()), len(tickers))
    logs = np.full((*shape, 4), np.nan)
    volume = np.full(shape, np.nan)
    sessions = np.full(shape, np.datetime64("NaT"), "datetime64[D]")
    for column, ticker in enumerate(tickers.tolist()):
        rows = panel.rows_of(ticker)
        length = rows.stop - rows.start
        logs[:length, column] = np.log(panel.prices[rows])
        volume[:length, column] = panel.volume[rows]
        sessions[:length, column] = panel.sessions[rows]
    calendars = tuple(panel.calendars[n] for n in tickers)
    if ewma_state is None:
        return Candles(logs, volume, sessions, calendars, market)
    return ResumedCandles(logs, volume, sessions, calendars, market, ewma_state=ewma_state.of(tickers))


def measure_market(panel: Panel) -> Market:
    """Means over tickers, by calendar and date; a ticker counts after `MARKET_AGE` sessions."""
    measures = by_block(panel, market_measures)
    # One NaN would spoil a date's mean for all tickers; a ticker of this age has none.
    aged = ages(panel) > MARKET_AGE
    dates, means = {}, {}
    for name in dict.fromkeys(panel.calendars):
        chosen = aged & panel.of_calendar(name)
        if not chosen.any():
            continue
        index = panel.date_of_row[chosen]
        counts = np.bincount(index)
        there = counts > 0
        # Sums by date over counts by date: a grouped mean without a loop over dates.
        sums = [np.bincount(index, measures[chosen, column])[there] for column in range(len(MARKET_NAMES))]
        dates[name] = panel.dates[: len(counts)][there]
        means[name] = np.stack(sums, axis=1) / counts[there, None]
    return Market(dates, means)


def market_measures(candles: Candles) -> Float[np.ndarray, "time ticker mean"]:
    """The measures that the market's means average, in the order of `MARKET_NAMES`."""
    fast, slow = np.moveaxis(candles.volatility((3.0, 66.0)), -1, 0)
    # Clipped, so that one ticker's crash (or bad price) does not become the market's move.
    move = np.clip(candles.returns / candles.scale, -4, 4)
    log_scale = centred_log_scale(candles.scale)
    return np.stack(
        [candles.shock, log_scale, move, np.log(fast / candles.scale), np.log(slow / candles.scale)], axis=-1
    )
