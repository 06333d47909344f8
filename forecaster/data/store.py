"""The store: one Parquet file a ticker, never half-written, safe under several writers."""

from __future__ import annotations

import datetime as dt
import glob
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.data.bars import COLUMNS, Bars
from forecaster.data.symbols import file_stem, symbol_of
from forecaster.errors import DataError, ForecasterError, InputError, UnknownNameError
from forecaster.files import outside_errors, replacing

_FORMAT = 1
_KEY = b"forecaster"


@dataclass(frozen=True)
class Record:
    """What the store says of a ticker without reading its candles; `changed` is the UTC time of the last change."""

    ticker: str
    rows: int
    first: np.datetime64
    last: np.datetime64
    currency: str
    calendar: str
    timezone: str
    source: str
    changed: str


@dataclass(frozen=True)
class Change:
    """What a write did: `new`, `updated`, `unchanged`, or `kept` (the old was better), and how many dates came in."""

    status: str
    rows_added: int
    reason: str = ""


class Store:
    """Candles of many tickers in one folder; reading a ticker that another process writes gives old or new, whole."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def tickers(self) -> tuple[str, ...]:
        """All tickers held, in alphabetical order; files that this store did not write are passed over."""
        return tuple(
            sorted(
                symbol
                for path in self.root.glob("*.parquet")
                if (symbol := _symbol(path)) is not None and path.is_file()
            )
        )

    def path(self, ticker: str) -> Path:
        """The file of a ticker, whether it exists or not."""
        return self.root / f"{file_stem(ticker)}.parquet"

    def require(self, tickers: Sequence[str]) -> tuple[str, ...]:
        """The tickers themselves when the store holds all of them.

        Raises:
            UnknownNameError: one is not there.
        """
        held = set(self.tickers())
        for ticker in tickers:
            if ticker not in held:
                raise UnknownNameError("ticker", ticker, held, f"Or bring it: forecast fetch {ticker}")
        return tuple(tickers)

    def read(self, ticker: str) -> Bars:
        """The candles of a ticker.

        Raises:
            UnknownNameError: the store does not have it.
            DataError: its file is damaged.
        """
        path = self._existing(ticker)
        with self._damage(ticker):
            return _bars(*_load(path, ticker))

    def checked(self, ticker: str) -> Bars:
        """As `read`, and every value is the one that was written: any change by another hand is found.

        Raises:
            UnknownNameError, DataError: as `read`.
        """
        path = self._existing(ticker)
        with self._damage(ticker):
            table, header = _load(path, ticker)
            bars = _bars(table, header)
            if header.get("digest", _digest(bars)) != _digest(bars):
                raise ValueError("its values are not those written")
            return bars

    def record(self, ticker: str) -> Record:
        """What is known of a ticker, from the file's footer alone.

        Raises:
            UnknownNameError, DataError: as `read`.
        """
        import pyarrow.parquet as pq

        path = self._existing(ticker)
        with self._damage(ticker):
            header = _header(pq.read_schema(path).metadata, ticker)
            return Record(
                ticker=ticker,
                rows=int(header["rows"]),
                first=np.datetime64(header["first"]),
                last=np.datetime64(header["last"]),
                **{name: str(header[name]) for name in ("currency", "calendar", "timezone", "source", "changed")},
            )

    def write(self, bars: Bars, *, source: str, force: bool = False) -> Change:
        """Put a ticker's whole history in the place of what is held.

        A history with fewer rows, or one that starts later or ends earlier, does not replace a better one unless
        forced; an equal one leaves the file untouched.

        Raises:
            DataError: there is no candle to write.
            OutsideError: the folder cannot be written.
        """
        if not len(bars):
            raise DataError(f"{bars.ticker}: no candles, expected at least one; the store is as it was.")
        with outside_errors(self.root), self._lock(bars.ticker):
            self._sweep(bars.ticker)
            held = self._held(bars.ticker)
            change = _change(held, bars, force)
            if change.status in ("new", "updated"):
                self._dump(bars, source)
        return change

    def problems(self, tickers: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
        """Read every file whole and give (ticker, complaint) for each that is damaged."""
        for ticker in tickers or self.tickers():
            try:
                self.checked(ticker)
            except ForecasterError as error:
                yield ticker, str(error)

    def _held(self, ticker: str) -> Bars | None:
        try:
            return self.checked(ticker) if self.path(ticker).is_file() else None
        except DataError:
            return None

    def _existing(self, ticker: str) -> Path:
        path = self.path(ticker)
        if not path.is_file():
            self.require([ticker])
        return path

    def _dump(self, bars: Bars, source: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {"date": pa.array(bars.dates)} | {name: pa.array(getattr(bars, name)) for name in COLUMNS}
        header = _described(bars, source)
        text = json.dumps(header | {"sum": _sum(header)}, sort_keys=True)
        table = pa.table(columns).replace_schema_metadata({_KEY: text.encode()})
        path = self.path(bars.ticker)
        with replacing(path) as part:
            pq.write_table(table, part, compression="zstd", write_page_checksum=True)

    def _sweep(self, ticker: str) -> None:
        """Remove what killed writers left; under the ticker's lock nobody else is writing."""
        for left_over in self.root.glob(f".{glob.escape(self.path(ticker).name)}.*.part"):
            left_over.unlink(missing_ok=True)

    @contextmanager
    def _lock(self, ticker: str) -> Iterator[None]:
        from filelock import FileLock

        folder = self.root / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{file_stem(ticker)}.lock"):
            yield

    @contextmanager
    def _damage(self, ticker: str) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError, pa.ArrowException, DataError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"{self.path(ticker)} is damaged: {reason.rstrip('.')}. {_remedy(ticker)}") from error


