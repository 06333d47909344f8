"""Tests the values at risk of one portfolio on past days, with a run's weights as they are, beside the usual ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Int
from forecaster.config.schema import LEVELS
from forecaster.data.coherence import CLOSE
from forecaster.data.store import Store
from forecaster.errors import InputError
from forecaster.features.dataset import Dataset
from forecaster.inference.comovement import DailyCorrelation, draw_past, shared_moves
from forecaster.inference.coupling import ranks
from forecaster.inference.interpolation import interpolated, interpolated_tails
from forecaster.inference.stretches import Stretches
from forecaster.inference.tails import exponential_tails, inverse
from forecaster.positions.exceptions import RiskTest, risk_test
from forecaster.positions.measures import Number, value_at_risk
from forecaster.positions.rivals import ewma_deviation, filtered, gaussian, historical
from forecaster.runs.run import Run
from forecaster.runs.unseen import as_predicted, unseen_trial

_PATHS = 2_000
_EVERY = 250
"""Days for which the past stretches are those known on the first of them."""

_FEWEST = 60
"""Fewest days to test on."""


@dataclass(frozen=True, eq=False)
class Tested:
    """One method's losses over a horizon, on windows that do not overlap.

    Args:
        horizon: sessions.
        pinball: of the profit per unit of value, mean over the seven levels and all days, 2 × the mean.
    """

    method: str
    horizon: int
    pinball: float
    test: RiskTest


@dataclass(frozen=True, eq=False)
class PortfolioTest:
    """Tests of all methods.

    Args:
        note: on which days, and whether the weights had seen them.
    """

    rows: tuple[Tested, ...]
    note: str


@dataclass(frozen=True, eq=False)
class _Past:
    """Forecasts and outcomes of all columns (holdings, then rates) on the days tested.

    Args:
        rows: the row of each column on each day.
        quantiles: of log(close / last close), steps 1 to the horizon.
        weight: of each holding, as a fraction of the portfolio's value.
        rate: column of each holding's rate, −1 without; `power` −1 where it is inverse.
    """

    run: Run
    dataset: Dataset
    dates: np.ndarray
    rows: Int[np.ndarray, "date column"]
    quantiles: Float[np.ndarray, "date column step quantile"]
    weight: Float[np.ndarray, " holding"]
    rate: Int[np.ndarray, " holding"]
    power: Float[np.ndarray, " holding"]

    def profits(self, moves: Float[np.ndarray, "*day column"]) -> Float[np.ndarray, "*day"]:
        """Profit per unit of value where each column moves by log(price / price before)."""
        own = moves[..., : len(self.weight)]
        with_rate = own + np.where(self.rate >= 0, moves[..., self.rate] * self.power, 0.0)
        found: np.ndarray = np.expm1(with_rate) @ self.weight
        return found

    def outcome(self, step: int) -> Float[np.ndarray, " date"]:
        """The profit that came; the horizon's last days lie within the candles."""
        logs = self.dataset.logs[:, CLOSE]
        return self.profits(logs[self.rows + step] - logs[self.rows])


def portfolio_test(
    run: Run,
    store: Store,
    columns: Sequence[str],
    weight: Float[np.ndarray, " holding"],
    rate: Int[np.ndarray, " holding"],
    power: Float[np.ndarray, " holding"],
    *,
    level: Number,
    days: int,
) -> PortfolioTest:
    """Test values at risk over 1 and `days` sessions on the days that the run's weights had not seen, if there are any.

    Args:
        columns: tickers of the holdings, then of the rates that they need.

    Raises:
        InputError: too few days on which all tickers have a forecast and an outcome.
    """
    past = _past(run, store, columns, weight, rate, power, days)
    rows = [one for step in dict.fromkeys((1, days)) for one in _tests(past, step, level)]
    fitted = run.header.refit.fitted_to if run.header.refit else run.header.fitted_to
    unseen = past.dates[0] >= min(fitted, run.header.fitted_to)
    seen = "" if unseen else ", in-sample: the weights have seen these days"
    return PortfolioTest(
        tuple(rows), f"Tested on {len(past.dates):,} days, {past.dates[0]} to {past.dates[-1]}{seen}; constant weights."
    )


