"""The page in a real Chromium, where there is one: no request, no error, nothing that offends the eye."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecaster.show.page import page
from forecaster.show.sheet import standalone
from tests.browser import looked_at, offences, visit
from tests.forecasts import made, with_paths

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ("tests.browser_fixtures",)

HORIZONS = [(1,), (1, 2, 3, 4, 5), tuple(range(1, 21)), (1, 2, 3, 4, 5, 20)]


@pytest.mark.parametrize(
    ("steps", "count"),
    [*((steps, 1) for steps in HORIZONS), (HORIZONS[3], 5), (HORIZONS[0], 12), (HORIZONS[3], 12)],
)
def test_nothing_in_a_page_offends_the_eye(
    browser: Browser, tmp_path: Path, steps: tuple[int, ...], count: int
) -> None:
    forecasts = [
        made(f"T{place}", steps, warnings=("T0 is thin.",), scale=10.0 ** (place % 5 - 1)) for place in range(count)
    ]
    file = tmp_path / "page.html"
    file.write_text(page([with_paths(one) for one in forecasts]), encoding="utf-8")
    assert looked_at(browser, file) == {}


@pytest.mark.parametrize("steps", HORIZONS, ids=str)
@pytest.mark.parametrize("more", [0, 3])
def test_nothing_in_an_svg_offends_the_eye(browser: Browser, tmp_path: Path, steps: tuple[int, ...], more: int) -> None:
    drawn = standalone(
        [
            with_paths(made("AAA", steps)),
            made("BBB", steps, warnings=("BBB is thin. " * 20,)),
            *(made("ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345", steps, scale=10.0**place) for place in range(more)),
        ]
    )
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><title>x</title><body style='margin: 0'>{drawn}", encoding="utf-8")
    assert offences(visit(browser, file, 1200).page) == []


@pytest.mark.parametrize(
    ("body", "offence"),
    [
        ("<p>one</p><p style='margin-top: -2em'>two</p>", "text on text"),
        ("<p style='width: 2em; overflow: hidden; white-space: nowrap'>many words</p>", "cut text in p"),
        (
            "<div style='width: 90px; overflow: auto'><p style='width: 200px'>x</p></div>",
            "scrolls sideways: 200 px in 90",
        ),
        (
            "<div class='scroll' style='height: 20px; overflow: auto'><table><tr><td>x<tr><td>y<tr><td>z</table></div>",
            "cut: 3 rows",
        ),
        ("<p style='width: 2000px'>x</p>", "the page scrolls sideways"),
        ("<p style='font-size: 9px'>x</p>", "tiny text: 9.0 px"),
        ("<svg viewBox='0 0 200 20' width='100'><text x='5' y='15' font-size='16'>x</text></svg>", "tiny text: 8.0 px"),
        ("<p style='color: #888'>x</p>", "faint text: contrast 3.54"),
        ("<svg width='50' height='20'><text x='40' y='15'>words</text></svg>", "cut text in svg"),
        (
            "<svg width='50' height='20'><path class='origin' d='M9 0L9 20'/><text x='2' y='15'>Mar</text></svg>",
            "a line through text",
        ),
    ],
)
def test_what_offends_the_eye_is_found(browser: Browser, tmp_path: Path, body: str, offence: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><title>x</title><body>{body}", encoding="utf-8")
    found = offences(visit(browser, file).page)
    assert [text for text in found if text.startswith(offence)], found


def test_the_figures_of_200_tickers_open_by_key(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page([made(f"T{place}") for place in range(200)]), encoding="utf-8")
    seen = visit(browser, file, 360)
    first = seen.page.locator("section").first
    assert first.locator("svg:visible").count() == 1
    assert first.get_by_role("img").get_attribute("aria-labelledby")
    first.locator("summary").focus()
    seen.page.keyboard.press("Enter")
    table = first.get_by_role("table")
    assert table.get_by_role("columnheader").count() == 8, "stacked for the eye, a table to a screen reader"
    assert table.get_by_role("rowheader").count() == table.get_by_role("row").count() - 1 == 5
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert seen.complaints == []
