"""SVG as text: round ticks, escaped words, lines that break where there is nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from markupsafe import Markup

from forecaster.show.scale import Scale, nice_ticks, tick_texts
from forecaster.show.svg import band, candle, element, joined, line
from forecaster.show.theme import THEME


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0.0, 10.0, 5, [0, 2, 4, 6, 8, 10]),
        (391.2, 468.9, 5, [400, 420, 440, 460]),
        (-0.03, 0.021, 5, [-0.02, 0.0, 0.02]),
        (1.0712, 1.0931, 4, [1.08, 1.09]),
        (5.0, 5.0, 5, [5]),
        (1e-9, 3e-9, 2, [1e-9, 2e-9, 3e-9]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, count: int, expected: list[float]) -> None:
    assert nice_ticks(low, high, count) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        ([400.0, 420.0], ["400", "420"]),
        ([1000.0, 12500.0], ["1,000", "12,500"]),
        ([0.9985, 1.0], ["0.9985", "1.0000"]),
        ([-0.02, 0.0, 0.02], ["-0.02", "0.00", "0.02"]),
    ],
)
def test_ticks_have_as_many_digits_as_tell_them_apart(ticks: list[float], expected: list[str]) -> None:
    assert tick_texts(ticks) == expected


def test_a_scale_maps_its_ends_and_takes_a_domain_of_no_width() -> None:
    up = Scale((10.0, 20.0), (300.0, 100.0))
    assert [up(10.0), up(15.0), up(20.0)] == [300, 200, 100]
    assert Scale((5.0, 5.0), (0.0, 100.0))(5.0) == 50


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "S&P", "a'b"])
def test_every_text_and_attribute_is_escaped(evil: str) -> None:
    drawn = element("g", element("title", evil), element("text", evil, id=evil), data_name=evil)
    root = ET.fromstring(drawn)
    assert root.get("data-name") == evil
    assert [(child.tag, child.text, list(child)) for child in root] == [("title", evil, []), ("text", evil, [])]


def test_markup_is_not_escaped_twice_and_nothing_is_left_out() -> None:
    inner = joined([element("b", "1 < 2"), Markup("<i/>")])
    assert element("p", inner, " & more", class_="x", stroke_width=1.5, style=None) == (
        '<p class="x" stroke-width="1.5"><b>1 &lt; 2</b><i/> &amp; more</p>'
    )
    assert element("rect", x=1 / 3, y=2.0, height=7) == '<rect x="0.33" y="2" height="7"/>'


def test_a_line_breaks_where_a_point_is_missing() -> None:
    assert line([0.0, 1.0, 2.0, 3.0], [5.0, float("nan"), 6.0, 7.0]) == "M0 5M2 6L3 7"
    assert band([0.0, 1.0], [1.0, 2.0], [3.0, 4.0]) == "M0 3L1 4L1 2L0 1Z"


def test_a_candle_has_two_wicks_and_a_body() -> None:
    y = Scale((0.0, 10.0), (10.0, 0.0))
    assert candle(5.0, (4.0, 9.0, 1.0, 6.0), y, 2.0) == "M5 1L5 4M5 6L5 9M4 4L6 4L6 6L4 6Z"


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "other", "third", "fourth", "rose", "fell"])
def test_colours_of_text_can_be_read_on_their_page(place: int, name: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5."""
    page, colour = (re.findall(rf"--{one}: (#\w+)", THEME)[place] for one in ("page", name))
    light, dark = sorted((_luminance(page), _luminance(colour)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
