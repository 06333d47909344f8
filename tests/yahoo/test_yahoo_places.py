"""Each listing brings its own calendar, currency and time zone, and keeps its own sessions in a mixed panel."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from forecaster.data import calendars
from forecaster.data.panel import Panel
from forecaster.data.sources.yahoo import places
from forecaster.workflows.verify import verify
from tests.yahoo.kit import Kit
from tests.yahoo.listings import synthetic
from tests.yahoo.server import Listing, YahooServer

MIDNIGHT, NIGHT = dt.time(0, 0), dt.time(23, 59)


def _on(listing: Listing, dates: np.ndarray) -> Listing:
    """The listing's last rows on other dates."""
    columns = {
        name: getattr(listing, name)[-len(dates) :] for name in ("open", "high", "low", "close", "adj_close", "volume")
    }
    return replace(listing, dates=dates, **columns)


def _sessions(calendar: str) -> np.ndarray:
    return calendars.sessions_between(calendar, np.datetime64("2011-12-31"), np.datetime64("2013-03-02"))


WORLD = {
    "600519.SS": ("XSHG", "CNY", synthetic("600519.SS", 2, currency="CNY", exchange="SHH", zone="Asia/Shanghai")),
    "7203.T": ("XTKS", "JPY", synthetic("7203.T", 2, currency="JPY", exchange="JPX", zone="Asia/Tokyo")),
    "VOD.L": (
        "XLON",
        "GBp",
        synthetic("VOD.L", 2, currency="GBp", exchange="LSE", zone="Europe/London", opens=dt.time(8)),
    ),
    "EURUSD=X": (
        "24/5",
        "USD",
        synthetic("EURUSD=X", 2, exchange="CCY", kind="CURRENCY", zone="Europe/London", opens=MIDNIGHT, closes=NIGHT),
    ),
    "BTC-USD": (
        "24/7",
        "USD",
        synthetic("BTC-USD", 2, exchange="CCC", kind="CRYPTOCURRENCY", zone="UTC", opens=MIDNIGHT, closes=NIGHT),
    ),
    "^GSPC": ("XNYS", "USD", synthetic("^GSPC", 2, exchange="SNP", kind="INDEX")),
    "BRK-B": ("XNYS", "USD", synthetic("BRK-B", 2, exchange="NYQ")),
}


@pytest.fixture
def world(server: YahooServer) -> dict[str, Listing]:
    """A listing of each kind on the sessions of its own exchange, up to 2013-03-01."""
    listings = {name: _on(listing, _sessions(calendar)) for name, (calendar, _, listing) in WORLD.items()}
    server.put(*listings.values())
    return listings


def test_a_listing_brings_its_calendar_currency_and_zone(kit: Kit, world: dict[str, Listing]) -> None:
    outcomes = kit.fetch(*world)
    assert {name: outcome.notes for name, outcome in outcomes.items()} == dict.fromkeys(world, ())
    for name, (calendar, currency, listing) in WORLD.items():
        record = kit.store.record(name)
        assert (record.calendar, record.currency, record.timezone) == (calendar, currency, listing.zone)
        assert kit.matches(world[name])


def test_a_mixed_panel_keeps_each_ticker_s_own_sessions(kit: Kit, world: dict[str, Listing]) -> None:
    kit.fetch(*world)
    panel = Panel.of([kit.store.read(name) for name in world])
    for name, listing in world.items():
        row = panel.tickers.index(name)
        assert np.array_equal(panel.dates[panel.observed[row]], listing.dates)
    days = {name: set(np.is_busday(listing.dates)) for name, listing in world.items()}
    assert days["BTC-USD"] == {True, False}
    assert days["EURUSD=X"] == days["VOD.L"] == {True}


def test_an_unfinished_day_of_a_currency_and_a_coin_waits_for_its_midnight(
    kit: Kit, server: YahooServer, world: dict[str, Listing]
) -> None:
    server.now = dt.datetime(2013, 3, 1, 22, 0, tzinfo=dt.UTC)
    outcomes = kit.fetch("EURUSD=X", "BTC-USD", "7203.T")
    assert outcomes["EURUSD=X"].last == outcomes["BTC-USD"].last == "2013-02-28"
    assert outcomes["7203.T"].last == "2013-03-01"  # where it is the second of March already


