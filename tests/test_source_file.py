from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecaster.data.bars import Bars
from forecaster.data.sources import SOURCES, Delivery, Order, SourceOptions
from forecaster.errors import DataError, InputError, OutsideError

ROWS = [
    ("2020-01-02", 10, 12, 9, 11, 5.5, 100),
    ("2020-01-03", 11, 13, 10, 12, 6, 200),
    ("2020-01-06", 12, 14, 11, 13, 6.5, 300),
]
FRAME = pd.DataFrame(ROWS, columns=["Date", "Open", "High", "Low", "Close", "Adj Close", "Volume"])
NAMES = ("open", "high", "low", "close", "adj_close", "volume")

YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume\n" + "".join(",".join(map(str, row)) + "\n" for row in ROWS)
STOOQ = "Date,Open,High,Low,Close,Volume\n" + "".join(f"{d},{o},{h},{lo},{c},{v}\n" for d, o, h, lo, c, _, v in ROWS)
BULK = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n" + "".join(
    f"KO.US,D,{d.replace('-', '')},000000,{o},{h},{lo},{c},{v},0\n" for d, o, h, lo, c, _, v in ROWS
)
ALPHA = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n" + "".join(
    f"{d},{o},{h},{lo},{c},{a},{v},0.0000,1.0\n" for d, o, h, lo, c, a, v in reversed(ROWS)
)
ALPHA_NUMBERED = ALPHA.replace("open,high,low,close,adj", "1. open,2. high,3. low,4. close,5. adj", 1)
YFINANCE = "Price,Adj Close,Close,High,Low,Open,Volume\nTicker,KO,KO,KO,KO,KO,KO\nDate,,,,,,\n" + "".join(
    f"{d},{a},{c},{h},{lo},{o},{v}\n" for d, o, h, lo, c, a, v in ROWS
)
AWARE = YAHOO.replace("-02,", "-02 00:00:00-05:00,").replace("-03,", "-03T00:00:00-05:00,")
GERMAN = "Date;Open;High;Low;Close;Volume\n" + "".join(
    f"{d[8:]}.{d[5:7]}.{d[:4]};{o},0;{h},00;{lo};{c},0;{v}\n" for d, o, h, lo, c, _, v in ROWS
)


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[..., list[Delivery]]:
    """Put texts, bytes or frames into files of a folder and read the folder, or the file if there is one."""

    def run(files: dict[str, object], *tickers: str, **order: object) -> list[Delivery]:
        for name, content in files.items():
            if isinstance(content, pd.DataFrame):
                content.to_parquet(tmp_path / name)
            else:
                (tmp_path / name).write_bytes(content if isinstance(content, bytes) else str(content).encode())
        path = tmp_path / next(iter(files)) if len(files) == 1 else tmp_path
        source = SOURCES["file"](SourceOptions(path=path))
        return list(source.deliver(Order(tickers, lambda _: None, **order)))  # type: ignore[arg-type]

    return run


Deliver = Callable[..., list[Delivery]]


def check(delivery: Delivery, ticker: str, adjusted: bool = True) -> None:
    """The three rows as they stand in ROWS."""
    bars = delivery.bars
    assert isinstance(bars, Bars), delivery.failure
    assert delivery.ticker == bars.ticker == ticker
    expected = FRAME if adjusted else FRAME.assign(**{"Adj Close": FRAME["Close"]})
    assert bars.dates.astype(str).tolist() == expected["Date"].tolist()
    for at, name in enumerate(NAMES, start=1):
        np.testing.assert_array_equal(getattr(bars, name), expected.iloc[:, at].to_numpy(float), name)


