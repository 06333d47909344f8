"""Fixtures over `studio`: a store of the sample, and one small trained run that many tests look at.

A test module asks for them with `pytest_plugins = ("tests.studio_fixtures",)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from forecaster import cli
from forecaster.evaluation.ledgerfile import NAME
from forecaster.workflows.fetch import fetch
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, Answer


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder with the five stocks of the sample; nobody writes candles to it."""
    folder = tmp_path_factory.mktemp("sample") / "store"
    fetch(source="sample", data_dir=folder)
    return folder


@pytest.fixture(autouse=True)
def _empty_ledger(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins with a store whose tests nobody has looked at, and leaves it so for the fixtures of the next."""
    found = [request.getfixturevalue(name) for name in {"store", "other_store"} & set(request.fixturenames)]
    ledgers = [folder / NAME for folder in found if isinstance(folder, Path)]  # some files have another kind of store
    for ledger in ledgers:
        ledger.unlink(missing_ok=True)
    yield
    for ledger in ledgers:
        ledger.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs that many tests look at; nobody writes to it but `trained`."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def trained(store: Path, runs_dir: Path) -> TrainedRun:
    """A small GRU trained on AAPL, IBM and MSFT to June 2009, validated to June 2010 and tested to June 2011."""
    run = train("gru", settings=(*QUICK, "training.steps=60"), data_dir=store, runs_dir=runs_dir, name="small")
    (store / NAME).unlink()  # other fixtures of the same test begin anew
    return replace(run, scorecard=run.scorecard.with_looks(1))  # whatever other tests trained before it


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Run a command line in this process, where a warning is an error."""
    monkeypatch.setenv("COLUMNS", "100")
    capsys.readouterr()

    def run(*arguments: object) -> Answer:
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run
