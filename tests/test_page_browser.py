"""The page in a real Chromium, where there is one: no request, no error, nothing out of the window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forecaster.show.page import page
from tests.forecasts import made

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=list(QUIET))
        yield opened
        opened.close()


@pytest.mark.parametrize("count", [1, 5, 200])
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_a_page_opens_alone_and_fits(browser: Any, tmp_path: Path, count: int, width: int, scheme: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(page([made(f"T{place}", warnings=("T0 is thin.",)) for place in range(count)]), encoding="utf-8")
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    requests: list[str] = []
    errors: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: errors.append(message.text))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(file.as_uri())
    assert requests == [file.as_uri()]
    assert errors == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == ("rgb(20, 24, 29)" if scheme == "dark" else "rgb(255, 255, 255)")
    first = tab.locator("section").first
    assert first.locator("svg:visible").count() == 1
    assert first.get_by_role("img").get_attribute("aria-labelledby")
    summary = first.locator("summary")
    summary.focus()
    tab.keyboard.press("Enter")
    assert first.locator("tbody tr").count() == 5
    assert first.locator("table").is_visible()
    tab.close()
