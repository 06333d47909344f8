"""Folds of a walk forward in processes of their own: the same scores, and nothing lost or left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.splits import Split
from forecaster.errors import OutsideError
from forecaster.evaluation.scores import score
from forecaster.workflows import crew, fold
from forecaster.workflows.backtest import Backtest, backtest
from forecaster.workflows.check import load_config
from forecaster.workflows.foldfiles import Walk, hand_over, load_scores, save_scores, taken_over
from tests.studio import QUICK, dataset, environment, panel

pytest_plugins = ("tests.studio_fixtures",)

TINY = (*QUICK, "training.steps=3", "training.batch=4")


def walked(store: Path, runs: Path, workers: int, *settings: str) -> Backtest:
    return backtest("gru", settings=(*TINY, *settings), refit_every=90, data_dir=store, runs_dir=runs, workers=workers)


@pytest.mark.parametrize("settings", [("model.num_layers=2", "model.dropout=0.3"), ("calibration.rolling=true",)])
def test_two_processes_give_what_one_gives(store: Path, tmp_path: Path, settings: tuple[str, ...]) -> None:
    one, two = (walked(store, tmp_path / str(workers), workers, *settings) for workers in (1, 2))
    assert one.refits == two.refits > 2
    assert one.scorecard == two.scorecard
    assert not list(tmp_path.glob("*/.backtest-*"))


def test_a_process_takes_over_what_was_handed_over_without_computing_it(tmp_path: Path) -> None:
    data = dataset(panel(300, 250), (1, 2))
    whole = Split(*(np.datetime64(date) for date in ("2010-09-01", "2010-10-01", "2010-12-01")))
    config = load_config("gru", ("task.horizon=2",))
    hand_over(Walk(tmp_path, config, data, whole, (whole, whole)))
    found = taken_over(tmp_path)
    assert found.dataset.panel.fingerprint == data.panel.fingerprint
    assert np.array_equal(found.dataset.features.values, data.features.values)
    assert found.dataset.features.names == data.features.names
    assert (found.config, found.whole, found.folds) == (config, whole, (whole, whole))
    shared = found.dataset.features.values
    while shared.base is not None and not isinstance(shared, np.memmap):
        shared = shared.base
    assert isinstance(shared, np.memmap), "a view of the file, not a copy"


def test_scores_come_back_to_the_last_bit(tmp_path: Path) -> None:
    data = dataset(panel(300), (1, 2))
    rows = data.origins(Split(*[np.datetime64("2010-12-01")] * 3).train)
    levels = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    period = Split(*[np.datetime64("2010-12-01")] * 3).train
    scores = {
        "bands": score(lambda r: np.linspace(-0.02, 0.02, 7) * np.ones((len(r), 2, 4, 1)), data, rows, period, levels),
        "point": score(lambda r: np.zeros((len(r), 2, 4, 1)), data, rows, period, (0.5,)),
    }
    save_scores(tmp_path / "scores.safetensors", scores)
    found = load_scores(tmp_path / "scores.safetensors")
    assert list(found) == ["bands", "point"]
    for name, one in scores.items():
        for field, value in vars(one).items():
            if field == "inside":
                assert all(
                    np.array_equal(a, b) for a, b in zip(found[name].inside, value, strict=True) if b is not None
                )
                assert [band is None for band in found[name].inside] == [band is None for band in value]
            else:
                assert np.array_equal(getattr(found[name], field), value) or value is None
    assert found["point"].widths is None


def children(of: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(of)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


def begun(store: Path, runs: Path) -> subprocess.Popen[str]:
    """A backtest of long folds, once its two processes are there."""
    settings = [part for one in (*TINY, "training.steps=4000") for part in ("--set", one)]
    command = ["backtest", "gru", *settings, "--refit-every", "90", "--workers", "2"]
    places = ["--data-dir", str(store), "--runs-dir", str(runs)]
    process = subprocess.Popen(
        [sys.executable, "-m", "forecaster", *command, *places],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(runs.glob(".backtest-*/fold-*/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(children(process.pid)) == 2
    return process


@pytest.mark.skipif(not Path("/usr/bin/pgrep").exists(), reason="needs pgrep to find a process's children")
def test_an_interrupt_ends_every_process_and_one_that_dies_is_one_line(store: Path, tmp_path: Path) -> None:
    process = begun(store, tmp_path / "a")
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted" in err.splitlines()[-1]
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]

    process = begun(store, tmp_path / "b")
    os.kill(children(process.pid)[0], signal.SIGKILL)
    _, err = process.communicate(timeout=20)
    assert process.returncode == OutsideError.exit_code
    assert "its process ended (signal 9)" in err.splitlines()[-1]
    assert "Traceback" not in err


def test_finished_folds_are_not_fitted_again(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = walked(store, tmp_path / "whole", 1)
    fitted: list[int] = []
    once = fold.fit_fold

    def interrupted(walk: Walk, number: int, **named: object) -> None:
        if len(fitted) == 2:
            raise KeyboardInterrupt
        fitted.append(number)
        once(walk, number, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("forecaster.workflows.backtest.fit_fold", interrupted)
    with pytest.raises(KeyboardInterrupt):
        walked(store, tmp_path / "cut", 1)
    assert fitted == [0, 1]
    monkeypatch.setattr(
        "forecaster.workflows.backtest.fit_fold",
        lambda *given, **named: fitted.append(given[1]) or once(*given, **named),
    )
    assert walked(store, tmp_path / "cut", 1).scorecard == whole.scorecard
    assert fitted == list(range(whole.refits))


def test_workers_are_the_cores_that_the_process_may_use() -> None:
    assert 1 <= crew.cores() <= (os.cpu_count() or 1)
