"""Walk-forward evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.splits import Split
from forecaster.data.store import Store
from forecaster.errors import InputError
from forecaster.evaluation.ledger import Ledger
from forecaster.runs.config import load_config
from forecaster.trial import Trial
from forecaster.workflows.backtest import Backtest, backtest, walk_forward
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, Answer, dataset, panel, settings

pytest_plugins = ("tests.studio_fixtures",)

SPLIT = Split(np.datetime64("2010-09-30"), np.datetime64("2010-12-31"), np.datetime64("2011-05-31"))
KEYS = ["origins", "tickers", "horizon", "reference", "models", "verdict", "test_period_looks", "measures", "notes"]
ROW = [
    "name",
    "kind",
    "variable",
    "step",
    "mae",
    "pinball",
    "crps",
    "coverage50",
    "coverage80",
    "coverage90",
    "direction",
    "baseline",
    "skill_mae",
    "skill_pinball",
    "dm_statistic",
    "p_value",
]


def fold_dates(refit_every: int | None, rolling: str | None = None) -> list[Split]:
    trial = Trial(load_config("gru"), dataset(panel(400, 380)), SPLIT)
    return list(walk_forward(trial, refit_every, rolling))


@pytest.mark.parametrize("refit_every", [None, 1, 20, 63, 10_000])
def test_folds_test_each_session_once_and_learn_only_from_before(refit_every: int | None) -> None:
    dates = dataset(panel(400, 380)).panel.dates
    tested: list[np.datetime64] = []
    for fold in fold_dates(refit_every):
        assert fold.train_end < fold.validation_end < fold.test_end
        assert fold.validation_end - fold.train_end == SPLIT.validation_end - SPLIT.train_end
        tested += list(dates[(dates > fold.validation_end) & (dates <= fold.test_end)])
    assert tested == list(dates[(dates > SPLIT.validation_end) & (dates <= SPLIT.test_end)])


def test_rolling_learns_from_the_last_span_alone() -> None:
    assert all(fold.train_start is None for fold in fold_dates(40))
    assert fold_dates(40, "6m")[0].train_start == np.datetime64("2010-06-30")
    with pytest.raises(InputError, match="'soon' is not a span: expected one such as 5y or 18m"):
        fold_dates(40, "soon")


@pytest.fixture(scope="module")
def walked(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    runs_dir = tmp_path_factory.mktemp("walk")
    chosen = (*QUICK, "training.steps=10", "evaluation.baselines=[ewma-random-walk, last-close, har]")
    return backtest("gru", settings=chosen, refit_every=90, data_dir=store, runs_dir=runs_dir)


def test_network_and_baselines_are_refitted_and_scored_on_the_same_origins(walked: Backtest) -> None:
    names = list(dict.fromkeys(row.name for row in walked.scorecard.rows))
    assert names == ["gru", "ewma-random-walk", "ewma-garman-klass", "har", "climatology", "last-close"]
    assert walked.refits == 3
    assert walked.scorecard.sessions > 240


def test_the_folders_of_a_finished_backtest_are_gone(walked: Backtest, tmp_path: Path, store: Path) -> None:
    backtest("gru", settings=(*QUICK, "training.steps=3"), data_dir=store, runs_dir=tmp_path)
    assert not list(tmp_path.glob(".backtest-*"))


def test_a_run_taken_as_it_is_scores_what_its_training_said(trained: TrainedRun, store: Path, tmp_path: Path) -> None:
    again = backtest(str(trained.folder), data_dir=store, runs_dir=tmp_path)
    assert again.refits == 0
    assert again.scorecard.stored() == trained.scorecard.stored()
    assert again.looks == 1, "the same model"
    assert [look.by for look in Ledger(store, tmp_path).read().looks] == ["backtest small"]


def test_json_is_what_scripts_rely_on(say: Callable[..., Answer], store: Path, tmp_path: Path) -> None:
    arguments = [
        "gru",
        *settings("training.steps=5"),
        "--refit-every",
        120,
        "--data-dir",
        store,
        "--runs-dir",
        tmp_path,
    ]
    answer = say("backtest", *arguments, "--format", "json")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert list(found) == KEYS
    assert list(found["models"][0]) == ROW
    assert {"code", "text", "reference", "hardest", "looks", "coverage"} <= set(found["verdict"])
    assert found["verdict"]["code"] in ("skill", "no-evidence", "worse")
    assert found["test_period_looks"] == 1
    assert {row["step"] for row in found["models"]} == {1, 2, 3, "all"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nix"], "Unknown config 'nix'"),
        (["small", "--set", "training.steps=3"], "--set changes a config"),
        (["small", "--rolling", "5y"], "add --refit-every"),
        (["gru", "--worker", "--workers", "2"], "--worker is one process among several, --workers 2 starts several"),
        (["gru", "--worker", "--engine", "ray"], "--worker is one process among several, --engine ray starts several"),
        (["small", "--worker"], "--worker fits folds, but run small is used as it is: add --refit-every."),
        (["gru", "--workers", "0"], "Invalid value for '--workers'"),
        (["gru", "--refit-every", "0"], "Invalid value for '--refit-every'"),
    ],
)
def test_bad_usage_is_one_line_with_code_2(
    say: Callable[..., Answer], trained: TrainedRun, store: Path, arguments: list[str], complaint: str
) -> None:
    answer = say("backtest", *arguments, "--data-dir", store, "--runs-dir", trained.folder.parent, "--quiet")
    assert answer.code == 2
    assert complaint in answer.err
    assert len(answer.err.strip().splitlines()) == 1


def test_a_last_fold_without_an_outcome_is_left_out(store: Path, tmp_path: Path) -> None:
    sessions = 253  # of the test in QUICK: the last one has no outcome in it
    done = backtest("har", settings=QUICK[:2], refit_every=sessions - 1, data_dir=store, runs_dir=tmp_path)
    assert done.refits == 1
    assert (
        done.scorecard.sessions
        == backtest("har", settings=QUICK[:2], data_dir=store, runs_dir=tmp_path).scorecard.sessions
    )


def test_a_rolling_span_that_leaves_nothing_to_learn_from_is_refused_at_once(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--rolling leaves nothing to train on: after .* is empty"):
        backtest("gru", settings=QUICK, refit_every=100, rolling="6m", data_dir=store, runs_dir=tmp_path)
    assert not list(tmp_path.glob(".backtest-*"))


def test_a_run_is_scored_on_its_own_tickers_and_in_its_own_ledger(store: Path, tmp_path: Path) -> None:
    grown, runs_dir = tmp_path / "store", tmp_path / "runs"
    for ticker in ("AAPL", "IBM"):
        Store(grown).write(Store(store).read(ticker), source="test")
    run = train("har", settings=QUICK[1:2], data_dir=grown, runs_dir=runs_dir, name="early")
    Store(grown).write(Store(store).read("MSFT"), source="test")
    again = backtest(str(run.folder), data_dir=grown, runs_dir=tmp_path / "elsewhere")
    assert again.scorecard.stored() == run.scorecard.stored()
    assert [look.by for look in Ledger(grown, runs_dir).read().looks] == ["train early"]
    assert again.looks == 1, "the same model on the same test, wherever its runs folder is"
