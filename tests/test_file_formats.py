"""Files as people have them: each kind that docs/files.md lists is read to the same candles."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecaster.data.bars import Bars
from forecaster.data.sources import SOURCES, Delivery, Order, SourceOptions, parts
from forecaster.errors import DataError, InputError
from tests.conftest import ROOT
from tests.fileformats import DAYS, FORMATS, FRAME, Format, archive, csv, european, kaggle, lines, plain, workbook
from tests.studio import environment

Read = Callable[..., list[Delivery]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a file and read it: `read("X.csv", text)`, with options as `SourceOptions` has them."""

    def run(name: str, content: bytes | str, *tickers: str, **options: object) -> list[Delivery]:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        source = SOURCES["file"](SourceOptions(path=path, **options))  # type: ignore[arg-type]
        return list(source.deliver(Order(tickers, lambda _: None)))

    return run


def same(delivery: Delivery) -> bool:
    """Whether the candles are those of `FRAME`."""
    bars = delivery.bars
    assert isinstance(bars, Bars), delivery.failure
    assert bars.dates.astype(str).tolist() == DAYS.astype(str).tolist()
    names = ("open", "high", "low", "close", "volume")
    return all(np.array_equal(getattr(bars, name), FRAME[name].to_numpy(float)) for name in names)


def failure(deliveries: list[Delivery]) -> str:
    (one,) = deliveries
    assert isinstance(one.failure, DataError), one.bars
    assert "\n" not in str(one.failure)
    return str(one.failure)


@pytest.mark.parametrize("kind", FORMATS)
def test_each_kind_of_file_is_read_to_the_same_candles(read: Read, kind: str) -> None:
    form: Format = FORMATS[kind]
    found = read(form.name, form.make(), **form.options)
    assert tuple(one.ticker for one in found) == form.tickers
    assert all(same(one) for one in found)


@pytest.mark.parametrize("kind", ["feather", "parquet"])
def test_a_column_of_lists_is_passed_over(read: Read, kind: str) -> None:
    buffer = io.BytesIO()
    lists = FRAME.assign(deals=[[1.0, 2.0]] * len(FRAME), quote=[{"bid": 1.0}] * len(FRAME))
    getattr(lists, f"to_{kind}")(buffer)
    (one,) = read(f"X.{kind}", buffer.getvalue())
    assert same(one)


def test_the_table_of_the_docs_lists_what_is_tested_and_nothing_else() -> None:
    text = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    table = text.partition("## What is read")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows == list(FORMATS)


def test_the_python_of_the_docs_runs_in_an_empty_folder(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2013-03-01", "2013-04-11"]


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2013-03-15T00:00:00.000Z", "2013-03-15"),
        ("2013-03-15 00:00:00 UTC", "2013-03-15"),
        ("Fri, 15 Mar 2013", "2013-03-15"),
        ("March 15, 2013", "2013-03-15"),
        ("15-MAR-13", "2013-03-15"),
        ("2013年3月15日", "2013-03-15"),
        ("2013. 3. 15.", "2013-03-15"),
        ("3/15/2013 16:00:00", "2013-03-15"),
        ("3/15/2013 4:00:00 PM", "2013-03-15"),
        ("15.03.2013 00:00:00.000", "2013-03-15"),
        ("03/15/62", "1962-03-15"),
        ("20130315 00:00:00 America/New_York", "2013-03-15"),
        ("41348", "2013-03-15"),
        ("1363305600000000", "2013-03-15"),
        ("-245808000", "1962-03-19"),
    ],
)
def test_dates_of_many_kinds_are_read(read: Read, written: str, date: str) -> None:
    (found,) = read("X.csv", f'Date,Open,High,Low,Close\n"{written}",10,12,9,11\n')
    assert found.bars is not None, found.failure
    assert found.bars.dates.astype(str).tolist() == [date]


def test_two_digits_are_the_year_where_they_change_least(read: Read) -> None:
    for form in ("%d/%m/%y", "%y/%m/%d", "%m/%d/%y"):
        (found,) = read("X.csv", lines("Date,Open,High,Low,Close,Volume", lambda row, form=form: plain(row, form)))
        assert same(found)


