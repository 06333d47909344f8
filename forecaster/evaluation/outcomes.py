"""Matches journal entries with actual prices, and scores them beside what the simple formulas would have predicted."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.baselines import FORMULAS, FittedBaseline
from forecaster.cores import thread_map
from forecaster.data.bars import Bars
from forecaster.data.coherence import CLOSE
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.evaluation import metrics
from forecaster.evaluation.entries import PRICES, Entries, levels_of
from forecaster.evaluation.scores import SHARES
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Forecaster

WAITING = "the store does not have their day yet"
UNKNOWN = "the store has no candle of their origin"
LEARNT = "their run was fitted on the day itself"
LATE = "their session was more than ten days late, or never took place"
YOUNG = "the simple formulas have too little history to be fitted"
DAMAGED = "their rows in the journal are damaged"

REASONS = ("", LEARNT, UNKNOWN, WAITING, LATE, YOUNG)
"""Why an entry is not scored, by number; 0 is scored."""

_LATEST = np.timedelta64(10, "D")
"""Longest delay of a session (in 2001 an exchange was shut for six days); beyond it the store has a gap."""

_FEWEST = 250
"""Outcomes of each step that the formulas need to be fitted."""

_BLOCK = 5_000
"""Entries scored at a time: few enough for the processor's cache."""


Formulas = Callable[[Int[np.ndarray, " entry"]], Float[np.ndarray, "formula entry variable quantile"]]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Entries held against what happened; a cell is an entry whose session has taken place.

    Args:
        reasons: of each entry, its place in `REASONS`.
        cells: the entries that are scored.
        dates: of the actual session; later than predicted if the exchange was unexpectedly shut.
        losses: pinball of the run, then of each of `FORMULAS`.
        errors: absolute error of the run's median, and of the last close carried forward.
        inside: share of the four prices in each band of `SHARES`; NaN where there is no such band.
    """

    entries: Entries
    reasons: Int[np.ndarray, " entry"]
    cells: Int[np.ndarray, " cell"]
    dates: Shaped[np.ndarray, " cell"]
    losses: Float[np.ndarray, "forecaster variable cell"]
    errors: Float[np.ndarray, "2 variable cell"]
    inside: Float[np.ndarray, "share cell"]


def outcomes(entries: Entries, histories: Mapping[str, Bars]) -> Outcomes:
    """Matches entries with the store's candles.

    Steps count the ticker's own sessions, so an unforeseen holiday moves an outcome to the next session. Moves are of
    adjusted prices as the store has them now: a split or dividend in between changes nothing.
    """
    reasons, rows = _places(entries, histories)
    sheet = _Sheet(entries)
    for group, levels, one in _groups(entries, reasons, rows, histories):
        if one is None:
            reasons[group] = REASONS.index(YOUNG)
            continue
        blocks = np.array_split(np.arange(len(group)), -(-len(group) // _BLOCK))
        deque(thread_map(partial(sheet.fill, group, levels, one), blocks), maxlen=0)
    return sheet.outcomes(reasons)


class _Sheet:
    """Scores of all entries, filled in block by block; blocks may be filled by several threads."""

    def __init__(self, entries: Entries) -> None:
        self._entries, count = entries, len(entries)
        self._dates = np.zeros(count, "datetime64[D]")
        self._losses, self._errors = np.zeros((1 + len(FORMULAS), PRICES, count)), np.zeros((2, PRICES, count))
        self._inside = np.full((len(SHARES), count), math.nan)

    def fill(
        self, group: Int[np.ndarray, " entry"], levels: tuple[float, ...], one: _Group, block: Int[np.ndarray, " place"]
    ) -> None:
        """Scores some entries of a group: those at the places of the block."""
        at, begin = group[block], one.rows[block]
        end = begin + self._entries.step[at]
        moves = one.logs[end] - one.logs[begin, CLOSE][:, None]
        own = self._entries.quantiles_at(at, len(levels)).astype(np.float64)
        predicted = np.concatenate([own[None], one.formulas(begin, self._entries.step[at])])
        self._dates[at] = one.panel.sessions[end]
        self._losses[..., at] = np.moveaxis(_pinball(predicted, moves, levels), 1, -1)
        self._errors[..., at] = np.abs([(moves - own[..., levels.index(0.5)]).T, moves.T])
        self._inside[:, at] = _inside(own, moves, levels)

    def outcomes(self, reasons: Int[np.ndarray, " entry"]) -> Outcomes:
        """Those entries that there is no reason not to score."""
        cells = np.flatnonzero(reasons == 0)
        scores = (self._losses[..., cells], self._errors[..., cells], self._inside[:, cells])
        return Outcomes(self._entries, reasons, cells, self._dates[cells], *scores)


def _places(
    entries: Entries, histories: Mapping[str, Bars]
) -> tuple[Int[np.ndarray, " entry"], Int[np.ndarray, " entry"]]:
    """Why each entry cannot be scored, and the row of its origin in its ticker's candles."""
    count = len(entries)
    reasons, rows = np.zeros(count, np.int64), np.zeros(count, np.int64)
    origins, dates, fitted = entries.origin.days(), entries.date.days(), entries.fitted_to.days()
    for code, group in by_code(entries.ticker.codes):
        bars = histories.get(entries.ticker.texts[code])
        if bars is None or not len(bars):
            reasons[group] = REASONS.index(UNKNOWN)
            continue
        row = np.minimum(np.searchsorted(bars.dates, origins[group]), len(bars) - 1)
        ends = np.minimum(row + entries.step[group], len(bars) - 1)
        # The first that holds counts.
        reasons[group] = np.select(
            [
                bars.dates[row] != origins[group],
                row + entries.step[group] >= len(bars),
                bars.dates[ends] - dates[group] > _LATEST,
            ],
            [REASONS.index(reason) for reason in (UNKNOWN, WAITING, LATE)],
            0,
        )
        rows[group] = row
    reasons[dates <= fitted] = REASONS.index(LEARNT)
    return reasons, rows


