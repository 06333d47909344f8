"""Where candles come from: one small protocol, and a registry that finds its members in this package."""

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
    """What a fetch asks of a source.

    Args:
        tickers: symbols to bring; none means all that the source holds.
        known: what the store has of a ticker, for sources that can bring just the rest.
        full: bring the whole history, whatever is known.
        held: what the store has from this source, for sources that bring just that when no ticker is named.
        say: told, in a sentence, what the user should know while waiting.
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
    """One ticker's outcome.

    Args:
        bars: its whole history, or None where there is a failure.
        notes: what was repaired or dropped, a sentence each.
        outside: whether what is in `bars` is beyond the user's power, as what comes over a network is.
        part: whether `bars` may be a part of the history, to be put to what the store holds.
    """

    ticker: str
    bars: Bars | None = None
    notes: tuple[str, ...] = ()
    failure: ForecasterError | None = None
    outside: bool = False
    part: bool = False


@dataclass(frozen=True)
class SourceOptions:
    """What the user can say of a source; each takes what it needs.

    Args:
        path: a file or a folder of files.
        currency: ISO code, where the source can't say it; what the store has of the ticker, else USD, if absent.
        calendar: exchange calendar, where the source can't say it; what the store has, else XNYS, if absent.
        workers: requests under way at once, for sources that go over the network.
        session: an HTTP session for such a source to use instead of its own (a `requests` or `curl_cffi` one).
        columns: what a file calls its columns, where that is not known: field → name, as in `{"close": "Price"}`.
        date_format: how a file writes its dates, as `strftime` does, where they alone do not tell.
        resample: `day` makes daily candles where a file has several a day.
    """

    path: Path | str | None = None
    currency: str | None = None
    calendar: str | None = None
    workers: int = 4
    session: Any = None
    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    resample: str | None = None


@runtime_checkable  # for the type checks of the tests
class Source(Protocol):
    """Something that brings candles."""

    def deliver(self, order: Order) -> Iterator[Delivery]:
        """Give each ticker once, as it arrives; a ticker's failure is a delivery, not an exception.

        Raises:
            InputError: the order as a whole cannot be served.
            OutsideError: nothing can be brought at all.
        """
        ...


Factory = Callable[[SourceOptions], Source]

SOURCES: Registry[Factory] = Registry("source", __name__, "forecaster.sources")


_FLAGS = {"columns": "column"}
"""Fields of `SourceOptions` whose option is called otherwise."""


def takes(*options: str) -> Callable[[Factory], Factory]:
    """Say which fields of `SourceOptions` have an effect on a source; one that does not say it takes them all."""

    def mark(factory: Factory) -> Factory:
        factory.takes = frozenset(options)  # type: ignore[attr-defined]
        return factory

    return mark


def check_options(source: str, given: Iterable[str]) -> None:
    """Refuse an option that would have no effect.

    Args:
        given: names of fields of `SourceOptions` that the user set.

    Raises:
        UnknownNameError: no such source.
        InputError: the source does not take one of them; the message names those that do.
    """
    taken = _taken(source)
    for option in given:
        if option not in taken:
            others = " and ".join(f"--source {name}" for name in SOURCES.names() if option in _taken(name))
            flag = f"--{_FLAGS.get(option, option).replace('_', '-')}"
            raise InputError(f"{flag} has no effect on --source {source}: leave it out; it is for {others}.")


def options_set(options: SourceOptions) -> tuple[str, ...]:
    """The fields that differ from their default, but for those that only say how a network is reached."""
    said = (one.name for one in fields(options) if getattr(options, one.name) != _default(one))
    return tuple(name for name in said if name not in ("workers", "session"))


def _default(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _taken(source: str) -> frozenset[str]:
    everything = frozenset(one.name for one in fields(SourceOptions))
    return frozenset(getattr(SOURCES[source], "takes", everything))
