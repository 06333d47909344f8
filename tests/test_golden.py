"""A run of each format version that was ever written is still read, and forecasts what it forecast then."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.ledgerfile import FORMAT, NAME, line_of, mark_of
from forecaster.evaluation.look import Look
from forecaster.runs.run import Run
from forecaster.workflows.predict import predict
from forecaster.workflows.runs import show_run

GOLDEN = Path(__file__).parent / "golden"

CLOSES = {
    "format-1": {
        1: (433.7077, 438.8750, 445.8280, 451.4102, 461.7740, 470.6012, 476.3282),
        2: (425.6278, 431.7416, 442.9891, 455.6596, 468.2958, 479.8222, 488.2526),
    }
}
"""Quantiles of AAPL's close as of 2013-02-01, printed by the version that wrote the run."""


@pytest.mark.parametrize("name", CLOSES)
def test_a_run_of_an_earlier_version_forecasts_what_it_did(name: str, store: Path, tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / name, tmp_path / name)
    (found,) = predict("AAPL", run=name, data_dir=store, runs_dir=tmp_path, as_of="2013-02-01")
    assert found.steps == tuple(CLOSES[name])
    for place, closes in enumerate(CLOSES[name].values()):
        np.testing.assert_allclose(found.prices[place, 3], closes, rtol=1e-5)


def test_its_header_is_read_into_types(tmp_path: Path) -> None:
    run = Run.find(GOLDEN, "format-1")
    assert run.tickers == ("AAPL", "IBM")
    assert str(run.split.test_end) == "2013-03-01"
    assert run.header.refit is not None
    assert str(run.header.refit.fitted_to) == "2013-03-01"
    assert [[point.step for point in curve] for curve in run.curves() or ()] == [[5]]
    assert run.header.base.shape == (2, 4, 7)
    assert show_run("format-1", data_dir=tmp_path, runs_dir=GOLDEN).card.horizon == (1, 2)


@pytest.mark.parametrize(("version", "models"), [(1, ["run first", "2f1c9a60b7d4e813"]), (2, ["2f1c9a60b7d4e813"])])
def test_a_ledger_of_an_earlier_version_is_read_and_left_as_it_is(
    version: int, models: list[str], tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    golden = shutil.copy(GOLDEN / f"ledger-{version}.jsonl", tmp_path / "store" / NAME)
    ledger = Ledger(tmp_path / "store", tmp_path)
    known = ledger.read()
    assert [look.model for look in known.looks] == models
    assert known.notes == ()
    before = golden.read_bytes()
    assert ledger.record(Look("new", "2012-01-03", "2013-12-31", ("AAPL",))).count == len(models) + 1
    assert golden.read_bytes().startswith(before)


def test_what_is_written_now_is_the_newest_golden_ledger(tmp_path: Path) -> None:
    newest = (GOLDEN / f"ledger-{FORMAT}.jsonl").read_text()
    look = Look("2f1c9a60b7d4e813", "2011-01-03", "2012-12-31", ("AAPL", "IBM"), "train second")
    assert newest.splitlines() == [line_of(look), mark_of(b"")]
