"""The case study: its text is the template filled from the recorded results, and its claims are what these say."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forecaster.config.about import shipped_configs
from tests.studio import REPOSITORY, Answer, environment

pytest_plugins = ("tests.studio_fixtures",)

FOLDER = REPOSITORY / "docs" / "case_study"
PAGES = {"template.md": "case-study.md", "template.zh.md": "zh/case-study.md"}
PAGE, CHINESE = (REPOSITORY / "docs" / name for name in PAGES.values())
NAMES = r"\[N, T, 4\]|N-to-1|1-to-N"


def render(folder: Path, results: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Text and pictures from results, by the real command."""
    (folder / "results.json").write_text(json.dumps(results))
    command = [sys.executable, str(FOLDER), "--render", "--results", "results.json", "--docs", "."]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


@pytest.fixture
def results() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    return recorded


def shown(page: Path) -> list[str]:
    return re.findall(r"\(((?:\.\./)?pictures/case-study/[\w/]+\.svg)\)", page.read_text(encoding="utf-8"))


def test_texts_and_pictures_are_made_of_the_recorded_results(results: dict[str, Any], tmp_path: Path) -> None:
    done = render(tmp_path, results)
    assert done.returncode == 0, done.stderr
    for page in (PAGE, CHINESE):
        drawn = tmp_path / page.relative_to(REPOSITORY / "docs")
        assert drawn.read_text(encoding="utf-8") == page.read_text(encoding="utf-8")
        for name in shown(page):
            picture = (page.parent / name).resolve()
            assert picture.read_text(encoding="utf-8") == (drawn.parent / name).read_text(encoding="utf-8")
    made = set((tmp_path / "pictures" / "case-study").rglob("*.svg"))
    assert len(made) == len(shown(PAGE)) + len(shown(CHINESE))


@pytest.mark.parametrize("template", PAGES)
def test_no_number_is_typed_by_hand(template: str) -> None:
    text = (FOLDER / template).read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|`[^`]*`|\{[^{}]*\}|\]\([^)]*\)", "", text, flags=re.DOTALL)
    assert re.findall(r"\d+", re.sub(NAMES, "", prose)) == []


def sections(page: Path) -> list[str]:
    return re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_both_languages_have_the_same_headings_code_pictures_and_numbers() -> None:
    assert len(sections(PAGE)) == len(sections(CHINESE)) > 10
    for own, theirs in zip(sections(PAGE), sections(CHINESE), strict=True):
        title = own.partition("\n")[0]
        code = [re.findall(r"```.*?```", text, flags=re.DOTALL) for text in (own, theirs)]
        assert code[0] == code[1], title
        pictures = [re.findall(r"pictures/case-study/(?:zh/)?(\w+)\.svg", text) for text in (own, theirs)]
        assert pictures[0] == pictures[1], title
        prose = [re.sub(r"```.*?```|<!--.*?-->|\]\([^)]*\)", "", text, flags=re.DOTALL) for text in (own, theirs)]
        numbers = [sorted(re.findall(r"[-+]?[\d.,]*\d%?", text)) for text in prose]
        assert numbers[0] == numbers[1], title


def test_no_text_of_a_chinese_picture_or_table_is_left_in_english() -> None:
    """Tickers, names of networks, formulas and configs apart."""
    pictures = [(CHINESE.parent / name).read_text(encoding="utf-8") for name in shown(CHINESE)]
    tables = re.findall(r"^\|.*$", re.sub(r"`[^`]*`", "", CHINESE.read_text(encoding="utf-8")), flags=re.MULTILINE)
    names = {"DNN", "RNN", "LSTM", "GRU", "HAR", "AAPL", "GOOG", "IBM", "MSFT", "log", "Garman", "Klass", "to"}
    formulas = {"harx", "har", "ewma", "garman", "klass", *shipped_configs()}
    for text in (*pictures, *tables):
        plain = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", text)
        assert set(re.findall(r"[A-Za-z]\w+", plain, flags=re.ASCII)) - names - formulas == set()


def test_every_formula_stands_beside_the_networks(results: dict[str, Any]) -> None:
    rows = dict(re.findall(r"^\| (DNN|RNN|LSTM|GRU|`[\w-]+`) \| (.*) \|$", PAGE.read_text(), flags=re.MULTILINE))
    formulas = {"ewma-garman-klass", "har", "harx", "climatology"}
    assert set(rows) == {
        "DNN",
        "RNN",
        "LSTM",
        "GRU",
        "`ewma-random-walk`",
        "`last-close`",
        *(f"`{name}`" for name in formulas),
    }
    for name in formulas:
        assert f" {results['runs'][name][0]['skill']:+.2%} " in rows[f"`{name}`"]


def test_what_the_page_shows_runs_from_top_to_bottom(
    say: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an empty folder; trainings with two steps."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORECASTER_DATA_DIR", "FORECASTER_RUNS_DIR"):
        monkeypatch.delenv(name, raising=False)
    code = re.findall(r"```(python|bash)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [language for language, _ in code] == ["python", "bash", "bash"]
    for language, text in code:
        if language == "python":
            exec(compile(text, "case-study.md", "exec"), {})
            continue
        for line in text.splitlines():
            _, verb, *words = shlex.split(line)
            answer = say(verb, *words, *(("--set", "training.steps=2") if verb == "train" else ()))
            assert answer.code == 0, answer.err
    assert len(list((tmp_path / "runs").glob("*/model.safetensors"))) == 6


def broken(results: dict[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    inner: Any = results
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return results


@pytest.mark.parametrize(
    ("path", "value", "claim"),
    [
        (("usual", "MSFT", "lag"), 0, "one day late"),
        (("usual", "IBM", "times"), 0.9, "yesterday's close misses by less"),
        (("runs", "gru", 0, "skill"), -0.001, "has skill over the random walk"),
        (("runs", "har", 0, "skill"), -0.001, "Garman-Klass, HAR and least squares"),
        (("runs", "climatology", 0, "skill"), 0.001, "climatology falls short"),
        (("fan", "before", -1), 174.0, "the prices of one day"),
        (("outcomes", "free", "right"), 0.58, "the direction is about a coin"),
        (("outcomes", "gru", "range_actual"), [0.03, 0.02, 0.01, 0.02, 0.03], "were wider"),
        (("outcomes", "gru", "range_actual", 0), 0.009, "is exaggerated"),
    ],
)
def test_prose_cannot_contradict_the_numbers(
    results: dict[str, Any], path: tuple[str | int, ...], value: Any, claim: str, tmp_path: Path
) -> None:
    done = render(tmp_path, broken(results, *path, value=value))
    assert done.returncode == 1
    assert "claim does not hold: " in done.stderr
    assert claim in done.stderr
    assert not (tmp_path / "case-study.md").exists()
