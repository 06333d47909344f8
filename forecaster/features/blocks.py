"""The panel's rows ↔ blocks of tickers, and the market that the tickers make together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np

from forecaster.axes import Bool, Float, Int
from forecaster.cores import thread_map
from forecaster.data.panel import Panel
from forecaster.features.candles import MARKET_NAMES, READY_AGE, Candles, Market, centred_log_scale
from forecaster.features.state import Asked, Continued, Former, RunningMean, asked, former_at

Tickers = Int[np.ndarray, " ticker"]

_BLOCK = 16
"""Tickers computed at once: few enough that a column of 20 years stays in the processor's cache."""

MARKET_AGE = 20
"""Sessions a ticker must have behind it to count in the market's means."""


def ages(panel: Panel, former: Former | None = None) -> Int[np.ndarray, " row"]:
    """Sessions that each row's ticker has behind it, those before the panel's own rows included."""
    own = np.arange(len(panel.sessions)) - panel.offsets[panel.ticker_of_row]
    return own if former is None else own + former.age[panel.ticker_of_row]


def ready(panel: Panel, former: Former | None = None) -> Bool[np.ndarray, " row"]:
    """Rows whose ticker has `READY_AGE` sessions behind it."""
    return ages(panel, former) >= READY_AGE


def by_block(
    panel: Panel,
    compute: Callable[[Candles], np.ndarray],
    market: Panel | Market | None = None,
    former: Former | None = None,
) -> np.ndarray:
    """Apply a function of [time, ticker] blocks to all tickers and give its results as the panel's rows.

    Tickers of like length share a block, so that little is padded.

    Args:
        market: the market, or the tickers whose means it is, with whole histories; the panel itself if absent.
        former: what came before the panel's own rows; running means begin anew without it.
    """
    return several_by_block(panel, lambda candles, _: (compute(candles),), market, former)[0]


def several_by_block(
    panel: Panel,
    compute: Callable[[Candles, int], tuple[np.ndarray, ...]],
    market: Panel | Market | None = None,
    former: Former | None = None,
    since: Int[np.ndarray, " ticker"] | None = None,
) -> tuple[np.ndarray, ...]:
    """`by_block` for a function that gives several arrays at once, from a row of the block on.

    Args:
        since: the first row that results are wanted of, counted from each ticker's own; the rows before are for what
            looks back to them. All rows if absent.
    """
    begin = np.zeros(len(panel), np.int64) if since is None else since
    borders = np.concatenate([[0], np.cumsum(panel.lengths - begin)])
    measured = cache(lambda: market if isinstance(market, Market) else measure_market(market or panel))

    def computed(tickers: Tickers) -> tuple[np.ndarray, ...]:
        return compute(_candles(panel, tickers, measured, former), int(begin[tickers].min()))

    def written(tickers: Tickers, blocks: tuple[np.ndarray, ...]) -> None:
        skipped = begin[tickers] - begin[tickers].min()
        for result, block in zip(results, blocks, strict=True):
            for column, (ticker, row) in enumerate(zip(tickers.tolist(), skipped.tolist(), strict=True)):
                place = result[borders[ticker] : borders[ticker + 1]]
                place[:] = block[row : row + len(place), column]

    first, *others = _alike(panel)
    blocks = computed(first)  # alone: it measures the market that all read
    results = tuple(np.empty((borders[-1], *block.shape[2:]), block.dtype) for block in blocks)
    written(first, blocks)
    for _ in thread_map(lambda tickers: written(tickers, computed(tickers)), others):
        pass
    return results


def asked_of(panel: Panel, functions: Iterable[Callable[[Candles], object]]) -> Asked:
    """What functions of a block remember of a ticker's past."""
    first = panel.select(np.arange(len(panel.sessions)) == 0)
    return asked(_candles(first, np.array([0]), lambda: measure_market(first)), functions)


def former_of(panel: Panel, rows: Int[np.ndarray, " ticker"], means: Sequence[RunningMean]) -> Former:
    """Running means as of one row of each ticker, counted from its start."""

    def remembered(tickers: Tickers) -> Former:
        block = _candles(panel, tickers, lambda: measure_market(panel))
        return former_at(block, rows[tickers], means)

    alike = _alike(panel)
    return Former.joined(list(thread_map(remembered, alike))).of(np.argsort(np.concatenate(alike)))


def _alike(panel: Panel) -> list[Tickers]:
    """Tickers of like length, `_BLOCK` at a time.

    Raises:
        ValueError: the panel is empty.
    """
    if not len(panel):
        raise ValueError("an empty panel has no candles")
    order = np.argsort(panel.lengths, kind="stable")
    return [order[start : start + _BLOCK] for start in range(0, len(order), _BLOCK)]


def _candles(panel: Panel, tickers: Tickers, market: Callable[[], Market], former: Former | None = None) -> Candles:
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
    if former is None:
        return Candles(logs, volume, sessions, calendars, market)
    return Continued(logs, volume, sessions, calendars, market, former=former.of(tickers))


def measure_market(panel: Panel) -> Market:
    """Means over the tickers of each date and calendar that have more than `MARKET_AGE` sessions behind them."""
    measures = by_block(panel, market_measures)
    aged = ages(panel) > MARKET_AGE
    calendar = np.asarray(panel.calendars)[panel.ticker_of_row]
    dates, means = {}, {}
    for name in dict.fromkeys(panel.calendars):
        chosen = aged & (calendar == name)
        if not chosen.any():
            continue
        dates[name], index = np.unique(panel.sessions[chosen], return_inverse=True)
        sums = [np.bincount(index, measures[chosen, column]) for column in range(len(MARKET_NAMES))]
        means[name] = np.stack(sums, axis=1) / np.bincount(index)[:, None]
    return Market(dates, means)


def market_measures(candles: Candles) -> Float[np.ndarray, "time ticker mean"]:
    """What the market's means are means of."""
    fast, slow = np.moveaxis(candles.volatility((3.0, 66.0)), -1, 0)
    move = np.clip(candles.returns / candles.scale, -4, 4)
    log_scale = centred_log_scale(candles.scale)
    return np.stack(
        [candles.shock, log_scale, move, np.log(fast / candles.scale), np.log(slow / candles.scale)], axis=-1
    )
