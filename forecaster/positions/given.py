"""Holdings in any form that a user gives them: texts, a CSV, a dict, a pandas Series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from forecaster.errors import InputError
from forecaster.files import is_file
from forecaster.positions.holdings import Holdings, parse_pairs
from forecaster.positions.holdingsfile import read_holdings


@runtime_checkable
class Amounts(Protocol):
    """Amounts by ticker: a dict, or a pandas Series."""

    def items(self) -> Iterable[tuple[object, object]]:
        """Pairs of ticker and amount."""
        ...


Given = str | Path | Amounts | Sequence[str] | Holdings
"""A CSV's path, amounts by ticker, or `TICKER=SHARES` texts."""


def holdings_of(given: Given, weights: bool = False) -> Holdings:
    """Holdings in any form.

    Raises:
        InputError: as `read_holdings` and `parse_pairs`, or it is something else.
    """
    if isinstance(given, Holdings):
        return given
    if hasattr(given, "columns"):
        raise InputError('holdings are a DataFrame: give one column of it, frame.set_index("ticker")["shares"].')
    if isinstance(given, Amounts):
        return Holdings.of(given.items(), weights)
    try:
        texts = [str(given)] if isinstance(given, str | Path) else [str(one) for one in given]
    except TypeError as error:
        raise InputError(
            f"holdings are {type(given).__name__}: expected a dict or Series by ticker, or a CSV's path."
        ) from error
    if len(texts) == 1 and is_file(Path(texts[0])):
        return read_holdings(Path(texts[0]), weights)
    return parse_pairs(texts, weights)
