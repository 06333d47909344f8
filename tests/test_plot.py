"""Plots for documents: values stand where their axes say, and no text is markup."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from forecaster.show.plot import Axis, Box, Look, Plot, legend, picture

BOX = Box(0, 0, 400, 300)


def plot(log: bool = False) -> Plot:
    ticks = [(1.0, "1"), (10.0, "10"), (100.0, "100")]
    return Plot("title", Axis(1, 100, "across", ticks, log), Axis(0, 1, "up", []), BOX)


def test_a_logarithmic_axis_gives_each_power_the_same_room() -> None:
    one, ten, hundred = (plot(log=True).x(value) for value in (1, 10, 100))
    assert ten - one == pytest.approx(hundred - ten)
    assert plot().x(50.5) == pytest.approx((one + hundred) / 2)


def test_a_line_goes_through_its_points_and_marks_every_so_many() -> None:
    drawn = plot()
    path, *marks = drawn.line([1, 2, 3, 4], [0, 0.5, 1, 0.25], Look("accent", mark="square"), every=2)
    data = re.findall(r"[ML]([\d.]+) ([\d.]+)", str(ET.fromstring(path).get("d")))
    assert [(float(x), float(y)) for x, y in data] == [
        pytest.approx((drawn.x(x), drawn.y(y)), abs=0.01) for x, y in ((1, 0), (2, 0.5), (3, 1), (4, 0.25))
    ]
    assert len(marks) == 2
    assert drawn.y(1) < drawn.y(0), "upwards"


def test_a_linear_axis_has_round_ticks_inside_its_values() -> None:
    axis = Axis.of([0.0, 2.0], "x")
    assert [text for _, text in axis.ticks] == ["0.0", "0.5", "1.0", "1.5", "2.0"]
    assert axis.low < 0
    assert axis.high > 2


def test_everything_lies_in_the_picture_and_no_text_is_markup() -> None:
    evil = "<b>&"
    drawn = Plot(evil, Axis.of([0, 10], evil), Axis.of([0, 1000], evil), BOX)
    entries = [(f"{evil}{place}", Look("other", mark="circle")) for place in range(9)]
    parts = [*drawn.frame(), *drawn.line([0, 10], [0, 1000], Look("ink")), *legend(entries, 10, 300, 380)]
    root = ET.fromstring(picture(400, 420, parts))
    texts = [one for one in root.iter() if one.tag.endswith("text")]
    assert [one.text for one in texts].count(evil) == 3
    assert all(0 <= float(one.get("x", 0)) <= 400 and 0 <= float(one.get("y", 0)) <= 420 for one in texts)
    assert "prefers-color-scheme: dark" in (root[0].text or "")
