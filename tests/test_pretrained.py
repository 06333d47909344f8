"""The shipped run: it forecasts without any training, wherever there is no run of one's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import InputError
from forecaster.evaluation.journal import JOURNAL, read
from forecaster.modelfile import read_model
from forecaster.runs.folder import MODEL, PRETRAINED, shipped_run
from forecaster.runs.run import Run
from forecaster.workflows.backtest import backtest
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun
from tests.conftest import ROOT
from tests.studio import Answer, assert_coherent

pytest_plugins = ("tests.studio_fixtures",)


def test_it_is_one_small_file_that_any_ticker_can_use() -> None:
    files = [path for path in shipped_run().rglob("*") if path.is_file()]
    assert [path.name for path in files] == [MODEL]
    assert files[0].stat().st_size < 1_000_000
    header = read_model(files[0]).header
    assert header.config.task.steps == tuple(range(1, 21))
    assert not any(name.startswith("market.") for name in header.features), "one ticker has no market"
    assert header.refit is not None
    assert (str(header.fitted_to), str(header.refit.fitted_to)) == ("2016-12-31", "2018-12-31")
    assert (len(header.tickers), header.calendars) == (204, ("XNYS",))


def test_without_a_run_of_ones_own_it_answers_and_says_so(
    store: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    answer = say("predict", "AAPL", "--data-dir", store, "--runs-dir", tmp_path / "none")
    assert answer.code == 0
    assert answer.err.startswith("· no run of your own yet: using pretrained, a network trained on American stocks")
    assert "Run pretrained. In-sample: the weights were fitted to candles up to 2016-12-31" in " ".join(
        answer.out.split()
    )
    kept = read(tmp_path / "none" / JOURNAL, PRETRAINED)
    assert {one.ticker for one in kept} == {"AAPL"}, "kept for forecast score, in a folder that was not there"


def test_a_run_of_ones_own_goes_first_and_pretrained_is_still_there(
    store: Path, trained: TrainedRun, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(trained.folder, runs / "small")
    assert predict("AAPL", data_dir=store, runs_dir=runs)[0].run == "small"
    (shipped,) = predict("AAPL", run=PRETRAINED, data_dir=store, runs_dir=runs)
    assert (shipped.run, len(shipped.steps)) == (PRETRAINED, 20)
    assert_coherent(shipped.prices)


def test_a_forecast_before_the_cut_off_is_in_sample_and_one_after_it_is_not(store: Path, tmp_path: Path) -> None:
    (early,) = predict("AAPL", data_dir=store, runs_dir=tmp_path)
    assert (early.in_sample, early.fitted_to, early.weights) == (True, "2016-12-31", "evaluated")
    assert early.skill["pinball_skill"] is None
    later = tmp_path / "later"
    shutil.copytree(store, later)
    from forecaster.data.store import Store

    bars = Store(later).read("AAPL")
    from dataclasses import replace

    moved = replace(bars, dates=bars.dates + np.timedelta64(364 * 13, "D"))  # 13 years of whole weeks
    Store(later).write(moved, source="test", force=True)
    (late,) = predict("AAPL", data_dir=later, runs_dir=tmp_path)
    assert (late.in_sample, late.fitted_to, late.weights) == (False, "2018-12-31", "production")
    assert late.skill["verdict"].startswith("Skill: ")


def test_paths_come_from_the_tickers_own_history(store: Path, tmp_path: Path) -> None:
    first, again, other = (
        predict("AAPL", data_dir=store, runs_dir=tmp_path, paths=200, seed=seed)[0].paths for seed in (1, 1, 2)
    )
    assert first is not None
    assert first.shape == (200, 20, 4)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_name_is_reserved_and_nothing_is_written_to_its_folder(
    store: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    refused = say("train", "har", "--name", "pretrained", "--data-dir", store, "--runs-dir", tmp_path)
    assert (refused.code, refused.err) == (
        2,
        "error: --name pretrained is reserved: choose another name, such as my-pretrained.\n",
    )
    assert say("runs", "show", "pretrained", "--data-dir", store, "--runs-dir", tmp_path).code == 0
    assert say("predict", "IBM", "--data-dir", store, "--runs-dir", tmp_path, "--quiet").code == 0
    assert [path.name for path in shipped_run().rglob("*")] == [MODEL]


def test_scored_on_a_ticker_of_ones_own_it_is_in_sample_where_it_has_seen_the_days(store: Path, tmp_path: Path) -> None:
    result = backtest(PRETRAINED, tickers=["AAPL", "IBM"], data_dir=store, runs_dir=tmp_path)
    assert result.scorecard.in_sample == "2016-12-31"
    assert result.verdict.code != "skill"


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_damaged_one_asks_for_a_new_installation(
    damage: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models" / PRETRAINED
    folder.mkdir(parents=True)
    if damage == "truncated":
        (folder / MODEL).write_bytes((shipped_run() / MODEL).read_bytes()[:1000])
    monkeypatch.setattr("forecaster.runs.folder.shipped_run", lambda: folder)
    with pytest.raises(
        InputError, match=r"^the shipped model is missing or damaged: install stock-forecaster again \("
    ):
        Run.find(tmp_path, PRETRAINED)


def test_it_needs_no_torch(store: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from forecaster import cli; "
        f"code = cli.run(['predict', 'AAPL', '--data-dir', {str(store)!r}, '--runs-dir', {str(tmp_path)!r}, '-q']); "
        "heavy = {'torch', 'yfinance', 'pandas'} & set(sys.modules); print(code, sorted(heavy), file=sys.stderr)"
    ).replace("'-q'", "'--quiet'")
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.stderr.strip() == "0 []"
    assert re.search(r"AAPL after 2013-03-01", done.stdout)
