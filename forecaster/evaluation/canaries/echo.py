"""Does the forecast say more than the last close does?"""

from __future__ import annotations

import numpy as np

from forecaster.data.coherence import CLOSE
from forecaster.evaluation.canaries import CANARIES, STILL, Check, Patient, found, moved
from forecaster.evaluation.rows import find
from forecaster.evaluation.sentences import chance, percent
from forecaster.evaluation.significance import SIGNIFICANT

GUARD = "climatology"
"""Who does not beat it knows how a ticker moves on any day, and nothing of the days to come."""

_BEYOND = 3
"""Closes looked at after the day spoken of and before the last one known."""


@CANARIES.register("echo")
def echo(patient: Patient) -> Check:
    """Which day's close the median fits best, and whether the forecast as a whole beats an unchanging one."""
    expected = f"skill over each ticker's own unchanging quantiles (p < {SIGNIFICANT})"
    if not moved(patient.dataset, patient.rows):
        meaning = "Every forecast fits every day of a test in which nothing happens."
        return found("echo", None, None, measured=STILL, expected=expected, meaning=meaning)
    step = patient.dataset.steps[0]
    errors = _errors_by_lag(patient)
    best = min(errors, key=lambda lag: errors[lag])
    name = patient.card.rows[0].name
    spread = find(patient.card.rows, name, "mean", "all", GUARD) if name != GUARD else None
    knows = (
        spread is not None
        and (spread.skill_pinball or 0) > 0
        and (1 if spread.p_value is None else spread.p_value) < SIGNIFICANT
    )
    at_home = 0 <= best <= step
    gain = None if spread is None else spread.skill_pinball
    over = f"the whole forecast {percent(gain)} over {GUARD}" if spread else f"the forecast is {GUARD} itself"
    if spread is not None and spread.p_value is not None:
        over += f", {chance(spread.p_value)}"
    return found(
        "echo",
        at_home and knows,
        gain,
        broken=not at_home,
        measured=f"best lag {best}: {_table(errors)}; {_moves(patient)}; {over}",
        expected=f"best lag 0 to {step}, and {expected}",
        meaning=_meaning(best, step, knows),
    )


def _errors_by_lag(patient: Patient) -> dict[int, float]:
    """Mean absolute error of the first step's median close to the close of each lag, in log price.

    Lag 0 is the day that the forecast speaks of, lag 1 the day before it.
    """
    dataset, rows = patient.dataset, patient.rows
    step, logs = dataset.steps[0], dataset.logs[:, CLOSE]
    forecast = logs[rows] + patient.quantiles[:, 0, CLOSE, patient.levels.index(0.5)]
    ticker = dataset.panel.ticker_of_row
    errors = {}
    lags = range(-_BEYOND, step + _BEYOND + 1)
    places = {lag: np.clip(rows + step - lag, 0, len(logs) - 1) for lag in lags}
    held = np.all([ticker[place] == ticker[rows] for place in places.values()], axis=0)
    for lag, place in places.items():
        errors[lag] = float(np.abs(forecast - logs[place])[held].mean())
    return errors


def _moves(patient: Patient) -> str:
    """Correlation of the forecast moves with what came, and how large they are beside it."""
    known = patient.dataset.known(patient.rows, patient.split.test)[:, 0]
    median = patient.quantiles[known, 0, CLOSE, patient.levels.index(0.5)]
    actual = patient.dataset.moves(patient.rows[known])[:, 0, CLOSE]
    share = float(median.var() / actual.var()) if actual.any() else 0.0
    related = float(np.corrcoef(median, actual)[0, 1]) if share > 1e-12 else 0.0
    return f"its moves have {share:.1g} of the variance of the real ones, correlation {related:+.2f}"


def _table(errors: dict[int, float]) -> str:
    return ", ".join(f"{lag}: {error * 1e4:.0f}" for lag, error in errors.items()) + " bp"


def _meaning(best: int, step: int, knows: bool) -> str:
    if best < 0:
        return "The median fits days after the one it speaks of: it knows the future, so there is a leak."
    if best > step:
        return "The median fits closes older than the last one: the newest candles do not reach it."
    subject = (
        "The median is an echo of the last close"
        if best == step
        else "The median is nearer to the close it speaks of than to the last one (on real candles, look for a leak)"
    )
    if knows:
        return f"{subject}; what this run adds is the spread."
    return f"{subject}, and this test cannot show that the run says more than that with an unchanging spread."