def by_code(codes: Int[np.ndarray, " entry"]) -> Iterator[tuple[int, Int[np.ndarray, " entry"]]]:
    """Each code, and the rows that have it: one sort instead of a search for each."""
    order = np.argsort(codes, kind="stable")
    found, begins = np.unique(codes[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, begins[1:]), strict=True) if len(codes) else ()


@dataclass(frozen=True, eq=False)
class _Group:
    """Entries with the same levels, of runs fitted to the same date.

    Args:
        rows: of their origins in the panel.
        steps: of the dataset.
    """

    panel: Panel
    logs: Float[np.ndarray, "row 4"]
    rows: Int[np.ndarray, " entry"]
    steps: tuple[int, ...]
    fitted: Sequence[Forecaster]

    def formulas(
        self, rows: Int[np.ndarray, " entry"], steps: Int[np.ndarray, " entry"]
    ) -> Float[np.ndarray, "formula entry variable quantile"]:
        """What the simple formulas would have predicted.

        They are recomputed from the store rather than stored with each forecast, which keeps `predict` fast: they need
        only ratios of candles up to the origin.
        """
        origins, inverse = np.unique(rows, return_inverse=True)
        places = np.searchsorted(self.steps, steps)
        return np.stack([one(origins)[inverse, places] for one in self.fitted])


def _groups(
    entries: Entries,
    reasons: Int[np.ndarray, " entry"],
    rows: Int[np.ndarray, " entry"],
    histories: Mapping[str, Bars],
) -> Iterator[tuple[Int[np.ndarray, " entry"], tuple[float, ...], _Group | None]]:
    """Groups of entries that can be scored, ordered by their origins; None if the formulas cannot be fitted.

    Unlike in a scorecard the formulas are fitted on the tickers of the journal, because the run may be gone; but to the
    same date as the run's weights.
    """
    matched = np.flatnonzero(reasons == 0)
    key = Entries.key(entries.fitted_to, entries.levels)[matched]
    for _, inner in by_code(key):
        group = matched[inner]
        levels = levels_of(entries.levels.texts[entries.levels.codes[group[0]]])
        codes = np.unique(entries.ticker.codes[group])
        tickers = sorted(entries.ticker.texts[code] for code in codes.tolist())
        panel = Panel.of([histories[ticker] for ticker in tickers])
        steps = tuple(np.unique(entries.step[group]).tolist())
        dataset = Dataset(panel, compute_features(panel, ("base",)), steps)
        place = {ticker: at for at, ticker in enumerate(tickers)}
        index = np.array([place.get(ticker, 0) for ticker in entries.ticker.texts])[entries.ticker.codes[group]]
        found = panel.offsets[index] + rows[group]
        order = np.argsort(found, kind="stable")
        # Up to the first origin if the journal's tickers are too young for the run's own date.
        ends = (entries.fitted_to.days()[group[0]], entries.origin.days()[group].min())
        fitted = _fitted(dataset, ends, levels)
        logs = np.log(np.concatenate([histories[ticker].adjusted() for ticker in tickers]))
        one = None if fitted is None else _Group(panel, logs, found[order], steps, fitted)
        yield group[order], levels, one


def _fitted(dataset: Dataset, ends: Sequence[np.datetime64], levels: tuple[float, ...]) -> list[Forecaster] | None:
    """The formulas, fitted to the first of `ends` that has enough outcomes before it; None if none has."""
    for end in ends:
        period = Period(None, end)
        if (dataset.known(dataset.origins(period), period).sum(axis=0) >= _FEWEST).all():
            return [FittedBaseline.learnt(name, dataset, period, levels).bind(dataset) for name in FORMULAS]
    return None


def _pinball(
    predicted: Float[np.ndarray, "forecaster entry variable quantile"],
    moves: Float[np.ndarray, "entry variable"],
    levels: tuple[float, ...],
) -> Float[np.ndarray, "forecaster entry variable"]:
    # The metrics expect axes for origin and step.
    found: np.ndarray = metrics.pinball(predicted, np.broadcast_to(moves, predicted.shape[:-1]), levels)
    return found


def _inside(
    own: Float[np.ndarray, "entry variable quantile"],
    moves: Float[np.ndarray, "entry variable"],
    levels: tuple[float, ...],
) -> Float[np.ndarray, "share entry"]:
    hits = [metrics.inside(own[None], moves[None], levels, share) for share in SHARES]
    return np.stack([np.full(len(own), math.nan) if hit is None else hit[0].mean(axis=1) for hit in hits])