AMBIGUOUS = "Date,Open,High,Low,Close\n01/02/2013,10,12,9,11\n03/04/2013,10,12,9,11\n"


def test_dates_that_can_be_read_in_two_ways_are_an_error_that_shows_both(read: Read) -> None:
    assert failure(read("X.csv", AMBIGUOUS)).endswith(
        "X.csv: the dates are ambiguous, '01/02/2013' in row 2 may be 2013-01-02 or 2013-02-01: "
        "set --date-format %m/%d/%Y or --date-format %d/%m/%Y."
    )
    assert "2013-01-02 or 2013-02-01" in failure(read("X.csv", AMBIGUOUS.replace("/", "-")))
    assert "2013-01-02 or 2013-02-01" in failure(read("X.csv", AMBIGUOUS.replace("/20", "/")))


@pytest.mark.parametrize(("form", "first"), [("%d/%m/%Y", "2013-02-01"), ("MM/DD/YYYY", "2013-01-02")])
def test_the_user_says_which_way_dates_are_meant(read: Read, form: str, first: str) -> None:
    (found,) = read("X.csv", AMBIGUOUS, date_format=form)
    assert found.bars is not None
    assert str(found.bars.dates[0]) == first


def test_one_date_decides_for_its_whole_column(read: Read) -> None:
    (found,) = read("X.csv", AMBIGUOUS + "25/04/2013,10,12,9,11\n")
    assert found.bars is not None
    assert found.bars.dates.astype(str).tolist() == ["2013-02-01", "2013-04-03", "2013-04-25"]


def test_nasdaq_s_own_export_is_american_whatever_its_days(read: Read) -> None:
    (found,) = read("X.csv", AMBIGUOUS.replace("Close", "Close/Last"))
    assert found.bars is not None
    assert found.bars.dates.astype(str).tolist() == ["2013-01-02", "2013-03-04"]


def test_a_column_in_an_unknown_format_is_reported_once_with_an_example(read: Read) -> None:
    text = csv().replace("2013-", "MMXIII-")
    assert failure(read("X.csv", text)).endswith(
        "X.csv: unknown date format, such as 'MMXIII-02-25' in row 2: set it, as in --date-format %d/%m/%Y."
    )
    assert "--date-format %d/%m/%Y does not fit the dates, such as '2013-02-25' in row 2" in failure(
        read("X.csv", csv(), date_format="%d/%m/%Y")
    )


def test_a_date_format_without_a_month_is_refused_before_anything_is_read(read: Read) -> None:
    with pytest.raises(
        InputError, match=r"--date-format %Y lacks a year, month or day: expected a format such as %d/%m/%Y"
    ):
        read("X.csv", csv(), date_format="%Y")


OWN = csv().replace("date,open,high,low,close,volume", "When,O,H,Lo,Settle,Pieces")


def test_columns_of_any_name_are_read_once_they_are_said(read: Read) -> None:
    said = {"date": "When", "Open": "O", "high": "h", "low": "Lo", "close": "Settle", "Volume": "Pieces"}
    (found,) = read("X.csv", OWN, columns=said)
    assert same(found)


def test_what_is_said_of_columns_goes_before_what_they_seem_to_be(read: Read) -> None:
    frame = FRAME.assign(close=1.0, last=FRAME["close"])
    (found,) = read("X.csv", frame.to_csv(index=False), columns={"close": "last"})
    assert same(found)


def test_a_column_that_is_not_there_is_refused_with_those_that_are(read: Read) -> None:
    assert failure(read("X.csv", OWN.replace("When", "Date").replace("Lo", "Low"))).endswith(
        "X.csv: no column for open, high, close; found Date, O, H, Low, Settle and 1 more. Rename it, or set it with "
        "--column open=NAME."
    )
    assert failure(read("X.csv", OWN)).endswith("if it is one, name its columns with --column date=NAME etc.")
    assert "no column 'Wen' (--column date=Wen); found date, open, high, low, close" in failure(
        read("X.csv", csv(), columns={"date": "Wen"})
    )
    with pytest.raises(InputError, match=r"Unknown column 'clse'. Did you mean 'close'\?"):
        read("X.csv", csv(), columns={"clse": "Close"})


