"""Bars and lines: where they stand, what they are made of, and that no text in them is markup."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from forecaster.show.report.charts import Series, bar_chart, line_chart, round_numbers


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{svg}</div>")


def bars(values: list[float], **more: object) -> list[dict[str, str]]:
    chart = bar_chart(values, "label", axis="axis", places=[(0.5, "first")], **more)  # type: ignore[arg-type]
    return [rect.attrib for rect in parsed(chart).iter("rect")]


def test_bars_stand_on_zero_and_are_as_high_as_their_values() -> None:
    up, double, down = bars([1.0, 2.0, -1.0])
    assert float(double["height"]) == pytest.approx(2 * float(up["height"]), abs=0.02)
    assert float(down["y"]) == pytest.approx(float(up["y"]) + float(up["height"]), abs=0.02)
    assert (up["class"], down["class"]) == ("bar above", "bar below")


def test_a_value_that_is_none_leaves_a_gap() -> None:
    first, third = bars([1.0, math.nan, 1.0])
    assert float(third["x"]) > float(first["x"]) + 1.9 * float(first["width"])


def test_nothing_but_gaps_is_still_a_chart() -> None:
    assert bars([math.nan]) == []


def test_bars_between_edges_are_as_wide_as_their_intervals() -> None:
    narrow, wide = bars([1.0, 1.0], edges=[0.0, 0.25, 1.0])
    assert float(wide["width"]) == pytest.approx(3 * float(narrow["width"]), abs=0.02)


def test_the_marked_bar_is_set_off() -> None:
    assert [bar["class"] for bar in bars([1.0, 2.0], marked=1)] == ["bar above", "bar marked"]


def test_a_line_of_one_point_is_a_mark() -> None:
    chart = line_chart([Series("a", [(40.0, 0.2)])], "label", axis="step", write_across="{:g}".format)
    marks = [path for path in parsed(chart).iter("path") if "mark" in path.attrib["class"]]
    assert len(marks) == 1


def test_an_axis_that_reaches_its_base_does_not_exaggerate() -> None:
    def heights(base: float | None) -> list[float]:
        points = [(1.0, 0.200), (2.0, 0.198)]
        chart = line_chart([Series("a", points, "circle")], "label", axis="a", write_across="{:g}".format, base=base)
        marks = [path.attrib["d"] for path in parsed(chart).iter("path") if "mark" in path.attrib["class"]]
        return [float(mark.split()[1].split("m")[0]) for mark in marks]

    (first, last), (high, low) = heights(None), heights(0.0)
    assert last - first > 80, "a fall of a hundredth fills the chart"
    assert low - high == pytest.approx((210 - 34 - 8) / 100, abs=0.05), "and with its base a hundredth of it"


def test_names_are_escaped_and_several_lines_have_a_legend() -> None:
    points = [(1.0, 0.1), (2.0, 0.3)]
    chart = line_chart(
        [Series("<b>&", points, "square"), Series("b", points)],
        '"<i>',
        axis="<u>",
        write_across="{:g}".format,
    )
    whole = parsed(chart)
    assert ["".join(item.itertext()) for item in whole.iter("li")] == ["<b>&", "b"]
    assert whole.find("svg[@class='chart']").attrib["aria-label"] == '"<i>'  # type: ignore[union-attr]
    assert not re.search("<[biu]>", chart)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-0.013, 0.021, [-0.02, -0.01, 0, 0.01, 0.02, 0.03]),
        (0.2, 0.2, [0.1, 0.15, 0.2, 0.25, 0.3]),
        (0.0, 0.0, [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6]),
        (40.0, 200.0, [0, 50, 100, 150, 200]),
    ],
)
def test_ticks_are_round_and_enclose_what_is_drawn(low: float, high: float, ticks: list[float]) -> None:
    assert round_numbers(low, high) == pytest.approx(ticks)
