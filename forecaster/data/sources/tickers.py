"""Tickers of a table's rows, and detection of several tickers in a table without a ticker column."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from forecaster.axes import Shaped
from forecaster.data.frequency import ascending
from forecaster.data.symbols import normalise
from forecaster.errors import DataError, InputError, at_most_five

_LOOKED_AT = 100
"""Columns beyond the known ones in which tickers are looked for: a sheet may have thousands that are empty."""


def read_tickers(column: pd.Series, is_chosen: bool) -> Shaped[np.ndarray, " row"] | None:
    """The symbols; None if all rows have one name that is not a symbol, such as a company's.

    Raises:
        DataError: a ticker is missing.
    """
    text = column.astype("string").str.strip().str.upper().str.replace("/", "-").fillna("")  # BTC/USDT
    # Numeric codes, as in Tokyo and Hong Kong, become floats where a row lacks one.
    if pd.api.types.is_float_dtype(column.dtype):
        text = text.str.removesuffix(".0")
    names: np.ndarray = text.to_numpy(object)
    if not is_chosen and len(set(names)) == 1 and not _is_symbol(str(names[0])):
        return None
    if (names == "").any():
        row = column.index[int(np.argmax(names == ""))]
        raise DataError(f"the ticker in row {row} is missing, expected a symbol in each row.")
    return names


def check_one_ticker(
    prices: Mapping[str, np.ndarray], moments: Shaped[np.ndarray, " row"], unread: pd.DataFrame
) -> None:
    """Reject a mix of several tickers if an unread column distinguishes them.

    Raises:
        DataError: different candles have the same time, and such a column exists; the message names it.
    """
    if ascending(moments):
        return
    table = pd.DataFrame(dict(prices) | {"moment": moments})
    twice = ~table.duplicated() & table.duplicated("moment")
    if not twice.any():
        return
    for place, name in enumerate(unread.columns[:_LOOKED_AT]):
        column = unread.iloc[:, place].astype("string").reset_index(drop=True)
        if _tells_apart(column, moments):
            day, values = str(moments[int(np.argmax(twice))])[:10], at_most_five(map(repr, column.unique()[:2]))
            times = int(np.unique(moments, return_counts=True)[1].max())
            raise DataError(
                f"{day} appears {times} times, each with a different {name} ({values}): if {name} has the tickers, "
                f"add --column ticker={_quote(str(name))}."
            )


def _tells_apart(column: pd.Series, moments: Shaped[np.ndarray, " row"]) -> bool:
    """Whether rows with the same time all differ in this column, which has repeated values and no fractions."""
    if column.isna().any() or not 1 < column.nunique() < len(column) or column.str.contains(r"\d\.\d").any():
        return False
    return not pd.DataFrame({"moment": moments, "column": column}).duplicated().any()


def ticker_column_note(unread: pd.DataFrame) -> tuple[str, ...]:
    """A note on a column that may contain tickers with dates that do not overlap, which no other check finds."""
    for place, name in enumerate(unread.columns[:_LOOKED_AT]):
        words = unread.iloc[:, place]
        if pd.api.types.is_numeric_dtype(words.dtype):
            continue
        text = words.astype("string").str.strip()
        blocks = text[text != text.shift().fillna("")]
        few = 1 < len(blocks) <= len(text) / 5
        if few and blocks.notna().all() and blocks.is_unique and blocks.str.fullmatch(r"[A-Za-z][\w.\-]*").all():
            values = at_most_five(map(repr, blocks.iloc[:2]))
            return (
                f"the column {name} is not used and has {len(blocks)} values, in consecutive blocks ({values}): if it "
                f"has the tickers, add --column ticker={_quote(str(name))}",
            )
    return ()


def _is_symbol(name: str) -> bool:
    try:
        return bool(normalise(name))
    except InputError:
        return False


def _quote(name: str) -> str:
    return f"'{name}'" if " " in name else name