def _past(
    run: Run,
    store: Store,
    columns: Sequence[str],
    weight: np.ndarray,
    rate: np.ndarray,
    power: np.ndarray,
    days: int,
) -> _Past:
    unseen = unseen_trial(run, store, columns)
    trial, forecast = unseen.trial, as_predicted(run, store, unseen)
    panel = trial.panel
    origins = [trial.test_rows[panel.ticker_of_row[trial.test_rows] == n] for n in range(len(panel))]
    dates = np.unique(panel.sessions[trial.test_rows])
    rows = np.full((len(dates), len(panel)), -1)
    for column, own in enumerate(origins):
        place = np.searchsorted(panel.sessions[own], dates, "right") - 1
        there = (
            (place >= 0) & (own[np.maximum(place, 0)] + days < panel.offsets[column + 1]) if len(own) else place >= 0
        )
        rows[there, column] = own[place[there]]
    traded = np.isin(dates, panel.sessions[panel.rows_of(0)])
    known = (rows >= 0).all(axis=1) & traded
    if known.sum() < _FEWEST:
        raise InputError(
            f"--backtest: only {int(known.sum())} days have a forecast and an outcome of all holdings, expected "
            f"{_FEWEST}: fetch longer histories, or leave out the youngest."
        )
    dates, rows = dates[known], rows[known]
    wanted, place = np.unique(rows, return_inverse=True)
    task = run.config.task
    closes = interpolated(forecast(wanted)[:, :, [CLOSE]], task.levels, task.steps, days)[:, :, 0]
    quantiles = closes[place].reshape(*rows.shape, days, -1)
    return _Past(run, trial.dataset, dates, rows, quantiles, weight, rate, power)


def _tests(past: _Past, step: int, level: Number) -> Iterator[Tested]:
    profits, every = past.outcome(step), slice(None, None, step)
    shares = np.array(LEVELS)
    for method, samples in (("joint paths", _ours(past, step)), *_rivals(past, step)):
        risk = np.array([float(value_at_risk(one, level)) for one in samples])
        beyond = [one[one <= -value] for one, value in zip(samples, risk, strict=True)]
        shortfall = np.array([-one.mean() for one in beyond])
        error = profits[:, None] - np.stack([np.quantile(one, shares) for one in samples])
        pinball = 2 * float(np.maximum(shares * error, (shares - 1) * error).mean())
        yield Tested(method, step, pinball, risk_test(profits[every], risk[every], shortfall[every], level))


def _ours(past: _Past, step: int) -> list[np.ndarray]:
    """Profits of paths on each day."""
    model, levels = past.run.model, past.run.config.task.levels
    fit = None if model.tails is None else interpolated_tails(model.tails, past.run.config.task.steps, step)
    shares, found = (np.arange(_PATHS) + 0.5) / _PATHS, []
    panel = past.dataset.panel
    together = DailyCorrelation.of(Stretches.in_panel(panel, step))
    for start in range(0, len(past.dates), _EVERY):
        stretches = Stretches.in_panel(panel.until(past.dates[start]), step)
        drawn = draw_past(stretches, _PATHS, start)
        rng = np.random.default_rng(start)
        shared = shared_moves(stretches, (CLOSE,))[:, step - 1]
        moved = np.concatenate([stretches.values(n, (CLOSE,))[:, step - 1] for n in range(len(panel))], axis=1)
        for date in range(start, min(start + _EVERY, len(past.dates))):
            place = ranks(together.gains(past.dates[date]).rescale(moved, shared), drawn, rng)
            quantiles = past.quantiles[date, :, step - 1].astype(float)
            tails = exponential_tails(quantiles, levels)
            if fit is not None:
                tails = np.broadcast_to(fit[step - 1, CLOSE], tails.shape)
            moves = inverse(quantiles, levels, tails, shares)
            found.append(past.profits(np.take_along_axis(moves.T, place, axis=0)))
    return found


def _rivals(past: _Past, step: int) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Samples of the usual ways, from the portfolio's own past returns at its weights of today."""
    panel = past.dataset.panel
    rows = np.stack([panel.offsets[:-1]] * len(panel.dates))
    for column in range(len(panel)):
        span = panel.rows_of(column)
        rows[:, column] += np.maximum(np.searchsorted(panel.sessions[span], panel.dates, "right") - 1, 0)
    used = np.isin(panel.dates, panel.sessions[panel.rows_of(0)]) & (
        panel.dates >= panel.sessions[panel.offsets[:-1]].max()
    )
    dates, logs = panel.dates[used], past.dataset.logs[rows[used], CLOSE]
    returns = past.profits(np.diff(logs, axis=0, prepend=logs[:1]))
    deviation = ewma_deviation(returns)
    places = np.searchsorted(dates, past.dates).tolist()
    shares = (np.arange(_PATHS) + 0.5) / _PATHS
    yield "EWMA covariance, Gaussian", [gaussian(deviation, row, step, shares) for row in places]
    yield "historical simulation", [historical(returns, row, step) for row in places]
    yield "filtered historical simulation", [filtered(returns, deviation, row, step) for row in places]
