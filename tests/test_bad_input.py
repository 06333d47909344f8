"""Bad data through the real command line: one line or one row that helps, the right exit code, the store unharmed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.data.calendars import sessions
from forecaster.data.store import Store

Run = Callable[..., "subprocess.CompletedProcess[str]"]

HEAD = "Date,Open,High,Low,Close,Adj Close,Volume\n"
DAYS = sessions("XNYS", np.datetime64("2020-01-01"), np.datetime64("2020-04-30"))[:56]
GOOD = HEAD + "".join(f"{day},10,12,9,11,5.5,100\n" for day in DAYS)


@pytest.fixture
def precious(sample_store: Store) -> dict[str, bytes]:
    """What the store holds before: nothing of it may change."""
    return {path.name: path.read_bytes() for path in sample_store.root.glob("*.parquet")}


def unharmed(store: Store, precious: dict[str, bytes]) -> bool:
    return all((store.root / name).read_bytes() == content for name, content in precious.items())


def summary(output: str) -> dict[str, dict[str, Any]]:
    return {row["ticker"]: row for row in json.loads(output)}


def fetch(forecast: Run, store: Store, path: Path, *more: object) -> Any:
    return forecast(
        "fetch", "--source", "file", "--path", path, "--data-dir", store.root, "--format", "json", "--quiet", *more
    )


BAD_FILES = {
    "empty": (b"", "is empty, expected a CSV with a header row"),
    "header only": (HEAD.encode(), "it has a header but no rows, expected one per day"),
    "text in a price": (GOOD.replace("10,12", "ten,12", 1).encode(), "open in row 2 is 'ten', expected a number"),
    "unknown column": (GOOD.replace("Close,Adj", "Settle,Adj").encode(), "no column for close; found Date, Open"),
    "high < low": (GOOD.replace("12,9", "9,12").encode(), "56 of its 56 rows have a price ≤ 0 or high < low"),
    "negative prices": (
        GOOD.replace("10,12", "-10,12").encode(),
        "56 of its 56 rows have a price ≤ 0 or high < low (first 2020-01-02: open -10",
    ),
    "doubled dates": (
        (GOOD + "2020-01-06,9,12,9,11,5.5,1\n").encode(),
        "2020-01-06 appears twice with different values",
    ),
    "no number at all": (GOOD.replace(",10,12,9,11,5.5", ",,,,,").encode(), "none of its 56 rows has all four prices"),
    "binary": (bytes(range(256)) * 20, "is not"),
    "no header": (GOOD.partition("\n")[2].encode(), "line 1 is '2020-01-02,10,12,9,11,5.5,100', expected a header row"),
    "american dates": (
        GOOD.replace("2020-01-03", "1/2/2020").encode(),
        "date in row 3 is '1/2/2020', expected YYYY-MM-DD",
    ),
    "commas in quotes": (
        GOOD.replace(",10,", ',"10,5",').encode(),
        "open in row 2 is '10,5', expected a number such as",
    ),
}


def ticker_of(kind: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "-", kind.upper())


def test_each_bad_file_fails_with_one_line_that_helps(
    forecast: Run, sample_store: Store, precious: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for kind, (content, _) in BAD_FILES.items():
        (folder / f"{ticker_of(kind)}.csv").write_bytes(content)
    done = fetch(forecast, sample_store, folder, "--force")
    assert done.returncode == 2
    assert done.stderr == ""
    rows = summary(done.stdout)
    for kind, (_, complaint) in BAD_FILES.items():
        row = rows.pop(ticker_of(kind))
        assert (row["status"], row["code"]) == ("failed", 2), kind
        assert complaint in row["reason"], kind
        assert ticker_of(kind) in row["reason"], kind
        assert "\n" not in row["reason"], kind
    assert rows == {}
    assert sample_store.tickers() == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert unharmed(sample_store, precious)


@pytest.mark.parametrize("kind", ["empty", "text in a price", "binary"])
def test_a_bad_file_for_a_ticker_that_is_held_leaves_it(
    forecast: Run, sample_store: Store, precious: dict[str, bytes], tmp_path: Path, kind: str
) -> None:
    (tmp_path / "AAPL.csv").write_bytes(BAD_FILES[kind][0])
    done = fetch(forecast, sample_store, tmp_path / "AAPL.csv", "--force", "--verbose")
    assert done.returncode == 2
    assert BAD_FILES[kind][1] in summary(done.stdout)["AAPL"]["reason"]
    assert "Traceback" not in done.stderr
    assert unharmed(sample_store, precious)


def test_a_parquet_cut_short_fails_with_one_line(
    forecast: Run, sample_store: Store, precious: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "AAPL.parquet").write_bytes(precious["AAPL.parquet"][:-100])
    done = fetch(forecast, sample_store, tmp_path / "AAPL.parquet")
    assert done.returncode == 2
    assert "AAPL.parquet cannot be read: " in summary(done.stdout)["AAPL"]["reason"]
    assert unharmed(sample_store, precious)


MENDED_FILES = {
    "unsorted dates": ("".join([HEAD, *reversed(GOOD.splitlines(keepends=True)[1:])]), 56, "rows sorted by date"),
    "a row twice": (GOOD + GOOD.splitlines()[-1] + "\n", 56, "1 row repeated dropped"),
    "rows of nothing": (GOOD + "2020-05-01,nan,nan,nan,nan,nan,nan\n,,,,,,\n", 56, "1 row without a price dropped"),
    "one negative price": (GOOD.replace("10,12", "-10,12", 1), 55, "1 row with a price ≤ 0 or high < low dropped"),
    "one high below the close": (GOOD.replace("12,9", "10.5,9", 1), 56, "high or low widened to enclose"),
    "semicolons and decimal commas": (GOOD.replace(",", ";").replace("5.5", "5,5"), 56, ""),
    "three rows": (HEAD + "".join(GOOD.splitlines(keepends=True)[1:4]), 3, ""),
}


def test_what_can_be_mended_is_mended_and_said(
    forecast: Run, sample_store: Store, precious: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for kind, (content, _, _) in MENDED_FILES.items():
        (folder / f"{ticker_of(kind)}.csv").write_text(content)
    done = fetch(forecast, sample_store, folder)
    assert done.returncode == 0
    found = summary(done.stdout)
    for kind, (_, rows, note) in MENDED_FILES.items():
        row = found[ticker_of(kind)]
        assert (row["status"], row["rows"]) == ("new", rows), kind
        assert [note in text for text in row["notes"]] == ([True] if note else []), kind
        assert len(sample_store.read(ticker_of(kind))) == rows
    assert unharmed(sample_store, precious)


def test_one_bad_file_among_good_ones_spares_them(
    forecast: Run, sample_store: Store, precious: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("KO", "PEP"):
        (folder / f"{name}.csv").write_text(GOOD)
    (folder / "MSFT.csv").write_text(GOOD.replace("11,5.5", "x,5.5", 1))
    done = fetch(forecast, sample_store, folder)
    assert done.returncode == 3
    rows = summary(done.stdout)
    assert {name: row["status"] for name, row in rows.items()} == {"KO": "new", "PEP": "new", "MSFT": "failed"}
    assert "close in row 2 is 'x'" in rows["MSFT"]["reason"]
    assert {"KO", "PEP"} < set(sample_store.tickers())
    assert unharmed(sample_store, precious)


def test_an_unknown_ticker_is_named_with_the_nearest(
    forecast: Run, sample_store: Store, precious: dict[str, bytes], tmp_path: Path
) -> None:
    done = forecast(
        "fetch", "MSTF", "--source", "sample", "--data-dir", sample_store.root, "--format", "json", "--quiet"
    )
    assert done.returncode == 4
    assert "Did you mean 'MSFT'?" in summary(done.stdout)["MSTF"]["reason"]
    assert unharmed(sample_store, precious)


def test_a_shorter_history_does_not_replace_a_longer(
    forecast: Run, sample_store: Store, precious: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "AAPL.csv").write_text(GOOD)
    done = fetch(forecast, sample_store, tmp_path / "AAPL.csv")
    assert done.returncode == 2
    row = summary(done.stdout)["AAPL"]
    assert row["status"] == "kept"
    assert "--force" in row["reason"]
    assert unharmed(sample_store, precious)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--start", "2020-02-01", "--end", "2020-01-01"], "start 2020-02-01 is after end 2020-01-01"),
        (["--start", "1.2.2020"], "'1.2.2020' is not a date: expected YYYY-MM-DD"),
        (["--calendar", "XNYX"], "Unknown calendar 'XNYX'. Did you mean 'XNYS'?"),
        (["../AAPL"], "'../AAPL' is not a ticker symbol"),
        (["--path", "nix.csv"], "/nix.csv does not exist: check the name."),
        (["--source", "flie"], "Unknown source 'flie'. Did you mean 'file'?"),
    ],
)
def test_a_bad_order_is_one_line(
    forecast: Run, sample_store: Store, precious: dict[str, bytes], tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    (tmp_path / "KO.csv").write_text(GOOD)
    done = fetch(forecast, sample_store, tmp_path / "KO.csv", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert unharmed(sample_store, precious)
    assert "KO" not in sample_store.tickers()


@pytest.mark.parametrize("folder", ["file/store", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_one_line_with_code_4(forecast: Run, tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "KO.csv").write_text(GOOD)
    done = fetch(forecast, Store(folder), tmp_path / "KO.csv")
    assert done.returncode == 4
    assert done.stderr.startswith(f"error: {folder} cannot be written: ")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "file").read_text() == "precious"


def test_a_name_in_square_brackets_survives_the_table(forecast: Run, sample_store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "[bold] a"
    folder.mkdir()
    (folder / "KO.csv").write_text("")
    done = forecast("fetch", "--source", "file", "--path", folder, "--data-dir", sample_store.root, "--quiet")
    assert done.returncode == 2
    assert "[bold] a/KO.csv" in done.stdout
