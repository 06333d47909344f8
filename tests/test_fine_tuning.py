"""Fine-tuning: `training.init` starts from another run's weights, and nobody's knowledge of the future is forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import InputError, UnknownNameError
from forecaster.modelfile import read_model
from forecaster.workflows.backtest import backtest
from forecaster.workflows.doctor import doctor
from forecaster.workflows.predict import predict
from forecaster.workflows.report import report
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, Answer

pytest_plugins = ("tests.studio_fixtures",)

STILL = ("training.steps=1", "training.learning_rate=1e-12")
"""Training that changes no weight that anyone could see."""

GOOG = ("data.tickers=[GOOG]", "data.split={train_end: 2010-06-30, validation_end: 2011-06-30, test_end: 2012-06-30}")

EARLY = "data.split={train_end: 2008-06-30, validation_end: 2009-06-30, test_end: 2010-06-30}"


def _from(run: TrainedRun, *more: str) -> tuple[str, ...]:
    return (*QUICK, *STILL, f"training.init={run.folder}", *more)


def test_training_starts_from_the_weights_and_quantiles_of_the_run(
    store: Path, trained: TrainedRun, tmp_path: Path
) -> None:
    tuned = train("gru", settings=_from(trained, *GOOG), data_dir=store, runs_dir=tmp_path, name="tuned")
    before, after = read_model(trained.folder / "model.safetensors"), read_model(tuned.folder / "model.safetensors")
    for name, array in before.tensors.items():
        if not name.startswith("paths/"):
            assert np.allclose(array, after.tensors[name], atol=1e-6), name
    assert np.array_equal(before.header.base, after.header.base)
    assert after.header.init is not None
    assert (after.header.init.run, str(after.header.init.fitted_to)) == (str(trained.folder), "2010-06-30")
    assert len(after.header.init.model) == 64
    said = [
        predict("IBM", run=str(run.folder), data_dir=store, runs_dir=tmp_path)[0].prices for run in (trained, tuned)
    ]
    assert np.allclose(*said, rtol=1e-6)


@pytest.mark.parametrize(("split", "status"), [(GOOG, "passed"), ((*GOOG, EARLY), "warned")])
def test_the_doctor_says_whether_what_was_kept_knows_the_test(
    store: Path, trained: TrainedRun, tmp_path: Path, split: tuple[str, ...], status: str
) -> None:
    train("gru", settings=_from(trained, *split), data_dir=store, runs_dir=tmp_path, name="tuned")
    (found,) = [one for one in doctor("tuned", data_dir=store, runs_dir=tmp_path).checks if one.name == "fitted-inside"]
    assert found.status == status
    assert "fitted to 2010-06-30" in found.measured


def test_training_goes_on_from_there(store: Path, trained: TrainedRun, tmp_path: Path) -> None:
    settings = (*QUICK, "training.steps=20", f"training.init={trained.folder}", *GOOG)
    tuned = train("gru", settings=settings, data_dir=store, runs_dir=tmp_path, name="tuned")
    before, after = read_model(trained.folder / "model.safetensors"), read_model(tuned.folder / "model.safetensors")
    moved = [
        np.abs(array - after.tensors[name]).max() for name, array in before.tensors.items() if name.startswith("0/")
    ]
    assert max(moved) > 1e-4


def test_a_walk_starts_each_fold_from_them(store: Path, trained: TrainedRun, tmp_path: Path) -> None:
    settings = _from(trained, *GOOG)
    once = train("gru", settings=settings, data_dir=store, runs_dir=tmp_path, name="tuned").scorecard
    walked = backtest("gru", settings=settings, data_dir=store, runs_dir=tmp_path, refit_every=126, workers=2).scorecard
    own = [[row.pinball for row in card.rows if row.kind == "model" and row.step == 1] for card in (once, walked)]
    assert np.allclose(*own, rtol=1e-5), "weights that hardly move score alike, whenever they are fitted"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("features=[base]", "it reads the features [base, vol, volume, weekday], this config [base]: use the same"),
        ("task.horizon=4", "its task.horizon is 1, 2, 3, this config's 1, 2, 3, 4: use the same"),
        ("task.head=quantile", "its task.head is scale, this config's quantile: use the same"),
        ("model.hidden_size=9", "hidden_size: 9"),
        ("model={name: har}", "this config har: use the same"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_one_line(
    store: Path, trained: TrainedRun, tmp_path: Path, setting: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        train("gru", settings=_from(trained, *GOOG, setting), data_dir=store, runs_dir=tmp_path, name="odd")
    assert str(caught.value).startswith(f"training.init is {trained.folder}, but it")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "odd").exists()


def test_a_run_that_is_not_there_is_named(store: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown run 'nowhere'"):
        train("gru", settings=(*QUICK, *GOOG, "training.init=nowhere"), data_dir=store, runs_dir=tmp_path, name="odd")
    assert not (tmp_path / "odd").exists()


def test_weights_that_have_seen_the_test_are_never_skill(
    store: Path, trained: TrainedRun, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    """The run was fitted up to June 2010: a test from July 2009 on is no test of what starts from it."""
    early = "data.split={train_end: 2008-06-30, validation_end: 2009-06-30, test_end: 2010-06-30}"
    settings = (*QUICK, *STILL, f"training.init={trained.folder}", "data.tickers=[GOOG]", early)
    tuned = train("gru", settings=settings, data_dir=store, runs_dir=tmp_path, name="tuned")
    assert tuned.scorecard.in_sample == "2010-06-30"
    assert tuned.verdict.code != "skill"
    assert tuned.verdict.text.startswith("In-sample, no test of weights fitted up to 2010-06-30: ")
    own = [row for row in tuned.scorecard.rows if row.kind == "model"]
    assert any(row.skill_pinball for row in own)
    assert {row.p_value for row in own} == {None}, "a margin on days that were seen is no test"
    assert {one.p_value for one in tuned.scorecard.measures if one.name == "gru"} == {None}
    assert tuned.verdict.hardest is not None
    assert tuned.verdict.p_value is None
    page = report("tuned", data_dir=store, runs_dir=tmp_path).to_html()
    assert "<h1" in page
    assert "In-sample: no test of its ranges." in page
    assert "Nothing shows" not in page
    header = read_model(tuned.folder / "model.safetensors").header
    assert str(header.fitted_to) == "2010-06-30", "and what starts from this run knows of it"
    (forecast,) = predict("GOOG", run="tuned", data_dir=store, runs_dir=tmp_path, as_of="2010-01-04")
    assert forecast.in_sample
    again = backtest("tuned", data_dir=store, runs_dir=tmp_path)
    assert (again.scorecard.in_sample, again.verdict.code) == ("2010-06-30", tuned.verdict.code)
    walked = backtest("gru", settings=settings, data_dir=store, runs_dir=tmp_path)
    assert walked.scorecard.in_sample == "2010-06-30"
    shown = say("runs", "list", "--data-dir", store, "--runs-dir", tmp_path)
    assert "in-sample" in shown.out
    assert json.loads(say("runs", "list", "-f", "json", "--runs-dir", tmp_path).out)[0]["in_sample"] is True
    page = say("runs", "show", "tuned", "--data-dir", store, "--runs-dir", tmp_path).out
    assert " ".join(page.split()).count("In-sample, no test of weights fitted up to 2010-06-30. Ranges: ") == 1
