"""Exchange rates of holdings in other currencies: tickers of the store such as EURUSD=X."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float
from forecaster.data.coherence import CLOSE
from forecaster.data.store import Store
from forecaster.errors import InputError
from forecaster.inference.joint import JointPaths

_MINOR = {"GBp": ("GBP", 0.01), "GBX": ("GBP", 0.01), "ZAc": ("ZAR", 0.01), "ILA": ("ILS", 0.01)}
"""Prices in pence and cents, as Yahoo names them: the currency, and what one unit is of it."""


@dataclass(frozen=True)
class Rate:
    """How prices of a currency become the portfolio's.

    Args:
        ticker: the rate in the store; empty where none is needed.
        inverse: it says how many units of the price's currency one of the portfolio's costs.
        unit: what one unit of the price is of its currency: 0.01 for pence.
    """

    ticker: str = ""
    inverse: bool = False
    unit: float = 1.0


@dataclass(frozen=True)
class Rates:
    """The portfolio's currency, and the rate of each holding."""

    currency: str
    each: tuple[Rate, ...]

    def with_rates(self, tickers: Sequence[str]) -> tuple[str, ...]:
        """The holdings, then the rates that they need and are not among them."""
        return tuple(dict.fromkeys((*tickers, *(one.ticker for one in self.each if one.ticker))))

    def converted(
        self, joint: JointPaths
    ) -> tuple[Float[np.ndarray, " holding"], Float[np.ndarray, "path holding step"]]:
        """Last closes and closes of the paths of all holdings, in the portfolio's currency."""
        count, closes = len(self.each), joint.of(CLOSE)
        start = np.array([one.last_close for one in joint.forecasts[:count]])
        if not any(one.ticker for one in self.each) and all(one.unit == 1 for one in self.each):
            return start, closes[:, :count]
        later = closes[:, :count].copy()
        for place, one in enumerate(self.each):
            start[place] *= one.unit
            later[:, place] *= one.unit
            if one.ticker:
                column, power = joint.tickers.index(one.ticker), -1 if one.inverse else 1
                start[place] *= joint.forecasts[column].last_close ** power
                later[:, place] *= closes[:, column] ** power
        return start, later


def require_currency(currency: str | None) -> None:
    """Check the code of a portfolio's currency.

    Raises:
        InputError: it has not three letters.
    """
    if currency and not re.fullmatch("[A-Za-z]{3}", currency):
        raise InputError(f"--currency is {currency!r}: expected a code of three letters, such as USD.")


def rates_of(store: Store, tickers: Sequence[str], currency: str | None = None) -> Rates:
    """The rates that holdings need.

    Args:
        currency: the portfolio's; that of the first holding if absent.

    Raises:
        UnknownNameError: the store does not have a holding.
        InputError: it does not have a rate, or the currency is no code.
    """
    target, own = _currencies(store, tickers, currency)
    each = []
    for ticker, (code, unit) in zip(tickers, own, strict=True):
        if (found := _rate(store, code, unit, target)) is None:
            raise InputError(
                f"{ticker} is in {code}, the portfolio in {target}, and the store has no {code}{target}=X: fetch it "
                f"(forecast fetch {code}{target}=X), or choose another --currency."
            )
        each.append(found)
    return Rates(target, tuple(each))


def missing_rates(store: Store, tickers: Sequence[str], currency: str | None = None) -> tuple[str, ...]:
    """The rates that holdings need and the store lacks, as Yahoo names them.

    Raises:
        UnknownNameError, InputError: as in `rates_of`, but for a missing rate.
    """
    target, own = _currencies(store, tickers, currency)
    lacking = [code for code, unit in own if _rate(store, code, unit, target) is None]
    return tuple(dict.fromkeys(f"{code}{target}=X" for code in lacking))


def _currencies(store: Store, tickers: Sequence[str], currency: str | None) -> tuple[str, list[tuple[str, float]]]:
    """The portfolio's currency; that of each holding, and what one unit of its price is of it."""
    require_currency(currency)
    store.require(tickers)
    own = [_MINOR.get(code, (code, 1.0)) for code in (store.record(ticker).currency for ticker in tickers)]
    return (currency.upper() if currency else own[0][0]), own


def _rate(store: Store, code: str, unit: float, target: str) -> Rate | None:
    """The rate between two currencies; None if the store lacks it."""
    if code == target:
        return Rate(unit=unit)
    candidates = {f"{code}{target}=X": False, f"{target}{code}=X": True}
    if target == "USD":
        candidates[f"{code}=X"] = True  # Yahoo's short names are the price of a dollar
    if code == "USD":
        candidates[f"{target}=X"] = False
    return next((Rate(name, inverse, unit) for name, inverse in candidates.items() if store.holds(name)), None)
