"""Whatever one ticker's answers look like: the others arrive whole, the store verifies, and the sentence is honest."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.sources import SOURCES
from forecaster.workflows.fetch import exit_code
from tests.studio import eventually
from tests.yahoo.kit import QUICK, SATURDAY, Kit
from tests.yahoo.listings import sample, synthetic
from tests.yahoo.server import (
    Mishap,
    YahooServer,
    body,
    cut_off,
    requests_session,
    says,
    session,
    spoiled,
    status,
    truncated,
)


def _drop(*path: str) -> Mishap:
    def spoil(result: dict[str, Any]) -> None:
        inner = result
        for key in path[:-1]:
            inner = inner[key]
        inner.pop(path[-1])

    return spoiled(spoil)


def _ragged(result: dict[str, Any]) -> None:
    result["indicators"]["quote"][0]["high"].pop()


def _no_price(result: dict[str, Any]) -> None:
    quote = result["indicators"]["quote"][0]
    for name in ("open", "high", "low", "close"):
        quote[name] = [None] * len(quote[name])


def _swapped(result: dict[str, Any]) -> None:
    quote = result["indicators"]["quote"][0]
    quote["high"], quote["low"] = quote["low"], quote["high"]


def _another(result: dict[str, Any]) -> None:
    result["meta"]["symbol"] = "MSFT"


# What AAPL is answered with (None: nothing), the price requests that follow, and what the user is told.
LOST: dict[str, tuple[Mishap | None, int, str]] = {
    "500": (status(500), 8, "Yahoo had a server error (HTTP 500), 4 times."),
    "401": (status(401, '{"finance": {"error": "x"}}'), 8, "Yahoo refused access (HTTP 401), 4 times."),
    "invalid crumb": (says(401, "Invalid Crumb"), 8, "Yahoo refused access (HTTP 401), 4 times."),
    "404": (status(404), 4, "Yahoo does not know it (HTTP 404), 2 times. Check the symbol"),
    "delisted": (says(404, "No data found, symbol may be delisted"), 2, "Yahoo says: No data found, symbol may be"),
    "slow": (None, 4, "Yahoo did not answer within 120 s, 4 times."),
    "cut": (cut_off(), 4, "Yahoo closed the connection in the middle of its response, 4 times."),
    "truncated": (truncated(), 4, "Yahoo sent an incomplete response, or one that is not JSON, 4 times."),
    "html": (body("<html>Sorry</html>"), 4, "Yahoo sent an incomplete response, or one that is not JSON"),
    "down": (body("Will be right back"), 4, "YAHOO! FINANCE IS CURRENTLY DOWN"),
    "{}": (body("{}"), 4, "Yahoo sent a response without prices, 4 times."),
    "empty": (body('{"chart": {"result": [], "error": null}}'), 4, "Yahoo sent a response without prices, 4 times."),
    "all null": (spoiled(_no_price), 4, "Yahoo sent rows without a single close, 4 times."),
    "ragged": (
        spoiled(_ragged),
        2,
        "sent an invalid response (ValueError: All arrays must be of the same length), 2 times.",
    ),
    "no timestamps": (_drop("timestamp"), 2, "sent an invalid response (KeyError: 'timestamp'), 2 times."),
    "no currency": (_drop("meta", "currency"), 2, "sent an invalid response (KeyError: 'currency'), 2 times."),
    "swapped": (spoiled(_swapped), 2, "of its 3270 rows have a price ≤ 0 or high < low (first 2000-03-01"),
    "another": (spoiled(_another), 2, "Yahoo sent the data of 'MSFT', 2 times. Nothing was stored"),
}


@pytest.mark.parametrize(
    ("fault", "make_session"),
    [(fault, session) for fault in LOST]
    + [(fault, requests_session) for fault in ("500", "slow", "cut", "truncated", "html", "delisted")],
)
def test_a_ticker_that_cannot_be_had_costs_no_other_one(
    fault: str, make_session: Any, server: YahooServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = Kit(server, tmp_path, make_session=partial(make_session, hurry="AAPL" if fault == "slow" else ""))
    monkeypatch.setitem(SOURCES._members, "yahoo", kit.source)
    mishap, requests, sentence = LOST[fault]
    if mishap is None:
        server.ignore("AAPL")
    else:
        server.fail("AAPL", mishap)
    outcomes = kit.fetch("IBM", "AAPL", "FB")
    assert [outcome.status for outcome in outcomes.values()] == ["new", "failed", "new"]
    assert sentence in outcomes["AAPL"].reason
    assert "delisted" not in outcomes["AAPL"].reason or fault == "delisted"
    assert "\n" not in outcomes["AAPL"].reason
    assert eventually(lambda: server.requests("AAPL") == requests), server.log
    assert server.requests("IBM") == server.requests("FB") == 1
    assert kit.matches(server.listings["IBM"])
    assert kit.matches(server.listings["FB"])
    assert kit.sound()
    assert kit.store.tickers() == ("FB", "IBM")
    assert exit_code(list(outcomes.values())) == 3
    assert exit_code([outcomes["AAPL"]]) == 4


def test_a_reset_connection_costs_no_other_ticker(kit: Kit, server: YahooServer) -> None:
    server.fail("AAPL", cut_off(reset=True))
    outcomes = kit.fetch("AAPL", "IBM")
    assert outcomes["IBM"].status == "new"
    assert kit.sound()
    # Which of the two it is depends on how much of the answer the system had handed over.
    assert any(
        words in outcomes["AAPL"].reason for words in ("reset the connection", "closed the connection in the middle")
    )
    assert server.requests("AAPL") == 4


# How often the first answers fail, and the price requests after which the ticker is there.
MENDED = {
    "500 once, which the client repeats by itself": (status(500), 1, 2),
    "500 twice": (status(500), 2, 3),
    "truncated": (truncated(), 1, 2),
    "html": (body("<html>"), 3, 4),
    "empty": (body('{"chart": {"result": [], "error": null}}'), 2, 3),
    "{}": (body("{}"), 2, 3),
    "cut": (cut_off(), 2, 3),
    "ragged": (spoiled(_ragged), 1, 2),
    "another ticker's": (spoiled(_another), 1, 2),
    "404": (status(404), 2, 3),
}


@pytest.mark.parametrize("fault", MENDED)
def test_a_passing_fault_is_asked_away(fault: str, kit: Kit, server: YahooServer) -> None:
    mishap, times, requests = MENDED[fault]
    server.fail("AAPL", mishap, times)
    outcome = kit.fetch("AAPL")["AAPL"]
    assert (outcome.status, outcome.reason, outcome.code) == ("new", "", 0)
    assert server.requests("AAPL") == requests
    assert kit.matches(server.listings["AAPL"])
    assert kit.sound()


@pytest.mark.parametrize(("refusals", "requests", "pauses"), [(1, 2, 0), (2, 3, 1), (3, 4, 1), (4, 5, 2), (7, 8, 3)])
def test_a_rate_limit_pauses_everyone_and_ends(
    refusals: int, requests: int, pauses: int, kit: Kit, server: YahooServer
) -> None:
    server.fail("AAPL", status(429), refusals)
    assert kit.fetch("AAPL")["AAPL"].status == "new"
    assert server.requests("AAPL") == requests
    assert len(kit.said) == pauses
    assert kit.matches(server.listings["AAPL"])


def test_a_rate_limit_without_end_is_one_refusal_for_all(kit: Kit, server: YahooServer) -> None:
    server.put(*(synthetic(f"T{number}", years=1) for number in range(20)))
    server.fail("*", status(429))
    outcomes = kit.fetch(*(f"T{number}" for number in range(20)), workers=4)
    assert {outcome.status for outcome in outcomes.values()} == {"failed"}
    assert all("HTTP 429, too many requests" in outcome.reason for outcome in outcomes.values())
    assert exit_code(list(outcomes.values())) == 4
    assert len(kit.said) == QUICK.pauses
    # Each of four workers sends at most two requests in each of five rounds; the other sixteen tickers send none.
    assert server.requests() <= 4 * 2 * (QUICK.pauses + 1)
    assert not kit.store.tickers()


def test_without_a_network_the_fetch_ends_soon_and_says_so(kit: Kit, server: YahooServer, tmp_path: Path) -> None:
    server.__exit__()
    kit.store.write(_bars(kit), source="yahoo")
    before = kit.bytes()
    outcomes = kit.fetch("AAPL", "IBM", "MSFT", "GOOG", "FB", workers=2)
    assert all("Yahoo cannot be reached (" in outcome.reason for outcome in outcomes.values())
    assert all("Check the network." in outcome.reason for outcome in outcomes.values())
    assert exit_code(list(outcomes.values())) == 4
    assert kit.bytes() == before
    server._http.server_close = lambda: None  # type: ignore[method-assign]  # closed already
    server._http.shutdown = lambda: None  # type: ignore[method-assign]


def _bars(kit: Kit) -> Any:
    listing = sample()["AAPL"]
    zeros = np.zeros(len(listing.dates))
    columns = {name: getattr(listing, name) for name in ("open", "high", "low", "close", "adj_close", "volume")}
    return Bars("AAPL", "USD", "XNYS", "America/New_York", listing.dates, **columns, dividend=zeros, split=zeros + 1)


def test_rows_without_a_close_are_dropped_and_counted(kit: Kit, server: YahooServer) -> None:
    good = server.listings["AAPL"]
    server.put(good.changed(slice(10, 13), open=np.nan, high=np.nan, low=np.nan, close=np.nan))
    outcome = kit.fetch("AAPL")["AAPL"]
    assert outcome.rows == len(good.dates) - 3
    assert outcome.notes == (
        "3 rows without a price dropped",
        f"3 sessions have no candle, the first on {good.dates[10]}, the last on {good.dates[12]}",
    )
    assert not np.isin(good.dates[10:13], kit.store.read("AAPL").dates).any()
    assert server.requests("AAPL") == 1


def test_a_row_without_an_adjusted_close_is_dropped_and_counted(kit: Kit, server: YahooServer) -> None:
    good = server.listings["AAPL"]
    server.put(good.changed(100, adj_close=np.nan))
    lost = f"the session of {good.dates[100]} has no candle"
    assert kit.fetch("AAPL")["AAPL"].notes == ("1 row without an adjusted close dropped", lost)


@pytest.mark.parametrize(
    ("value", "words"), [(-0.77, "a usable adjusted close (adj_close -0.77 on"), (np.nan, "an adjusted")]
)
def test_many_unusable_adjusted_closes_are_named_and_no_price_is_lost(
    kit: Kit, server: YahooServer, value: float, words: str
) -> None:
    good = server.listings["AAPL"]
    server.put(good.changed(slice(0, 900), adj_close=value))
    outcome = kit.fetch("AAPL")["AAPL"]
    assert outcome.rows == len(good.dates)
    (note,) = outcome.notes
    assert note.startswith(f"900 of 3270 rows without {words}")


def test_incoherent_rows_are_dropped_or_widened_and_counted(kit: Kit, server: YahooServer) -> None:
    good = server.listings["IBM"]
    server.put(good.changed(5, high=good.low[5] - 1).changed(8, high=good.close[8] - 0.5, open=good.close[8] - 0.5))
    outcome = kit.fetch("IBM")["IBM"]
    assert outcome.rows == len(good.dates) - 1
    assert [note.split("(")[0].strip() for note in outcome.notes] == [
        "1 row with a price ≤ 0 or high < low dropped",
        "high or low widened to enclose open and close in 1 row",
        f"the session of {good.dates[5]} has no candle",
    ]
    assert kit.sound()


def test_doubled_and_unsorted_sessions_become_each_one_row(kit: Kit, server: YahooServer) -> None:
    def shuffle(result: dict[str, Any]) -> None:
        rows = [*range(len(result["timestamp"]))]
        rows = [rows[7], *rows[:7], *rows[7:], 20, 20]
        result["timestamp"] = [result["timestamp"][row] for row in rows]
        series = [*result["indicators"]["quote"][0].items(), *result["indicators"]["adjclose"][0].items()]
        for holder in (result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]):
            for name, values in series:
                if name in holder:
                    holder[name] = [values[row] for row in rows]

    server.fail("AAPL", spoiled(shuffle))
    assert kit.fetch("AAPL")["AAPL"].status == "new"
    assert kit.matches(server.listings["AAPL"])
    assert server.requests("AAPL") == 1


def test_dividends_without_adjusted_closes_are_refused(kit: Kit, server: YahooServer) -> None:
    server.put(server.listings["IBM"].paying(0.85, "2013-02-06"))
    server.fail("IBM", _drop("indicators", "adjclose"))
    outcomes = kit.fetch("IBM", "AAPL")
    assert "Yahoo sent dividends but no adjusted closes, 4 times. Nothing was stored" in outcomes["IBM"].reason
    assert server.requests("IBM") == 4
    assert kit.store.tickers() == ("AAPL",)


def test_adjusted_closes_are_not_lost_to_an_answer_without_them(kit: Kit, server: YahooServer) -> None:
    kit.fetch("IBM")
    before = kit.bytes()
    server.fail("IBM", _drop("indicators", "adjclose"))
    outcome = kit.fetch("IBM", full=True)["IBM"]
    assert "Yahoo sent no adjusted closes, which the store has, 4 times." in outcome.reason
    assert (outcome.code, outcome.rows, outcome.last) == (4, 3270, "2013-03-01")
    assert kit.bytes() == before


def test_a_hundredfold_price_is_flagged(kit: Kit, server: YahooServer) -> None:
    good = server.listings["GOOG"]
    columns = {name: getattr(good, name)[50] * 100 for name in ("open", "high", "low", "close", "adj_close")}
    server.put(good.changed(50, **columns))
    notes = kit.fetch("GOOG")["GOOG"].notes
    assert len(notes) == 1
    assert f"on {good.dates[50]} and 1 more such" in notes[0]
    assert "close jumps up" in notes[0]


def test_a_gap_that_the_exchange_did_not_have_is_flagged(kit: Kit, server: YahooServer) -> None:
    good = server.listings["AAPL"]
    server.put(good.taken(np.r_[0:200, 215 : len(good.dates)]))
    notes = kit.fetch("AAPL")["AAPL"].notes
    assert notes == (f"no candle between {good.dates[199]} and {good.dates[215]}",)


def test_a_closure_of_the_exchange_is_no_gap(kit: Kit, server: YahooServer) -> None:
    # New York was shut from 2001-09-11 to 2001-09-16.
    assert kit.fetch("IBM")["IBM"].notes == ()


def test_a_stale_tail_is_flagged(kit: Kit, server: YahooServer) -> None:
    server.put(server.listings["AAPL"].until("2013-02-01"))
    outcome = kit.fetch("AAPL")["AAPL"]
    assert outcome.status == "new"
    assert outcome.notes == ("stale: the last candle is from 2013-02-01, 19 sessions before 2013-03-02",)


def test_the_clock_of_these_tests_is_a_saturday() -> None:
    assert SATURDAY.isoweekday() == 6
