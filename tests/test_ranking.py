"""Tickers as bars: each by its name, and of many both ends."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from forecaster.evaluation.diagnose import Grouped
from forecaster.show.report.figures import left_out, skill_by_month, skill_by_ticker
from forecaster.show.report.ranking import ranking


def drawn(svg: str) -> tuple[list[str], list[dict[str, str]]]:
    root = ElementTree.fromstring(svg)
    return ["".join(one.itertext()) for one in root.iter("text")], [one.attrib for one in root.iter("rect")]


def grouped(count: int) -> Grouped:
    skill = np.linspace(-0.01, 0.02, count)
    return Grouped(tuple(f"T{place}" for place in range(count)), np.full(count, 9), skill, None)


def test_bars_go_to_the_right_above_zero_and_to_the_left_below_it() -> None:
    _, (best, worst) = drawn(ranking([("A", 0.02), ("B", -0.01)], "label", write="{:+.0%}".format))
    assert (best["class"], worst["class"]) == ("bar above", "bar below")
    assert float(best["x"]) == pytest.approx(float(worst["x"]) + float(worst["width"]), abs=0.02)
    assert float(best["width"]) == pytest.approx(2 * float(worst["width"]), abs=0.02)


def months(count: int, skill: float = 0.01) -> Grouped:
    names = (np.datetime64("2001-03") + np.arange(count)).astype(str).tolist()
    return Grouped(tuple(names), np.full(count, 9), np.full(count, skill), None)


def test_each_of_36_months_is_named_and_of_more_the_years_are() -> None:
    said, bars = drawn(skill_by_month(months(36)))
    assert said[::2] == list(months(36).names)
    assert len(bars) == 36
    said, bars = drawn(skill_by_month(months(240)))
    assert len(bars) == 240
    years = [text for text in said if text.isdecimal()]
    assert years == ["2002", "2006", "2010", "2014", "2018"]


def test_a_month_without_a_score_is_named_and_has_no_bar() -> None:
    said, (bar, *_) = drawn(skill_by_month(months(2, np.nan)))
    assert said == ["2001-03", "–", "2001-04", "–"]
    assert float(bar["width"]) <= 0.5


def test_a_few_tickers_are_all_named_the_best_first() -> None:
    said, bars = drawn(skill_by_ticker(grouped(5)))
    assert said[::2] == ["T4", "T3", "T2", "T1", "T0"]
    assert said[1] == "+2.00%"
    assert len(bars) == 5
    assert left_out(grouped(5)) == ""


def test_of_many_both_ends_are_drawn_and_it_is_said() -> None:
    said, bars = drawn(skill_by_ticker(grouped(204)))
    assert len(bars) == 20
    assert (said[0], said[-2]) == ("T203", "T0")
    assert "… 184 between them …" in said
    assert "all are in the table" in left_out(grouped(204))


def test_a_long_or_hostile_name_is_cut_and_stays_text() -> None:
    said, _ = drawn(ranking([("<b>" + "LONG" * 9, 0.1)], "label", write="{:+.0%}".format))
    assert said[0] == "<b>LONGLONGLO…"
