"""Which columns of a CSV hold tickers and amounts, by the headings of brokers and spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import InputError, at_most_five

_TICKER = ("ticker", "symbol", "ticker symbol")
_SHARES = ("shares", "quantity", "qty", "qty (quantity)", "position", "units")
_WEIGHT = ("weight", "weights", "weight %", "weight (%)", "weight%", "% weight")
_VALUE = ("market value", "mkt val (market value)", "value")
_SEPARATORS = ",;\t"
_PREAMBLE = 20
"""Lines in which the header is looked for: brokers write the account's name and the date above it."""


@dataclass(frozen=True)
class Header:
    """Where names and amounts stand.

    Args:
        line: number of lines above it.
        heading: of the amounts.
        value: the column of market values, where brokers write money; None without one.
    """

    line: int
    separator: str
    name: int
    amount: int
    heading: str
    value: int | None

    @property
    def weights(self) -> bool:
        """Whether the amounts are weights."""
        return self.heading in _WEIGHT


def find_header(path: Path, text: str, weights: bool) -> Header:
    """The first line with a column of tickers and one of amounts: shares, else weights.

    Args:
        weights: take the weights, where there are both.

    Raises:
        InputError: there is no such line, or it has several of these columns.
    """
    seen: list[list[str]] = []
    for line, separator, names in _headings(text):
        if (header := _header(path, line, separator, names, weights)) is not None:
            return header
        seen.append([name for name in names if name])
    # What a user takes for the header: the line that names a ticker, else the longest, but no account's name above it.
    nearest = max(seen, key=lambda names: (_has_ticker(names), len(names)), default=[])
    raise InputError(
        f"{path} has the columns {at_most_five(nearest) or 'none'}: expected ticker (or symbol), and either shares (or "
        "quantity, qty, position) or weight."
    )


def _headings(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Lines that may be the header, each with each separator."""
    for number, line in enumerate(text.splitlines()[:_PREAMBLE]):
        for separator in _SEPARATORS:
            names = next(csv.reader([line], delimiter=separator), [])
            yield number, separator, [" ".join(name.split()).casefold() for name in names]


def _has_ticker(names: Sequence[str]) -> bool:
    return not set(_TICKER).isdisjoint(names)


def _header(path: Path, line: int, separator: str, names: Sequence[str], weights: bool) -> Header | None:
    tickers, shares, weighted = (
        [place for place, name in enumerate(names) if name in wanted] for wanted in (_TICKER, _SHARES, _WEIGHT)
    )
    amounts = weighted if weighted and (weights or not shares) else shares
    if not (tickers and amounts):
        return None
    for what, places in (("tickers", tickers), ("amounts", amounts)):
        if len(places) > 1:
            found = ", ".join(names[place] for place in places[:5])
            count = "two" if len(places) == 2 else "several"
            raise InputError(f"{path} has {count} columns of {what}: {found}. Keep one of them.")
    value = next((names.index(name) for name in _VALUE if name in names), None)
    return Header(line, separator, tickers[0], amounts[0], names[amounts[0]], value)
