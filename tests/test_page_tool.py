"""A forecast's chart in a real browser: cursor and ranges by mouse, touch and key; without its script, a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecaster.inference.forecast import Forecast, History
from forecaster.show.page import page
from tests.browser import looked_at, visit
from tests.forecasts import made
from tests.studio import bars

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest_plugins = ("tests.browser_fixtures",)

EVIL = "</script><img src=x onerror=alert(1)>"
LONG = 900


def long(ticker: str = "AAA") -> Forecast:
    """A forecast with years of candles behind it."""
    return replace(made(ticker, rows=LONG), history=History.of(bars("AAA", LONG)))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page([long(), made("BBB", (1,))]), encoding="utf-8")
    return path


def written(tmp_path: Path, *forecasts: Forecast) -> Path:
    path = tmp_path / "page.html"
    path.write_text(page(forecasts), encoding="utf-8")
    return path


def says(page: Page) -> str:
    return page.locator(".says").first.inner_text().replace("\n", " ")


def candles(page: Page) -> int:
    return page.locator(".stage").first.locator("path.candle:not(.ahead)").count()


def point(page: Page, share: float) -> None:
    """Move the mouse to a share of the first chart's width."""
    box = page.locator(".stage").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


@pytest.mark.parametrize("width", [360, 1200])
def test_the_forecast_has_a_quarter_of_the_plot_in_every_range(browser: Browser, file: Path, width: int) -> None:
    seen = visit(browser, file, width)
    for name in ("1M", "3M", "6M", "1Y", "All"):
        seen.page.get_by_role("button", name=name).first.click()
        assert seen.page.get_by_role("button", name=name).first.get_attribute("aria-pressed") == "true"
        grid, origin = (
            seen.page.locator(f".stage path.{kind}").first.evaluate(
                "(one) => { const box = one.getBBox(); return [box.x, box.x + box.width]; }"
            )
            for kind in ("grid", "origin")
        )
        assert grid[1] - origin[0] == pytest.approx((grid[1] - grid[0]) / 4, abs=0.5)
    assert seen.complaints == []
    assert seen.requests == [file.as_uri()]


def test_each_range_begins_so_many_months_before_the_last_close(browser: Browser, file: Path) -> None:
    seen, dates = visit(browser, file), long().history.whole().dates
    for name, months in (("1M", 1), ("3M", 3)):
        seen.page.get_by_role("button", name=name).first.click()
        last = dates[-1].item()
        first = last.replace(year=last.year - (last.month <= months), month=(last.month - months - 1) % 12 + 1)
        assert candles(seen.page) == int((dates.astype(str) > str(first)).sum())


def test_a_long_range_joins_sessions_and_loses_no_extreme(browser: Browser, file: Path) -> None:
    seen, history = visit(browser, file), long().history.whole()
    seen.page.get_by_role("button", name="All").first.click()
    assert 100 < candles(seen.page) < LONG
    assert "sessions a candle" in seen.page.locator(".stage").first.inner_text()
    seen.page.locator(".stage").first.focus()
    seen.page.keyboard.press("Home")
    told = says(seen.page)
    count = int(told.split(" sessions to ")[0].rsplit(" ", 1)[1])
    assert f"high {history.ohlc[:count, 1].max():.2f}" in told
    assert f"low {history.ohlc[:count, 2].min():.2f}" in told
    assert f"open {history.ohlc[0, 0]:.2f}" in told


def test_the_cursor_answers_the_mouse(browser: Browser, file: Path) -> None:
    seen, forecast = visit(browser, file), long()
    assert says(seen.page).startswith("Point at the chart")
    point(seen.page, 0.999)
    last, median = forecast.dates[-1].item(), forecast.point[-1, 3]
    assert says(seen.page).startswith(f"AAA, forecast for {last.day} {last:%B %Y} median {median:.2f} · 50% ")
    low, high = (forecast.prices[-1, 3, forecast.levels.index(level)] for level in (0.1, 0.9))
    assert f"80% {low:.2f}–{high:.2f}" in says(seen.page)
    point(seen.page, 0.01)
    assert "open" in says(seen.page)
    assert seen.page.locator(".cross").count() == 1
    seen.page.mouse.move(1, 1)
    assert says(seen.page).startswith("Point at the chart")
    assert seen.page.locator(".cross").count() == 0