@pytest.mark.parametrize(
    ("name", "content", "ticker", "adjusted"),
    [
        ("KO.csv", YAHOO, "KO", True),
        ("ko.csv", YAHOO.upper(), "KO", True),
        ("ko.CSV", YAHOO.lower(), "KO", True),
        ("KO.txt", YAHOO.replace(",", "\t"), "KO", True),
        ("KO.csv", YAHOO.replace("\n", "\r\n"), "KO", True),
        ("KO.csv", "\n\n" + YAHOO + "\n,,,,,,\n\n", "KO", True),
        ("KO.csv", b"\xef\xbb\xbf" + YAHOO.encode(), "KO", True),
        ("KO.csv", YAHOO.replace("\n2", ",\n2"), "KO", True),
        ("KO.csv", YAHOO.replace(",", ", "), "KO", True),
        ("KO.csv", YAHOO.replace("Volume", "Volume,Größe").replace("00\n", "00,1\n").encode("latin-1"), "KO", True),
        ("KO.csv", YAHOO.encode("utf-16"), "KO", True),
        ("KO.csv", YAHOO.replace("Close,Adj Close", "Close*,Adj. Close**"), "KO", True),
        ("KO.csv", YAHOO.replace("Date,", ","), "KO", True),
        ("KO.csv.gz", gzip.compress(YAHOO.encode(), mtime=0), "KO", True),
        ("BRK-B.csv", YAHOO, "BRK-B", True),
        ("%5EGSPC.csv".replace("%5E", "^"), YAHOO, "^GSPC", True),
        ("ko.us.txt", STOOQ, "KO.US", False),
        ("data.txt", BULK, "KO.US", False),
        ("KO.csv", ALPHA, "KO", True),
        ("KO.csv", ALPHA_NUMBERED, "KO", True),
        ("all.csv", YFINANCE, "KO", True),
        ("KO.csv", AWARE, "KO", True),
        ("KO.csv", GERMAN, "KO", False),
        ("KO.csv", STOOQ.replace(",", ";"), "KO", False),
    ],
)
def test_the_spellings_of_the_world_are_read(
    deliver: Deliver, name: str, content: object, ticker: str, adjusted: bool
) -> None:
    (found,) = deliver({name: content})
    check(found, ticker, adjusted)


DATED = FRAME.assign(Date=pd.to_datetime(FRAME["Date"]))


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        DATED,
        DATED.set_index("Date"),
        DATED.set_index("Date").rename_axis(None),
        DATED.set_index("Date").tz_localize("Asia/Tokyo"),
        DATED.assign(Date=DATED["Date"].dt.date),
        DATED.assign(Date=DATED["Date"].dt.strftime("%Y%m%d").astype(int)),
        DATED.rename(columns=str.lower).rename(columns={"adj close": "adj_close"}),
        DATED.convert_dtypes(),
        DATED.iloc[::-1],
    ],
    ids=["text", "dates", "index", "nameless index", "zone", "days", "numbers", "lower", "nullable", "backwards"],
)
def test_parquet_of_pandas_is_read(deliver: Deliver, frame: pd.DataFrame) -> None:
    (found,) = deliver({"KO.parquet": frame})
    check(found, "KO")


def test_a_long_table_holds_many_tickers(deliver: Deliver) -> None:
    long = pd.concat([FRAME.assign(Symbol="ko"), FRAME.assign(Symbol="PEP")])
    for found in (deliver({"all.csv": long.to_csv(index=False)}), deliver({"all.parquet": long})):
        assert len(found) == 2
        check(found[0], "KO")
        check(found[1], "PEP")


@pytest.mark.parametrize("ticker", ["NA", "NAN", "NULL", "TRUE", "0700", "LOW", "INF"])
def test_symbols_that_look_like_something_else_stay_symbols(deliver: Deliver, ticker: str) -> None:
    (found,) = deliver({"all.csv": FRAME.assign(Ticker=ticker).to_csv(index=False)})
    check(found, ticker)


