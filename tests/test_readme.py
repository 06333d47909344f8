"""What the README says is so: its Python runs, its commands parse, its files exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from forecaster.cli.app import build
from forecaster.data.sources.columns import meaning
from forecaster.workflows.runs import show_run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def _command_lines() -> list[str]:
    lines = [line for block in _blocks("bash") for line in block.splitlines()] + re.findall(
        r"`(forecast [^`]+)`", README
    )
    return sorted({line for line in lines if line.startswith("forecast ")})


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command that has no subcommands."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path
    for name in inner or {}:
        yield from _walk(inner[name], (*path, name))


@pytest.mark.parametrize("line", _command_lines())
def test_command_line_is_one_that_the_program_takes(line: str) -> None:
    command: Any = typer.main.get_command(build())
    words = shlex.split(line, comments=True)[1:]
    if words[0].startswith("--"):
        assert words[0] in {name for one in command.params for name in one.opts}, f"{line}: no such option"
        return
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"{line}: no such command"
    if words:
        command.make_context(line, words)  # raises what a wrong option or value would


def test_every_command_has_its_row() -> None:
    commands = {" ".join(("forecast", *path)) for path in _walk(typer.main.get_command(build()))}
    assert commands
    assert {command for command in commands if f"| `{command}` |" not in README} == set()


def test_python_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = _blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "Skill: ranges " in said or "No evidence of skill: ranges " in said
    assert "IBM 2013-03-06" in said
    assert "(5, 3270, 4)" in said


def test_config_is_shown_as_it_ships() -> None:
    (shown,) = _blocks("yaml")
    assert shown == (ROOT / "configs" / "gru.yaml").read_text(encoding="utf-8")


def test_every_shipped_config_is_named() -> None:
    names = {path.stem for path in (ROOT / "configs").glob("*.yaml")}
    assert {name for name in names if f"`{name}`" not in README} == set()


def test_spellings_mean_what_the_table_says() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", README.partition("| column | spellings |")[2], flags=re.MULTILINE)
    told = {spelling: column for column, cell in rows for spelling in re.findall(r"`([^`]+)`", cell)}
    assert len(told) > 20
    assert {spelling: meaning(spelling) for spelling in told} == told


def test_figures_of_the_shipped_run_are_those_of_its_own_test() -> None:
    found = re.search(r"is\s+([\d.]+)% better than the random walk and ([\d.]+)% better than HAR", README)
    assert found
    rows = show_run("pretrained", data_dir=ROOT / "no-store", runs_dir=ROOT / "no-runs").card.rows
    means = [row for row in rows if (row.kind, row.step, row.variable) == ("model", "all", "mean")]
    skills = {row.baseline: f"{100 * (row.skill_pinball or 0):.2f}" for row in means}
    assert found.groups() == (skills["ewma-random-walk"], skills["har"])


def test_every_file_that_is_linked_exists() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)|(?:src|srcset)=\"([^\"]+)\"", README)
    local = [link or picture for link, picture in targets if not (link or picture).startswith("http")]
    assert local
    assert [target for target in local if not (ROOT / target).is_file()] == []