@pytest.mark.parametrize(
    "column", ["Name", "tic", "instrument", "ts_code", "code", "asset", "Symbol", "unique_id", "股票代码"]
)
def test_a_ticker_column_of_another_name_is_known(read: Read, column: str) -> None:
    found = read("all.csv", kaggle(column))
    assert [one.ticker for one in found] == ["AAA", "BBB"]
    assert all(same(one) for one in found)


def two(column: str) -> str:
    """Two tickers with prices of their own."""
    other = FRAME.assign(**{name: FRAME[name] / 5 for name in ("open", "high", "low", "close")})
    return pd.concat([FRAME.assign(**{column: "AAA"}), other.assign(**{column: "BBB"})]).to_csv(index=False)


def test_a_ticker_column_of_an_unknown_name_is_named_and_no_row_is_to_be_removed(read: Read) -> None:
    text = failure(read("all.csv", two("Scrip Id")))
    assert "2013-02-25 appears 2 times, each with a different Scrip Id ('AAA', 'BBB')" in text
    assert text.endswith("if Scrip Id has the tickers, add --column ticker='Scrip Id'.")
    found = read("all.csv", two("Scrip Id"), columns={"ticker": "Scrip Id"})
    assert [one.ticker for one in found] == ["AAA", "BBB"]
    assert same(found[0])
    assert not same(found[1])


def test_tickers_that_no_column_tells_apart_are_not_called_two_rows_to_choose_from(read: Read) -> None:
    text = failure(read("all.csv", two("x").replace(",AAA", "").replace(",BBB", "").replace(",x", "")))
    assert "as do 19 more days: are there several tickers?" in text
    assert "remove" not in text


def test_a_company_s_name_is_no_ticker(read: Read) -> None:
    (found,) = read("KO.csv", FRAME.assign(Name="The Coca-Cola Company").to_csv(index=False))
    assert found.ticker == "KO"
    frame = pd.concat([FRAME.assign(Symbol=name, Name=f"{name} Inc") for name in ("AAA", "BBB")])
    assert [one.ticker for one in read("all.csv", frame.to_csv(index=False))] == ["AAA", "BBB"]


def test_pairs_of_currencies_are_tickers(read: Read) -> None:
    (found,) = read("all.csv", FRAME.assign(symbol="BTC/USDT").to_csv(index=False))
    assert found.ticker == "BTC-USDT"


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (('"1,250.25"', '"1,251.00"', '"1,249.00"', '"1,250.50"'), 1250.5),
        (('"1.250,25"', '"1.251,00"', '"1.249,00"', '"1.250,50"'), 1250.5),
        (('"12,50,250.25"', '"12,51,000.00"', '"12,49,000.00"', '"12,50,500.50"'), 1250500.5),
        (("1'250.25", "1'251.00", "1'249.00", "1'250.50"), 1250.5),
        (("€1250.25", "€1251.00", "€1249.00", "1250.50 €"), 1250.5),
        (('"12,502"', '"12,510"', '"12,490"', '"12,505"'), 12505.0),
        (('"1,2502"', '"1,2510"', '"1,2490"', '"1,2505"'), 1.2505),
        (("1250.25", "1251", "1.249e3", "1250.50"), 1250.5),
    ],
)
def test_numbers_are_read_by_the_decimal_mark_that_the_file_shows(
    read: Read, prices: tuple[str, ...], expected: float
) -> None:
    rows = "".join(f"2013-03-{day},{','.join(prices)}\n" for day in (14, 15, 18))
    (found,) = read("X.csv", f"Date,Open,High,Low,Close\n{rows}")
    assert found.bars is not None, found.failure
    assert found.bars.close.tolist() == [expected] * 3


