"""The same few candles as many programs and vendors write them, for the tests of files."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

DAYS = np.busday_offset("2013-02-25", np.arange(20), roll="forward")
CLOSE = np.round(1250 + 15 * np.sin(np.arange(20)), 2)
FRAME = pd.DataFrame(
    {
        "date": DAYS,
        "open": np.round(CLOSE - 2.25, 2),
        "high": np.round(CLOSE + 5.5, 2),
        "low": np.round(CLOSE - 7.75, 2),
        "close": CLOSE,
        "volume": 1_230_000.0 + 10_000 * np.arange(20),
    }
)
"""Twenty sessions whose prices have thousands and two digits, and whose days show which number is the month."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """A file as somebody writes it.

    Args:
        make: the file's content from nothing.
        tickers: what is found in it; none stands for the file's name.
        options: of `SourceOptions`, where it needs some.
    """

    name: str
    make: Callable[[], bytes | str]
    tickers: tuple[str, ...] = ("X",)
    options: dict[str, Any] = field(default_factory=dict)


def rows() -> list[Row]:
    return [{**row, "date": pd.Timestamp(row["date"]).date()} for row in FRAME.to_dict("records")]


def lines(header: str, line: Callable[[Row], str], newest_first: bool = False) -> str:
    body = [line(row) for row in rows()]
    body = body[::-1] if newest_first else body
    return "\n".join([*([header] if header else []), *body]) + "\n"


def seconds(day: dt.date, hour: int = 0, minute: int = 0) -> int:
    return int(dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=dt.UTC).timestamp())


def millions(volume: float) -> str:
    return f"{volume / 1e6:.2f}M"


def comma(price: float) -> str:
    """1250.25 → 1.250,25"""
    return f"{price:,.2f}".translate(str.maketrans(",.", ".,"))


def plain(row: Row, form: str = "%Y-%m-%d", volume: str = "{:.0f}") -> str:
    prices = ",".join(f"{row[name]:.2f}" for name in ("open", "high", "low", "close"))
    return f"{row['date']:{form}},{prices},{volume.format(row['volume'])}"


def investing() -> str:
    def line(row: Row) -> str:
        cells = [f"{row['date']:%b %d, %Y}", *(f"{row[name]:,.2f}" for name in ("close", "open", "high", "low"))]
        return ",".join(f'"{cell}"' for cell in (*cells, millions(row["volume"]), "-0.12%"))

    return "\ufeff" + lines('"Date","Price","Open","High","Low","Vol.","Change %"', line, newest_first=True)


def investing_german() -> str:
    def line(row: Row) -> str:
        cells = [f"{row['date']:%d.%m.%Y}", *(comma(row[name]) for name in ("close", "open", "high", "low"))]
        return ",".join(f'"{cell}"' for cell in (*cells, millions(row["volume"]).replace(".", ","), "-0,12%"))

    return "\ufeff" + lines('"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"', line, newest_first=True)


def tradingview() -> str:
    def line(row: Row) -> str:
        hour = 13 if row["date"] >= dt.date(2013, 3, 11) else 14  # 9:30 in New York; summer time from 10 March on
        return f"{seconds(row['date'], hour, 30)},{plain(row).partition(',')[2]},NaN,1250.5"

    return lines("time,open,high,low,close,Volume,Volume MA,Plot", line)


def binance(row: Row) -> str:
    begin = seconds(row["date"]) * 1000
    return f"{begin},{plain(row).partition(',')[2]},{begin + 86_399_999},15000.5,321,600.25,7500.25,0"


BINANCE = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


def nasdaq(row: Row) -> str:
    prices = ",".join(f"${row[name]:.2f}" for name in ("open", "high", "low"))
    return f"{row['date']:%m/%d/%Y},${row['close']:.2f},{row['volume']:.0f},{prices}"


def nse(row: Row) -> str:
    cells = [f"{row['date']:%d-%b-%Y}", "EQ", *(f"{row[name]:,.2f}" for name in ("open", "high", "low"))]
    cells += ["1,249.00", f"{row['close'] + 1:,.2f}", f"{row['close']:,.2f}", "1,250.10", f"{row['volume']:,.0f}", "99"]
    return ",".join(f'"{cell}"' for cell in cells)


def metatrader(row: Row, clock: bool = False) -> str:
    day = f"{row['date']:%Y.%m.%d}" + ("\t00:00:00" if clock else "")
    prices = "\t".join(f"{row[name]:.2f}" for name in ("open", "high", "low", "close"))
    return f"{day}\t{prices}\t4321\t{row['volume']:.0f}\t2"


def tushare() -> str:
    frame = FRAME.iloc[::-1].reset_index(drop=True)
    frame.insert(0, "ts_code", "600519.SH")
    frame = frame.rename(columns={"volume": "vol"}).assign(pre_close=1250.0, pct_chg=0.1, amount=99.5)
    frame["trade_date"] = frame.pop("date").dt.strftime("%Y%m%d")
    return frame.to_csv()


def akshare(encoding: str) -> bytes:
    frame = FRAME.assign(day=FRAME["date"].dt.strftime("%Y-%m-%d"), code="600519", amount=1e9, turn=0.12)
    frame = frame[["day", "code", "open", "close", "high", "low", "volume", "amount", "turn"]]
    frame.columns = pd.Index(["日期", "股票代码", "开盘", "收盘", "最高", "最低", "成交量", "成交额", "换手率"])
    return frame.to_csv().encode(encoding)


def kaggle(column: str) -> str:
    frame = pd.concat([FRAME.assign(name="AAA"), FRAME.assign(name="BBB")])
    return frame.rename(columns={"name": column}).to_csv(index=False)


def finrl() -> str:
    frame = pd.concat([FRAME.assign(tic="AAA"), FRAME.assign(tic="BBB")])
    return frame.assign(day=frame["date"].dt.day_of_week).to_csv()


def european(header: str) -> str:
    def line(row: Row) -> str:
        prices = ";".join(comma(row[name]) for name in ("open", "high", "low", "close"))
        return f"{row['date']:%d.%m.%Y};{prices};" + f"{row['volume']:,.0f}".replace(",", ".")

    return lines(header, line)


def excel_csv() -> str:
    return "sep=;\r\n" + european("Date;Open;High;Low;Close;Volume").replace("\n", "\r\n")


def workbook(above: int = 0) -> bytes:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        FRAME.to_excel(writer, sheet_name="Prices", index=False, startrow=above)
        pd.DataFrame({"about": ["exported by nobody"]}).to_excel(writer, sheet_name="Notes", index=False)
    return buffer.getvalue()


def archive(members: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def feather() -> bytes:
    buffer = io.BytesIO()
    FRAME.to_feather(buffer)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    FRAME.set_index("date").tz_localize("UTC").to_parquet(buffer)
    return buffer.getvalue()


def csv() -> str:
    return FRAME.to_csv(index=False)


CRYPTO = {"calendar": "24/5", "currency": "USDT"}

FORMATS: dict[str, Format] = {
    "CSV with a header": Format("X.csv", csv),
    "Yahoo Finance": Format(
        "X.csv",
        lambda: lines(
            "Date,Open,High,Low,Close,Adj Close,Volume", lambda row: plain(row, volume=f"{row['close']:.2f},{{:.0f}}")
        ),
    ),
    "Stooq": Format(
        "x.txt",
        lambda: lines(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            lambda row: f"X,D,{plain(row, '%Y%m%d,000000')},0",
        ),
    ),
    "Alpha Vantage": Format(
        "X.csv", lambda: lines("timestamp,1. open,2. high,3. low,4. close,6. volume", plain, newest_first=True)
    ),
    "Investing.com": Format("X.csv", investing),
    "Investing.com, European": Format("X.csv", investing_german),
    "TradingView": Format("X.csv", tradingview),
    "Binance": Format("X.csv", lambda: lines("", binance), options=CRYPTO),
    "Binance with a header": Format("X.csv", lambda: lines(BINANCE, binance), options=CRYPTO),
    "ccxt": Format(
        "X.csv",
        lambda: lines(
            "timestamp,open,high,low,close,volume",
            lambda row: f"{seconds(row['date'])}000,{plain(row).partition(',')[2]}",
        ),
        options=CRYPTO,
    ),
    "ccxt without a header": Format(
        "X.csv",
        lambda: lines("", lambda row: f"{seconds(row['date'])}000,{plain(row).partition(',')[2]}"),
        options=CRYPTO,
    ),
    "Nasdaq": Format("X.csv", lambda: lines("Date,Close/Last,Volume,Open,High,Low", nasdaq, newest_first=True)),
    "WSJ": Format(
        "X.csv",
        lambda: lines(
            "Date, Open, High, Low, Close, Volume",
            lambda row: plain(row, "%m/%d/%y").replace(",", ", "),
            newest_first=True,
        ),
    ),
    "NSE": Format(
        "X.csv",
        lambda: lines(
            '"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","VOLUME ","No of trades "',
            nse,
            newest_first=True,
        ),
    ),
    "MetaTrader 5": Format(
        "X.csv", lambda: lines("<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>", metatrader)
    ),
    "MetaTrader 4": Format("X.csv", lambda: lines("", lambda row: plain(row, "%Y.%m.%d,00:00"))),
    "tushare": Format("X.csv", tushare, ("600519.SH",)),
    "akshare": Format("X.csv", lambda: akshare("utf-8-sig"), ("600519",)),
    "akshare in GBK": Format("X.csv", lambda: akshare("gbk"), ("600519",)),
    "pandas with an index": Format("X.csv", lambda: FRAME.to_csv()),
    "Kaggle": Format("five.csv", lambda: kaggle("Name"), ("AAA", "BBB")),
    "FinRL": Format("train.csv", finrl, ("AAA", "BBB")),
    "European": Format("X.csv", lambda: european("Date;Open;High;Low;Close;Volume")),
    "German": Format("X.csv", lambda: european("Datum;Eröffnung;Hoch;Tief;Schluss;Volumen").encode("cp1252")),
    "Excel's CSV": Format("X.csv", excel_csv),
    "lines above the header": Format("X.csv", lambda: "Symbol: ACME, daily\nExported: 2024-03-02\n\n" + csv()),
    "lines below the table": Format("X.csv", lambda: csv() + "\nSource: somebody,,,,,\n"),
    "Excel": Format("X.xlsx", workbook),
    "Excel, lines above": Format("X.xlsx", lambda: workbook(3)),
    "zip": Format(
        "pack.zip",
        lambda: archive({"data/AAA.csv": csv(), "data/BBB.csv": csv(), "__MACOSX/data/._AAA.csv": "x", "a.pdf": "x"}),
        ("AAA", "BBB"),
    ),
    "gzip": Format("X.csv.gz", lambda: gzip.compress(csv().encode(), mtime=0)),
    "feather": Format("X.feather", feather),
    "Parquet": Format("X.parquet", parquet),
}
