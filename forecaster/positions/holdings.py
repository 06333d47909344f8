"""Holdings: pairs `TICKER=SHARES`, amounts by ticker, and what they add up to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from pathlib import Path

from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError
from forecaster.files import is_file
from forecaster.printable import quoted

CASH = "cash"
"""The name of money among holdings, in lower case: CASH is the symbol of a bank."""

_BANK = "CASH is the ticker of a bank, and counted as its shares: money is cash, in lower case."

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

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the names, one sentence each."""
        return (_BANK,) if CASH.upper() in self.amounts else ()

    @classmethod
    def of(cls, amounts: Iterable[tuple[object, object]], weights: bool = False) -> Holdings:
        """Check and add up amounts; `cash` among the names is money, several lots of a ticker are one holding.

        Raises:
            InputError: none, a number that is not finite or too large, all of them 0, or weights that add to more
                than 1.
        """
        summed: dict[str, float] = {}
        cash = 0.0
        for name, amount in amounts:
            if not isinstance(name, str):
                raise InputError(f"{quoted(name)} is not a ticker symbol: expected a text, such as AAPL.")
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


def _finite(name: str, amount: object, weights: bool) -> float:
    try:
        number = float(amount) if isinstance(amount, Real | Decimal) else math.nan
    except OverflowError:  # 10**400
        number = math.inf
    except ValueError:  # Decimal("sNaN")
        number = math.nan
    if abs(number) <= MOST:
        return number
    shown = f"{number:g}" if isinstance(amount, Real | Decimal) else quoted(amount)
    what = "a weight, such as 0.6" if weights else "an amount of money" if name == CASH else "a number of shares"
    raise InputError(f"{_short(name)}={shown}: expected {what}, {MOST:g} at most.")


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


def _short(name: str) -> str:
    return quoted(name)[1:-1]
