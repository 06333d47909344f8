"""An option that has no effect for a source is refused; the table in the README says which source takes which."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from forecaster.data.sources import SOURCES, SourceOptions, check_options, takes
from forecaster.errors import InputError
from forecaster.workflows.fetch import fetch
from tests.studio import REPOSITORY, Answer

pytest_plugins = ("tests.studio_fixtures",)

VALUES = {"path": "x.csv", "currency": "USD", "calendar": "XNYS", "workers": "4"}
"""Of each option; the defaults too are refused where they have no effect."""


def taken(source: str) -> frozenset[str]:
    return SOURCES[source].takes  # type: ignore[attr-defined]


@pytest.mark.parametrize("source", ["yahoo", "file", "sample"])
@pytest.mark.parametrize("option", VALUES)
def test_an_option_without_effect_is_refused_with_the_sources_that_take_it(
    say: Callable[..., Answer], tmp_path: Path, source: str, option: str
) -> None:
    if option in taken(source):
        check_options(source, [option])
        return
    answer = say("fetch", "AAPL", "--source", source, f"--{option}", VALUES[option], "--data-dir", tmp_path)
    others = " and ".join(f"--source {name}" for name in SOURCES.names() if option in taken(name))
    remedy = f"omit it; it is for {others}."
    assert answer == (2, "", f"error: --{option} has no effect on --source {source}: {remedy}\n")
    assert list(tmp_path.iterdir()) == []


def test_each_of_our_sources_says_what_it_takes_and_each_option_is_taken_by_one() -> None:
    names = {field.name for field in fields(SourceOptions)}
    assert all(taken(source) <= names for source in ("yahoo", "file", "sample"))
    assert frozenset().union(*(taken(source) for source in ("yahoo", "file", "sample"))) == names


def test_from_python_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--calendar has no effect on --source sample"):
        fetch(source="sample", data_dir=tmp_path, options=SourceOptions(calendar="24/7"))
    fetch(["FB"], source="sample", data_dir=tmp_path, options=SourceOptions(workers=1))


def test_a_source_of_somebody_else_that_says_nothing_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES._members, "silent", lambda options: SOURCES["sample"](options))
    monkeypatch.setitem(SOURCES._members, "choosy", takes("currency")(lambda options: SOURCES["sample"](options)))
    check_options("silent", VALUES)
    check_options("choosy", ["currency"])
    with pytest.raises(InputError, match=r"--path has no effect on --source choosy: .* --source file and "):
        check_options("choosy", ["path"])


def test_the_readme_has_the_table() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `--source (\w+)` \|[^\n]*\| ([^|\n]*) \|$", text, re.MULTILINE))
    for source in ("yahoo", "file", "sample"):
        own = {word.removeprefix("--").replace("-", "_") for word in re.findall(r"`(--[\w-]+)`", rows[source])}
        assert own == {"column" if name == "columns" else name for name in taken(source) - {"session"}}, source
