"""Runs listed, looked into and compared; what a run can be made of."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console, RenderableType

from forecaster.baselines import BASELINES
from forecaster.config.schema import Config
from forecaster.errors import InputError, UnknownNameError
from forecaster.evaluation.ledger import Ledger
from forecaster.modelfile import read_model
from forecaster.models import MODELS
from forecaster.runs.differences import differences_of
from forecaster.show.compare import compare_view
from forecaster.show.runs import listing_view
from forecaster.workflows.compare import compare
from forecaster.workflows.models import models
from forecaster.workflows.runs import RunListing, RunRecord, list_runs
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, Answer

pytest_plugins = ("tests.studio_fixtures",)


@pytest.fixture(scope="module")
def places(store: Path, trained: TrainedRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two runs of one test, one of earlier years, and one unfinished."""
    root = tmp_path_factory.mktemp("many")
    shutil.copytree(trained.folder, root / "small")
    early = "data.split={train_end: 2004-06-30, validation_end: 2005-06-30, test_end: 2006-06-30}"
    same = ("model.hidden_size=4", "data.tickers=[AAPL, IBM]", "task.horizon=[1, 3, 5]")
    for name, settings in {"other": same, "early": (early,)}.items():
        train(*("gru",), settings=(*QUICK, "training.steps=4", *settings), data_dir=store, runs_dir=root, name=name)
    (root / "begun").mkdir()
    shutil.copy(root / "small" / "config.yaml", root / "begun")
    return {"data_dir": store, "runs_dir": root}


@pytest.fixture
def ask(say: Callable[..., Answer], places: dict[str, Path]) -> Callable[..., Answer]:
    where = ("--data-dir", places["data_dir"], "--runs-dir", places["runs_dir"])  # never the working folder's own
    return lambda *words: say("runs", *words, *where)


def test_the_list_holds_every_run_and_marks_those_that_are_not_finished(places: dict[str, Path]) -> None:
    found = {one.name: one for one in list_runs(**places).records}
    assert set(found) == {"small", "other", "early", "begun"}
    small = found["small"]
    assert (small.status, small.model, small.horizon, small.tickers) == ("finished", "gru", (1, 2, 3), 3)
    assert small.verdict in ("skill", "no-evidence", "worse")
    assert (found["begun"].status, found["begun"].verdict) == ("unfinished", None)
    assert found["other"].horizon == (1, 3, 5)


def test_a_damaged_run_is_listed_as_such(
    ask: Callable[..., Answer], say: Callable[..., Answer], tmp_path: Path
) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "model.safetensors").write_bytes(b"nothing of the kind")
    answer = say("runs", "list", "--runs-dir", tmp_path)
    assert answer.code == 3
    assert "damaged" in answer.out
    assert answer.err.count("\n") == 1
    with pytest.raises(InputError, match="holds no run: train one with"):
        list_runs(tmp_path / "empty")


def test_a_run_is_shown_with_all_that_it_was_made_of(ask: Callable[..., Answer], trained: TrainedRun) -> None:
    table = ask("show", "small")
    for word in ("Data", "fitted_to", "2010-06-30", "model.hidden_size", "[base, vol, volume, weekday]", "torch"):
        assert word in table.out, word
    data = json.loads(ask("show", "small", "--format", "json").out)
    assert data["verdict"]["text"] == trained.scorecard.verdict.text
    assert data["config"]["training"]["steps"] == 60
    assert data["data"]["tickers"] == ["AAPL", "IBM", "MSFT"]
    rows = {
        row["key"]: row["value"] for row in csv.DictReader(io.StringIO(ask("show", "small", "--format", "csv").out))
    }
    assert rows["training.seed" if "training.seed" in rows else "config.training.seed"] == "0"
    assert rows["config.model.num_layers"] == "1"


