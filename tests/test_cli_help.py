"""Help and usage errors cost nothing and help."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from forecaster.cli.app import build
from tests.studio import environment, forecast

HEAVY = (
    *("torch", "pandas", "numpy", "yfinance", "pydantic", "rich", "pyarrow", "exchange_calendars", "safetensors"),
    *("yaml", "jaxtyping", "filelock", "arch", "scipy", "resvg_py", "optuna"),
)

LIST_MODULES = """
import sys
from forecaster import cli
code = cli.run(sys.argv[1:])
sys.stderr.write("\\n" + " ".join(sorted({name.partition(".")[0] for name in sys.modules})))
sys.exit(code)
"""


def commands() -> list[tuple[str, ...]]:
    """Every command's words, found where the command line finds them."""
    found = []

    def walk(group: object, words: tuple[str, ...]) -> None:
        for name, inner in sorted(getattr(group, "commands", {}).items()):
            found.append((*words, name))
            walk(inner, (*words, name))

    walk(typer.main.get_command(build()), ())
    return found


def modules(*arguments: str) -> tuple[int, str, str, set[str]]:
    """Exit code, output and errors of a command line, and the packages that it imported."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    err, _, names = done.stderr.rpartition("\n")
    return done.returncode, done.stdout, err, set(names.split())


@pytest.mark.parametrize(
    "words",
    [
        *((), ("train",), ("tune",), ("predict",), ("fetch",), ("config",), ("features",), ("runs", "delete")),
        *(("risk",), ("odds",), ("rank",)),
    ],
)
def test_help_imports_no_heavy_module(words: tuple[str, ...]) -> None:
    code, out, _, imported = modules(*words, "--help")
    assert code == 0
    assert "Usage: forecast" in out
    # Recent releases of typer themselves read a command's options with pydantic; the list of commands needs it not.
    assert not imported & set(HEAVY) - ({"pydantic"} if words else set())


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("predict",),
        ("train",),
        ("train", "gru", "--resume", "x"),
        ("predict", "AAPL", "--horizon", "many"),
        ("predict", "AAPL", "--as-of", "2012-13-01"),
        ("predict", "AAPL", "--format", "xml"),
        ("train", "gru", "--format", "parquet"),
        ("predict", "AAPL", "--horizn", "2"),
        ("risk",),
        ("odds",),
        ("rank",),
    ],
)
def test_a_usage_error_is_one_line_and_imports_neither_torch_nor_pandas(words: tuple[str, ...]) -> None:
    code, out, err, imported = modules(*words)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") <= 1
    assert "--help`." in err
    assert not imported & {"torch", "pandas", "yfinance", "rich", "exchange_calendars"}


@pytest.mark.parametrize(
    "words",
    [("features",), ("config", "list"), ("runs", "delete", "nix", "--yes"), ("runs", "list"), ("predict", "--all")],
    ids=" ".join,
)
def test_what_only_looks_up_loads_neither_torch_nor_pandas(words: tuple[str, ...], tmp_path: Path) -> None:
    folders = {"runs": ("--runs-dir", str(tmp_path)), "predict": ("--data-dir", str(tmp_path))}
    _, _, _, imported = modules(*words, *folders.get(words[0], ()))
    assert not imported & {"torch", "pandas", "yfinance", "exchange_calendars", "scipy"}


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself_with_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    from forecaster import cli

    assert cli.run([*words, "--help"]) == 0
    said = capsys.readouterr().out
    group = typer.main.get_command(build())
    for word in words:
        group = group.commands[word]  # type: ignore[attr-defined]
    if not getattr(group, "commands", None):
        assert "forecast " + " ".join(words) in said.partition("Options:")[2], "an example at its end"
    assert group.help


@pytest.mark.parametrize("words", [(), ("runs",), ("data",), ("config",)], ids=" ".join)
def test_summaries_are_whole_sentences_on_a_terminal_of_80_columns(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from forecaster import cli

    monkeypatch.setenv("COLUMNS", "80")
    assert cli.run([*words, "--help"]) == 0
    section = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0]
    lines = section.strip().splitlines()
    assert len(lines) == len([found for found in commands() if found[:-1] == words])
    assert [line for line in lines if not line.endswith(".") or "..." in line or len(line) > 80] == []


def test_commands_are_listed_in_the_order_of_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    from forecaster import cli

    cli.run(["--help"])
    names = re.findall(r"^  ([a-z]+)  ", capsys.readouterr().out.partition("Commands:\n")[2], flags=re.MULTILINE)
    assert names[:4] == ["fetch", "train", "predict", "backtest"]
    assert names[-2:] == ["models", "features"]
    cli.run(["runs", "--help"])
    names = re.findall(r"^  ([a-z]+)  ", capsys.readouterr().out.partition("Commands:\n")[2], flags=re.MULTILINE)
    assert names == ["list", "show", "compare", "export", "reproduce", "delete"]


@pytest.mark.parametrize(("columns", "widest"), [(60, 60), (80, 80), (110, 110), (300, 120)])
def test_help_is_as_wide_as_the_terminal_up_to_a_width_that_can_be_read(
    columns: int, widest: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from forecaster import cli

    monkeypatch.setenv("COLUMNS", str(columns))
    for words in ("fetch", "--help"), ("data", "export", "--help"):
        cli.run(words)
        said = capsys.readouterr().out.partition("\n  Examples:")[0]
        assert widest - 20 < max(map(len, said.splitlines())) <= widest


def test_a_short_flag_means_the_same_in_every_command() -> None:
    meanings: dict[str, set[str]] = {}
    for words in commands():
        command = typer.main.get_command(build())
        for word in words:
            command = command.commands[word]  # type: ignore[attr-defined]
        flags = [name for option in command.params for name in option.opts if re.fullmatch("-[a-zA-Z]", name)]
        assert len(flags) == len(set(flags)), words
        for option in command.params:
            short = [name for name in option.opts if re.fullmatch("-[a-zA-Z]", name)]
            for name in short:
                meanings.setdefault(name, set()).update(set(option.opts) - set(short))
    assert {"-f", "-n", "-o", "-q", "-r", "-s", "-v", "-y"} <= set(meanings)
    assert {name: found for name, found in meanings.items() if len(found) != 1} == {}


def test_details_are_asked_for_by_the_short_flag_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from forecaster import cli
    from forecaster.workflows import features as module

    def fail() -> None:
        raise RuntimeError("the unforeseen")

    monkeypatch.setattr(module, "features", fail)
    for flags in ("-v", "-qv", "--verbose"):
        with pytest.raises(RuntimeError, match="the unforeseen"):
            cli.run(["features", flags])
    assert cli.run(["features", "-q"]) == 1


def test_without_arguments_the_help_is_shown(tmp_path: Path) -> None:
    done = forecast(cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Usage: forecast")
    assert "\nCommands:\n" in done.stderr


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    from forecaster import cli

    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == version("stock-forecaster")
