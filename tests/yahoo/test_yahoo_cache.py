"""The client's cache folder is our own and heals itself; its memory of bad answers does not outlive a retry."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecaster.data.sources.yahoo import cache
from tests.yahoo.kit import Kit
from tests.yahoo.server import YahooServer, body, status


def _forget_the_process() -> None:
    """What a new process would not know."""
    from yfinance.data import SingletonMeta

    SingletonMeta._instances.clear()


def test_the_client_keeps_its_cookie_in_our_folder_and_uses_it_again(kit: Kit, server: YahooServer) -> None:
    kit.fetch("AAPL")
    assert (kit.cache / "cookies.db").is_file()
    _forget_the_process()
    server.log.clear()
    kit.fetch("AAPL")
    assert server.log == ["/v1/test/getcrumb", "AAPL"]


def test_a_stored_cookie_without_its_main_part_is_thrown_away(kit: Kit, server: YahooServer) -> None:
    cache.set_folder(kit.cache)
    good, server.cookie = server.cookie, "B=1; Domain=.yahoo.com; Path=/; Max-Age=31536000"
    for _ in range(2):  # what the client alone does for ever once it has stored such a cookie
        with pytest.raises(KeyError, match="A3"):
            _ask_the_client_alone(kit)
        _forget_the_process()
        server.cookie = good
    assert kit.fetch("AAPL")["AAPL"].status == "new"
    assert server.requests("AAPL") == 1


def test_without_any_cookie_that_the_client_can_read_back_the_fetch_goes_on(kit: Kit, server: YahooServer) -> None:
    server.cookie = "B=1; Domain=.yahoo.com; Path=/; Max-Age=31536000"
    outcomes = kit.fetch("AAPL", "IBM", "MSFT")
    assert {outcome.status for outcome in outcomes.values()} == {"new"}
    assert server.requests() == 3


def _ask_the_client_alone(kit: Kit) -> None:
    import yfinance

    yfinance.config.debug.hide_exceptions = False
    yfinance.Ticker("AAPL", session=kit._session).history(period="max")


@pytest.mark.parametrize("damage", [b"this is not a database" * 100, b""])
def test_a_corrupt_cache_file_is_thrown_away(damage: bytes, kit: Kit, server: YahooServer) -> None:
    kit.cache.mkdir()
    (kit.cache / "cookies.db").write_bytes(damage)
    outcomes = kit.fetch("AAPL", "IBM")
    assert {outcome.status for outcome in outcomes.values()} == {"new"}
    assert server.requests("AAPL") == server.requests("IBM") == 1


def test_without_a_place_for_the_cookie_the_fetch_goes_on(kit: Kit, server: YahooServer) -> None:
    kit.cache.write_text("a file where the folder would be")
    assert kit.fetch("AAPL")["AAPL"].status == "new"


def test_the_default_folder_is_not_the_one_that_other_programs_share() -> None:
    folder = cache.default_folder()
    assert folder.parts[-2:] == ("forecaster", "yfinance")
    assert "py-yfinance" not in str(folder)


def test_a_retry_is_a_request_even_where_the_client_remembers(kit: Kit, server: YahooServer) -> None:
    from yfinance.data import YfData

    server.fail("AAPL", body("<html>"), 1)
    data = YfData(session=kit._session)
    url = "https://query2.finance.yahoo.com/v8/finance/chart/AAPL"
    assert data.cache_get(url=url).text == data.cache_get(url=url).text == "<html>"
    assert server.requests("AAPL") == 1
    cache.clear_responses()
    assert "timestamp" in data.cache_get(url=url).text
    assert server.requests("AAPL") == 2


def test_the_client_s_noise_is_taken_and_its_logger_given_back(
    kit: Kit, server: YahooServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    import logging

    server.fail("AAPL", status(500))
    kit.fetch("AAPL", "IBM")
    logger = logging.getLogger("yfinance")
    assert (caplog.records, logger.handlers, logger.level, logger.propagate) == ([], [], logging.NOTSET, True)
    assert capfd.readouterr() == ("", "")


def test_the_cache_folder_holds_no_price(kit: Kit, tmp_path: Path) -> None:
    kit.fetch("AAPL")
    assert {path.name.partition("-")[0] for path in kit.cache.iterdir()} <= {"cookies.db", "tkr"}
