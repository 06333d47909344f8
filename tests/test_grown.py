"""predict --context: candle paths from a single candle, and what cannot grow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.store import Store
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, Answer, assert_coherent

pytest_plugins = ("tests.studio_fixtures",)


@pytest.fixture(scope="module")
def grower(store: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    settings = (*QUICK, "training.steps=10")
    return train(
        "one_to_n", settings=settings, data_dir=store, runs_dir=tmp_path_factory.mktemp("grown"), name="grower"
    )


def test_one_candle_grows_into_paths_of_any_length(grower: TrainedRun, store: Path) -> None:
    ask = {"run": str(grower.folder), "data_dir": store, "context": 1, "paths": 150}
    (one,) = predict(["AAPL"], horizon=8, **ask)  # type: ignore[arg-type]
    assert one.steps == tuple(range(1, 9))
    assert one.paths is not None
    assert one.paths.shape == (150, 8, 4)
    assert_coherent(one.paths[..., None])
    assert_coherent(one.prices)
    np.testing.assert_allclose(one.point[:, 3], np.median(one.paths[..., 3], axis=0), rtol=1e-3)
    assert np.all(np.diff(one.volatility * np.sqrt(one.steps)) > 0), "the further, the wider"
    assert "grew from the last candle alone" in one.skill["verdict"]
    (again,), (other,) = predict(["AAPL"], horizon=8, **ask), predict(["AAPL"], horizon=8, seed=1, **ask)  # type: ignore[arg-type]
    assert np.array_equal(again.paths, one.paths)
    assert not np.array_equal(other.paths, one.paths)


def test_nothing_but_the_last_candle_has_a_part_in_it(grower: TrainedRun, store: Path, tmp_path: Path) -> None:
    whole = Store(store).read("IBM")
    Store(tmp_path).write(whole.between(start=whole.dates[-2]), source="test")
    ask = {"run": str(grower.folder), "context": 1, "paths": 20}
    found = [predict(["IBM"], data_dir=place, **ask)[0].prices for place in (store, tmp_path)]  # type: ignore[arg-type]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


def test_grown_paths_are_no_forecasts_of_the_journal(grower: TrainedRun, store: Path) -> None:
    predict(["AAPL"], run=str(grower.folder), data_dir=store, context=1, paths=5)
    assert not (grower.folder.parent / "journal.sqlite").exists()


def test_json_has_the_paths(grower: TrainedRun, store: Path, say: Callable[..., Answer]) -> None:
    places = ("--run", grower.folder, "--data-dir", store)
    answer = say("predict", "AAPL", "--context", 2, "--paths", 3, "--format", "json", *places)
    (one,) = json.loads(answer.out)
    assert len(one["paths"]) == 3
    assert "draw more with --paths" in answer.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--context", 1), "--context 1 grows paths: set their number, as in --paths 500."),
        (("--context", 0, "--paths", 5), "--context"),
        (("--context", 1, "--paths", 5, "--horizon", 0), "--horizon is 0: expected at least 1 session."),
        (("--context", 99_999, "--paths", 5), "context is 99999, but AAPL has 3270 candles"),
    ],
)
def test_what_cannot_grow_is_one_line(
    grower: TrainedRun,
    store: Path,
    say: Callable[..., Answer],
    arguments: tuple[object, ...],
    complaint: str,
) -> None:
    answer = say("predict", "AAPL", *arguments, "--run", grower.folder, "--data-dir", store, "--quiet")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert complaint in answer.err


def test_a_run_that_reads_more_than_candles_is_refused_with_the_remedy(
    trained: TrainedRun, store: Path, say: Callable[..., Answer]
) -> None:
    answer = say("predict", "AAPL", "--context", 1, "--paths", 5, "--run", trained.folder, "--data-dir", store)
    assert answer.code == 2
    assert "reads volume, which a forecast candle does not have" in answer.err
