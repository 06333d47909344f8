"""What a command needs of a limited address space, and systems that have no such limit."""

from __future__ import annotations

import sys

import pytest

from forecaster.cli.app import build
from forecaster.frugal import _GROUPS, LEAST, LEAST_TO_LEARN, limit, requirement


@pytest.mark.parametrize(
    ("line", "command", "least"),
    [
        ("train demo", "train", LEAST_TO_LEARN),
        ("predict report", "predict", LEAST),
        ("config check my.yaml", "config check", LEAST_TO_LEARN),
        ("config list", "config list", LEAST),
        ("runs reproduce latest", "runs reproduce", LEAST_TO_LEARN),
        ("data", "data", LEAST),
    ],
)
def test_what_a_command_needs_is_that_of_the_command_not_of_its_arguments(line: str, command: str, least: int) -> None:
    assert requirement(line.split()) == (command, least)


def test_the_groups_are_those_of_the_command_line() -> None:
    assert {group.name for group in build().registered_groups} == _GROUPS


def test_a_system_without_the_limit_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.delattr(resource, "RLIMIT_AS", raising=False)
    assert limit() is None
    monkeypatch.setitem(sys.modules, "resource", None)  # Windows
    assert limit() is None
