"""A second fetch asks only for what is new, and notices what changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from forecaster.workflows.fetch import exit_code
from forecaster.workflows.verify import verify
from tests.yahoo.kit import Kit
from tests.yahoo.listings import sample, synthetic
from tests.yahoo.server import PRICES, Listing, YahooServer


def test_twelve_histories_arrive_value_for_value(kit: Kit, server: YahooServer) -> None:
    server.put(*(synthetic(f"SYN{number}") for number in range(7)))
    paying = server.listings["MSFT"].paying(0.23, "2013-02-19")
    server.put(replace(paying.split_by(2.0, "2003-02-18"), adj_close=paying.adj_close))  # they knew of it before
    outcomes = kit.fetch(*server.listings)
    assert {outcome.status for outcome in outcomes.values()} == {"new"}
    assert list(outcomes) == list(server.listings)  # in the order asked for
    assert all(kit.matches(listing) for listing in server.listings.values())
    assert server.requests() == len(server.listings) == 12
    assert kit.sound()


def test_a_cold_fetch_sends_one_price_request_a_ticker_and_two_for_all(kit: Kit, server: YahooServer) -> None:
    kit.fetch("AAPL", "IBM")
    assert sorted(server.log) == ["/", "/v1/test/getcrumb", "AAPL", "IBM"]


def test_a_fetch_on_a_current_store_changes_no_file(kit: Kit, server: YahooServer) -> None:
    kit.fetch(*sample())
    before = kit.bytes()
    server.log.clear()
    outcomes = kit.fetch(*sample())
    assert {outcome.status for outcome in outcomes.values()} == {"unchanged"}
    assert kit.bytes() == before
    assert {server.requests(ticker) for ticker in sample()} == {1}


def test_rounding_at_the_source_changes_no_file(kit: Kit, server: YahooServer) -> None:
    kit.fetch("AAPL")
    before = kit.bytes()
    good = server.listings["AAPL"]
    server.put(replace(good, adj_close=good.adj_close * (1 + 3e-7)))
    assert kit.fetch("AAPL")["AAPL"].status == "unchanged"
    assert kit.bytes() == before


def test_an_update_asks_from_ten_sessions_back(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["AAPL"]
    server.put(whole.until("2013-02-22"))
    kit.fetch("AAPL")
    server.put(whole)
    server.log.clear()
    outcome = kit.fetch("AAPL")["AAPL"]
    assert (outcome.status, outcome.added, outcome.last, outcome.notes) == ("updated", 5, "2013-03-01", ())
    assert server.requests("AAPL") == 1
    assert server.asked_from["AAPL"].date() == dt.date(2013, 2, 8)
    assert kit.matches(whole)


def test_a_split_between_two_fetches_brings_the_whole_history(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["AAPL"]
    server.put(whole.until("2013-02-22"))
    kit.fetch("AAPL")
    server.put(whole.split_by(7.0, "2013-02-27"))
    server.log.clear()
    outcome = kit.fetch("AAPL")["AAPL"]
    assert outcome.status == "updated"
    assert outcome.notes == ("whole history fetched again: a split of 7 on 2013-02-27",)
    assert server.requests("AAPL") == 2
    assert kit.matches(server.listings["AAPL"])


def test_a_dividend_between_two_fetches_brings_the_whole_history(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["IBM"]
    server.put(whole.until("2013-02-22"))
    kit.fetch("IBM")
    server.put(whole.paying(0.85, "2013-02-27"))
    server.log.clear()
    outcome = kit.fetch("IBM")["IBM"]
    assert outcome.notes == ("whole history fetched again: a dividend or a correction changed the adjusted closes",)
    assert server.requests("IBM") == 2
    assert kit.matches(server.listings["IBM"])


def test_a_revised_price_brings_the_whole_history(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["MSFT"]
    server.put(whole.until("2013-02-22"))
    kit.fetch("MSFT")
    row = int(np.flatnonzero(whole.dates == np.datetime64("2013-02-20"))[0])
    server.put(whole.changed(row, close=whole.close[row] - 0.01).changed(5, close=whole.close[5] - 0.01))
    outcome = kit.fetch("MSFT")["MSFT"]
    assert outcome.notes == ("whole history fetched again: prices were revised (close of 2013-02-20)",)
    assert kit.matches(server.listings["MSFT"])


def test_a_revised_volume_is_taken_with_the_update(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["MSFT"]
    server.put(whole.changed(-1, volume=5.0))
    kit.fetch("MSFT")
    server.put(whole)
    server.log.clear()
    assert kit.fetch("MSFT")["MSFT"].status == "updated"
    assert server.requests("MSFT") == 1
    assert kit.matches(whole)


def undivided(listing: Listing, ratio: float, day: str) -> Listing:
    """A split that is announced, and whose day and those after have new prices, but not yet those before."""
    after = listing.dates >= np.datetime64(day)
    columns = {
        name: np.where(after, getattr(listing, name) / ratio, getattr(listing, name)) for name in (*PRICES, "adj_close")
    }
    return replace(listing, **columns, splits={day: ratio})


@pytest.mark.parametrize("day", ["2013-02-27", "2006-05-16"])
def test_a_split_that_is_not_in_the_prices_before_it_is_applied_and_said(
    kit: Kit, server: YahooServer, day: str
) -> None:
    whole = server.listings["AAPL"]
    rest = {name: getattr(whole, name) / 7 for name in (*PRICES, "adj_close")}
    divided = replace(whole, **rest, splits={day: 7.0})
    server.put(whole.until("2013-02-22"))
    kit.fetch("AAPL")
    server.put(undivided(whole, 7.0, day))
    outcome = kit.fetch("AAPL", full=True)["AAPL"]
    assert outcome.status == "updated"
    assert [note for note in outcome.notes if note.startswith(f"the split of 7 on {day} was not in the prices")]
    assert kit.matches(divided)
    server.put(divided)
    assert kit.fetch("AAPL")["AAPL"].status == "unchanged"


def test_a_split_that_is_applied_is_no_finding(kit: Kit, server: YahooServer) -> None:
    server.put(replace(server.listings["AAPL"], splits={"2006-05-16": 7.0}))
    assert kit.fetch("AAPL")["AAPL"].notes == ()


def nulled(listing: Listing, *days: str) -> Listing:
    """The listing as Yahoo serves it until it has the candles of some days."""
    rows = np.flatnonzero(np.isin(listing.dates, np.array(days, "datetime64[D]")))
    assert len(rows) == len(days)
    for row in rows:
        listing = listing.changed(int(row), open=np.nan, high=np.nan, low=np.nan, close=np.nan, adj_close=np.nan)
    return listing


@pytest.mark.parametrize(
    "days",
    [
        ("2012-12-05",),
        ("2012-12-05", "2012-12-06", "2012-12-07"),
        ("2011-06-01", "2012-12-05", "2013-02-20"),
    ],
    ids=["one", "three in a row", "here and there"],
)
def test_a_null_that_yahoo_fills_weeks_later_is_asked_for_again(
    kit: Kit, server: YahooServer, days: tuple[str, ...]
) -> None:
    whole = server.listings["AAPL"]
    server.put(nulled(whole, *days))
    assert f"{len(days)} row" in kit.fetch("AAPL")["AAPL"].notes[0]
    before = kit.bytes()
    (found,) = verify(kit.store.root)
    assert found.kind == "missing"
    assert found.problem.startswith("the session of" if len(days) == 1 else f"{len(days)} sessions have no candle")

    again = kit.fetch("AAPL")["AAPL"]  # still null
    assert again.status == "unchanged"
    assert kit.bytes() == before
    assert server.asked_from["AAPL"].date() == dt.date.fromisoformat(min(days))

    server.put(whole)
    server.log.clear()
    filled = kit.fetch("AAPL")["AAPL"]
    assert (filled.status, filled.added, filled.notes) == ("updated", len(days), ())
    assert server.requests("AAPL") == 1
    assert kit.matches(whole)
    assert verify(kit.store.root) == []


def test_a_null_of_long_ago_waits_for_a_repair(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["AAPL"]
    server.put(nulled(whole, "2003-05-20"))
    kit.fetch("AAPL")
    server.put(whole)
    assert kit.fetch("AAPL")["AAPL"].status == "unchanged"
    assert server.asked_from["AAPL"].date() == dt.date(2013, 2, 15)
    (finding,) = verify(kit.store.root, repair=True)
    assert (finding.kind, finding.mended) == ("missing", True)
    assert kit.matches(whole)


def test_the_null_of_today_is_filled_by_the_update_of_tomorrow(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["IBM"]
    server.put(nulled(whole.until("2013-02-27"), "2013-02-27"))
    assert kit.fetch("IBM")["IBM"].last == "2013-02-26"
    server.put(nulled(whole, "2013-02-27"))
    assert "the session of 2013-02-27 has no candle" in kit.fetch("IBM")["IBM"].notes
    server.put(whole)
    kit.fetch("IBM")
    assert kit.matches(whole)


def test_a_row_that_went_missing_at_the_source_is_kept(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["AAPL"]
    server.put(whole.until("2013-02-27"))
    kit.fetch("AAPL")
    row = int(np.flatnonzero(whole.dates == np.datetime64("2013-02-26"))[0])
    server.put(whole.changed(row, open=np.nan, high=np.nan, low=np.nan, close=np.nan))
    outcome = kit.fetch("AAPL")["AAPL"]
    assert outcome.notes == ("1 row without a price dropped", "1 candle kept that Yahoo no longer sends")
    assert kit.matches(whole)


def test_a_ticker_that_disappears_keeps_its_history(kit: Kit, server: YahooServer) -> None:
    kit.fetch("AAPL", "IBM")
    before = kit.bytes()
    del server.listings["AAPL"]
    server.log.clear()
    outcomes = kit.fetch("AAPL", "IBM")
    assert outcomes["AAPL"].reason == (
        "AAPL: Yahoo says: No data found, symbol may be delisted. Check the symbol; the stored history is kept."
    )
    assert (outcomes["AAPL"].rows, outcomes["AAPL"].last) == (3270, "2013-03-01")
    assert server.requests("AAPL") == 2  # the client repeats a 404 once by itself
    assert exit_code(list(outcomes.values())) == 3
    assert kit.bytes() == before


@pytest.mark.parametrize("wishes", [{"full": True}, {}])
def test_a_shorter_history_never_takes_the_place_of_a_longer_one(
    wishes: dict[str, bool], kit: Kit, server: YahooServer
) -> None:
    kit.fetch("AAPL")
    before = kit.bytes()
    short = server.listings["AAPL"].taken(np.arange(3170, 3270))
    server.put(short.split_by(2.0, "2013-02-27"))  # which makes the second fetch ask for all of it
    outcome = kit.fetch("AAPL", **wishes)["AAPL"]
    assert outcome.status == "kept"
    assert "the store holds 3270 rows from 2000-03-01 to 2013-03-01, the source gave 100 rows" in outcome.reason
    assert exit_code([outcome]) == 4
    assert kit.bytes() == before
    assert kit.fetch("AAPL", force=True)["AAPL"].status == "updated"
    assert kit.matches(server.listings["AAPL"])


def test_full_brings_the_whole_history_with_one_request(kit: Kit, server: YahooServer) -> None:
    kit.fetch("AAPL")
    old = server.listings["AAPL"]
    server.put(old.changed(3, volume=7.0))  # too long ago for an update to see
    assert kit.fetch("AAPL")["AAPL"].status == "unchanged"
    server.log.clear()
    assert kit.fetch("AAPL", full=True)["AAPL"].status == "updated"
    assert server.requests("AAPL") == 1
    assert kit.matches(server.listings["AAPL"])


def test_start_and_end_cut_a_new_history_and_widen_a_held_one(kit: Kit, server: YahooServer) -> None:
    day = np.datetime64
    kit.fetch("AAPL", start=day("2010-01-04"), end=day("2010-12-31"))
    assert [str(date) for date in kit.store.read("AAPL").dates[[0, -1]]] == ["2010-01-04", "2010-12-31"]
    server.log.clear()
    kit.fetch("AAPL", end=day("2010-06-30"))  # the store has more already
    assert server.requests() == 0
    kit.fetch("AAPL", start=day("2009-01-02"), end=day("2011-06-30"))
    assert [str(date) for date in kit.store.read("AAPL").dates[[0, -1]]] == ["2009-01-02", "2011-06-30"]
    kit.fetch("AAPL", start=day("2010-01-04"))
    assert [str(date) for date in kit.store.read("AAPL").dates[[0, -1]]] == ["2009-01-02", "2013-03-01"]


def test_the_unfinished_candle_waits_for_the_close(kit: Kit, server: YahooServer) -> None:
    whole = server.listings["AAPL"]
    server.now = dt.datetime(2013, 3, 1, 15, 0, tzinfo=dt.UTC)  # ten o'clock in New York
    notes = kit.fetch("AAPL")["AAPL"].notes
    assert notes == ("unfinished candle of 2013-03-01 skipped",)
    assert kit.matches(whole.until("2013-02-28"))
    server.now = dt.datetime(2013, 3, 1, 21, 5, tzinfo=dt.UTC)  # five past four
    assert kit.fetch("AAPL")["AAPL"].added == 1
    assert kit.matches(whole)


def test_a_candle_of_tomorrow_is_left_out(kit: Kit, server: YahooServer) -> None:
    server.now = dt.datetime(2013, 2, 28, 23, 0, tzinfo=dt.UTC)  # after that day's close; the list goes on to 1 March
    assert kit.fetch("AAPL")["AAPL"].notes == ("unfinished candle of 2013-03-01 skipped",)


def test_without_a_ticker_the_fetch_updates_what_came_from_yahoo(kit: Kit, server: YahooServer) -> None:
    from forecaster.workflows.fetch import fetch

    kit.fetch("AAPL", "IBM")
    fetch(["MSFT"], source="sample", data_dir=kit.store.root)
    server.log.clear()
    assert sorted(kit.fetch()) == ["AAPL", "IBM"]
    assert server.requests("MSFT") == 0


def test_a_damaged_file_is_brought_again_whole(kit: Kit, server: YahooServer) -> None:
    kit.fetch("AAPL", "IBM")
    path = kit.store.path("AAPL")
    path.write_bytes(path.read_bytes()[:5000])
    assert kit.fetch()["AAPL"].status == "new"
    assert kit.matches(server.listings["AAPL"])
    assert kit.sound()


def test_another_source_s_history_is_not_continued(kit: Kit, server: YahooServer) -> None:
    from forecaster.workflows.fetch import fetch

    fetch(["FB"], source="sample", data_dir=kit.store.root)
    server.put(server.listings["FB"].changed(3, close=server.listings["FB"].close[3] - 0.001))
    kit.fetch("FB")
    assert kit.matches(server.listings["FB"])
