"""What offends the eye in a page as a real browser lays it out; `browser_fixtures` opens the browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_OFFENCES = (Path(__file__).parent / "offences.js").read_text(encoding="utf-8")

WIDTHS = (360, 768, 1280)
"""A phone, a tablet, a screen."""

PRINTED = 718
"""Pixels between the margins of A4."""


@dataclass
class Visit:
    """A page as opened, with all that it asked for and all that it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def visit(browser: Browser, file: Path, width: int = 1200) -> Visit:
    """Open a file."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    seen = Visit(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(file.as_uri())
    return seen


def set_scheme(page: Page, scheme: str) -> None:
    """`light`, `dark`, or `print`, which is as a reader with a dark screen would print it; drawn when it returns."""
    page.emulate_media(
        media="print" if scheme == "print" else "screen", color_scheme="light" if scheme == "light" else "dark"
    )
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def offences(page: Page) -> list[str]:
    """Text on text, cut, tiny or faint, and what scrolls sideways, with all that can be folded open unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    found: list[str] = page.evaluate(_OFFENCES)
    return found


def looked_at(browser: Browser, file: Path) -> dict[tuple[int, str], list[str]]:
    """What offends, by width and scheme, requests and complaints included; nothing where all is well."""
    found, seen = {}, visit(browser, file)
    # A scheme changes colours alone: the narrowest and the widest page are looked at in the dark, too.
    dark = [(width, "dark") for width in (WIDTHS[0], WIDTHS[-1])]
    for width, scheme in (*((width, "light") for width in WIDTHS), *dark, (PRINTED, "print")):
        seen.page.set_viewport_size({"width": width, "height": 900})
        set_scheme(seen.page, scheme)
        wrong = [*offences(seen.page), *seen.complaints, *(url for url in seen.requests if url != file.as_uri())]
        paper = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        if (paper == "rgb(20, 24, 29)") != (scheme == "dark"):
            wrong.append(f"the page is {paper}")
        if wrong:
            found[width, scheme] = wrong
    seen.page.close()
    return found
