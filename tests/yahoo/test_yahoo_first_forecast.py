"""The first forecast: a ticker that the store lacks is fetched from Yahoo on the way."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.errors import OutsideError
from forecaster.workflows.predict import Failure, exit_code, predict
from forecaster.workflows.train import train
from tests.conftest import ROOT
from tests.studio import QUICK as SMALL
from tests.studio import Answer
from tests.yahoo.kit import QUICK, SATURDAY, Kit
from tests.yahoo.server import YahooServer, status

pytest_plugins = ("tests.studio_fixtures",)


def test_one_command_fetches_and_forecasts(kit: Kit, tmp_path: Path, say: Callable[..., Answer]) -> None:
    answer = say("predict", "AAPL", "--data-dir", kit.store.root, "--runs-dir", tmp_path / "runs")
    assert answer.code == 0
    assert "· not in the store yet: fetching AAPL from Yahoo (--offline forbids it)\n" in answer.err
    assert "AAPL after 2013-03-01" in answer.out
    assert kit.store.tickers() == ("AAPL",)
    again = say("predict", "AAPL", "--data-dir", kit.store.root, "--runs-dir", tmp_path / "runs")
    assert (again.code, again.out) == (0, answer.out)
    assert "fetching" not in again.err, "what the store has is not fetched again"


def test_offline_nothing_is_fetched(kit: Kit, server: YahooServer, tmp_path: Path, say: Callable[..., Answer]) -> None:
    kit.fetch("IBM")
    before = server.requests()
    answer = say("predict", "AAPL", "--offline", "--data-dir", kit.store.root, "--runs-dir", tmp_path)
    assert answer.code == 2
    assert answer.err.endswith("error: Unknown ticker 'AAPL'. There is IBM. To fetch it: forecast fetch AAPL\n")
    assert server.requests() == before


def test_what_cannot_be_fetched_fails_alone_and_names_its_reason(kit: Kit, server: YahooServer, tmp_path: Path) -> None:
    kit.fetch("AAPL")
    failures: list[Failure] = []
    made = predict(["AAPL", "AAPLX", "IBM"], data_dir=kit.store.root, runs_dir=tmp_path, failed=failures.append)
    assert [one.ticker for one in made] == ["AAPL", "IBM"], "what is there, or came, is forecast"
    (failure,) = failures
    assert str(failure.error).startswith("AAPLX is not in the store, and cannot be fetched: ")
    assert str(failure.error).endswith(". Did you mean 'AAPL'?")
    assert exit_code(made, failures) == 3


def test_without_a_network_the_reason_is_outside(kit: Kit, server: YahooServer, tmp_path: Path) -> None:
    server.fail("AAPL", status(503))
    with pytest.raises(OutsideError, match=r"^AAPL is not in the store, and cannot be fetched: "):
        predict("AAPL", data_dir=kit.store.root, runs_dir=tmp_path)
    assert not kit.store.tickers()


def test_a_covariate_that_the_store_lacks_is_fetched_too_or_is_the_failure_of_all(
    kit: Kit, server: YahooServer, tmp_path: Path, store: Path
) -> None:
    settings = (*SMALL, "training.steps=1", "data.tickers=[AAPL]", "covariates=[MSFT]")
    run = str(train("gru", settings=settings, data_dir=store, runs_dir=tmp_path).folder)
    server.fail("MSFT", status(503))
    failures: list[Failure] = []
    with pytest.raises(OutsideError, match=r"^MSFT is not in the store, and cannot be fetched: "):
        predict("AAPL", run=run, data_dir=kit.store.root, runs_dir=tmp_path, failed=failures.append)
    server.heal()
    (one,) = predict("AAPL", run=run, data_dir=kit.store.root, runs_dir=tmp_path)
    assert kit.store.tickers() == ("AAPL", "MSFT")
    assert not [text for text in one.warnings if "covariate" in text]


@pytest.mark.parametrize(
    "words",
    [("risk", "AAPL=10", "IBM=5"), ("odds", "AAPL", "--touch", "440"), ("rank", "AAPL", "IBM")],
    ids=lambda words: words[0],
)
def test_risk_odds_and_rank_fetch_too(
    words: tuple[str, ...], kit: Kit, server: YahooServer, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    places = ("--data-dir", kit.store.root, "--runs-dir", tmp_path / "runs")
    kit.fetch("MSFT")
    before = server.requests()
    offline = say(*words, "--offline", *places)
    assert (offline.code, server.requests()) == (2, before)
    assert "Unknown ticker 'AAPL'" in offline.err
    server.fail("AAPL", status(503))
    failed = say(*words, *places)
    assert failed.code == (3 if words[0] == "rank" else 4)
    assert "error: AAPL is not in the store, and cannot be fetched: " in failed.err
    server.heal()
    answer = say(*words, *places)
    assert answer.code == 0, answer.err
    assert "from Yahoo (--offline forbids it)\n" in answer.err
    assert "AAPL" in answer.out
    assert "fetching" not in say(*words, *places).err


def test_a_ranking_of_tickers_that_cannot_be_fetched_fails_for_an_outside_reason(
    kit: Kit, server: YahooServer, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    server.fail("AAPL", status(503))
    server.fail("IBM", status(503))
    answer = say("rank", "AAPL", "IBM", "--data-dir", kit.store.root, "--runs-dir", tmp_path)
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.splitlines()[-1].startswith("error: no ticker can be ranked: ")


def test_it_takes_no_torch(server: YahooServer, tmp_path: Path) -> None:
    """In a process of its own, as a user has it: fetched, forecast, and torch never imported."""
    settings = json.dumps(dataclasses.asdict(QUICK))
    arguments = ["predict", "AAPL", "--data-dir", str(tmp_path / "store"), "--runs-dir", str(tmp_path / "runs"), "-q"]
    driver = (sys.executable, "-m", "tests.yahoo.driver", "modules")
    done = subprocess.run(
        [*driver, str(server.port), SATURDAY.isoformat(), settings, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert "AAPL after 2013-03-01" in done.stdout, done.stderr
    modules = done.stdout.splitlines()[-1].split()
    assert {"forecaster", "yfinance"} <= set(modules)
    assert "torch" not in modules
