"""Matches journal entries with actual prices, and computes what the simple formulas would have predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Int
from forecaster.baselines import FORMULAS, FittedBaseline
from forecaster.data.bars import Bars
from forecaster.data.coherence import CLOSE
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.evaluation.journal import Entry
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Forecaster

WAITING = "the store does not have their day yet"
UNKNOWN = "the store has no candle of their origin"
LEARNT = "their run was fitted on the day itself"
LATE = "their session was more than ten days late, or never took place"
YOUNG = "the simple formulas have too little history to be fitted"

_LATEST = np.timedelta64(10, "D")
"""Longest delay of a session (in 2001 an exchange was shut for six days); beyond it the store has a gap."""

_FEWEST = 250
"""Outcomes of each step that the formulas need to be fitted."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """An entry whose session has taken place.

    Args:
        date: of the actual session; later than predicted if the exchange was unexpectedly shut.
        moves: log(price / last close) of open, high, low, close.
        formulas: quantiles that each of `FORMULAS` would have predicted.
    """

    entry: Entry
    date: np.datetime64
    moves: Float[np.ndarray, " variable"]
    formulas: Float[np.ndarray, "formula variable quantile"]


def first_made(entries: Sequence[Entry]) -> list[Entry]:
    """The first entry of each run, ticker, origin and step, live ones and others apart."""
    first: dict[tuple[object, ...], Entry] = {}
    for one in sorted(entries, key=lambda entry: entry.made):
        first.setdefault((one.run, one.ticker, one.origin, one.step, one.live), one)
    return list(first.values())


def outcomes(entries: Sequence[Entry], histories: Mapping[str, Bars]) -> tuple[list[Outcome], list[tuple[str, Entry]]]:
    """Matches entries with the store's candles.

    Steps count the ticker's own sessions, so an unforeseen holiday moves an outcome to the next session. Moves are of
    adjusted prices as the store has them now: a split or dividend in between changes nothing.

    Returns:
        The outcomes, and the entries that cannot be scored, each with the reason.
    """
    aside: list[tuple[str, Entry]] = []
    matched: list[tuple[Entry, int]] = []
    for one in entries:
        reason, row = _place(one, histories.get(one.ticker))
        if reason:
            aside.append((reason, one))
        else:
            matched.append((one, row))
    adjusted = {ticker: np.log(histories[ticker].adjusted()) for ticker in {one.ticker for one, _ in matched}}
    found = []
    for (one, row), formulas in zip(matched, _formulas(matched, histories), strict=True):
        if formulas is None:
            aside.append((YOUNG, one))
            continue
        logs = adjusted[one.ticker]
        date = histories[one.ticker].dates[row + one.step]
        found.append(Outcome(one, date, logs[row + one.step] - logs[row, CLOSE], formulas))
    return found, aside


def _place(entry: Entry, bars: Bars | None) -> tuple[str, int]:
    """The reason why an entry cannot be scored, or else the row of its origin."""
    # ISO dates compare as text.
    if entry.date <= entry.fitted_to:
        return LEARNT, 0
    origin = np.datetime64(entry.origin)
    row = 0 if bars is None else int(np.searchsorted(bars.dates, origin))
    if bars is None or row >= len(bars) or bars.dates[row] != origin:
        return UNKNOWN, 0
    if row + entry.step >= len(bars):
        return WAITING, 0
    return (LATE, 0) if bars.dates[row + entry.step] - np.datetime64(entry.date) > _LATEST else ("", row)


def _formulas(
    matched: Sequence[tuple[Entry, int]], histories: Mapping[str, Bars]
) -> list[Float[np.ndarray, "formula variable quantile"] | None]:
    """What the simple formulas would have predicted, fitted to the same date as the run's weights; None if unknown.

    They are recomputed from the store rather than stored with each forecast, which keeps `predict` fast: they need only
    ratios of candles up to the origin. Unlike in a scorecard they are fitted on the tickers of the journal, because the
    run may be gone.
    """
    found: list[Float[np.ndarray, "formula variable quantile"] | None] = [None] * len(matched)
    groups: dict[tuple[str, tuple[float, ...]], list[int]] = {}
    for place, (one, _) in enumerate(matched):
        groups.setdefault((one.fitted_to, one.levels), []).append(place)
    for (fitted_to, levels), places in groups.items():
        group = [matched[place] for place in places]
        for place, quantiles in zip(places, _quantiles(group, histories, fitted_to, levels), strict=True):
            found[place] = quantiles
    return found


def _quantiles(
    group: Sequence[tuple[Entry, int]], histories: Mapping[str, Bars], fitted_to: str, levels: tuple[float, ...]
) -> Iterator[Float[np.ndarray, "formula variable quantile"] | None]:
    tickers = sorted({one.ticker for one, _ in group})
    panel = Panel.of([histories[ticker] for ticker in tickers])
    steps = tuple(sorted({one.step for one, _ in group}))
    dataset = Dataset(panel, compute_features(panel, ("base",)), steps)
    first = min(one.origin for one, _ in group)
    # Up to the first origin if the journal's tickers are too young for the run's own date: still before every outcome.
    formulas = _fitted(dataset, (fitted_to, first), levels)
    rows = np.array([panel.offsets[tickers.index(one.ticker)] + row for one, row in group])
    predicted = None if formulas is None else _predicted(formulas, rows)
    for (one, _), row in zip(group, rows.tolist(), strict=True):
        yield None if predicted is None else predicted[row][:, steps.index(one.step)]


def _predicted(formulas: Sequence[Forecaster], rows: Int[np.ndarray, " origin"]) -> dict[int, np.ndarray]:
    """Quantiles [formula, horizon, variable, quantile] by origin."""
    origins = np.unique(rows)
    return dict(zip(origins.tolist(), np.stack([one(origins) for one in formulas], axis=1), strict=True))


def _fitted(dataset: Dataset, ends: Sequence[str], levels: tuple[float, ...]) -> list[Forecaster] | None:
    """The formulas, fitted to the first of `ends` that has enough outcomes before it; None if none has."""
    for end in ends:
        period = Period(None, np.datetime64(end))
        if (dataset.known(dataset.origins(period), period).sum(axis=0) >= _FEWEST).all():
            return [FittedBaseline.learnt(name, dataset, period, levels).bind(dataset) for name in FORMULAS]
    return None
