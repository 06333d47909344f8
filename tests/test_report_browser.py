"""The page in a real browser: nothing offends the eye, and explorer and finder answer mouse and keyboard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecaster.show.report.page import render
from forecaster.workflows.report import Report, report
from forecaster.workflows.train import TrainedRun, train
from tests import browser as real
from tests.studio import QUICK
from tests.test_report_page import HOSTILE, many

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ("tests.studio_fixtures", "tests.browser_fixtures")


@pytest.fixture(scope="module")
def found(trained: TrainedRun, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report(str(trained.folder), data_dir=store, runs_dir=tmp_path_factory.mktemp("looks"))


@dataclass
class Visit(real.Visit):
    """A report as opened."""

    def says(self) -> str:
        return self.page.locator("#explorer-says").inner_text()

    def date(self) -> str:
        return self.page.locator("#explorer-date").inner_text()


def visit(browser: Browser, file: Path) -> Visit:
    seen = real.visit(browser, file)
    seen.page.locator("#explorer-tool").wait_for()
    return Visit(seen.page, seen.requests, seen.complaints)


@pytest.fixture(scope="module")
def file(found: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(found), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ("gru", "task.horizon=20"),
        ("gru", "data.tickers=[AAPL]"),
        ("n_to_1", "task.head=point"),
        ("har", "evaluation.baselines=[ewma-random-walk, climatology]"),
    ],
    ids=lambda text: text.partition("=")[2] or text,
)
def test_nothing_in_a_report_offends_the_eye(
    browser: Browser, store: Path, tmp_path: Path, config: str, setting: str
) -> None:
    quick = QUICK[:2] if config == "har" else QUICK[:-1]
    settings = (*quick, *(("training.steps=3",) if config != "har" else ()), setting)
    train(config, settings=settings, data_dir=store, runs_dir=tmp_path, name="run")
    file = tmp_path / "page.html"
    file.write_text(render(report("run", data_dir=store, runs_dir=tmp_path)), encoding="utf-8")
    assert real.looked_at(browser, file) == {}


def test_nothing_in_a_report_on_204_tickers_offends_the_eye(browser: Browser, found: Report, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(render(many(found)), encoding="utf-8")
    assert real.looked_at(browser, tmp_path / "page.html") == {}


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


def test_headings_go_down_in_order_and_tables_are_tables_however_narrow(browser: Browser, file: Path) -> None:
    page = real.visit(browser, file, 360).page
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    table = page.get_by_role("table").first
    assert table.get_by_role("columnheader").count() == 9
    assert table.get_by_role("rowheader").count() == table.get_by_role("row").count() - 1 > 0
    assert table.get_by_role("cell").count() > 0
    assert page.get_by_role("table").count() <= page.get_by_role("region").count(), "each can be scrolled by key"


def test_a_ticker_is_found_and_the_table_sorted_by_key(browser: Browser, found: Report, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(render(many(found)), encoding="utf-8")
    seen = visit(browser, tmp_path / "page.html")
    names, keys = seen.page.locator("#finder-table tbody th:visible"), seen.page.keyboard
    seen.page.get_by_role("searchbox", name="Find a ticker").focus()
    keys.type("t20")
    assert sorted(names.all_inner_texts()) == ["T200", "T201", "T202", "T203"]
    assert seen.page.locator("#finder-says").inner_text() == "4 of 204"
    keys.press("Tab")
    keys.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "ticker"
    keys.press("Enter")
    assert names.all_inner_texts() == ["T200", "T201", "T202", "T203"]
    keys.press("Enter")
    assert names.first.inner_text() == "T203"
    head = seen.page.get_by_role("columnheader", name="ticker").first
    assert head.get_attribute("aria-sort") == "descending"
    seen.page.get_by_role("searchbox").fill("")
    seen.page.get_by_role("button", name="skill").click()
    skill = [float(text.strip("%")) for text in seen.page.locator("#finder-table td:nth-child(3)").all_inner_texts()]
    assert skill == sorted(skill, reverse=True)
    assert len(skill) == 204
    assert seen.complaints == []


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


def test_204_tickers_are_shown_with_two_seconds_of_work(browser: Browser, found: Report, tmp_path: Path) -> None:
    """Of the processor, which others on this machine do not slow down."""
    (tmp_path / "page.html").write_text(render(many(found)), encoding="utf-8")
    page = browser.new_page()
    measure = page.context.new_cdp_session(page)
    measure.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator("#explorer-ticker option").count() == 204
    metrics = {one["name"]: one["value"] for one in measure.send("Performance.getMetrics")["metrics"]}
    page.close()
    assert 0 < metrics["TaskDuration"] < 2