@pytest.mark.parametrize(
    ("run", "said"), [("begun", "run begun is not finished"), ("smal", "Unknown run 'smal'. Did you mean 'small'?")]
)
def test_a_run_that_cannot_be_shown_is_one_line(ask: Callable[..., Answer], run: str, said: str) -> None:
    answer = ask("show", run)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert said in answer.err


def test_the_comparison_says_what_differs_and_tests_the_shared_days(places: dict[str, Path]) -> None:
    said = compare(["small", "other"], **places)
    again = compare(["small", "other"], **places)
    assert (said.looks, again.looks) == (2, 2), "the runs compared are two models, however often"
    found = {(one.kind, one.key): one.values for one in said.differences}
    assert found["config", "model.hidden_size"] == (8, 4)
    assert found["config", "training.steps"] == (60, 4)
    assert found["data", "tickers"] == (3, 2)
    assert found["data", "tickers lacking"] == (None, ("MSFT",))
    assert ("config", "model.name") not in found
    assert (said.steps, said.metric) == ((1, 3), "pinball")
    assert said.first is not None
    assert said.first >= "2010-07-01"
    assert said.origins == 2 * said.dates
    first, second = said.scores
    assert (first.gain, first.p_value) == (None, None)
    assert second.p_value is not None
    assert second.gain == pytest.approx(1 - second.loss / first.loss, abs=0.02)
    assert said.verdict.startswith("other ")
    looks = Ledger(places["data_dir"], places["runs_dir"]).read().looks
    assert [(one.by, one.tickers) for one in looks] == [
        ("compare small", ("AAPL", "IBM")),
        ("compare other", ("AAPL", "IBM")),
    ]


def config_from(values: dict[str, Any]) -> Config:
    return Config.model_validate_json(json.dumps(values))


def test_a_single_model_is_told_as_the_one_member_of_an_ensemble(places: dict[str, Path]) -> None:
    headers = [read_model(places["runs_dir"] / "small" / "model.safetensors").header for _ in range(2)]
    values = headers[1].as_json()["config"]
    both = [values.pop("model") | {"hidden_size": 16}, {"name": "harx", "weight": 0.25}]
    found = differences_of([headers[0], replace(headers[1], config=config_from(values | {"members": both}))])
    assert {one.key: one.values for one in found} == {
        "members.0.hidden_size": (8, 16),
        "members.1.name": (None, "harx"),
        "members.1.weight": (None, 0.25),
    }


@pytest.mark.parametrize(("width", "beside"), [(50, False), (80, True), (120, True)])
def test_a_comparison_cuts_no_word(places: dict[str, Path], width: int, beside: bool) -> None:
    said = compare(["small", "other"], **places)
    name = "a-run-of-a-long-name"
    shown = screen(compare_view(replace(said, runs=("small", name))).render(), width)
    words = set(" ".join(shown).split())
    assert words >= {"model.hidden_size", "training.steps", "data.tickers", name}
    assert any(line.split() == ["small", name] for line in shown) == beside
    assert max(map(len, shown)) <= width


@pytest.mark.parametrize("width", [54, 60, 80, 120])
def test_a_list_of_runs_keeps_names_dates_and_verdicts_whole(width: int) -> None:
    names = ["gru-20261124-132701", "a-name-of-thirty-letters-in-all"]
    records = [
        RunRecord(name, "finished", "2026-11-24 13:27", "gru+lstm+harx", (1, 2, 5), 204, "no-evidence", 0.01, 0.5)
        for name in names
    ]
    found = RunListing((*records, RunRecord("begun", "unfinished", "2026-11-24 13:28")), ())
    shown = screen(listing_view(found).render(), width)
    assert len(shown) == 1 + 3, "a line a run"
    assert max(map(len, shown)) <= width
    assert all(line.startswith(name) for line, name in zip(shown[1:], [*names, "begun"], strict=True))
    assert sum("no-evidence  +1.00%" in line for line in shown) == 2
    assert ("2026-11-24 13:27" in shown[1]) == (width == 120)


