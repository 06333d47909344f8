"""Pages with hostile names: all is escaped, and a browser runs no script but the page's own."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecaster.inference.forecast import Forecast
from forecaster.show.page import page
from forecaster.show.sheet import standalone
from tests.browser import visit
from tests.forecasts import made

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ("tests.browser_fixtures",)

ATTACKS = (
    "<script>window.owned = 1</script>",
    '"><img src=x onerror="window.owned = 1">',
    "</script><script>window.owned = 1</script>",
    "'-window.owned=1-'",
    "]]></style><svg onload='window.owned = 1'>",
    "javascript:window.owned=1",
    "\u202e\x1b[31m",
)


def hostile(attack: str) -> Forecast:
    return replace(made(attack, currency=attack, warnings=(attack,)), run=attack)


class Elements(HTMLParser):
    """The elements of a page that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        places = ("href", "src", "action", "xlink:href")
        self.handlers += [
            name
            for name, value in attrs
            if name.startswith("on") or (name in places and "javascript:" in (value or ""))
        ]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("count", [1, 12])
def test_a_page_holds_no_script_but_its_own(attack: str, count: int) -> None:
    text = page([hostile(attack)] * count)
    found = Elements()
    found.feed(text)
    plain = Elements()
    plain.feed(page([made()] * count))
    assert (found.scripts, found.handlers) == (plain.scripts, plain.handlers)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "default-src &#39;none&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_picture_holds_no_script(attack: str) -> None:
    found = Elements()
    found.feed(standalone([hostile(attack)]))
    assert (found.scripts, found.handlers) == (0, [])


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_browser_runs_nothing_of_it(browser: Browser, tmp_path: Path, attack: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(page([hostile(attack)]), encoding="utf-8")
    seen = visit(browser, file)
    assert seen.page.evaluate("window.owned") is None
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []
    assert seen.complaints == []


def test_the_policy_forbids_what_would_slip_through(browser: Browser, tmp_path: Path) -> None:
    """The second lock: even a script that was not escaped does not run."""
    file = tmp_path / "page.html"
    attack = "<script>window.owned = 1</script><img src=data: onerror='window.owned = 1'>"
    text = page([made()]).replace("</body>", f"{attack}</body>")
    file.write_text(text, encoding="utf-8")
    seen = visit(browser, file)
    assert seen.page.evaluate("window.owned") is None
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)
