"""`forecast features` and docs/features.md: every column that is computed is explained, and no other."""

from __future__ import annotations

import csv
import io
import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.data.panel import Panel
from forecaster.features import GROUPS
from forecaster.features.candles import Candles
from forecaster.features.compute import compute_features
from forecaster.workflows.features import UNITS, expanded, features
from tests.studio import Answer, bars, panel

pytest_plugins = ("tests.studio_fixtures",)

DOCS = Path(__file__).parents[1] / "docs"
Ask = Callable[..., Answer]


def computed(name: str) -> tuple[str, ...]:
    """The columns of a group; of covariates those of one ticker, without its name."""
    if name in GROUPS:
        return compute_features(panel(70), [name]).names
    names = compute_features(Panel.of([bars()], [bars("^VIX")]), ["base"]).names
    return tuple(one.replace("^VIX.", "") for one in names if not one.startswith("base."))


@pytest.mark.parametrize("group", features(), ids=lambda group: group.name)
def test_the_columns_explained_are_those_computed(group: object) -> None:
    assert group.text.endswith(".")  # type: ignore[attr-defined]
    columns = group.columns  # type: ignore[attr-defined]
    explained = [f"{group.name}.{name}" for column in columns for name in column.names]  # type: ignore[attr-defined]
    assert sorted(explained) == sorted(computed(group.name))  # type: ignore[attr-defined]
    assert {column.unit for column in columns} <= set(UNITS)
    assert all(column.lag and column.meaning.endswith(".") for column in columns)


def test_a_label_stands_for_its_names() -> None:
    assert expanded("gap") == ("gap",)
    assert expanded("return_{5|22}") == ("return_5", "return_22")
    assert expanded("q_{1|2}_{-1..+1}") == ("q_1_-1", "q_1_+0", "q_1_+1", "q_2_-1", "q_2_+0", "q_2_+1")
    assert expanded("third_{0..2}") == ("third_0", "third_1", "third_2")


def test_the_page_says_what_the_command_says() -> None:
    page = runpy.run_path(str(DOCS / "features.py"))["page"]()
    assert (DOCS / "features.md").read_text(encoding="utf-8") == page, "run: python docs/features.py"


def test_the_command_gives_a_table_and_data(say: Ask) -> None:
    table = say("features")
    assert table.code == 0
    assert table.err == ""
    for text in ("vol  7 columns, also for the decoder recursive", "return_{5|22}", "half-life 20", "Garman–Klass"):
        assert text in table.out, text
    groups = json.loads(say("features", "--format", "json").out)
    assert [one["name"] for one in groups] == [*GROUPS.names(), "covariates"]
    (vol,) = [one for one in groups if one["name"] == "vol"]
    assert [column["name"] for column in vol["columns"]][-2:] == ["return_5", "return_22"]
    assert vol["recursive"]
    rows = list(csv.DictReader(io.StringIO(say("features", "--format", "csv").out)))
    assert len(rows) == sum(len(one["columns"]) for one in groups)


def test_a_plugins_group_without_a_list_of_columns_is_shown_by_its_sentence(
    say: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moon(candles: Candles) -> dict[str, object]:
        """Phase of the moon [sic]."""
        return {"phase": candles.close}

    _ = GROUPS.names()
    monkeypatch.setitem(GROUPS._members, "moon", moon)  # type: ignore[arg-type]
    assert "Phase of the moon [sic]." in say("features").out
    row = [row for row in csv.DictReader(io.StringIO(say("features", "--format", "csv").out)) if row["group"] == "moon"]
    assert row == [{"group": "moon", "column": "", "unit": "", "lag": "", "meaning": ""}]
