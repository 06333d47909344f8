"""What a report gathers of a run, and what it says where the store has changed since."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError
from forecaster.evaluation import explorer
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.rows import find
from forecaster.tensorfile import load_tensors, save_tensors
from forecaster.workflows.report import Report, report
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, Answer

pytest_plugins = ("tests.studio_fixtures",)


@pytest.fixture(scope="module")
def found(trained: TrainedRun, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report(str(trained.folder), data_dir=store, runs_dir=tmp_path_factory.mktemp("looks"))


@pytest.fixture
def own_store(store: Path, tmp_path: Path) -> Store:
    return Store(shutil.copytree(store, tmp_path / "own"))


def crafted(trained: TrainedRun, folder: Path, **changes: Any) -> Path:
    """A copy of the trained run whose header says something else."""
    shutil.copytree(trained.folder, folder)
    tensors, header = load_tensors(folder / "model.safetensors")
    save_tensors(folder / "model.safetensors", tensors, header | changes)
    return folder


def test_scores_are_those_of_the_training(found: Report, trained: TrainedRun) -> None:
    assert found.card.stored() == trained.scorecard.stored()
    assert found.diagnosis is not None
    baseline = found.diagnosis.card.reference
    assert baseline == trained.scorecard.hardest
    now, then = (find(card.rows, "gru", "mean", "all", baseline) for card in (found.diagnosis.card, trained.scorecard))
    assert (now.skill_pinball, now.p_value) == pytest.approx((then.skill_pinball, then.p_value))
    assert found.notes == ()


def test_diagnoses_agree_with_the_scorecard(found: Report) -> None:
    assert found.diagnosis is not None
    row = next(r for r in found.card.rows if (r.kind, r.variable, r.step) == ("model", "close", "all"))
    low, high = (found.diagnosis.reached[3, found.diagnosis.levels.index(level)] for level in (0.1, 0.9))
    assert high - low == pytest.approx(row.coverage80, abs=0.003)  # borders belong to the band
    assert found.diagnosis.by_ticker.names == ("AAPL", "IBM", "MSFT")
    assert found.diagnosis.by_ticker.origins.sum() == found.card.origins == found.diagnosis.by_month.origins.sum()
    assert found.diagnosis.by_month.names[0] == "2010-07"
    assert [one.step for one in found.diagnosis.echoes] == [1, 2, 3]
    assert [len(curve) for curve in found.curves] == [2]


def test_the_explorer_holds_the_last_fifty_forecasts_and_the_candles_that_came(
    found: Report, trained: TrainedRun, store: Path
) -> None:
    from forecaster.workflows.predict import predict

    assert found.diagnosis is not None
    view = found.diagnosis.explorer[0]
    bars = Store(store).read("AAPL")
    assert (view.ticker, len(view.origins), view.forecasts.shape) == ("AAPL", 50, (50, 3, 10))
    assert view.sessions[-1] == np.datetime64("2011-06-30")
    assert view.candles[-1, 3] == pytest.approx(bars.close[bars.dates == view.sessions[-1]][0])
    origin = view.sessions[view.origins[-7]]
    (then,) = predict(["AAPL"], run=str(trained.folder), data_dir=store, as_of=origin.item())
    np.testing.assert_allclose(np.exp(view.forecasts[-7, :, :4]) * then.last_close, then.point, rtol=1e-4)
    np.testing.assert_allclose(np.exp(view.forecasts[-7, :, 6]) * then.last_close, then.prices[:, 3, 1], rtol=1e-4)


def test_where_a_page_would_be_too_large_each_ticker_has_fewer_origins(
    trained: TrainedRun, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "_MOST", 3 * 3 * 10 * 12)
    found = report(str(trained.folder), data_dir=store, runs_dir=tmp_path)
    assert found.diagnosis is not None
    assert [len(view.origins) for view in found.diagnosis.explorer] == [12, 12, 12]
    assert any("has the last 12 origins" in note for note in found.notes)


def test_a_report_is_one_look_however_often_it_is_made(trained: TrainedRun, store: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert report(str(trained.folder), data_dir=store, runs_dir=tmp_path).card.looks == 1
    (look,) = Ledger(store, tmp_path).read().looks
    assert (look.by, look.last) == ("report small", "2011-06-29")


def test_a_store_that_has_only_grown_changes_nothing(trained: TrainedRun, own_store: Store, tmp_path: Path) -> None:
    cut = [own_store.read(ticker) for ticker in ("AAPL", "IBM", "MSFT")]
    for bars in cut:
        own_store.write(bars.between(end=np.datetime64("2011-06-30")), source="test", force=True)
    short = train(
        "gru", settings=(*QUICK, "training.steps=2"), data_dir=own_store.root, runs_dir=tmp_path, name="short"
    )
    for bars in cut:
        own_store.write(bars, source="test")
    assert report(str(short.folder), data_dir=own_store.root, runs_dir=tmp_path).notes == ()


def test_revised_candles_are_said(trained: TrainedRun, own_store: Store, tmp_path: Path) -> None:
    own_store.write(doubled_range(own_store.read("IBM")), source="test", force=True)
    notes = report(str(trained.folder), data_dir=own_store.root, runs_dir=tmp_path).notes
    assert "are not those of the training" in notes[0]
    assert "With the store's current candles the skill is" in notes[1]


def doubled_range(bars: Bars) -> Bars:
    late = bars.dates > np.datetime64("2010-12-31")
    return replace(bars, high=np.where(late, bars.high * 1.05, bars.high))


def test_lacking_tickers_are_said_and_the_rest_is_shown(trained: TrainedRun, own_store: Store, tmp_path: Path) -> None:
    own_store.path("IBM").unlink()
    own_store.path("MSFT").write_bytes(b"no candles")
    found = report(str(trained.folder), data_dir=own_store.root, runs_dir=tmp_path)
    assert found.notes[0] == (
        "2 of the run's 3 tickers cannot be shown, because the store has no readable candles of them: IBM, MSFT."
    )
    assert found.diagnosis is not None
    assert found.diagnosis.by_ticker.names == ("AAPL",)
    assert found.card.stored() == trained.scorecard.stored(), "the verdict stays that of the training"


def test_weights_that_have_seen_the_test_period_are_not_tested_on_it(
    trained: TrainedRun, store: Path, tmp_path: Path
) -> None:
    folder = crafted(trained, tmp_path / "later", fitted_to="2011-06-30")
    found = report(str(folder), data_dir=store, runs_dir=tmp_path)
    assert found.diagnosis is None
    assert "would not be a test of it" in found.notes[0]


def test_without_a_readable_curve_the_report_says_so(trained: TrainedRun, store: Path, tmp_path: Path) -> None:
    folder = crafted(trained, tmp_path / "bare")
    (folder / "curve.csv").write_text("member,step\n0,many\n")
    found = report(str(folder), data_dir=store, runs_dir=tmp_path)
    assert found.curves == ()
    assert found.notes == ("The training curve is not shown: the run's folder has no readable curve.csv.",)


def test_a_run_whose_candles_are_gone_is_one_line(trained: TrainedRun, own_store: Store, tmp_path: Path) -> None:
    for ticker in ("AAPL", "IBM", "MSFT"):
        own_store.path(ticker).unlink()
    with pytest.raises(InputError, match=r"has no candles of run small's tickers \(AAPL, IBM, MSFT\): fetch them"):
        report(str(trained.folder), data_dir=own_store.root, runs_dir=tmp_path)
    assert Ledger(own_store.root, tmp_path).read().looks == ()


def test_candles_that_end_before_the_test_period_are_one_line(
    trained: TrainedRun, own_store: Store, tmp_path: Path
) -> None:
    for ticker in ("AAPL", "IBM", "MSFT"):
        bars = own_store.read(ticker)
        own_store.write(bars.between(end=np.datetime64("2010-03-31")), source="test", force=True)
    with pytest.raises(InputError, match="do not cover its test period after 2010-06-30 to 2011-06-30"):
        report(str(trained.folder), data_dir=own_store.root, runs_dir=tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"scorecard": {}},
        {"scorecard": {"models": [{"name": "<script>"}]}},
        {"split": {"train": "soon"}},
        {"split": {"train": "2009-06-30", "validation": "<b>", "test": "2011-06-30"}},
        {"tickers": [1, 2]},
        {"versions": ["2"]},
        {"production": {"fitted_to": 3}},
        {"fitted_to": 20100630},
    ],
    ids=json.dumps,
)
def test_a_header_that_makes_no_sense_is_one_line(
    changes: dict[str, Any], trained: TrainedRun, store: Path, tmp_path: Path
) -> None:
    folder = crafted(trained, tmp_path / "crafted", **changes)
    with pytest.raises(InputError, match=r"model\.safetensors is damaged") as caught:
        report(str(folder), data_dir=store, runs_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_an_unknown_or_unfinished_run_is_one_line(trained: TrainedRun, store: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Unknown run 'smal'"):
        report("smal", data_dir=store, runs_dir=tmp_path)
    folder = shutil.copytree(trained.folder, tmp_path / "open")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="run open is not finished: continue it with forecast train --resume open"):
        report("open", data_dir=store, runs_dir=tmp_path)


def test_the_command_writes_the_page_into_the_runs_folder_and_says_where(
    say: Callable[..., Answer], trained: TrainedRun, store: Path, tmp_path: Path
) -> None:
    folder = crafted(trained, tmp_path / "copy")
    answer = say("report", "copy", "--data-dir", store, "--runs-dir", tmp_path)
    assert answer.code == 0
    assert answer.out.strip() == str(folder / "report.html")
    assert "forecasting" in answer.err
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_command_takes_another_place_and_refuses_one_that_cannot_be_written(
    say: Callable[..., Answer], trained: TrainedRun, store: Path, tmp_path: Path
) -> None:
    where = ("report", trained.folder, "--data-dir", store, "--runs-dir", tmp_path, "--quiet")
    answer = say(*where, "--output", tmp_path / "new" / "page.html")
    assert (answer.code, answer.err) == (0, "")
    assert (tmp_path / "new" / "page.html").is_file()
    (tmp_path / "file").write_text("")
    answer = say(*where, "--output", tmp_path / "file" / "page.html")
    assert answer.code == 4
    assert "cannot be written" in answer.err
