"""Scores anyone's forecasts as a run's are scored: beside the simple formulas, with a verdict that counts the look."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.axes import Int
from forecaster.baselines import FORMULAS, FittedBaseline
from forecaster.config.schema import LEVELS
from forecaster.data.dates import DateLike, require_day
from forecaster.data.panel import Panel, read_panel
from forecaster.data.splits import Period, Split
from forecaster.data.store import open_store
from forecaster.errors import InputError
from forecaster.evaluation.external import External
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.look import Look
from forecaster.evaluation.scorecard import Evaluated, Scorecard, make_scorecard
from forecaster.evaluation.scores import score_all
from forecaster.features.candles import READY_AGE
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.runs.prepare import survivorship

_BESIDE = (*FORMULAS, "last-close")

_FEWEST = 250
"""Outcomes of each step that the formulas need to be fitted."""


@dataclass(frozen=True)
class Evaluation(Evaluated):
    """Forecasts of one's own, scored.

    Args:
        notes: further remarks for the reader, a sentence each.
    """

    name: str
    scorecard: Scorecard
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Evaluation({self.name}: {self.scorecard.brief})"


def evaluate(
    quantiles: Any,
    origins: Iterable[Any] = (),
    *,
    fitted_to: DateLike | None,
    steps: Sequence[int] = (),
    levels: Sequence[float] = LEVELS,
    name: str = "own",
    beside: Mapping[str, Any] | None = None,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
) -> Evaluation:
    """Scores forecasts of any making at given origins, beside the simple formulas at the same ones.

    The formulas are fitted to the candles of the same tickers up to `fitted_to`. The look at these days is counted in
    the ledger of the store, as a training's is: other forecasts for the same days raise the verdict's p-value.

    Args:
        quantiles: [origin, horizon, 4, level], log(price / close of the origin) of open, high, low, close; or a long
            frame of prices as `to_frame` makes it of forecasts, whose origins, steps and levels are its own.
        origins: pairs of ticker and date, one a forecast, which was made after that day's close; `Windows.origins()`
            has them.
        fitted_to: the last date that the forecasts were learnt or selected on. Where an origin is earlier, the result
            is in-sample, and no verdict is skill.
        steps: sessions ahead; 1 to horizon if empty.
        levels: quantile levels, ascending, 0.5 among them. For a point forecast: `(0.5,)`.
        name: what the forecasts are called in the table.
        beside: other forecasts at the same origins, in the same form, to compare with: name → quantiles.

    Raises:
        InputError: quantiles that cross or are not finite, candles that are not coherent, sizes that do not fit, an
            origin that is no session of its ticker, or too little history before `fitted_to`.
        UnknownNameError: the store does not have a ticker.
    """
    store, day = open_store(data_dir), require_day(fitted_to, "fitted_to")
    given = {name: _given(quantiles, origins, steps, levels)}
    given |= {other: _given(one, given[name].origins, steps, levels) for other, one in (beside or {}).items()}
    _check_names(given, len(beside or {}))
    first = given[name]
    panel = read_panel(store, store.require(list(dict.fromkeys(ticker for ticker, _ in first.origins))))
    dataset = Dataset(panel, compute_features(panel, ("base",)), first.steps)
    moves = {title: _moves(one, panel) for title, one in given.items()}
    rows, notes = _scored_rows(moves[name][0], dataset)
    own = {title: _forecaster(*one) for title, one in moves.items()}
    compared = _with_formulas(own, dataset, day, first.levels)
    scores = score_all(compared, dataset, rows, Period(None, panel.sessions.max()), first.levels)
    split = Split(day, day, panel.sessions.max())
    notes = [*notes, *survivorship(Path(data_dir), panel, split)]
    card = make_scorecard(scores, panel.sessions[rows], len(np.unique(panel.ticker_of_row[rows])), first.steps, notes)
    look = Look(_fingerprint(*moves[name]), card.first, card.last, panel.tickers, f"evaluate {name}")
    looks = Ledger(Path(data_dir), Path(runs_dir)).record(look)
    return Evaluation(name, replace(card.by_weights(day), looks=looks.count), looks.notes)


def _given(quantiles: Any, origins: Iterable[Any], steps: Sequence[int], levels: Sequence[float]) -> External:
    if hasattr(quantiles, "columns"):
        return External.of_frame(quantiles)
    return External.of_array(quantiles, origins, steps, levels)


def _check_names(given: Mapping[str, External], others: int) -> None:
    taken = [name for name in given if name in _BESIDE]
    if taken:
        raise InputError(f"name {taken[0]!r} is that of a formula, which is scored too: choose another.")
    if len(given) != 1 + others:
        raise InputError("name is one of those in beside: give each forecast its own.")
    first, *rest = given.values()
    for one in rest:
        if (set(one.origins), one.steps, one.levels) != (set(first.origins), first.steps, first.levels):
            raise InputError("beside has forecasts of other origins, steps or levels: give those of the same.")


def _moves(given: External, panel: Panel) -> tuple[Rows, External]:
    """Rows of the origins, and the forecasts as checked moves."""
    rows = given.rows(panel)
    moves = given.as_moves(panel.close[rows]) if given.in_prices else given
    moves.check()
    return rows, moves


def _scored_rows(rows: Int[np.ndarray, " given"], dataset: Dataset) -> tuple[Rows, list[str]]:
    """The origins at which formulas can forecast and something has happened since, ascending; a note on the others."""
    ready = dataset.features.ready[rows]
    known = dataset.known(rows, Period(None, dataset.panel.sessions.max())).any(axis=1)
    scored = np.sort(rows[ready & known])
    if not len(scored):
        raise InputError(
            f"none of the {len(rows)} origins can be scored: expected some with {READY_AGE} candles before them and "
            "one after."
        )
    left = len(rows) - len(scored)
    note = f"{left} of {len(rows)} origins are left out: fewer than {READY_AGE} candles before them, or none after."
    return scored, [note] if left else []


def _forecaster(rows: Rows, moves: External) -> Forecaster:
    order = np.argsort(rows)
    ordered = rows[order]
    return lambda wanted: moves.values[order[np.searchsorted(ordered, wanted)]]


def _with_formulas(
    own: Mapping[str, Forecaster], dataset: Dataset, day: np.datetime64, levels: tuple[float, ...]
) -> dict[str, Forecaster]:
    """The judged forecast first, the reference second."""
    period = Period(None, day)
    known = dataset.known(dataset.origins(period), period).sum(axis=0)
    if known.min() < _FEWEST:
        raise InputError(
            f"fitted_to is {day}, but the formulas have only {known.min()} outcomes up to then, expected {_FEWEST}: "
            "fetch an earlier start, or give the date up to which the forecasts were learnt."
        )
    formulas = {name: FittedBaseline.learnt(name, dataset, period, levels).bind(dataset) for name in _BESIDE}
    (title, first), *others = own.items()
    return {title: first, **formulas, **dict(others)}


def _fingerprint(rows: Rows, moves: External) -> str:
    """Hash of what was forecast: the same forecasts again are no further look."""
    order = np.argsort(rows)
    digest = hashlib.sha256(repr((moves.steps, moves.levels)).encode())
    digest.update(np.ascontiguousarray(moves.values[order]).tobytes())
    return digest.hexdigest()[:16]
