"""The table of layers: imports point only downward, there are no import cycles, heavy libraries stay in their place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "forecaster"

LAYERS: Mapping[str, int] = {
    **dict.fromkeys(
        (
            *("axes", "display", "errors", "events", "registry", "printable", "interrupts"),
            *("files", "memory", "frugal", "mapped", "cores", "release", "config", "parsing", "places", "tensorfile"),
        ),
        0,
    ),
    **dict.fromkeys(("data", "features"), 1),
    **dict.fromkeys(("models", "light", "baselines", "header", "modelfile", "trial", "deploy"), 2),
    **dict.fromkeys(("training", "inference", "evaluation", "tracking", "positions"), 3),
    **dict.fromkeys(("runs", "tuning", "walkforward", "workflows"), 4),
    **dict.fromkeys(("cli", "show"), 5),
    **dict.fromkeys(("", "__main__"), 6),  # entry points: `import forecaster` and `python -m forecaster`
}


@dataclass(frozen=True)
class Import:
    """One imported name: `target` as a dotted path; `lazy` inside a function; `typed` only for the type checker."""

    module: str
    target: str
    line: int
    lazy: bool = False
    typed: bool = False


def package(module: str) -> str:
    """`forecaster.data.store` → `data`; `forecaster` itself → the empty name."""
    return module.partition(".")[2].partition(".")[0]


def layer(module: str, layers: Mapping[str, int] = LAYERS) -> int:
    name = package(module)
    assert name in layers, f"{module}: the package {name!r} is in no layer: add it to LAYERS of tests/test_layers.py"
    return layers[name]


def imports_of(tree: ast.AST, module: str, lazy: bool = False, typed: bool = False) -> Iterator[Import]:
    """Every import of a module, at any nesting."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno, lazy, typed) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno}: import with the full name, not relatively"
            for alias in node.names:
                yield Import(module, f"{node.module}.{alias.name}", node.lineno, lazy, typed)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports_of(ast.Module(node.body, []), module, lazy, True)
            yield from imports_of(ast.Module(node.orelse, []), module, lazy, typed)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports_of(node, module, lazy or inside, typed)


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the package, by its dotted name."""
    trees = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        trees[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return trees


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(one for name, tree in sources().items() for one in imports_of(tree, name))


def inner(imports: tuple[Import, ...], modules: frozenset[str]) -> Iterator[tuple[Import, str]]:
    """Imports of our own modules, each with the imported module."""
    for one in imports:
        if one.target.split(".")[0] == "forecaster":
            yield one, one.target if one.target in modules else one.target.rpartition(".")[0] or one.target


def upward(imports: tuple[Import, ...], modules: frozenset[str], layers: Mapping[str, int] = LAYERS) -> list[str]:
    return [
        f"{one.module}:{one.line} (layer {layer(one.module, layers)}) imports {target} ({layer(target, layers)})"
        for one, target in inner(imports, modules)
        if layer(target, layers) > layer(one.module, layers)
    ]


def cycle(imports: tuple[Import, ...], modules: frozenset[str]) -> list[str]:
    """The modules of one import cycle; empty if there is none."""
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for one, target in inner(imports, modules):
        if target != one.module:
            graph[one.module].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("module", sorted(sources()))
def test_each_module_is_in_a_package_with_a_layer(module: str) -> None:
    assert layer(module) >= 0


def test_imports_point_only_downward() -> None:
    assert upward(all_imports(), frozenset(sources())) == []


def test_there_are_no_import_cycles() -> None:
    assert cycle(all_imports(), frozenset(sources())) == []


def test_few_workflows_call_each_other() -> None:
    every = inner(all_imports(), frozenset(sources()))
    calls = {(one.module, target) for one, target in every if package(one.module) == package(target) == "workflows"}
    assert len(calls) <= 8, f"{sorted(calls)}: move what several verbs need to a lower layer"


def offenders(*libraries: str) -> list[Import]:
    return [one for one in all_imports() if one.target.split(".")[0] in libraries and not one.typed]


def places(imports: list[Import]) -> list[str]:
    return [f"{one.module}:{one.line} imports {one.target}" for one in imports]


def test_pandas_and_yfinance_stay_in_the_sources() -> None:
    outside = [one for one in offenders("pandas", "yfinance") if not one.module.startswith("forecaster.data.sources")]
    allowed = [one for one in outside if one.lazy and package(one.module) == "workflows" and "pandas" in one.target]
    assert places([one for one in outside if one not in allowed]) == []


def test_rich_and_plotly_stay_in_show() -> None:
    assert places([one for one in offenders("rich", "plotly", "resvg_py") if package(one.module) != "show"]) == []


def test_markup_stays_in_show_and_one_module_makes_pages() -> None:
    assert places([one for one in offenders("markupsafe") if package(one.module) != "show"]) == []
    assert places([one for one in offenders("jinja2") if one.module != "forecaster.show.templates"]) == []


def test_typer_and_click_stay_in_the_command_line() -> None:
    assert places([one for one in offenders("typer", "click") if package(one.module) != "cli"]) == []


def test_optuna_is_imported_where_trials_run_and_only_then() -> None:
    assert places([one for one in offenders("optuna") if package(one.module) != "tuning" or not one.lazy]) == []


def test_trackers_are_imported_where_a_run_is_recorded_and_only_then() -> None:
    written = [one for one in all_imports() if one.target.startswith("torch.utils.tensorboard")]
    found = [one for one in (*written, *offenders("mlflow", "tensorboard")) if not one.typed]
    assert written
    assert places([one for one in found if package(one.module) != "tracking" or not one.lazy]) == []


def test_axes_are_named_in_one_place_so_that_jaxtyping_is_needed_by_tests_alone() -> None:
    jaxtyped = {one.module for one in all_imports() if one.target.startswith("jaxtyping.")}
    assert jaxtyped == {"forecaster.axes"}


def test_torch_starts_in_layer_2() -> None:
    assert places([one for one in offenders("torch") if layer(one.module) < 2]) == []


def test_nothing_unpickles() -> None:
    assert places(offenders("pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")) == []


def synthetic(**texts: str) -> tuple[tuple[Import, ...], frozenset[str]]:
    """A package of synthetic modules: `synthetic(data__store="import x")` is `forecaster.data.store`."""
    trees = {f"forecaster.{name.replace('__', '.')}": ast.parse(text) for name, text in texts.items()}
    return tuple(one for name, tree in trees.items() for one in imports_of(tree, name)), frozenset(trees)


def test_the_layer_test_sees_an_upward_import_even_inside_a_function() -> None:
    imports, modules = synthetic(
        data__store="def f():\n    from forecaster.workflows import fetch\n", workflows__fetch=""
    )
    assert upward(imports, modules) == ["forecaster.data.store:2 (layer 1) imports forecaster.workflows.fetch (4)"]


def test_the_layer_test_sees_a_cycle_even_through_three_modules_of_one_layer() -> None:
    imports, modules = synthetic(
        data__a="from forecaster.data import b",
        data__b="def f():\n    from forecaster.data.c import thing\n",
        data__c="import forecaster.data.a\n",
    )
    assert {"forecaster.data.a", "forecaster.data.b", "forecaster.data.c"} == set(cycle(imports, modules))
    assert upward(imports, modules) == []


def test_the_layer_test_names_a_package_that_has_no_layer() -> None:
    with pytest.raises(AssertionError, match=r"the package 'attic' is in no layer: add it to LAYERS"):
        layer("forecaster.attic.trunk")


def test_the_layer_test_knows_lazy_and_typed_imports() -> None:
    text = "if TYPE_CHECKING:\n    import pandas\ndef f():\n    import pandas\nimport pandas\n"
    found = [(one.lazy, one.typed) for one in synthetic(show__x=text)[0] if one.target == "pandas"]
    assert found == [(False, True), (True, False), (False, False)]
