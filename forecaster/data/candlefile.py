"""File format of one ticker: Parquet with our own header; checksums detect damage to the header or the values."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.data.bars import COLUMNS, Bars
from forecaster.files import atomic_write, read_bytes
from forecaster.parsing import text, whole
from forecaster.release import newer_file

_FORMAT = 1
_KEY = b"forecaster"
_TEXTS = frozenset(
    ("ticker", "currency", "calendar", "timezone", "source", "first", "last", "digest", "changed", "since")
)


@dataclass(frozen=True)
class Record:
    """Metadata of a stored ticker, available without reading its candles.

    Args:
        changed: UTC time of the last change.
        since: UTC time when the ticker was first stored.
    """

    ticker: str
    rows: int
    first: np.datetime64
    last: np.datetime64
    currency: str
    calendar: str
    timezone: str
    source: str
    changed: str
    since: str


def write_candles(path: Path, bars: Bars, source: str, since: str | None = None) -> None:
    """Write a ticker's whole history atomically.

    Args:
        since: when the ticker was first stored; defaults to now.

    Raises:
        OutsideError: the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"date": pa.array(bars.dates)} | {name: pa.array(getattr(bars, name)) for name in COLUMNS}
    header = _make_header(bars, source, since)
    text = json.dumps(header | {"sum": _sum(header)}, sort_keys=True)
    table = pa.table(columns).replace_schema_metadata({_KEY: text.encode()})
    with atomic_write(path) as part, part.open("wb") as file:  # pyarrow assumes UTF-8 paths in any locale
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)


def read_candles(path: Path, ticker: str, every_value: bool = False) -> Bars:
    """The candles of a file.

    Args:
        ticker: the expected ticker; the header must match it.
        every_value: also verify the digest over all values.

    Raises:
        NewerFileError: it was written by a newer version of this program.
        ValueError, LookupError, TypeError, ArithmeticError, OSError, pyarrow.ArrowException, DataError: it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Read the file once: opened twice, it could give the old file's footer and the new file's pages.
    with pq.ParquetFile(pa.BufferReader(read_bytes(path)), page_checksum_verification=True) as file:
        table = file.read(columns=["date", *COLUMNS], use_threads=False)
    header = _header(path, table.schema.metadata, ticker)
    if header["rows"] != table.num_rows:
        raise ValueError(f"it has {table.num_rows} rows, but its header says {header['rows']}")
    bars = _bars(table, header)
    if every_value and header.get("digest", _digest(bars)) != _digest(bars):
        raise ValueError("its values do not match their checksum")
    return bars


def read_record(path: Path, ticker: str) -> Record:
    """A file's metadata, read from its footer only.

    Raises:
        ValueError and others: as `read_candles`.
    """
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        header = _header(path, pq.read_schema(file).metadata, ticker)
    return Record(
        ticker=ticker,
        rows=header["rows"],
        first=np.datetime64(header["first"]),
        last=np.datetime64(header["last"]),
        **{name: str(header[name]) for name in ("currency", "calendar", "timezone", "source", "changed")},
        since=str(header.get("since", header["changed"])),  # absent in files of older versions
    )


def _make_header(bars: Bars, source: str, since: str | None) -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return {
        "format": _FORMAT,
        "ticker": bars.ticker,
        "currency": bars.currency,
        "calendar": bars.calendar,
        "timezone": bars.timezone,
        "source": source,
        "rows": len(bars),
        "first": str(bars.dates[0]),
        "last": str(bars.dates[-1]),
        "digest": _digest(bars),
        "changed": now,
        "since": since or now,
    }


def _bars(table: Any, header: dict[str, Any]) -> Bars:
    import pyarrow as pa

    columns = {name: _array(table[name].chunks).astype(np.float64, copy=False) for name in COLUMNS}
    dates = _array([chunk.view(pa.int32()) for chunk in table["date"].chunks]).astype("datetime64[D]")
    return Bars(header["ticker"], header["currency"], header["calendar"], header["timezone"], dates, **columns)


def _array(chunks: list[Any]) -> np.ndarray:
    """A column without nulls as numpy array; pyarrow's `to_numpy` would import pandas, which takes half a second."""
    return np.concatenate([_numbers(chunk) for chunk in chunks])


def _numbers(chunk: Any) -> np.ndarray:
    """A zero-copy view of a chunk's values; `from_dlpack` would raise a warning in numpy 2.0."""
    if chunk.null_count:
        raise ValueError("a value is missing")
    kind = np.dtype(chunk.type.to_pandas_dtype())
    return np.frombuffer(chunk.buffers()[1], kind, len(chunk), chunk.offset * kind.itemsize)


def _digest(bars: Bars) -> str:
    """Digest of all values; detects files edited by hand."""
    digest = hashlib.sha256()
    for column in (bars.dates.astype("datetime64[D]").astype("<i8"), *(getattr(bars, name) for name in COLUMNS)):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:32]


def _header(path: Path, metadata: dict[bytes, bytes] | None, ticker: str) -> dict[str, Any]:
    if not metadata or _KEY not in metadata:
        raise ValueError("it was not written by forecaster")
    header: dict[str, Any] = json.loads(metadata[_KEY])
    if not isinstance(header, dict):
        raise TypeError("its header is no mapping")
    # None: a file from before there was a checksum.
    if header.pop("sum", None) not in (None, _sum(header)):
        raise ValueError("its header does not match its checksum")
    if whole(header["format"]) > _FORMAT:
        raise newer_file(str(path), None, "name another folder with --data-dir")
    if header["format"] != _FORMAT:
        raise ValueError(f"its format is {header['format']}, expected {_FORMAT}")
    for name in _TEXTS & header.keys():
        text(header[name])
    whole(header["rows"])
    if header["ticker"] != ticker:
        raise ValueError(f"it holds {header['ticker']!r}")
    return header


def _sum(header: dict[str, Any]) -> int:
    # Sorted, because the order of keys in a parsed header must not matter.
    return zlib.crc32(json.dumps(header, sort_keys=True).encode())
