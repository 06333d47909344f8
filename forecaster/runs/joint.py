"""Joint paths of tickers of a store by a run: what `risk` and `odds` read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path

from forecaster.cores import thread_map
from forecaster.data.calendars import next_sessions
from forecaster.data.quality import Reading
from forecaster.data.store import Store
from forecaster.errors import InputError
from forecaster.events import Say
from forecaster.inference.compose import Request
from forecaster.inference.coupling import ALL
from forecaster.inference.interpolation import interpolation_note, trained_until, with_all_steps
from forecaster.inference.joint import JointPaths, join, require_paths
from forecaster.printable import quoted
from forecaster.runs.folder import own_or_shipped
from forecaster.runs.forecasts import forecast_all, read_history
from forecaster.runs.run import Run

_USUAL = 5
"""Sessions where none are named: a week."""

_SHIPPED = 20
"""Sessions that the shipped run has."""


def find(runs_dir: Path, run: str, say: Say = lambda _: None) -> Run:
    """The run that answers: the user's own, or the shipped one where there is none.

    Raises:
        UnknownNameError, InputError: as `Run.find`.
    """
    if (chosen := own_or_shipped(runs_dir, run)) != run:
        say(f"no run of your own yet: using {chosen}, a network trained on American stocks (or: forecast train demo)")
    return Run.find(runs_dir, chosen)


def joint_paths(
    run: Run,
    store: Store,
    tickers: Sequence[str],
    *,
    days: int | None,
    count: int,
    seed: int = 0,
    as_of: dt.date | None = None,
    data_dir: Path,
    variables: tuple[int, ...] = ALL,
    option: str = "--days",
) -> JointPaths:
    """Joint paths of tickers of a store over the next sessions.

    Args:
        days: sessions ahead, at most the run's last step; steps that it was not trained for are interpolated. If
            absent 5, or as many as it has without a gap.
        option: what a user calls the sessions.

    Raises:
        UnknownNameError: the store does not have a ticker.
        InputError: the run has no paths of so many days, or a history is too short.
    """
    length = _days(run, days, option)
    request = Request(trained_until(run.config.task.steps, length), as_of, count, seed)
    store.require(tickers)
    covariates = run.covariates(store)
    readings = list(thread_map(lambda ticker: read_history(run, store, ticker, request, covariates), tickers))
    card = run.scorecard(run.ledger(data_dir).read())
    histories = {one.bars.ticker: one for one in readings}
    made = {one.ticker: one for one in forecast_all(run, store, request, histories, card)}
    forecasts = [with_all_steps(made[one.bars.ticker], length, one.calendar) for one in histories.values()]
    joint = join(forecasts, [one.bars for one in readings], count, seed, variables)
    late, note = _behind(readings), interpolation_note(run.name, request.steps, length)
    return replace(joint, notes=(*late.values(), *joint.notes, *([note] if note else [])), behind=tuple(late))


def _days(run: Run, given: object, option: str) -> int:
    """Sessions ahead, checked."""
    task = run.config.task
    whole, length = require_paths(task.levels, task.steps, run.name), task.steps[-1]
    if given is None:
        return min(_USUAL, whole)
    if not isinstance(given, Integral):
        raise InputError(f"{option} is {quoted(given)}: expected a whole number of sessions, such as {_USUAL}.")
    if not 1 <= (days := int(given)) <= length:
        steps = f"1 to {length}" if length > 1 else "1 alone"
        other = "" if length >= _SHIPPED else f", or --run pretrained (1 to {_SHIPPED})"
        raise InputError(
            f"{option} is {days}, but run {run.name} has paths of the steps {steps}: choose one of them{other}."
        )
    return days


def _behind(readings: Sequence[Reading]) -> dict[str, str]:
    """Tickers whose candles lack a session that they should have by the newest candle of them all, each with a note."""
    newest = max(one.bars.dates[-1] for one in readings)
    return {
        one.bars.ticker: (
            f"{one.bars.ticker}'s candles end on {one.bars.dates[-1]}, others' on {newest}: its paths begin there. "
            f"Fetch it, or take --as-of {one.bars.dates[-1]}."
        )
        for one in readings
        if next_sessions(one.calendar, one.bars.dates[-1], 1)[0] <= newest
    }