def test_three_digits_behind_a_comma_are_decimals_where_semicolons_part_the_cells(read: Read) -> None:
    (found,) = read("X.csv", "Date;Open;High;Low;Close\n2013-03-14;1,250;1,251;1,249;1,250\n")
    assert found.bars is not None
    assert found.bars.close.tolist() == [1.25]


@pytest.mark.parametrize(
    ("written", "volume"), [("1.23M", 1.23e6), ("2K", 2e3), ("1.5B", 1.5e9), ("-", 0), ("3万", 3e4)]
)
def test_volumes_in_thousands_and_millions_are_read(read: Read, written: str, volume: float) -> None:
    (found,) = read("X.csv", f"Date,Price,Open,High,Low,Vol.\n2013-03-15,11,10,12,9,{written}\n")
    assert found.bars is not None, found.failure
    assert found.bars.volume.tolist() == [volume]


@pytest.mark.parametrize(("written", "ratio"), [("2:1", 2), ("1:20", 0.05), ("3 for 2", 1.5), ("0", 1), ("", 1)])
def test_splits_in_words_are_read(read: Read, written: str, ratio: float) -> None:
    (found,) = read("X.csv", f"Date,Open,High,Low,Close,Stock Splits\n2013-03-15,11,12,9,11,{written}\n")
    assert found.bars is not None, found.failure
    assert found.bars.split.tolist() == [ratio]


def test_a_header_in_the_middle_and_remarks_around_are_no_candles(read: Read) -> None:
    half = csv().splitlines()
    joined = "\n".join([*half[:11], half[0], *half[11:], "", "Source: nobody", "Total,,,,,"])
    (found,) = read("X.csv", "Prices of X\n\n" + joined + "\n")
    assert same(found)
    assert found.notes[0] == "row 26 is not a candle and was skipped and 1 more: 'Source: nobody'"


@pytest.mark.parametrize("mark", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_excel_s_line_on_the_separator_is_obeyed(read: Read, mark: str) -> None:
    (found,) = read("X.csv", mark + "\r\n" + european("Date;Open;High;Low;Close;Volume"))
    assert same(found)


def test_a_text_without_any_header_is_refused_with_its_first_line(read: Read) -> None:
    assert failure(read("X.csv", "hello\nworld\n")).endswith(
        "X.csv: line 1 is 'hello', expected a header row with a date and four prices, such as "
        "Date,Open,High,Low,Close,Volume; if it is one, name its columns with --column date=NAME etc."
    )
    seven = lines("", lambda row: plain(row) + ",3")
    assert "line 1 is '2013-02-25,1247.75,1255.50,1242.25,1250.00,1230000,3'" in failure(read("X.csv", seven))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "cp1252", "shift_jis", "cp949"])
def test_encodings_are_found_out(read: Read, encoding: str) -> None:
    headers = {
        "gb18030": "日期,开盘,最高,最低,收盘,成交量",
        "shift_jis": "日付,始値,高値,安値,終値,出来高",
        "cp949": "날짜,시가,고가,저가,종가,거래량",
    }
    header = headers.get(encoding, "Datum,Eröffnung,Hoch,Tief,Schluß,Stück")
    (found,) = read("X.csv", csv().replace("date,open,high,low,close,volume", header).encode(encoding))
    assert same(found)


# Archives and workbooks.


def bomb(size: int) -> bytes:
    """A small archive of a file of so many zeros."""
    return archive({"X.csv": b"0" * size})


