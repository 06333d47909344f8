"""Tables on a narrow screen: a column less, never half a word."""

from __future__ import annotations

import pytest
from rich.console import Console, RenderableType

from forecaster.show.columns import Facts, Sparing, by_column, fitting, taken
from forecaster.show.skill import trained_view
from forecaster.workflows.train import TrainedRun

pytest_plugins = ("tests.studio_fixtures",)

ROWS = by_column(("name", "first", "p"), [("a-long-name", "2013-03-01", "0.5"), ("b", "2013-03-04", "<.0001")])


def shown(page: RenderableType, width: int) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(page, crop=False)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_columns_are_spared_in_order_and_only_as_far_as_needed() -> None:
    assert taken(ROWS) == len("a-long-name  2013-03-01  <.0001")
    assert list(fitting(ROWS, 31, ("first", "p"))) == ["name", "first", "p"]
    assert list(fitting(ROWS, 30, ("first", "p"))) == ["name", "p"]
    assert list(fitting(ROWS, 18, ("first", "p"))) == ["name"]


def test_a_table_takes_what_width_there_is() -> None:
    table = Sparing(ROWS, left=("name", "first"), spared=("first",))
    assert shown(table, 80) == [
        "name         first            p",
        "a-long-name  2013-03-01     0.5",
        "b            2013-03-04  <.0001",
    ]
    assert shown(table, 25) == ["name              p", "a-long-name     0.5", "b            <.0001"]


def test_facts_stand_beside_each_other_where_they_fit() -> None:
    facts = Facts({"file": "/a/long/place/panel.npz", "rows": "5"})
    assert shown(facts, 80) == ["file                     rows", "/a/long/place/panel.npz  5"]
    assert shown(facts, 29) == ["file                     rows", "/a/long/place/panel.npz  5"]
    assert shown(facts, 28) == ["file  /a/long/place/panel.np", "      z", "rows  5"]


@pytest.mark.parametrize(("width", "columns"), [(80, 9), (60, 7), (50, 6)])
def test_a_skill_report_keeps_its_figures_whole(trained: TrainedRun, width: int, columns: int) -> None:
    lines = shown(trained_view(trained, verbose=True).render(), width)
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    (header,) = (line for line in lines if line.startswith("price  forecast"))
    assert len(header.split()) == columns
    assert sum("ewma-random-walk  " in line for line in lines) == 5