def test_the_cursor_answers_the_keyboard_and_a_screen_reader_hears_it(browser: Browser, file: Path) -> None:
    seen, forecast = visit(browser, file), long()
    slider, keys = seen.page.get_by_role("slider", name="AAA: day under the cursor"), seen.page.keyboard
    for _ in range(12):
        keys.press("Tab")
        if slider.evaluate("(one) => one === document.activeElement"):
            break
    close, origin = forecast.last_close, forecast.origin.item()
    assert says(seen.page).startswith(f"AAA, {origin.day} {origin:%B %Y} open")
    assert says(seen.page).endswith(f"close {close:.2f}")
    for key, said in (
        ("ArrowRight", forecast.dates[0]),
        ("End", forecast.dates[-1]),
        ("ArrowLeft", forecast.dates[-2]),
    ):
        keys.press(key)
        assert f"forecast for {said.item().day} {said.item():%B}" in says(seen.page)
        heard = slider.get_attribute("aria-valuetext") or ""
        assert (
            heard.replace(":", "").replace(",", "").split()
            == says(seen.page).replace("· ", "").replace(",", "").split()
        )
    assert slider.get_attribute("aria-valuenow") == str(candles(seen.page) + 3)
    keys.press("Escape")
    assert says(seen.page).startswith("Point at the chart")


def test_the_cursor_answers_a_finger_and_stays(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto(file.as_uri())
    box = page.locator(".stage").first.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 0.4 * box["width"], box["y"] + 60)
    assert "close" in says(page)
    assert page.locator(".stage").first.evaluate("(one) => getComputedStyle(one).touchAction") == "pan-y"
    above = page.locator(".stage").first.evaluate("(one) => one.getBoundingClientRect().top + scrollY")
    page.touchscreen.tap(box["x"] + 0.8 * box["width"], box["y"] + 60)
    assert "median" in says(page)
    now = page.locator(".stage").first.evaluate("(one) => one.getBoundingClientRect().top + scrollY")
    assert now == above, "the chart does not jump under the finger"
    page.close()


def test_a_range_longer_than_the_history_is_not_offered(browser: Browser, tmp_path: Path) -> None:
    one = made()
    alone = replace(one, history=History(one.history.dates[-1:], one.history.ohlc[-1:]))
    seen = visit(browser, written(tmp_path, alone))
    assert seen.page.get_by_role("button").count() == 0
    assert candles(seen.page) == 1
    assert visit(browser, written(tmp_path, one)).page.get_by_role("button").all_inner_texts() == ["1M", "All"]


@pytest.mark.parametrize(
    "forecast",
    [
        replace(long(), ticker="LONG"),
        replace(made(), history=History(made().history.dates[-1:], made().history.ohlc[-1:])),
        made("TINY", scale=1.26e-6),
        made("HUGE", tuple(range(1, 21)), scale=12_600.0, currency="JPY"),
        made("NO80", levels=(0.25, 0.5, 0.75)),
        made("POINT", levels=(0.5,)),
    ],
    ids=["years", "one candle", "0.0001", "1,000,000", "no 80% band", "medians"],
)
def test_nothing_offends_the_eye_whatever_the_prices_and_the_past(
    browser: Browser, tmp_path: Path, forecast: Forecast
) -> None:
    assert looked_at(browser, written(tmp_path, forecast)) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_candle_is_as_bright_as_the_text(browser: Browser, file: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(file.as_uri())
    colours = page.evaluate(
        """() => ["path.candle.fell:not(.ahead)", "path.candle:not(.fell):not(.ahead)", "text"].map((name) => {
            const style = getComputedStyle(document.querySelector(`.stage ${name}`));
            return [style.fill, style.stroke];
        })"""
    )
    (fell, edge), (hollow, rose), (text, _) = colours
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert fell == edge
    assert hollow == paper
    assert len({fell, rose, text, paper}) == 4
    page.close()


def test_without_its_script_the_page_shows_pictures(browser: Browser, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.get_by_role("img").count() == 2
    assert page.get_by_role("button").count() == 0
    assert "rose" in page.get_by_role("list", name="Legend").first.inner_text()
    context.close()


def test_a_legend_is_on_the_page_of_a_phone(browser: Browser, file: Path) -> None:
    seen = visit(browser, file, 360)
    told = seen.page.get_by_role("list", name="Legend").first.inner_text()
    for words in ("rose", "fell", "median candle", "80%", "9 of 10 highs below, 9 of 10 lows above"):
        assert words in told


def test_a_hostile_ticker_is_only_ever_text(browser: Browser, tmp_path: Path) -> None:
    seen = visit(browser, written(tmp_path, replace(long(), ticker=EVIL, currency=EVIL, run=EVIL, warnings=(EVIL,))))
    point(seen.page, 0.5)
    assert says(seen.page).startswith(EVIL)
    assert seen.page.locator("img").count() == 0
    assert len(seen.requests) == 1
    assert seen.complaints == []


def test_the_policy_stops_a_script_that_is_not_the_pages_own(browser: Browser, file: Path, tmp_path: Path) -> None:
    planted = file.read_text(encoding="utf-8").replace("</body>", "<script>document.title = 'taken'</script></body>")
    (tmp_path / "page.html").write_text(planted, encoding="utf-8")
    seen = visit(browser, tmp_path / "page.html")
    assert seen.page.title() != "taken"
    assert len(seen.complaints) == 1
