"""Model files, run folders and ledgers from a stranger: refused in one line, and no other run suffers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from forecaster.baselines import BASELINES, FittedBaseline
from forecaster.baselines.arrays import check_fitted
from forecaster.baselines.har import TERMS
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.evaluation.journal import JOURNAL
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.ledgerfile import NAME
from forecaster.evaluation.look import Look
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.modelfile import read_model
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Answer]
LOOK = Look("m", "2010-01-01", "2011-01-01", ("AAPL",))


@pytest.fixture
def run(trained: TrainedRun, tmp_path: Path) -> Path:
    shutil.copytree(trained.folder, tmp_path / "runs" / "good")
    return shutil.copytree(trained.folder, tmp_path / "runs" / "bad")


def rewrite(run: Path, header: Callable[[dict[str, Any]], Any], weights: Callable[[np.ndarray], Any] = np.abs) -> None:
    path = run / "model.safetensors"
    with safe_open(path, framework="np") as file:
        tensors = {name: weights(file.get_tensor(name)).astype(np.float32) for name in list(file.keys())}
        values = json.loads(file.metadata()["forecaster"])
    header(values)
    save_file(tensors, path, {"forecaster": json.dumps(values)})


def nothing(_: dict[str, Any]) -> None:
    pass


def deep(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(header: Any) -> None:
        for key in path[:-1]:
            header = header[key]
        header[path[-1]] = value

    return change


HEADERS = {
    "verdict of another type": deep("scorecard", "models", 0, "skill_pinball", value="\x1b[31mred"),
    "rows that are none": deep("scorecard", "models", value=[{"name": 1}]),
    "a list as a horizon's step": deep("scorecard", "horizon", value=[[1]]),
    "a number of looks": deep("scorecard", "sessions", value=[1, 2]),
    "a date of no calendar": deep("scorecard", "first", value="\x1b[2J"),
    "NaN quantiles": deep("base", value=[[[float("nan")] * 7] * 4] * 3),
    "quantiles of another shape": deep("base", value=[[[0.0] * 7] * 4] * 300),
    "a context without end": deep("config", "task", "context", value=10**12),
    "tickers that are numbers": deep("tickers", value=[1, 2]),
    "a date that numpy reads": deep("fitted_to", value="now"),
    "nothing": lambda header: header.clear(),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_bad_header_is_one_line_and_spares_the_other_runs(kind: str, run: Path, store: Path, say: Ask) -> None:
    rewrite(run, HEADERS[kind])
    places = ("--runs-dir", run.parent, "--data-dir", store)
    answer = say("predict", "AAPL", "--run", "bad", *places)
    assert answer.code == 2, answer
    assert answer.err.startswith("error: model file")
    assert answer.err.count("\n") == 1
    assert "\x1b" not in answer.err
    listed = say("runs", "list", "--format", "json", *places)
    assert listed.code in (0, 3), listed.err
    status = {one["name"]: one["status"] for one in json.loads(listed.out)}
    assert status["good"] == "finished"
    assert "this is a bug" not in listed.err


def test_a_network_of_terabytes_is_not_built(run: Path) -> None:
    rewrite(run, deep("config", "model", "hidden_size", value=10**9))
    with pytest.raises(InputError, match="its weights are not those of a gru"):
        read_model(run / "model.safetensors").members()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_weights_that_are_no_numbers_give_no_forecast_and_no_journal(
    value: float, run: Path, store: Path, say: Ask
) -> None:
    rewrite(run, nothing, lambda weight: np.full_like(weight, value))
    ask = ("predict", "AAPL", "--run", "bad", "--runs-dir", run.parent, "--data-dir", store, "--format", "csv")
    with np.errstate(all="ignore"):
        answer = say(*ask)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert not (run.parent / JOURNAL).exists()


GOOD = {"pooled": np.ones((2, 4, 3)), "weights": np.ones((TERMS, 2)), "tickers": np.ones((5, 4), np.uint8)}
BAD_ARRAYS: list[tuple[str, dict[str, np.ndarray], str]] = [
    ("har", {"pooled": GOOD["pooled"]}, "has no array weights"),
    ("har", GOOD | {"pooled": np.ones((1, 1))}, "pooled is 1 × 1, expected 2 × 4 × 3"),
    ("har", GOOD | {"pooled": np.ones(())}, "pooled is a number"),
    ("har", GOOD | {"weights": np.ones((TERMS + 1, 2))}, f"expected {TERMS} × 2"),
    ("har", GOOD | {"weights": np.full((TERMS, 2), np.nan)}, "weights holds what is no number"),
    ("har", GOOD | {"pooled": np.ones((2, 4, 3), np.int64)}, "pooled holds what is no number"),
    ("garch", GOOD | {"parameters": np.ones((4, 3))}, "parameters has another number of tickers"),
    ("garch", GOOD | {"parameters": np.ones((5, 3)), "tickers": np.ones((5, 4))}, "tickers are no bytes"),
    ("gbm", GOOD, f"expected {TERMS + 7} × 2"),
    ("climatology", GOOD | {"own": np.ones((5, 2, 4, 2))}, "expected any × 2 × 4 × 3"),
]


@pytest.mark.parametrize(("name", "arrays", "said"), BAD_ARRAYS)
def test_arrays_that_are_not_those_of_a_baseline_are_refused_before_use(
    name: str, arrays: dict[str, np.ndarray], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        check_fitted(name, arrays, (1, 2), (0.1, 0.5, 0.9), 7)


def test_the_arrays_of_each_fitted_baseline_are_as_they_are_checked(panel_with_holes: Panel) -> None:
    dataset = Dataset(panel_with_holes, compute_features(panel_with_holes, ("base",)), (1, 3))
    period, levels = Period(None, panel_with_holes.sessions.max()), (0.1, 0.5, 0.9)
    for name in sorted({*BASELINES.names()} - {"gbm"}):
        fitted = FittedBaseline.learnt(name, dataset, period, levels).fitted
        check_fitted(name, fitted, dataset.steps, levels, len(dataset.features.names))


@pytest.mark.parametrize("length", [2**63, 100 << 20, 9 << 20])
def test_a_header_that_claims_more_than_there_is_is_not_read(length: int, run: Path, say: Ask) -> None:
    path = run / "model.safetensors"
    with path.open("r+b") as file:
        file.write(length.to_bytes(8, "little"))
        file.truncate(64 << 20)
    answer = say("runs", "show", "bad", "--runs-dir", run.parent)
    assert answer.code == 2
    assert f"its header claims {length:,} bytes, expected at most 8,388,608" in answer.err


LINES = {
    "not UTF-8": b'{"model": "\xff\xfe"}\n',
    "another type": b'{"model": ["m"], "first": 1, "last": 2, "tickers": "AAPL"}\n',
    "deep": b"[" * 100_000 + b"\n",
    "no JSON": b"\x00\x1b[31m\n",
    "a number": b"9" * 6000 + b"\n",
}


@pytest.mark.parametrize("kind", LINES)
def test_a_bad_line_of_the_ledger_costs_a_note_and_no_result(kind: str, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "store", tmp_path / "runs")
    ledger.record(LOOK)
    with (tmp_path / "store" / NAME).open("ab") as file:
        file.write(LINES[kind])
    looks = ledger.record(Look("n", "2010-01-01", "2011-01-01", ("AAPL",)))
    assert looks.count == 2
    assert len(looks.notes) == 1


def test_a_ledger_that_is_a_link_or_a_pipe_is_neither_followed_nor_waited_for(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    for folder in ("store", "runs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "store" / NAME).symlink_to(tmp_path / "precious")
    os.mkfifo(tmp_path / "runs" / NAME)
    looks = Ledger(tmp_path / "store", tmp_path / "runs").record(LOOK)
    assert looks.count == 1
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_report_does_not_follow_a_link(run: Path, store: Path, tmp_path: Path, say: Ask) -> None:
    (tmp_path / "precious").write_text("mine")
    (run / "report.html").symlink_to(tmp_path / "precious")
    answer = say("report", "bad", "--runs-dir", run.parent, "--data-dir", store)
    assert answer.code == 0, answer.err
    assert (tmp_path / "precious").read_text() == "mine"
    assert "<html" in (run / "report.html").read_text()


def test_a_journal_that_cannot_be_written_is_said_even_to_the_quiet(run: Path, store: Path, say: Ask) -> None:
    (run.parent / JOURNAL).write_bytes(b"no database at all")
    answer = say("predict", "AAPL", "--run", "good", "--runs-dir", run.parent, "--data-dir", store, "--quiet")
    assert answer.code == 0
    assert answer.err.startswith("note: This forecast is not kept for `forecast score`")
