"""What is fuzzed: for each reader a folder to begin with, a mutated input, and the command line that reads it."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import safe_open
from safetensors.numpy import save_file

from forecaster.data.bars import Bars
from forecaster.data.store import Store
from forecaster.evaluation.journal import JOURNAL
from forecaster.evaluation.ledgerfile import NAME
from forecaster.workflows.predict import predict
from tests.fuzz.mutate import TOKENS, VALUES, of_bytes, of_json, of_word

Feed = Callable[[Path, random.Random], Sequence[str]]


@dataclass(frozen=True)
class Base:
    """The folder that all readers begin with: `store` with the sample, `runs/small`, and files of candles."""

    folder: Path

    @property
    def places(self) -> tuple[str, ...]:
        return ("--data-dir", str(self.folder / "store"), "--runs-dir", str(self.folder / "runs"))


def candles(bars: Bars, rows: int = 60) -> pd.DataFrame:
    names = ("open", "high", "low", "close", "adj_close", "volume")
    return pd.DataFrame({"date": bars.dates[-rows:]} | {name: getattr(bars, name)[-rows:] for name in names})


def readers(base: Base) -> dict[str, Feed]:
    """Name → function that writes one mutated input and returns the command line."""
    bars = Store(base.folder / "store").read("IBM")
    frame = candles(bars)
    model = base.folder / "runs" / "small" / "model.safetensors"
    with safe_open(model, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        header: dict[str, Any] = json.loads(file.metadata()["forecaster"])
    whole_model = model.read_bytes()
    predict(["AAPL"], run="small", data_dir=base.folder / "store", runs_dir=base.folder / "runs", as_of="2012-06-29")
    journal = (base.folder / "runs" / JOURNAL).read_bytes()
    (base.folder / "runs" / JOURNAL).unlink()
    config = (Path(__file__).parents[2] / "configs" / "gru.yaml").read_bytes()
    ledger = json.dumps(
        {"model": "m", "first": "2010-01-01", "last": "2011-01-01", "tickers": ["AAPL"], "by": "train x"}
    )
    parquet = base.folder / "good.parquet"
    frame.to_parquet(parquet)
    book = base.folder / "good.xlsx"
    frame.head(20).to_excel(book, index=False)

    def fetched(path: Path) -> Sequence[str]:
        store = path.parent / "new-store"
        shutil.rmtree(store, ignore_errors=True)
        return ("fetch", "--source", "file", "--path", str(path), "--data-dir", str(store))

    def table(ending: str, content: bytes) -> Feed:
        def feed(folder: Path, rng: random.Random) -> Sequence[str]:
            path = folder / f"KO{ending}"
            path.write_bytes(of_bytes(content, rng))
            return fetched(path)

        return feed

    def names(folder: Path, rng: random.Random) -> Sequence[str]:
        """A Parquet file whose names and cells are hostile, not its bytes."""
        cells = frame.copy()
        cells["ticker"] = "KO"
        cells = cells.astype(object)
        for _ in range(3):
            cells.iloc[rng.randrange(len(cells)), rng.randrange(cells.shape[1])] = rng.choice(
                ("\x1b[31m", "[/]", "x" * 50)
            )
        cells = cells.astype("string")
        at = rng.randrange(cells.shape[1])
        cells = cells.set_axis(
            [*cells.columns[:at], rng.choice(TOKENS).decode("latin-1"), *cells.columns[at + 1 :]], axis=1
        )
        cells.to_parquet(folder / "KO.parquet")
        return fetched(folder / "KO.parquet")

    def yaml(folder: Path, rng: random.Random) -> Sequence[str]:
        (folder / "x.yaml").write_bytes(of_bytes(config, rng))
        return ("config", "check", str(folder / "x.yaml"), *base.places[:2])

    def setting(_: Path, rng: random.Random) -> Sequence[str]:
        words = (
            "training.steps=200",
            "model.hidden_size=8",
            "data.split={test: 2y}",
            "task.horizon=[1, 2]",
            "features=[base]",
        )
        return (
            "train",
            "gru",
            "--set",
            of_word(rng.choice(words), rng),
            "--set",
            "data.tickers=[NOSUCH]",
            *base.places,
        )

    def looked(folder: Path) -> Sequence[str]:
        verb = random.Random(str(folder)).choice((("runs", "list"), ("runs", "show", "bad")))
        return (*verb, "--runs-dir", str(folder), *base.places[:2])

    def header_values(folder: Path, rng: random.Random) -> Sequence[str]:
        (folder / "bad").mkdir(exist_ok=True)
        text = json.dumps(of_json(header, rng))
        save_file(tensors, folder / "bad" / "model.safetensors", {"forecaster": text})
        verb = rng.choice((("runs", "list"), ("runs", "show", "bad"), ("predict", "AAPL", "--offline", "--run", "bad")))
        return (*verb, "--runs-dir", str(folder), *base.places[:2])

    def model_bytes(folder: Path, rng: random.Random) -> Sequence[str]:
        (folder / "bad").mkdir(exist_ok=True)
        (folder / "bad" / "model.safetensors").write_bytes(of_bytes(whole_model, rng))
        return looked(folder)

    def journal_bytes(folder: Path, rng: random.Random) -> Sequence[str]:
        (folder / JOURNAL).write_bytes(of_bytes(journal, rng))
        return ("score", *rng.choice(((), ("--verify",))), "--runs-dir", str(folder), *base.places[:2])

    def journal_rows(folder: Path, rng: random.Random) -> Sequence[str]:
        (folder / JOURNAL).write_bytes(journal)
        with closing(sqlite3.connect(folder / JOURNAL)) as rows, rows:
            rows.execute("DROP TRIGGER never_changed")
            for _ in range(3):
                column = rng.choice(
                    (
                        "run",
                        "model",
                        "ticker",
                        "origin",
                        "step",
                        "as_of",
                        "date",
                        "made",
                        "fitted_to",
                        "levels",
                        "quantiles",
                        "number",
                        "hash",
                    )
                )
                values = (
                    *(one for one in VALUES if isinstance(one, int | float | None) and one not in (10**30, 2**63)),
                    *(token.decode("latin-1") for token in TOKENS),
                    *TOKENS,
                )
                rows.execute(
                    f"UPDATE OR IGNORE forecasts SET {column} = ? WHERE step = ?",
                    (rng.choice(values), rng.randint(1, 3)),
                )
        return ("score", *rng.choice(((), ("--verify",))), "--runs-dir", str(folder), *base.places[:2])

    def ledger_lines(folder: Path, rng: random.Random) -> Sequence[str]:
        (folder / NAME).write_bytes(of_bytes((f"{ledger}\n" * 3).encode(), rng))
        shutil.copytree(base.folder / "runs" / "small", folder / "small", dirs_exist_ok=True)
        return ("runs", "list", "--runs-dir", str(folder), "--data-dir", str(folder))

    def tickers(folder: Path, rng: random.Random) -> Sequence[str]:
        (folder / "list.txt").write_bytes(of_bytes(b"AAPL\nIBM # a comment\nBRK-B, MSFT\n", rng))
        return ("predict", "--tickers-file", str(folder / "list.txt"), "--offline", "--run", "small", *base.places)

    def symbols(_: Path, rng: random.Random) -> Sequence[str]:
        word = of_word(rng.choice(("AAPL", "BRK-B", "^GSPC")), rng)
        verb = rng.choice((("data", "show"), ("predict", "--offline", "--run", "small")))
        return (*verb, "--data-dir", base.places[1], *(base.places[2:] if verb[0] == "predict" else ()), "--", word)

    def stored(folder: Path, rng: random.Random) -> Sequence[str]:
        (folder / "IBM.parquet").write_bytes(of_bytes((base.folder / "store" / "IBM.parquet").read_bytes(), rng))
        verb = rng.choice(
            (("data", "list"), ("data", "verify", "IBM"), ("predict", "IBM", "--offline", "--run", "small"))
        )
        return (*verb, "--data-dir", str(folder), *(base.places[2:] if verb[0] == "predict" else ()))

    return {
        "csv": table(".csv", frame.to_csv(index=False).encode()),
        "parquet bytes": table(".parquet", parquet.read_bytes()),
        "parquet names": names,
        "xlsx": table(".xlsx", book.read_bytes()),
        "yaml": yaml,
        "set": setting,
        "model header": header_values,
        "model bytes": model_bytes,
        "journal bytes": journal_bytes,
        "journal rows": journal_rows,
        "ledger": ledger_lines,
        "tickers file": tickers,
        "symbols": symbols,
        "store file": stored,
    }