def test_an_update_of_another_continent_asks_with_its_own_midnight(
    kit: Kit, server: YahooServer, world: dict[str, Listing]
) -> None:
    tokyo = world["7203.T"]
    server.put(tokyo.until("2013-02-22"))
    kit.fetch("7203.T")
    server.put(tokyo)
    server.log.clear()
    assert kit.fetch("7203.T")["7203.T"].added == 5
    assert server.requests() == 1
    assert kit.matches(tokyo)


def test_a_start_is_met_in_a_zone_not_known_before(kit: Kit, world: dict[str, Listing]) -> None:
    kit.fetch("7203.T", start=np.datetime64("2012-10-01"))
    assert str(kit.store.read("7203.T").dates[0]) == "2012-10-01"


def test_an_exchange_that_is_not_known_is_taken_by_weekdays_and_said(kit: Kit, server: YahooServer) -> None:
    server.put(synthetic("ABC", 1, exchange="QQQ"))
    assert kit.fetch("ABC")["ABC"].notes == (
        "Yahoo's exchange 'QQQ' is unknown: its sessions are assumed to be weekdays",
    )


def on_week(symbol: str, week: str, exchange: str) -> Listing:
    """A listing of another week than Monday to Friday."""
    every = np.arange("2012-01-01", "2013-03-02", dtype="datetime64[D]")
    days = every[np.is_busday(every, week)]
    return _on(synthetic(symbol, 2, exchange=exchange, zone="Asia/Kuwait"), days)


def test_of_an_exchange_that_is_not_known_the_candles_show_the_week(kit: Kit, server: YahooServer) -> None:
    server.put(on_week("NBK.QQ", "1111001", "QQQ"))
    told = "Yahoo's exchange 'QQQ' is unknown: its sessions are assumed to be the weekdays of its candles, Sun-Thu"
    assert kit.fetch("NBK.QQ")["NBK.QQ"].notes == (told,)
    assert kit.store.read("NBK.QQ").calendar == "Sun-Thu"
    assert kit.fetch("NBK.QQ")["NBK.QQ"].status == "unchanged"  # the ten sessions of an update show it as well
    assert verify(kit.store.root) == []


@pytest.mark.parametrize("exchange", ["KUW", "DOH", "CAI"])
def test_kuwait_qatar_and_egypt_trade_from_sunday_to_thursday(kit: Kit, server: YahooServer, exchange: str) -> None:
    server.put(on_week("ABC", "1111001", exchange))
    assert kit.fetch("ABC")["ABC"].notes == ()
    assert kit.store.read("ABC").calendar == "Sun-Thu"


@pytest.mark.parametrize(
    ("ticker", "exchange", "kind", "calendar"),
    [
        ("VOD.L", "LSE", "EQUITY", "XLON"),
        ("EURUSD=X", "CCY", "CURRENCY", "24/5"),  # the same time zone
        ("ETH-USD", "CCC", "CRYPTOCURRENCY", "24/7"),
        ("000001.SZ", "SHZ", "EQUITY", "XSHG"),
        ("SAP.DE", "???", "EQUITY", "XETR"),
        ("AAPL", None, None, None),
    ],
)
def test_type_then_exchange_then_suffix_tell_the_calendar(
    ticker: str, exchange: str | None, kind: str | None, calendar: str | None
) -> None:
    assert places.calendar_of(ticker, exchange, kind) == calendar


def test_every_calendar_named_is_one_of_the_library() -> None:
    named = {*places._BY_KIND.values(), *places._BY_EXCHANGE.values(), *places._BY_SUFFIX.values()}
    assert [calendars.check_calendar(name) for name in sorted(named)] == sorted(named)


@pytest.mark.parametrize("name", ["CON", "PRN", "^GSPC", "EURUSD=X", "BRK-B"])
def test_awkward_symbols_come_and_go(name: str, kit: Kit, server: YahooServer) -> None:
    server.put(synthetic(name, 1))
    assert kit.fetch(f" {name.lower()} ")[name].status == "new"
    assert kit.store.tickers() == (name,)
    assert kit.matches(server.listings[name])


@pytest.mark.parametrize(
    ("symbol", "sentence"),
    [
        ("BRK.B", "BRK.B is not a Yahoo symbol: did you mean BRK-B?"),
        ("US0378331005", "US0378331005 is an ISIN: expected Yahoo's symbol, as in AAPL or VOD.L."),
    ],
)
def test_a_symbol_of_another_house_is_answered_without_a_request(
    symbol: str, sentence: str, kit: Kit, server: YahooServer
) -> None:
    outcome = kit.fetch(symbol)[symbol]
    assert (outcome.reason, outcome.code) == (sentence, 2)
    assert server.log == []
