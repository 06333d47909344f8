"""Holdings as a user gives them: pairs `TICKER=SHARES`, a CSV, or a mapping."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError, at_most_five
from forecaster.files import is_file, read_text
from forecaster.positions.measures import Number
from forecaster.printable import quoted

CASH = "cash"
"""The name of money among holdings, in lower case: CASH is the symbol of a bank."""

MOST = 1e15
"""Shares or money at most: sums and squares stay finite."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Holdings:
    """What is held.

    Args:
        amounts: shares of each ticker, negative for a short position; with `weights`, fractions of the portfolio.
        cash: money in the portfolio's currency; with `weights`, what is short of 1.
        weights: whether amounts are weights.
    """

    amounts: Mapping[str, float]
    cash: float = 0.0
    weights: bool = False

    @classmethod
    def of(cls, amounts: Iterable[tuple[str, Number]], weights: bool = False) -> Holdings:
        """Check and add up amounts; `cash` among the names is money, several lots of a ticker are one holding.

        Raises:
            InputError: none, a number that is not finite or too large, all of them 0, or weights that add to more
                than 1.
        """
        summed: dict[str, float] = {}
        cash = 0.0
        for name, amount in amounts:
            number = _finite(name, amount, weights)
            if name == CASH:
                cash += number
            else:
                (ticker,) = normalise_all([name])
                summed[ticker] = summed.get(ticker, 0.0) + number
        held = {ticker: amount for ticker, amount in summed.items() if amount}
        if not held:
            raise InputError("there are no holdings: name some, as in forecast risk AAPL=100 MSFT=50.")
        if not weights:
            return cls(held, cash)
        total = sum(held.values()) + cash
        if total > 1 + _ROUNDING:
            raise InputError(
                f"the weights add to {total:g}: expected 1 at most, as 0.6 for 60% (what is short of 1 is cash)."
            )
        return cls(held, 1 - sum(held.values()), True)


def _finite(name: str, amount: Number, weights: bool) -> float:
    if abs(amount) <= MOST:
        return float(amount)
    what = "a weight, such as 0.6" if weights else "an amount of money" if name == CASH else "a number of shares"
    raise InputError(f"{_short(name)}={amount:g}: expected {what}, {MOST:g} at most.")


def parse_pairs(texts: Iterable[str], weights: bool = False) -> Holdings:
    """Holdings from `TICKER=SHARES` texts; split at the last `=`, as `EURUSD=X=1000` is a currency.

    Raises:
        InputError: a text is not such a pair; or as `Holdings.of`.
    """
    found = []
    for text in texts:
        name, _, amount = text.rpartition("=")
        try:
            found.append((name.strip(), float(amount)))
        except ValueError:
            name = ""
        if not name.strip() and is_file(Path(text)):
            raise InputError(f"{text} is given beside others: expected one CSV alone, or TICKER=SHARES only.")
        if not name.strip():
            raise InputError(
                f"{quoted(text)} is neither a file nor TICKER=SHARES: expected a CSV, or such as AAPL=100."
            )
    return Holdings.of(found, weights)


def read_holdings(path: Path) -> Holdings:
    """Holdings from a CSV with the columns ticker, and shares or weight.

    Raises:
        InputError: it cannot be read, lacks a column, or has a cell that is no number; or as `Holdings.of`.
    """
    try:
        reader = csv.DictReader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
        rows, columns = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV of holdings: {error}.") from error
    names = {(name or "").strip().casefold(): name for name in columns}
    kinds = [name for name in ("shares", "weight") if name in names]
    if "ticker" not in names or len(kinds) != 1:
        raise InputError(
            f"{path} has the columns {at_most_five(map(_short, names)) or 'none'}: expected ticker, and either shares "
            "or weight."
        )
    found = [
        ((row[names["ticker"]] or "").strip(), _number(path, line, row[names[kinds[0]]]))
        for line, row in enumerate(rows, 2)
        if any((cell or "").strip() for cell in row.values() if not isinstance(cell, list))
    ]
    return Holdings.of(found, weights=kinds == ["weight"])


def _short(name: str) -> str:
    return quoted(name)[1:-1]


def _number(path: Path, line: int, text: str | None) -> float:
    text = (text or "").strip()
    try:
        return float(text)
    except ValueError as error:
        raise InputError(
            f"{path}, line {line}: {quoted(text)} is not a number: expected one such as 100 or 0.6, without separators."
        ) from error
