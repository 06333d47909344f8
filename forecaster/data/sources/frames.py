"""CSV and Parquet files, and frames of any usual shape → pandas frames whose index is the row."""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from forecaster.data.sources.columns import meaning
from forecaster.errors import DataError

CSV = (".csv", ".txt", ".csv.gz", ".txt.gz")
PARQUET = (".parquet", ".pq")

_FAULTS = (OSError, ValueError, EOFError, LookupError, TypeError, zlib.error, csv.Error, pa.ArrowException)
_PRICES = {"open", "high", "low", "close"}
_GAPS = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-")


def read_frame(path: Path) -> pd.DataFrame:
    """A whole file as it is written, one row a date (and ticker).

    Raises:
        DataError: it cannot be read as what its name says.
    """
    try:
        frame = _parquet(path) if path.name.lower().endswith(PARQUET) else _csv(path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: save it as CSV in UTF-8.") from error
    except pd.errors.ParserWarning as error:
        raise DataError(f"{path} cannot be read: a row has more fields than the header. Mend it.") from error
    except _FAULTS as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{path} cannot be read: {reason.rstrip('.')}. Is it whole, and what its name says?") from error
    return frame


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """One long table, its rows counted from 1: dates and tickers leave the index, tickers side by side stand in rows.

    The frame that is given stays as it was.
    """
    if isinstance(frame.index, pd.DatetimeIndex) and frame.index.name is None:
        frame = frame.rename_axis(index="date")
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    if isinstance(frame.columns, pd.MultiIndex):
        first, second = (list(frame.columns.get_level_values(level))[1:] for level in (0, 1))
        frame = _long(frame, first, second)
    return frame.set_axis(range(1, len(frame) + 1))


def _parquet(path: Path) -> pd.DataFrame:
    with path.open("rb") as file:  # pyarrow takes a path's name for UTF-8 in any locale
        return tidy(pd.read_parquet(file))


def _csv(path: Path) -> pd.DataFrame:
    lines = _top(path)
    blank = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    top = lines[blank:]
    if not top or "\0" in "".join(top):
        problem = "is not text" if top else "is empty"
        raise DataError(f"{path} {problem}, expected a CSV with a header row such as Date,Open,High,Low,Close,Volume.")
    separator = max(",;\t", key=top[0].count)
    head = [next(csv.reader([line], delimiter=separator), []) for line in top]
    if len(head) > 2 and meaning(next(iter(head[2]), "")) == "date" and len(head[0]) == len(head[1]):
        frame = _body(path, [str(number) for number in range(len(head[0]))], separator, blank + 3)
        return _long(frame, head[0][1:], head[1][1:])
    comma = separator != "," and any(re.search(r"\d,\d", line) for line in top[1:])
    return _body(path, _unnamed(head[0]), separator, blank + 1, "," if comma else ".")


def _body(path: Path, names: Sequence[str], separator: str, header: int, decimal: str = ".") -> pd.DataFrame:
    width = len(names)
    text: Any = {at: str for at, name in enumerate(names) if meaning(name) in ("date", "ticker")}
    gaps: Any = {
        at: list(_GAPS) for at in range(width + 1) if at == width or meaning(names[at]) != "ticker"
    }  # NA trades
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # pandas warns where it would lose a field
        frame = pd.read_csv(
            path,
            sep=separator,
            decimal=decimal,
            header=None,
            names=range(width + 1),  # one more than there should be, for a separator at the end of the line
            skiprows=header,
            dtype=text,
            keep_default_na=False,
            na_values=gaps,
            index_col=False,
            skipinitialspace=True,
            skip_blank_lines=False,
            low_memory=False,
            encoding="utf-8-sig",
        )
    frame = frame.set_axis(range(header + 1, header + 1 + len(frame)))
    if frame[width].notna().any():
        raise ValueError(f"row {frame.index[frame[width].notna()][0]} has more fields than the header")
    return frame.drop(columns=width).set_axis(list(names), axis=1)


def _long(frame: pd.DataFrame, first: Sequence[str], second: Sequence[str]) -> pd.DataFrame:
    """What `yfinance.download` gives, prices × tickers side by side behind the dates, as one long table."""
    prices, tickers = (first, second) if {meaning(name) for name in first} >= _PRICES else (second, first)
    parts = []
    for ticker in dict.fromkeys(tickers):
        own = [at for at, name in enumerate(tickers, start=1) if name == ticker]
        part = frame.iloc[:, [0, *own]].set_axis(["date", *(prices[at - 1] for at in own)], axis=1)
        parts.append(part[part.iloc[:, 1:].notna().any(axis=1)].assign(ticker=ticker))
    return pd.concat(parts)


def _top(path: Path, count: int = 20) -> list[str]:
    opened: Any = gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # noqa: SIM115
    with opened as raw, io.TextIOWrapper(raw, encoding="utf-8-sig") as file:
        return [file.readline(100_000).rstrip("\r\n") for _ in range(count)]


def _unnamed(names: Sequence[str]) -> list[str]:
    """The first column of a CSV that pandas wrote with a nameless index."""
    return ["Unnamed: 0" if at == 0 and not name.strip() else name.strip() for at, name in enumerate(names)]