def screen(page: RenderableType, width: int) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(page, crop=False)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_sign_turns_with_the_order(places: dict[str, Path]) -> None:
    one, other = compare(["small", "other"], **places), compare(["other", "small"], **places)
    there, back = one.scores[1], other.scores[1]
    assert there.gain is not None
    assert back.gain is not None
    assert (there.gain > 0) != (back.gain > 0)
    assert there.loss == other.scores[0].loss


def test_runs_without_a_common_test_day_are_said_not_to_be_comparable(places: dict[str, Path]) -> None:
    said = compare(["small", "early"], **places)
    assert said.scores == ()
    assert "share no test origin" in said.verdict
    assert Ledger(places["data_dir"], places["runs_dir"]).read().looks == (), "nothing was looked at"
    assert any(one.key == "test_end" for one in said.differences)


def test_a_run_is_not_told_from_its_copy(places: dict[str, Path]) -> None:
    shutil.copytree(places["runs_dir"] / "small", places["runs_dir"] / "twin")
    said = compare(["small", "twin"], **places)
    shutil.rmtree(places["runs_dir"] / "twin")
    assert said.differences == ()
    assert said.scores[1].gain == 0
    assert "no difference at all" in said.verdict


def test_a_store_that_has_changed_is_said(places: dict[str, Path], tmp_path: Path) -> None:
    from forecaster.data.store import Store

    for ticker in ("AAPL", "IBM", "MSFT"):
        Store(tmp_path).write(Store(places["data_dir"]).read(ticker), source="test")
    Store(tmp_path).write(
        Store(tmp_path).read("AAPL").between(start=Store(tmp_path).read("AAPL").dates[5]), source="x", force=True
    )
    said = compare(["small", "other"], data_dir=tmp_path, runs_dir=places["runs_dir"])
    assert said.notes[0].startswith("The store has changed since small was trained")


@pytest.mark.parametrize("names", [["small"], ["small", "small"]])
def test_fewer_than_two_runs_are_refused(places: dict[str, Path], names: list[str]) -> None:
    with pytest.raises(InputError, match="expected two or more different runs"):
        compare(names, **places)
    with pytest.raises(UnknownNameError):
        compare([*names, "nothing"], **places)


def test_the_commands_give_data_in_every_format(
    say: Callable[..., Answer], places: dict[str, Path], tmp_path: Path
) -> None:
    where = ("--runs-dir", places["runs_dir"])
    for words in (("list",), ("show", "small"), ("compare", "small", "other", "--data-dir", places["data_dir"])):
        answers = {form: say("runs", *words, *where, "--quiet", "--format", form) for form in ("table", "json", "csv")}
        assert {answer.code for answer in answers.values()} == {0}
        assert {answer.err for answer in answers.values()} == {""}
        assert json.loads(answers["json"].out)
        file = tmp_path / f"{words[0]}.parquet"
        assert say("runs", *words, *where, "--quiet", "--format", "parquet", "--output", file).code == 0
        assert pq.read_table(file).num_rows == len(list(csv.DictReader(io.StringIO(answers["csv"].out))))


def test_every_registered_model_is_listed_with_its_parameters(say: Callable[..., Answer]) -> None:
    found = {one.name: one for one in models()}
    assert set(found) == {*MODELS.names(), *BASELINES.names()}
    assert all(one.text.endswith(".") and len(one.text) > 20 for one in found.values())
    assert found["garch"].text.startswith("A random walk whose spread is GARCH(1,1)")
    assert len({one.text for one in found.values()}) == len(found), "each says what it alone is"
    assert found["gru"].parameters["hidden_size"]["default"] == 64
    assert found["har"].kind == "baseline"
    data = json.loads(say("models", "--format", "json").out)
    assert {one["name"] for one in data} == set(found)
    table = say("models").out
    assert all(name in table for name in found)
    assert "hidden_size" in say("models", "--format", "csv").out