@pytest.mark.parametrize("by_ticker", [False, True])
@pytest.mark.parametrize("name", ["all.csv", "all.parquet"])
def test_the_wide_table_of_yfinance_becomes_long(deliver: Deliver, name: str, by_ticker: bool) -> None:
    prices = DATED.set_index("Date")
    wide = pd.concat({"LOW": prices, "KO": prices}, axis=1, names=["Ticker", "Price"])
    wide = wide if by_ticker else wide.swaplevel(axis=1).sort_index(axis=1)
    found = deliver({name: wide.to_csv() if name.endswith("csv") else wide})
    assert {one.ticker for one in found} == {"LOW", "KO"}
    for one in found:
        check(one, one.ticker)


def test_a_folder_gives_a_ticker_a_file_and_passes_over_the_rest(deliver: Deliver) -> None:
    found = deliver({"KO.csv": YAHOO, "pep.parquet": FRAME, "notes.md": "hello", ".hidden.csv": "x"})
    assert [one.ticker for one in found] == ["KO", "PEP"]
    check(found[1], "PEP")


def test_only_what_was_asked_for_is_delivered_and_what_is_missing_is_named(deliver: Deliver) -> None:
    found = deliver({"KO.csv": YAHOO, "PEP.csv": YAHOO, "broken.csv": ""}, "PEP")
    assert [one.ticker for one in found] == ["PEP"]
    found = deliver({"KO.csv": YAHOO, "PEP.csv": YAHOO}, "PEPP", "KO")
    assert {one.ticker for one in found} == {"KO", "PEPP", "BROKEN"}
    (missing,) = [one.failure for one in found if one.ticker == "PEPP"]
    assert isinstance(missing, OutsideError)
    assert "PEPP is not in" in str(missing)
    assert "Did you mean 'PEP'?" in str(missing)


def test_one_ticker_names_one_file_whatever_its_name(deliver: Deliver) -> None:
    (found,) = deliver({"my prices (1).csv": YAHOO}, "KO")
    check(found, "KO")


def test_a_file_whose_name_is_no_symbol_says_how_to_name_it(deliver: Deliver) -> None:
    (found,) = deliver({"my prices (1).csv": YAHOO})
    assert "is not a ticker symbol" in str(found.failure)
    assert "give one TICKER with one file" in str(found.failure)


def test_a_ticker_in_two_files_is_taken_once_and_the_second_refused(deliver: Deliver) -> None:
    found = deliver({"KO.csv": YAHOO, "KO.parquet": FRAME})
    check(found[0], "KO")
    assert isinstance(found[1].failure, DataError)
    assert "KO is also in" in str(found[1].failure)


