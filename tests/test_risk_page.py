"""The page of `forecast risk` in a real Chromium: the picture has its colours, and nothing offends the eye."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecaster.positions.exceptions import RiskTest
from forecaster.runs import portfoliotest
from forecaster.show.riskpage import risk_page
from forecaster.workflows.risk import risk
from forecaster.workflows.train import TrainedRun
from tests.browser import looked_at, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ("tests.browser_fixtures", "tests.studio_fixtures")

TESTS = tuple(
    portfoliotest.Tested(method, horizon, 0.0052, RiskTest(480 // horizon, 30, 24.2, 0.24, 0.5, -0.1))
    for horizon in (1, 20)
    for method in ("joint paths", "filtered historical simulation")
)


@pytest.fixture
def page(store: Path, trained: TrainedRun, tmp_path: Path) -> Path:
    holdings = {"AAPL": 12_000, "IBM": -1.5, "MSFT": 1e6, "cash": -40}
    found = risk(holdings, days=3, paths=200, run=str(trained.folder), data_dir=store)
    file = tmp_path / "risk.html"
    file.write_text(risk_page(replace(found, tests=TESTS)), encoding="utf-8")
    return file


def test_nothing_in_the_page_offends_the_eye(browser: Browser, page: Path) -> None:
    assert looked_at(browser, page) == {}


def test_the_picture_has_the_colours_of_the_page(browser: Browser, page: Path) -> None:
    """The page's policy forbids a style within the picture: it would be black."""
    seen = visit(browser, page)
    sheets = "[...document.querySelectorAll('.plot .sheet')].map((one) => getComputedStyle(one).fill)"
    assert seen.page.evaluate(sheets) == ["rgb(255, 255, 255)"] * 2


def test_the_page_shows_what_the_backtest_found(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "filtered historical simulation" in text
    assert "Christoffersen p" in text
