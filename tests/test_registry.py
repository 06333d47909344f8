from __future__ import annotations

from pathlib import Path

import pytest

from forecaster.errors import UnknownNameError
from forecaster.registry import Registry

MEMBER = """
import {package} as registry_of_package
registry_of_package.MEMBERS.add({name!r}, {name!r}.upper())
"""


@pytest.fixture
def members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Registry[str]:
    """A registry over a real package with two member modules, of a name of its own for each test."""
    package = f"zoo_{request.node.name.split('[')[0]}"
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").write_text(
        f"from forecaster.registry import Registry\nMEMBERS = Registry('animal', {package!r})\n"
    )
    for name in ("zebra", "ape"):
        (folder / f"{name}.py").write_text(MEMBER.format(package=package, name=name))
    monkeypatch.syspath_prepend(tmp_path)
    found: Registry[str] = __import__(package).MEMBERS
    return found


def test_a_registry_finds_the_modules_of_its_package_by_itself(members: Registry[str]) -> None:
    assert members.names() == ("ape", "zebra")
    assert members["zebra"] == "ZEBRA"
    assert "ape" in members
    assert "cat" not in members


def test_a_registry_imports_nothing_before_the_first_look(members: Registry[str]) -> None:
    import sys

    package = f"zoo_{test_a_registry_imports_nothing_before_the_first_look.__name__}"
    assert f"{package}.ape" not in sys.modules
    assert members.names()
    assert f"{package}.ape" in sys.modules


def test_a_registry_refuses_a_name_twice(members: Registry[str]) -> None:
    assert members["ape"]
    with pytest.raises(ValueError, match=r"animal 'ape' is registered twice"):
        members.add("ape", "other")
    assert members["ape"] == "APE"


def test_an_unknown_member_is_answered_with_the_nearest(members: Registry[str]) -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown animal 'zebar'. Did you mean 'zebra'?"):
        members["zebar"]


def test_the_decorator_gives_back_what_it_registers() -> None:
    registry: Registry[type] = Registry("thing", "json")

    @registry.register("it")
    class It: ...

    assert registry["it"] is It


def define(registry: Registry[type], module: str) -> type:
    """Register a class `It` as a cell of a notebook, or a module, does."""

    class It: ...

    It.__module__, It.__qualname__ = module, "It"
    return registry.add("it", It)


def test_a_notebooks_cell_that_runs_again_replaces_what_it_registered() -> None:
    registry: Registry[type] = Registry("thing", "json")
    define(registry, "__main__")
    again = define(registry, "__main__")
    assert registry["it"] is again


def test_a_module_may_not_define_a_member_twice() -> None:
    registry: Registry[type] = Registry("thing", "json")
    define(registry, "some.module")
    with pytest.raises(ValueError, match="thing 'it' is registered twice"):
        define(registry, "some.module")
