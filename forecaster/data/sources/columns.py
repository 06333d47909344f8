"""Column names: spellings of many vendors and languages → our field names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from forecaster.errors import DataError, InputError, UnknownNameError, at_most_five

REQUIRED = ("date", "open", "high", "low", "close")
FIELDS = (*REQUIRED, "ticker", "adj_close", "volume", "dividend", "split", "time")

# Each line is a tier: if a table has columns of several tiers, the first tier wins. Two price columns of one tier are
# ambiguous and rejected.
_SPELLINGS = {
    "date": """
        date
        trade_date trading_date tradedate traddt dtyyyymmdd 日期 交易日期 日付 날짜 datum fecha data tarih handelstag
        datetime date_time gmt_time local_time utc_time 时间
        timestamp open_time opentime kline_open_time unix_time
        time
        day ds t unix
        unnamed_0 index level_0""",
    "ticker": """
        ticker
        symbol ts_code tic tckrsymb
        code instrument 股票代码 证券代码 代码 종목코드 銘柄コード
        asset stock security unique_id stock_code ticker_symbol stock_symbol act_symbol
        name""",
    "open": """
        open
        open_price opening_price px_open opnpric opening 开盘 开盘价 始値 시가
        erster eroffn eroffnung eroffnungskurs eroff ouverture ouv apertura abertura opening_koers otwarcie acilis
        o""",
    "high": """
        high
        high_price px_high hghpric max 最高 最高价 高値 고가
        hoch tageshoch hochst haut plus_haut haut_jour maximo massimo maxima maximum max_ hoog najwyzszy yuksek
        h""",
    "low": """
        low
        low_price px_low lwpric min 最低 最低价 安値 저가
        tief tagestief tiefst bas plus_bas bas_jour minimo minima minimum laag najnizszy dusuk
        l""",
    "close": """
        close
        close_last close_price closing_price px_last clspric closing 收盘 收盘价 終値 종가
        schluss schlusskurs schlusskurse cloture clot cierre chiusura fechamento slot zamkniecie kapanis simdi
        price
        last ltp last_price zuletzt dernier ultimo letzter letzte
        c""",
    "adj_close": """
        adj_close adjclose adjusted_close close_adjusted closeadj close_adj adjusted_closing_price adj_closing_price
        adjusted adj""",
    "volume": """
        volume vol
        total_volume share_volume trade_volume px_volume ttltradgvol tottrdqty total_traded_quantity
        total_trade_quantity number_of_shares no_of_shares shares_traded traded_volume volume_traded
        成交量 出来高 거래량
        stucke stuecke stuck
        volumen volumes volumem wolumen hacim
        tickvol tick_volume
        v""",
    "dividend": "dividend dividends dividend_amount ex_dividend divcash dividend_cash",
    "split": "split splits stock_splits stock_split split_coefficient split_ratio splitfactor split_factor",
}


def fold(column: object) -> str:
    """Normalise a name: `1. Open`, `<OPEN>`, `Open (USD)` → `open`; `Adj Close` → `adj_close`; `Eröffn.` → `eroffn`."""
    bare = re.sub(r"^\d+\.\s*|\s*[(\[].*[)\]]\s*$", "", str(column).strip().strip("<>"))
    # NFKD splits accents off, but `ł` and the dotless `ı` are letters of their own.
    plain = unicodedata.normalize("NFKD", bare).replace("ł", "l").replace("ı", "i").casefold()
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"\W+", "_", letters).strip("_")


_CLOCKS = {"time", "hour", "clock", "time_of_day", "hhmm", "uhrzeit", "heure", "hora", "datetime", "timestamp"}
_NAMES = {
    fold(spelling): (field, tier)
    for field, text in _SPELLINGS.items()
    for tier, line in enumerate(text.strip().splitlines())
    for spelling in line.split()
}


def meaning(column: object) -> str | None:
    """The field of a column: one of `FIELDS`, or None."""
    found = _NAMES.get(fold(column))
    return found[0] if found else None


def check_fields(columns: Mapping[str, str]) -> dict[str, str]:
    """Validate the user's column names, field → name in the file; returns them with our field names.

    Raises:
        UnknownNameError: there is no such field.
        InputError: the name is empty.
    """
    checked = {}
    for field, name in columns.items():
        ours = field if field in FIELDS else meaning(field)
        if ours is None:
            raise UnknownNameError("column", field, FIELDS)
        if not name.strip():
            raise InputError(f"--column {field}= has no column name: expected one of the file, as in {field}=Price.")
        checked[ours] = name.strip()
    return checked


def choose(names: Sequence[object], overrides: Mapping[str, str]) -> dict[str, int]:
    """Map fields to columns: field → column index; missing fields are omitted.

    Args:
        overrides: the user's column names, field → name; they take precedence.

    Raises:
        DataError: two columns are the same field, or a column named by the user does not exist.
    """
    found = {field: _place(names, field, name) for field, name in overrides.items()}
    taken = set(found.values())
    spelled = [_NAMES.get(fold(name)) if place not in taken else None for place, name in enumerate(names)]
    # Single letters count only if o, h, l and c are all there: a lone `c` may be anything.
    letters = {"o", "h", "l", "c"} <= {fold(name) for name in names}
    for field in _SPELLINGS.keys() - found.keys():
        tiers = {
            place: kind[1]
            for place, kind in enumerate(spelled)
            if kind and kind[0] == field and (letters or len(fold(names[place])) > 1)
        }
        best = [place for place, tier in tiers.items() if tier == min(tiers.values())]
        if len(best) > 1 and field not in ("date", "ticker", "volume"):
            raise DataError(f"two columns are both {_common(names, best) or field}: remove one.")
        if best:
            found[field] = best[0]
    _clock(names, found)
    volumes = [place for place, name in enumerate(names) if fold(name).startswith("volume_")]  # `Volume BTC`
    if volumes and "volume" not in found:
        found["volume"] = volumes[0]
    return found


def _clock(names: Sequence[object], found: dict[str, int]) -> None:
    """A column `Time` in addition to the date column is the time of day, or date and time."""
    place = next((place for place, name in enumerate(names) if fold(name) in _CLOCKS), None)
    if place is not None and place not in found.values() and "date" in found:
        found.setdefault("time", place)


def _place(names: Sequence[object], field: str, name: str) -> int:
    exact = [place for place, one in enumerate(names) if str(one).strip() == name]
    alike = exact or [place for place, one in enumerate(names) if fold(one) == fold(name)]
    if not alike:
        listed = at_most_five(str(one)[:30] for one in names)
        raise DataError(f"no column {name!r} (--column {field}={name}); found {listed}.")
    return alike[0]


def _common(names: Sequence[object], places: Sequence[int]) -> str:
    """The columns' name if they share one, else empty."""
    spelled = {str(names[place]) for place in places}
    return spelled.pop() if len(spelled) == 1 else ""