def test_dates_are_cut_to_what_was_asked(deliver: Deliver) -> None:
    (found,) = deliver({"KO.csv": YAHOO}, start=np.datetime64("2020-01-03"), end=np.datetime64("2020-01-03"))
    assert found.bars is not None
    assert found.bars.dates.astype(str).tolist() == ["2020-01-03"]
    (found,) = deliver({"KO.csv": YAHOO}, start=np.datetime64("2021-01-01"))
    assert "KO: no rows between 2021-01-01 and the end, it has 2020-01-02 to 2020-01-06" in str(found.failure)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("KO.csv", YAHOO.replace("10,12", "ten,12"), "KO: open in row 2 is 'ten', expected a number such as 1234.5"),
        ("KO.csv", YAHOO.replace("2020-01-03", "2020-02-30"), "KO: date in row 3 is '2020-02-30', expected YYYY-MM-DD"),
        ("KO.csv", YAHOO.replace("2020-01-03", "01/03/2020"), "KO: date in row 3 is '01/03/2020', expected YYYY-MM-DD"),
        ("KO.csv", YAHOO.replace("2020-01-03", ""), "KO: date in row 3 is empty, expected YYYY-MM-DD"),
        (
            "KO.csv",
            YAHOO.replace("Close,Adj", "Settle,Adj"),
            "no column for close; found Date, Open, High, Low, Settle",
        ),
        ("KO.csv", YAHOO.replace("Volume", "Close"), "two columns are both Close: remove one"),
        ("KO.csv", YAHOO.replace("Volume", "adjusted close"), "two columns are both adj_close: remove one"),
        ("KO.csv", YAHOO.replace(",100\n", ",100,7\n"), "row 2 has more fields than the header"),
        ("KO.csv", YAHOO.replace(",100\n", ",100,7,8\n"), "a row has more fields than the header"),
        ("KO.csv", YAHOO.replace("10,12", '"10,5",12'), "open in row 2 is '10,5', expected a number such as 1234.5"),
        ("KO.csv", GERMAN.replace("10,0", "10.0"), "open in row 2 is '10.0', expected a number"),
        ("KO.csv", "", "is empty, expected a CSV with a header row such as Date,Open"),
        ("KO.csv", "\n\n\n", "is empty, expected a CSV with a header row"),
        ("KO.csv", YAHOO.splitlines()[0], "it has a header but no rows, expected one per day"),
        ("KO.csv", b"\x00\x01" * 500, "is not text, expected a CSV"),
        ("KO.csv", b"\x89PNG\r\n\x1a\n" * 20, "is not text, expected a CSV"),
        ("KO.csv.gz", YAHOO, "Is it complete and in the right format?"),
        ("KO.csv.gz", gzip.compress(YAHOO.encode(), mtime=0)[:-20], "Is it complete and in the right format?"),
        ("KO.parquet", b"PAR1 but not really", "Is it complete and in the right format?"),
        ("KO.parquet", b"", "Is it complete and in the right format?"),
        ("all.csv", FRAME.assign(Ticker=["KO", "", "KO"]).to_csv(index=False), "the ticker in row 3 is missing"),
        ("all.parquet", FRAME.assign(Ticker=["KO", None, "KO"]), "the ticker in row 2 is missing"),
        ("KO.parquet", DATED.assign(Date=[pd.NaT, *DATED["Date"][1:]]), "date in row 1 is empty"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_file_place_and_value(
    deliver: Deliver, name: str, content: object, complaint: str
) -> None:
    (found,) = deliver({name: content})
    assert found.bars is None
    assert isinstance(found.failure, DataError)
    assert complaint in str(found.failure)
    assert name in str(found.failure)
    assert "\n" not in str(found.failure)


def test_one_bad_ticker_of_a_long_table_spares_the_others(deliver: Deliver) -> None:
    long = pd.concat([FRAME.assign(Ticker="KO"), FRAME.assign(Ticker="BAD", Low=100), FRAME.assign(Ticker="B D")])
    found = {one.ticker: one for one in deliver({"all.csv": long.to_csv(index=False)})}
    check(found["KO"], "KO")
    assert found["BAD"].failure is not None
    assert found["B D"].failure is not None


def test_a_path_that_cannot_be_served_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.pdf").write_text("")
    for path, complaint in (
        (None, "--source file needs --path"),
        (tmp_path / "nix.csv", "does not exist"),
        (tmp_path / "empty", "contains no .csv"),
        (tmp_path / "a.pdf", "expected a file that ends with .csv"),
    ):
        with pytest.raises(InputError, match=complaint):
            SOURCES["file"](SourceOptions(path=path))


def test_an_unknown_calendar_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "KO.csv").write_text(YAHOO)
    with pytest.raises(InputError, match=r"Unknown calendar 'XNYX'. Did you mean 'XNYS'"):
        SOURCES["file"](SourceOptions(path=tmp_path / "KO.csv", calendar="XNYX"))


def test_currency_calendar_and_zone_are_as_said(tmp_path: Path) -> None:
    (tmp_path / "SAP.csv").write_text(YAHOO)
    options = SourceOptions(path=tmp_path, currency="EUR", calendar="XFRA")
    (found,) = SOURCES["file"](options).deliver(Order((), lambda _: None))
    assert found.bars is not None
    assert (found.bars.currency, found.bars.calendar, found.bars.timezone) == ("EUR", "XFRA", "Europe/Berlin")
