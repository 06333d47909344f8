"""`forecast data list | show | export` as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from forecaster.data.bars import COLUMNS
from forecaster.data.panel import read_panel
from forecaster.data.store import Store
from forecaster.workflows.data import candles, export, listing
from tests.damage import damaged

Run = Callable[..., "subprocess.CompletedProcess[str]"]

FIVE = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def test_list_shows_a_row_a_ticker(forecast: Run, sample_store: Store) -> None:
    done = forecast("data", "list", "--data-dir", sample_store.root)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["ticker", "rows", "first", "last", "currency", "calendar", "source", "changed"]
    assert lines[1].split()[:7] == ["AAPL", "3,270", "2000-03-01", "2013-03-01", "USD", "XNYS", "sample"]
    assert [line.split()[0] for line in lines[1:]] == list(FIVE)


def test_list_gives_the_same_as_data(forecast: Run, sample_store: Store) -> None:
    rows = json.loads(forecast("data", "list", "--data-dir", sample_store.root, "--format", "json").stdout)
    assert [row["ticker"] for row in rows] == list(FIVE)
    assert rows[1]["since"] <= rows[1]["changed"]
    assert rows[1] | {"changed": "", "since": ""} == {
        "ticker": "FB",
        "rows": 196,
        "first": "2012-05-18",
        "last": "2013-03-01",
        "currency": "USD",
        "calendar": "XNYS",
        "timezone": "America/New_York",
        "source": "sample",
        "changed": "",
        "since": "",
    }


def test_list_reads_footers_only(sample_store: Store) -> None:
    path = sample_store.path("AAPL")
    content = bytearray(path.read_bytes())
    content[1000:2000] = bytes(1000)
    path.write_bytes(content)
    assert len(listing(sample_store.root).records) == 5
    assert damaged(sample_store) == ["AAPL"]


def test_list_shows_the_rest_when_a_file_is_damaged_and_says_which(forecast: Run, sample_store: Store) -> None:
    sample_store.path("IBM").write_bytes(b"")
    done = forecast("data", "list", "--data-dir", sample_store.root)
    assert done.returncode == 3
    assert "MSFT" in done.stdout
    assert "IBM.parquet is damaged: " in done.stderr
    assert done.stderr.count("\n") == 1


def test_show_gives_the_last_candles(forecast: Run, sample_store: Store) -> None:
    done = forecast("data", "show", "aapl", "--rows", "2", "--data-dir", sample_store.root)
    assert done.returncode == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["AAPL", "in", "USD"]
    assert lines[1] == ["date", "open", "high", "low", "close", "adj_close", "volume"]
    assert lines[3] == ["2013-03-01", "438.00", "438.18", "429.98", "430.47", "56.14", "19,730,300"]
    assert len(lines) == 4


def test_show_gives_all_columns_and_all_rows_as_data(forecast: Run, sample_store: Store, tmp_path: Path) -> None:
    bars = sample_store.read("FB")
    common = ("data", "show", "FB", "MSFT", "--rows", "0", "--data-dir", sample_store.root)
    (first, second) = json.loads(forecast(*common, "--format", "json").stdout)
    assert (first["ticker"], first["currency"], len(first["candles"]), second["ticker"]) == ("FB", "USD", 196, "MSFT")
    long = list(csv.DictReader(io.StringIO(forecast(*common, "--format", "csv").stdout)))
    assert len(long) == 196 + 3270
    target = tmp_path / "out" / "fb.parquet"
    assert forecast(*common, "--format", "parquet", "--output", target).returncode == 0
    table = pq.read_table(target).slice(0, 196)
    for name in COLUMNS:
        column = getattr(bars, name)
        assert np.array_equal([row[name] for row in first["candles"]], column)
        assert np.array_equal([float(row[name]) for row in long[:196]], column)
        assert np.array_equal(table[name].to_numpy(), column)
    assert table["date"].to_pylist() == bars.dates.astype(str).tolist()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["show", "APPL"], "Unknown ticker 'APPL'. Did you mean 'AAPL'?"),
        (["show", "A/B"], "'A/B' is not a ticker symbol"),
        (["show", "AAPL", "--rows", "-1"], "Invalid value for '--rows'"),
        (["show"], "Missing argument 'TICKER"),
        (["export"], "Missing option '--to'"),
        (["export", "--to", "hdf5"], "Invalid value for '--to'"),
        (["export", "--to", "npz", "NIX"], "Unknown ticker 'NIX'."),
        (["list", "--format", "parquet"], "--format parquet needs --output FILE"),
    ],
)
def test_bad_usage_is_one_line_with_code_2(
    forecast: Run, sample_store: Store, arguments: list[str], complaint: str
) -> None:
    done = forecast("data", *arguments, "--data-dir", sample_store.root)
    assert done.returncode == 2
    assert done.stdout == ""
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["list"], ["show", "AAPL"], ["export", "--to", "npz"]])
def test_an_empty_store_is_answered_with_a_command(forecast: Run, tmp_path: Path, command: list[str]) -> None:
    done = forecast("data", *command, "--data-dir", "nix")
    assert done.returncode == 2
    empty = tmp_path / "nix"
    assert done.stderr == f"error: {empty} holds no candles: fetch some with `forecast fetch --source sample`.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["list", "show", "export"])
def test_each_help_shows_an_example(forecast: Run, command: str) -> None:
    done = forecast("data", command, "--help")
    assert done.returncode == 0
    assert f"forecast data {command}" in done.stdout.partition("Example")[2]


def test_an_npz_holds_the_panel_and_needs_no_pickle(forecast: Run, sample_store: Store, tmp_path: Path) -> None:
    done = forecast("data", "export", "--to", "npz", "--data-dir", sample_store.root)
    assert done.returncode == 0
    panel = read_panel(sample_store, FIVE)
    with np.load(tmp_path / "panel.npz", allow_pickle=False) as archive:
        assert set(archive) == {"ohlc", "observed", "tickers", "dates"}
        assert archive["ohlc"].dtype == np.float32
        assert archive["observed"].dtype == bool
        assert archive["tickers"].tolist() == list(FIVE)
        assert archive["dates"].dtype == np.dtype("datetime64[D]")
        assert np.array_equal(archive["dates"], panel.dates)
        assert np.array_equal(archive["ohlc"], panel.ohlc, equal_nan=True)
        assert np.array_equal(archive["observed"], panel.observed)


def test_a_safetensors_holds_the_panel_with_its_axes_in_the_header(
    forecast: Run, sample_store: Store, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "two.safetensors"
    done = forecast(
        "data", "export", "msft", "FB", "--to", "safetensors", "--output", target, "--format", "json",
        "--data-dir", sample_store.root,
    )  # fmt: skip
    said = json.loads(done.stdout)
    panel = read_panel(sample_store, ["MSFT", "FB"])
    assert (said["tickers"], said["dates"], said["candles"]) == (2, 3270, 3466)
    assert said["fingerprint"] == panel.fingerprint
    with safe_open(target, "numpy") as file:
        assert set(file.keys()) == {"ohlc", "observed"}
        assert json.loads(file.metadata()["tickers"]) == ["MSFT", "FB"]
        assert json.loads(file.metadata()["dates"]) == panel.dates.astype(str).tolist()
        assert np.array_equal(file.get_tensor("ohlc"), panel.ohlc, equal_nan=True)
        assert file.get_tensor("ohlc").dtype == np.float32
        assert np.array_equal(file.get_tensor("observed"), panel.observed)


@pytest.mark.parametrize("to", ["npz", "safetensors"])
def test_the_same_panel_gives_the_same_bytes(sample_store: Store, tmp_path: Path, to: str) -> None:
    written = []
    for number in range(6):
        export(to, ("FB", "GOOG"), output=tmp_path / f"{number}.bin", data_dir=sample_store.root)
        written.append((tmp_path / f"{number}.bin").read_bytes())
    assert len(set(written)) == 1


def test_an_export_that_cannot_be_written_is_one_line_with_code_4(
    forecast: Run, sample_store: Store, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("precious")
    done = forecast("data", "export", "--to", "npz", "--output", "file/a.npz", "--data-dir", sample_store.root)
    assert done.returncode == 4
    assert done.stderr.startswith("error: file/a.npz cannot be written: ")
    assert (tmp_path / "file").read_text() == "precious"


def test_quiet_exports_without_a_word(forecast: Run, sample_store: Store) -> None:
    done = forecast("data", "export", "--to", "npz", "--quiet", "--data-dir", sample_store.root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("rows", "expected"), [(0, 196), (1, 1), (196, 196), (5000, 196)])
def test_candles_are_the_last_so_many(sample_store: Store, rows: int, expected: int) -> None:
    (bars,) = candles(["fb"], rows=rows, data_dir=sample_store.root)
    assert len(bars) == expected
    assert str(bars.dates[-1]) == "2013-03-01"