def test_an_archive_that_unpacks_to_far_more_is_refused_before_it_is_unpacked(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacked(*_: object, **__: object) -> bytes:
        raise AssertionError("it was unpacked")

    content = bomb(100 << 20)
    monkeypatch.setattr(zipfile.ZipFile, "open", unpacked)
    text = failure(read("X.zip", content))
    assert re.search(r"X\.zip unpacks from [\d,]+ to 104,857,600 bytes, expected at most", text)
    assert "unpack it and use the files" in text


def test_a_workbook_and_a_gzipped_text_are_limited_alike(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    assert "unpacks from" in failure(read("X.xlsx", bomb(100 << 20)))
    monkeypatch.setattr(parts, "MOST_BYTES", 1 << 20)
    assert "unpacks to more than 1,048,576 bytes" in failure(read("X.csv.gz", gzip.compress(csv().encode() * 2000)))
    assert "expected at most 1,048,576" in failure(read("Y.zip", archive({"Y.csv": csv() * 2000})))


def test_an_archive_in_an_archive_is_not_opened(read: Read) -> None:
    assert "contains no .csv" in failure(read("X.zip", archive({"inner.zip": archive({"X.csv": csv()})})))


def test_members_that_climb_out_of_the_archive_write_nothing(read: Read, tmp_path: Path) -> None:
    (found,) = read("pack.zip", archive({"../../AAA.csv": csv()}))
    assert found.ticker == "AAA"
    assert same(found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pack.zip"]


def test_damaged_archives_are_refused_in_one_line(read: Read) -> None:
    good = archive({"X.csv": csv()})
    assert "Is it complete and in the right format?" in failure(read("X.zip", good[:-30]))
    assert "Is it complete and in the right format?" in failure(read("X.zip", b"no archive"))
    spoilt = bytearray(good)
    spoilt[60:90] = bytes(30)
    assert "cannot be read" in failure(read("X.zip", bytes(spoilt)))


def test_one_ticker_names_the_one_file_of_an_archive(read: Read) -> None:
    (found,) = read("pack.zip", archive({"some prices.csv": csv()}), "AAPL")
    assert found.ticker == "AAPL"
    assert same(found)


def test_a_workbook_with_two_sheets_of_candles_is_refused_by_their_names(read: Read) -> None:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        for name in ("AAA", "BBB"):
            FRAME.to_excel(writer, sheet_name=name, index=False)
    assert "2 sheets contain candles (AAA, BBB): save each as a separate file" in failure(
        read("X.xlsx", buffer.getvalue())
    )


def test_a_workbook_without_candles_is_refused_by_its_sheets(read: Read) -> None:
    buffer = io.BytesIO()
    pd.DataFrame({"a": [1]}).to_excel(buffer, sheet_name="Mine", index=False)
    assert "no sheet ('Mine') has a header row with a date and four prices" in failure(
        read("X.xlsx", buffer.getvalue())
    )


def test_without_openpyxl_a_workbook_says_how_to_get_it(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook()
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (found,) = read("X.xlsx", content)
    assert "X.xlsx requires openpyxl: pip install 'stock-forecaster[xlsx]', or save it as CSV" in str(found.failure)


def test_tickers_one_after_the_other_under_an_unknown_name_are_noticed(read: Read) -> None:
    later = FRAME.assign(date=FRAME["date"] + pd.Timedelta(days=700))
    text = pd.concat([FRAME.assign(Scrip="AAA"), later.assign(Scrip="BBB")]).to_csv(index=False)
    (found,) = read("all.csv", text)
    assert found.notes[0] == (
        "the column Scrip is not used and has 2 values, in consecutive blocks ('AAA', 'BBB'): if it has the "
        "tickers, add --column ticker=Scrip"
    )
    assert [one.ticker for one in read("all.csv", text, columns={"ticker": "Scrip"})] == ["AAA", "BBB"]
    months = FRAME.assign(weekday=FRAME["date"].dt.day_name(), signal="hold")
    assert read("X.csv", months.to_csv(index=False))[0].notes == (
        "no adjusted close: splits and dividends will look like price moves",
    )


def test_units_in_the_names_of_columns_are_passed_over(read: Read) -> None:
    names = "Date,Open (USD),High (USD),Low (USD),Close (USD),Volume_(BTC)"
    (found,) = read("X.csv", csv().replace("date,open,high,low,close,volume", names))
    assert same(found)


def test_an_hour_in_a_column_of_its_own_is_no_ticker(read: Read) -> None:
    table = pd.concat([FRAME.assign(Hour=hour, close=FRAME["close"] + hour / 10) for hour in range(9, 13)])
    assert "up to 4 candles per day (first 2013-02-25 09:00 and 10:00)" in failure(
        read("X.csv", table.to_csv(index=False))
    )
