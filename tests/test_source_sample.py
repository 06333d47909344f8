from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from forecaster.data.bars import Bars
from forecaster.data.sources import SOURCES, Order, SourceOptions
from forecaster.places import shipped

EXTENTS = {
    "AAPL": (3270, "2000-03-01", "2013-03-01"),
    "FB": (196, "2012-05-18", "2013-03-01"),
    "GOOG": (2148, "2004-08-19", "2013-03-01"),
    "IBM": (3270, "2000-03-01", "2013-03-01"),
    "MSFT": (3270, "2000-03-01", "2013-03-01"),
}


def test_the_sample_holds_five_real_stocks(real_bars: dict[str, Bars]) -> None:
    found = {name: (len(one), str(one.dates[0]), str(one.dates[-1])) for name, one in real_bars.items()}
    assert found == EXTENTS
    assert {(one.currency, one.calendar, one.timezone) for one in real_bars.values()} == {
        ("USD", "XNYS", "America/New_York")
    }


def test_the_sample_needs_no_repair() -> None:
    for delivery in SOURCES["sample"](SourceOptions()).deliver(Order((), lambda _: None)):
        assert delivery.notes == ()
        assert delivery.failure is None


def test_the_sample_brings_only_what_is_asked_for_and_names_what_it_lacks() -> None:
    found = list(SOURCES["sample"](SourceOptions()).deliver(Order(("MSFT", "APPL"), lambda _: None)))
    assert [one.ticker for one in found] == ["MSFT", "APPL"]
    assert found[0].bars is not None
    assert "Did you mean 'AAPL'?" in str(found[1].failure)


def test_the_sample_ignores_a_currency_that_is_not_its_own() -> None:
    options = SourceOptions(currency="EUR", calendar="XFRA")
    (found,) = SOURCES["sample"](options).deliver(Order(("FB",), lambda _: None))
    assert found.bars is not None
    assert (found.bars.currency, found.bars.calendar) == ("USD", "XNYS")


def test_a_split_moves_the_raw_close_and_not_the_adjusted_one(real_bars: dict[str, Bars]) -> None:
    apple = real_bars["AAPL"]
    at = int(np.searchsorted(apple.dates, np.datetime64("2005-02-28")))  # 2 for 1
    assert apple.close[at] / apple.close[at - 1] < 0.55
    assert 0.9 < apple.adj_close[at] / apple.adj_close[at - 1] < 1.1


def test_the_readme_tells_source_licence_and_extents() -> None:
    text = (shipped("sample") / "README.md").read_text(encoding="utf-8")
    for word in ("bokeh-sampledata", "public domain", "build.py", "adj_close", "GOOGL"):
        assert word in text
    for ticker, (rows, first, last) in EXTENTS.items():
        assert f"| {ticker} | {rows} | {first} | {last} |" in text


def test_the_shipped_file_is_what_the_build_script_makes(tmp_path: Path) -> None:
    pytest.importorskip("bokeh_sampledata", reason="pip install .[sample]")
    script = shipped("sample") / "build.py"
    if not script.is_file():
        pytest.skip("an installed package ships without the script")
    target = tmp_path / "wiki-prices.parquet"
    subprocess.run([sys.executable, str(script), str(target)], check=True)
    assert pq.read_table(target).equals(pq.read_table(shipped("sample") / "wiki-prices.parquet"))
