"""Data sources: a small protocol, and a registry that discovers the sources in this package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from forecaster.data.bars import Bars
from forecaster.errors import ForecasterError, InputError
from forecaster.registry import Registry


@dataclass(frozen=True)
class Order:
    """A request to a source.

    Args:
        tickers: symbols to deliver; empty means everything the source has.
        known: returns the stored history of a ticker, for incremental updates.
        full: deliver the whole history, whatever is stored.
        held: tickers stored from this source; some sources update just these if `tickers` is empty.
        say: called with progress messages for the user.
    """

    tickers: tuple[str, ...]
    known: Callable[[str], Bars | None]
    start: np.datetime64 | None = None
    end: np.datetime64 | None = None
    full: bool = False
    held: tuple[str, ...] = ()
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Delivery:
    """The outcome for one ticker.

    Args:
        bars: the whole history, or None on failure.
        notes: one message per repair.
        outside: whether the user cannot change the contents of `bars`, such as data from a network.
        part: whether `bars` may be a part of the history, to be appended to the stored one.
    """

    ticker: str
    bars: Bars | None = None
    notes: tuple[str, ...] = ()
    failure: ForecasterError | None = None
    outside: bool = False
    part: bool = False


@dataclass(frozen=True)
class SourceOptions:
    """User options of all sources; each source uses those that it needs.

    Args:
        path: a file or a folder of files.
        currency: ISO code, if the source does not provide it; defaults to the stored one, else USD.
        calendar: exchange calendar, if the source does not provide it; defaults to the stored one, else XNYS.
        workers: concurrent requests of network sources.
        session: HTTP session (`requests` or `curl_cffi`) for network sources to use instead of their own.
        columns: column names that are not recognised: field → name in the file, as in `{"close": "Price"}`.
        date_format: `strftime` format of a file's dates, if they are ambiguous.
        resample: `day` resamples intraday to daily candles.
    """

    path: Path | str | None = None
    currency: str | None = None
    calendar: str | None = None
    workers: int = 4
    session: Any = None
    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    resample: str | None = None


@runtime_checkable  # for the run-time type checks in tests
class Source(Protocol):
    """A provider of candles."""

    def deliver(self, order: Order) -> Iterator[Delivery]:
        """Yield each ticker once, as it arrives; the failure of one ticker is a delivery, not an exception.

        Raises:
            InputError: the order as a whole is invalid.
            OutsideError: nothing can be delivered at all.
        """
        ...


Factory = Callable[[SourceOptions], Source]

SOURCES: Registry[Factory] = Registry("source", __name__, "forecaster.sources")


_FLAGS = {"columns": "column"}
"""Fields of `SourceOptions` whose command-line option has another name."""


def takes(*options: str) -> Callable[[Factory], Factory]:
    """Declare which fields of `SourceOptions` a source uses; without this decorator it is assumed to use all."""

    def mark(factory: Factory) -> Factory:
        factory.takes = frozenset(options)  # type: ignore[attr-defined]
        return factory

    return mark


def check_options(source: str, given: Iterable[str]) -> None:
    """Reject options that would have no effect.

    Args:
        given: fields of `SourceOptions` set by the user.

    Raises:
        UnknownNameError: no such source.
        InputError: the source does not use one of them; the message names the sources that do.
    """
    used = _used_options(source)
    for option in given:
        if option not in used:
            others = " and ".join(f"--source {name}" for name in SOURCES.names() if option in _used_options(name))
            flag = f"--{_FLAGS.get(option, option).replace('_', '-')}"
            raise InputError(f"{flag} has no effect on --source {source}: omit it; it is for {others}.")


def options_set(options: SourceOptions) -> tuple[str, ...]:
    """Fields that differ from their default, except those that only concern the network connection."""
    changed = (one.name for one in fields(options) if getattr(options, one.name) != _default(one))
    return tuple(name for name in changed if name not in ("workers", "session"))


def _default(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _used_options(source: str) -> frozenset[str]:
    everything = frozenset(one.name for one in fields(SourceOptions))
    return frozenset(getattr(SOURCES[source], "takes", everything))
