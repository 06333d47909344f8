"""The recipes work: every command parses, and those that need no network are run on real candles."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer

from forecaster.cli.app import build
from forecaster.data.calendars import sessions
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

ROOT = Path(__file__).parents[1]
RECIPES = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
FAQ = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
FILES = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
AS_THEY_STAND = (
    "A picture for a phone, a slide, a printer",
    "What it would have said that day",
    "Numbers for another program",
)
TRAINING = ("A quick look whether an idea helps", "The next month, not the next week")
OWN_FILE = "Forecast my own CSV"
UNTRAINED = "One ticker, nothing trained"
QUICK = ("--set", "training.steps=2", "--set", "model.hidden_size=2")


def recipe(title: str) -> list[list[str]]:
    """The commands of a section, in words."""
    text = RECIPES.partition(f"## {title}")[2].partition("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    return [shlex.split(line, comments=True)[1:] for block in blocks for line in block.splitlines()]


def titles() -> list[str]:
    return re.findall(r"^## (.+)$", RECIPES, flags=re.MULTILINE)


def command_lines() -> list[str]:
    found = re.findall(r"(?:`|^|&& |; )(forecast [^`\n&#;]+)", RECIPES + FAQ + FILES, flags=re.MULTILINE)
    return sorted({line.strip() for line in found if " " in line.strip()})


@pytest.mark.parametrize("line", command_lines())
def test_a_command_of_the_docs_is_one_that_the_program_takes(line: str) -> None:
    command: Any = typer.main.get_command(build())
    words = shlex.split(line)[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"{line}: no such command"
    if words:
        command.make_context(line, words)


@pytest.fixture
def desk(store: Path, runs_dir: Path, trained: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, whose store and runs are the sample's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECASTER_DATA_DIR", str(store))
    monkeypatch.setenv("FORECASTER_RUNS_DIR", str(runs_dir))
    return tmp_path


@pytest.mark.parametrize("title", AS_THEY_STAND)
def test_a_recipe_with_the_sample_works_as_it_stands(say: Callable[..., Answer], desk: Path, title: str) -> None:
    commands = recipe(title)
    assert commands
    for words in commands:
        answer = say(*words)
        assert answer.code == 0, answer.err
    written = [word for words in commands for word in words if re.search(r"\.(html|svg|png|json|parquet)$", word)]
    assert sorted(path.name for path in desk.iterdir()) == sorted(written)


@pytest.mark.parametrize("title", TRAINING)
def test_a_recipe_that_trains_works(
    say: Callable[..., Answer], desk: Path, monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    monkeypatch.setenv("FORECASTER_RUNS_DIR", str(desk / "runs"))
    for words in recipe(title):
        answer = say(*words, *(QUICK if words[0] == "train" else ()))
        assert answer.code == 0, answer.err


def test_the_recipe_for_a_file_of_ones_own_works(
    say: Callable[..., Answer], store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECASTER_DATA_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("FORECASTER_RUNS_DIR", str(tmp_path / "runs"))
    candles = pq.read_table(store / "IBM.parquet").to_pandas()
    days = sessions("XETR", np.datetime64("1999-01-04"), np.datetime64("2013-03-01"))
    candles.assign(date=days[-len(candles) :]).to_csv("prices.csv", index=False)
    for words in recipe(OWN_FILE):
        answer = say(*words, *(QUICK[:2] if words[0] == "train" else ()))
        assert answer.code == 0, answer.err
    assert (tmp_path / "prices.html").is_file()
    assert (tmp_path / "mine" / "PRICES.parquet").is_file()
    assert not (tmp_path / "store").exists()  # what the store had before is not mixed in


def test_the_recipe_without_training_works_on_the_sample(
    say: Callable[..., Answer], desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTER_RUNS_DIR", str(desk / "runs"))
    commands = [words for words in recipe(UNTRAINED) if words[0] != "fetch"]  # the network
    assert [words[0] for words in commands] == ["predict", "backtest"]
    predicted, tested = (say(*words) for words in commands)
    assert (predicted.code, tested.code) == (0, 0), predicted.err + tested.err
    assert "no run of your own yet: using pretrained" in predicted.err
    assert "In-sample" in predicted.out
    assert "days that its weights have seen" in " ".join(tested.out.split())


def test_every_recipe_is_tried_here_but_those_that_need_the_network() -> None:
    assert set(titles()) - {*AS_THEY_STAND, *TRAINING, OWN_FILE, UNTRAINED} == {
        "One model for the S&P 500",
        "Every evening, by cron",
        "The VIX as an input",
    }


def test_the_questions_begin_with_the_one_that_matters() -> None:
    assert re.findall(r"^## (.+)$", FAQ, flags=re.MULTILINE)[0] == "Can it predict prices?"
    assert FAQ.partition("## Can it predict prices?")[2].strip().startswith("No.")
