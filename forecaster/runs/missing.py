"""Candles that a forecast needs and the store lacks: fetched from Yahoo on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from forecaster.data.store import Store
from forecaster.data.symbols import normalise_all
from forecaster.errors import ForecasterError, InputError, OutsideError, at_most_five, close_match, did_you_mean
from forecaster.events import Say
from forecaster.runs.run import Run

Failed = Callable[[str, ForecasterError], None]
"""Called with each ticker that cannot be used, and why."""


def fetch_missing(
    run: Run, names: Sequence[str], data_dir: Path, *, failed: Failed | None = None, say: Say = lambda _: None
) -> tuple[str, ...]:
    """Fetch the tickers and the run's covariates that the store lacks.

    Args:
        failed: without it the first failure is raised.

    Returns:
        The tickers that the store has then.

    Raises:
        OutsideError, InputError: a covariate cannot be fetched, or, without `failed`, a ticker.
    """
    _fetched(normalise_all(run.config.covariates), data_dir, _raised, say)
    return _fetched(tuple(names), data_dir, failed or _raised, say)


def _raised(_: str, error: ForecasterError) -> None:
    raise error


def _fetched(names: tuple[str, ...], data_dir: Path, failed: Failed, say: Say) -> tuple[str, ...]:
    """The tickers that the store has, once those that it lacked were fetched; reports each that could not be."""
    store = Store(data_dir)
    if not (missing := [name for name in dict.fromkeys(names) if not store.holds(name)]):
        return names
    from forecaster.workflows.fetch import fetch

    say(f"not in the store yet: fetching {at_most_five(missing)} from Yahoo (--offline forbids it)")
    stored = store.tickers()
    outcomes = {one.ticker: one for one in fetch(missing, data_dir=data_dir) if one.code}
    for name, one in outcomes.items():
        kind = OutsideError if one.code == OutsideError.exit_code else InputError
        near = did_you_mean(name, stored) if close_match(name, stored) else ""
        reason = one.reason.removeprefix(f"{name}: ").rstrip(".")
        failed(name, kind(f"{name} is not in the store, and cannot be fetched: {reason}. {near}".rstrip()))
    return tuple(name for name in names if name not in outcomes)