def open_store(root: Path | str) -> Store:
    """An existing store.

    Raises:
        InputError: the folder does not exist or holds no candles.
    """
    store = Store(root)
    if not store.tickers():
        raise InputError(f"{root} holds no candles: bring some with `forecast fetch --source sample`.")
    return store


def _change(held: Bars | None, bars: Bars, force: bool) -> Change:
    if held is None:
        return Change("new", len(bars))
    if held.same_as(bars):
        return Change("unchanged", 0)
    added = len(np.setdiff1d(bars.dates, held.dates))
    worse = len(bars) < len(held) or bars.dates[0] > held.dates[0] or bars.dates[-1] < held.dates[-1]
    if worse and not force:
        reason = f"the store holds {_extent(held)}, the source gave {_extent(bars)}; --force replaces it"
        return Change("kept", 0, reason)
    return Change("updated", added)


def _extent(bars: Bars) -> str:
    return f"{len(bars)} rows from {bars.dates[0]} to {bars.dates[-1]}"


def _described(bars: Bars, source: str) -> dict[str, Any]:
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
        "changed": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }


def _load(path: Path, ticker: str) -> tuple[Any, dict[str, Any]]:
    import pyarrow.parquet as pq

    # One opened file: a path read twice could give the footer of the old file and the pages of the new one.
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        table = file.read(columns=["date", *COLUMNS], use_threads=False)
    header = _header(table.schema.metadata, ticker)
    if int(header["rows"]) != table.num_rows:
        raise ValueError(f"it has {table.num_rows} rows, its header says {header['rows']}")
    return table, header


def _bars(table: Any, header: dict[str, Any]) -> Bars:
    columns = {name: table[name].to_numpy().astype(np.float64, copy=False) for name in COLUMNS}
    dates = table["date"].to_numpy().astype("datetime64[D]")
    return Bars(header["ticker"], header["currency"], header["calendar"], header["timezone"], dates, **columns)


def _digest(bars: Bars) -> str:
    """A fingerprint of the candles, by which a file that was changed by hand is known."""
    digest = hashlib.sha256()
    for column in (bars.dates.astype("datetime64[D]").astype("<i8"), *(getattr(bars, name) for name in COLUMNS)):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:32]


def _header(metadata: dict[bytes, bytes] | None, ticker: str) -> dict[str, Any]:
    if not metadata or _KEY not in metadata:
        raise ValueError("it was not written by forecaster")
    header: dict[str, Any] = json.loads(metadata[_KEY])
    if header.pop("sum", None) not in (None, _sum(header)):
        raise ValueError("its header does not add up")
    if header["format"] != _FORMAT:
        raise ValueError(f"its format is {header['format']}, expected {_FORMAT}")
    if header["ticker"] != ticker:
        raise ValueError(f"it holds {header['ticker']!r}")
    return header


def _sum(header: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(header, sort_keys=True).encode())


def _remedy(ticker: str) -> str:
    return f"Delete it and fetch {ticker} again."


def _symbol(path: Path) -> str | None:
    try:
        return symbol_of(path.stem)
    except InputError:
        return None
