"""Tables of candles: from anywhere (CSV, Parquet, Feather, xlsx), and of the store."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecaster.data.sources import Order, SourceOptions
from forecaster.data.sources.file import FileSource
from forecaster.data.store import Store
from tests.fuzz.base import Base, Feed, Words
from tests.fuzz.mutate import TOKENS, of_bytes, of_json

Calling = Callable[[], object]

SAMPLE = 20
"""One input in so many goes through the whole command, the others to the reader alone."""


def feeds(base: Base) -> dict[str, Feed]:
    frame = base.candles
    parquet, feather, book = io.BytesIO(), io.BytesIO(), io.BytesIO()
    frame.to_parquet(parquet)
    frame.to_feather(feather)
    frame.head(20).to_excel(book, index=False)
    return {
        "csv": _bytes(".csv", frame.to_csv(index=False).encode()),
        "parquet bytes": _bytes(".parquet", parquet.getvalue()),
        "parquet names": _names(frame),
        "feather": _bytes(".feather", feather.getvalue()),
        "xlsx bytes": _bytes(".xlsx", book.getvalue()),
        "xlsx sheet": _sheet(book.getvalue()),
        "store bytes": _stored_bytes(base),
        "store header": _stored_header(base),
        "store body": _stored_body(base),
    }


def fetched(path: Path, rng: random.Random) -> Words | Calling:
    """The command that fetches a file, or the source alone."""
    if not rng.randrange(SAMPLE):
        return ("fetch", "--source", "file", "--path", str(path), "--data-dir", str(path.parent / "new-store"))

    def read() -> None:
        for one in FileSource(SourceOptions(path=path)).deliver(Order((), lambda _: None)):
            if one.failure is not None:
                raise one.failure

    return read


def _bytes(ending: str, content: bytes) -> Feed:
    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        path = folder / f"KO{ending}"
        path.write_bytes(of_bytes(content, rng))
        return fetched(path, rng)

    return feed


def _names(frame: pd.DataFrame) -> Feed:
    """A Parquet file whose names and cells are hostile, not its bytes."""

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        cells = frame.copy()
        cells["ticker"] = "KO"
        cells = cells.astype(object)
        for _ in range(3):
            word = rng.choice(("\x1b[31m", "[/]", "x" * 50))
            cells.iloc[rng.randrange(len(cells)), rng.randrange(cells.shape[1])] = word
        cells = cells.astype("string")
        at = rng.randrange(cells.shape[1])
        name = rng.choice(TOKENS).decode("latin-1")
        cells = cells.set_axis([*cells.columns[:at], name, *cells.columns[at + 1 :]], axis=1)
        cells.to_parquet(folder / "KO.parquet")
        return fetched(folder / "KO.parquet", rng)

    return feed


def _sheet(book: bytes) -> Feed:
    """A sound archive with a mutated member: mutated bytes of the archive hardly get beyond its checksums."""

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(folder / "KO.xlsx", "w") as new:
            names = old.namelist()
            sheet = next(name for name in names if "worksheets" in name)
            at = sheet if rng.random() < 0.7 else rng.choice(names)
            for name in names:
                new.writestr(name, of_bytes(old.read(name), rng) if name == at else old.read(name))
        return fetched(folder / "KO.xlsx", rng)

    return feed


def stored(base: Base, folder: Path, rng: random.Random) -> Words | Calling:
    """A command that reads IBM in a store, or the store alone."""
    if rng.randrange(SAMPLE):
        store = Store(folder)
        reads = (lambda: store.checked("IBM"), lambda: store.record("IBM"), lambda: store.read("IBM"))
        return rng.choice(reads)
    predict = ("predict", "IBM", "--offline", "--run", "small")
    verb = rng.choice((("data", "list"), ("data", "verify", "IBM"), predict))
    return (*verb, "--data-dir", str(folder), *(base.places[2:] if verb == predict else ()))


def _stored_bytes(base: Base) -> Feed:
    content = (base.store / "IBM.parquet").read_bytes()

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        (folder / "IBM.parquet").write_bytes(of_bytes(content, rng))
        return stored(base, folder, rng)

    return feed


def _stored_table(base: Base) -> tuple[pa.Table, bytes, dict[str, Any]]:
    table = pq.read_table(base.store / "IBM.parquet").slice(0, 300)
    ((key, header),) = ((k, v) for k, v in table.schema.metadata.items() if k != b"pandas")
    values = json.loads(header) | {"rows": 300, "last": str(table["date"][-1])}
    return table, key, {name: value for name, value in values.items() if name not in ("digest", "sum")}


def _stored_header(base: Base) -> Feed:
    table, key, header = _stored_table(base)

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        text = json.dumps(of_json(header, rng)) if rng.random() < 0.8 else "x"
        content = text.encode("utf-8", "replace")
        made = table.replace_schema_metadata({key: content if rng.random() < 0.9 else of_bytes(content, rng)})
        pq.write_table(made, folder / "IBM.parquet")
        return stored(base, folder, rng)

    return feed


def _stored_body(base: Base) -> Feed:
    """A column with other values, of another type, away, twice, or shorter."""
    table, key, header = _stored_table(base)
    strange = (np.nan, np.inf, -1.0, 0.0, 1e-300, 1e300)

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        made = table.replace_schema_metadata({key: json.dumps(header).encode()})
        at = rng.randrange(made.num_columns)
        name, column = made.column_names[at], made.column(at)
        kind = rng.randrange(5)
        if kind == 0 and pa.types.is_floating(column.type):
            values = column.to_numpy().copy()
            values[rng.randrange(len(values))] = rng.choice(strange)
            made = made.set_column(at, name, pa.array(values))
        elif kind == 1:
            made = made.set_column(at, name, column.cast(pa.string(), safe=False))
        elif kind == 2:
            made = made.remove_column(at)
        elif kind == 3:
            made = made.append_column(rng.choice((name, "\x1b[31m")), column)
        else:
            made = made.slice(0, rng.randrange(300)) if rng.random() < 0.5 else made.set_column(at, name, pa.nulls(300))
        pq.write_table(made, folder / "IBM.parquet")
        return stored(base, folder, rng)

    return feed


def copied(source: Path, target: Path) -> None:
    """A copy of a folder, large files linked."""
    shutil.copytree(source, target, dirs_exist_ok=True)
