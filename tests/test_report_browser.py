"""The page in a real browser: it asks for nothing, complains of nothing, and the explorer answers mouse and keyboard.

Skipped where there is no Chromium (`apt-get install chromium`) or no playwright (in the extra `dev`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecaster.show.report.page import render
from forecaster.workflows.report import Report, report
from forecaster.workflows.train import TrainedRun
from tests.test_report_page import HOSTILE, many

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest_plugins = ("tests.studio_fixtures",)

_CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if _CHROMIUM is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=_CHROMIUM, args=_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def found(trained: TrainedRun, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report(str(trained.folder), data_dir=store, runs_dir=tmp_path_factory.mktemp("looks"))


@dataclass
class Visit:
    """A page as opened, with all that it asked for and all that it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def says(self) -> str:
        return self.page.locator("#explorer-says").inner_text()

    def date(self) -> str:
        return self.page.locator("#explorer-date").inner_text()


def visit(browser: Browser, file: Path, width: int = 1200, scheme: str = "light") -> Visit:
    dark = scheme == "dark"
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
    seen = Visit(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(file.as_uri())
    page.locator("#explorer-tool").wait_for()
    return seen


@pytest.fixture(scope="module")
def file(found: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(found), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_asks_for_nothing_complains_of_nothing_and_fits(
    browser: Browser, file: Path, width: int, scheme: str
) -> None:
    seen = visit(browser, file, width, scheme)
    assert seen.requests == [file.as_uri()]
    assert seen.complaints == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    shown = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (shown == "rgb(255, 255, 255)") == (scheme == "light")


def test_the_explorer_answers_the_mouse(browser: Browser, file: Path, found: Report) -> None:
    seen = visit(browser, file)
    assert found.diagnosis is not None
    aapl, _, msft = found.diagnosis.explorer
    assert seen.date() == str(aapl.sessions[-4]), "the newest forecast of which all has come"
    seen.page.click("#explorer-older")
    assert seen.date() == str(aapl.sessions[-5])
    chart = seen.page.locator("#explorer-chart").inner_html()
    seen.page.select_option("#explorer-ticker", label="MSFT")
    assert seen.says().startswith(f"MSFT, forecast after the close of {msft.sessions[-4]}")
    assert seen.page.locator("#explorer-chart").inner_html() != chart
    seen.page.click("#explorer-newer")
    seen.page.click("#explorer-newer")
    assert seen.page.locator("#explorer-newer").is_disabled()
    assert seen.page.locator("#explorer-numbers").inner_text().count("not yet") == 8
    assert seen.complaints == []


def test_the_explorer_answers_the_keyboard(browser: Browser, file: Path, found: Report) -> None:
    seen = visit(browser, file)
    assert found.diagnosis is not None
    aapl = found.diagnosis.explorer[0]
    keys = seen.page.keyboard
    for _ in range(40):
        keys.press("Tab")
        if seen.page.evaluate("document.activeElement.id") == "explorer-ticker":
            break
    keys.press("ArrowDown")
    assert seen.says().startswith("IBM, ")
    keys.press("ArrowUp")
    keys.press("Tab")
    keys.press("Enter")
    assert seen.date() == str(aapl.sessions[-5])
    keys.press("Tab")
    keys.press("Home")
    assert seen.date() == str(aapl.sessions[aapl.origins[0]])
    keys.press("ArrowRight")
    assert seen.date() == str(aapl.sessions[aapl.origins[1]])
    assert seen.page.locator("#explorer-origin").get_attribute("aria-valuetext") == seen.date()
    assert seen.complaints == []


def test_the_explorers_numbers_are_the_forecast_and_the_candles(browser: Browser, file: Path, found: Report) -> None:
    seen = visit(browser, file)
    assert found.diagnosis is not None
    view = found.diagnosis.explorer[0]
    close = view.candles[-4, 3]
    rows = [row.split() for row in seen.page.locator("#explorer-numbers tr").all_inner_texts()]
    place = list(view.origins).index(len(view.sessions) - 4)
    assert rows[0][0] == str(view.sessions[-3])
    for step in range(3):
        forecast, came = rows[2 * step], rows[2 * step + 1]
        told = [float(text) for text in forecast[2:6]]
        assert told == pytest.approx(close * 2.718281828459045 ** view.forecasts[place, step, :4], abs=0.011)
        assert [float(text) for text in came[1:5]] == pytest.approx(list(view.candles[-3 + step]), abs=0.011)


def test_each_control_and_picture_has_a_name_for_a_screen_reader(browser: Browser, file: Path) -> None:
    seen = visit(browser, file)
    page = seen.page
    assert page.get_by_role("combobox", name="Ticker").count() == 1
    assert page.get_by_role("slider", name="Forecast after the close of").count() == 1
    assert page.get_by_role("button", name="one session earlier").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.locator("#explorer-chart").get_by_role("img").get_attribute("aria-label") == seen.says()


def test_a_hostile_ticker_is_only_ever_text(browser: Browser, found: Report, tmp_path: Path) -> None:
    assert found.diagnosis is not None
    views = tuple(replace(view, ticker=HOSTILE) for view in found.diagnosis.explorer)
    hostile = replace(found, diagnosis=replace(found.diagnosis, explorer=views), notes=(HOSTILE,))
    (tmp_path / "page.html").write_text(render(hostile), encoding="utf-8")
    seen = visit(browser, tmp_path / "page.html")
    assert seen.says().startswith(HOSTILE)
    assert seen.page.locator("img").count() == 0
    assert len(seen.requests) == 1
    assert seen.complaints == []


def test_the_policy_stops_a_script_that_is_not_the_pages_own(browser: Browser, file: Path, tmp_path: Path) -> None:
    planted = file.read_text(encoding="utf-8").replace("</main>", "<script>document.title = 'taken'</script></main>")
    (tmp_path / "page.html").write_text(planted, encoding="utf-8")
    seen = visit(browser, tmp_path / "page.html")
    assert seen.page.title() != "taken"
    assert len(seen.complaints) == 1


def test_204_tickers_are_shown_within_two_seconds(browser: Browser, found: Report, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(render(many(found)), encoding="utf-8")
    took = []
    for _ in range(3):  # others may work on this machine
        seen = visit(browser, tmp_path / "page.html")
        took.append(seen.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        assert seen.page.locator("#explorer-ticker option").count() == 204
        seen.page.close()
    assert 0 < min(took) < 2000
