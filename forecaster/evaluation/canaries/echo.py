"""Is the forecast more than an echo of the last close?"""

from __future__ import annotations

import numpy as np

from forecaster.data.coherence import CLOSE
from forecaster.evaluation.canaries import CANARIES, NO_MOVES, Check, RunUnderTest, any_move, check
from forecaster.evaluation.rows import find
from forecaster.evaluation.sentences import chance, percent
from forecaster.evaluation.significance import SIGNIFICANT

GUARD = "climatology"
"""Each ticker's unchanging quantiles: a forecast that does not beat them knows nothing about the coming days."""

_BEYOND = 3
"""Closes compared after the forecast day, and before the last close."""


@CANARIES.register("echo")
def echo(run: RunUnderTest) -> Check:
    """Finds which day's close the median fits best, and tests whether the forecast beats unchanging quantiles."""
    expected = f"skill over each ticker's own unchanging quantiles (p < {SIGNIFICANT})"
    if not any_move(run.dataset, run.rows):
        meaning = "In a test without any move every forecast fits every day."
        return check("echo", None, None, measured=NO_MOVES, expected=expected, meaning=meaning)
    step = run.dataset.steps[0]
    errors = _errors_by_lag(run)
    best = min(errors, key=lambda lag: errors[lag])
    name = run.card.rows[0].name
    spread = find(run.card.rows, name, "mean", "all", GUARD) if name != GUARD else None
    knows = (
        spread is not None
        and (spread.skill_pinball or 0) > 0
        and (1 if spread.p_value is None else spread.p_value) < SIGNIFICANT
    )
    in_range = 0 <= best <= step
    gain = None if spread is None else spread.skill_pinball
    over = f"the whole forecast {percent(gain)} over {GUARD}" if spread else f"the forecast is {GUARD} itself"
    if spread is not None and spread.p_value is not None:
        over += f", {chance(spread.p_value)}"
    return check(
        "echo",
        in_range and knows,
        gain,
        broken=not in_range,
        measured=f"best lag {best}: {_table(errors)}; {_moves(run)}; {over}",
        expected=f"best lag 0 to {step}, and {expected}",
        meaning=_meaning(best, step, knows),
    )


def _errors_by_lag(run: RunUnderTest) -> dict[int, float]:
    """Mean absolute error of the first step's median close to the close of each lag, in log price.

    Lag 0 is the day that is forecast, lag 1 the day before it.
    """
    dataset, rows = run.dataset, run.rows
    step, logs = dataset.steps[0], dataset.logs[:, CLOSE]
    forecast = logs[rows] + run.quantiles[:, 0, CLOSE, run.levels.index(0.5)]
    ticker = dataset.panel.ticker_of_row
    errors = {}
    lags = range(-_BEYOND, step + _BEYOND + 1)
    # Lag 0 is row + step, the day that is forecast; lag = step is the origin itself.
    places = {lag: np.clip(rows + step - lag, 0, len(logs) - 1) for lag in lags}
    inside = np.all([ticker[place] == ticker[rows] for place in places.values()], axis=0)
    for lag, place in places.items():
        errors[lag] = float(np.abs(forecast - logs[place])[inside].mean())
    return errors


def _moves(run: RunUnderTest) -> str:
    """Correlation of the forecast moves with the actual ones, and the ratio of their variances."""
    known = run.dataset.known(run.rows, run.split.test)[:, 0]
    median = run.quantiles[known, 0, CLOSE, run.levels.index(0.5)]
    actual = run.dataset.moves(run.rows[known])[:, 0, CLOSE]
    share = float(median.var() / actual.var()) if actual.any() else 0.0
    related = float(np.corrcoef(median, actual)[0, 1]) if share > 1e-12 else 0.0
    return f"its moves have {share:.1g} of the variance of the actual ones, correlation {related:+.2f}"


def _table(errors: dict[int, float]) -> str:
    return ", ".join(f"{lag}: {error * 1e4:.0f}" for lag, error in errors.items()) + " bp"


def _meaning(best: int, step: int, knows: bool) -> str:
    if best < 0:
        return "The median fits a day after the one it forecasts: it knows the future, so there is a leak."
    if best > step:
        return "The median fits a close older than the last one: the newest candles do not reach it."
    subject = (
        "The median is an echo of the last close"
        if best == step
        else "The median is closer to the close it forecasts than to the last one (on real candles, look for a leak)"
    )
    if knows:
        return f"{subject}; what this run adds is the spread."
    return f"{subject}, and this test cannot show that its spread is better than an unchanging one."
