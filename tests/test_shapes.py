"""The shapes of a task, each on data with a pattern that only this shape's machinery can pick up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.config.schema import Config
from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.splits import Split
from forecaster.evaluation.scores import score
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.inference.ensemble import ensemble
from forecaster.inference.rollout import grow_paths
from forecaster.inference.sweep import Reach
from forecaster.models.network import Network
from forecaster.training.members import Learnt, learn
from forecaster.training.networks import Job
from forecaster.trial import Trial
from tests.studio import assert_coherent, bars, dataset

pytest_plugins = ("tests.studio_fixtures",)

SPLIT = Split(*(np.datetime64(date) for date in ("2013-06-28", "2014-01-31", "2014-12-31")))
STEPS = (1, 2, 3)
GENTLE, WILD = 0.005, 0.025


@pytest.fixture(scope="module")
def taking_turns() -> Dataset:
    """Six tickers with a calm day after every wild one: known volatility, a mean of days, says nothing of tomorrow."""
    paths = [np.where((np.arange(1200) + ticker) % 2, GENTLE, WILD) for ticker in range(6)]
    of = Panel.of([bars(f"T{n}", 1200, 50 + n, volatility=path) for n, path in enumerate(paths)])
    return dataset(of, STEPS)


def config(**task: Any) -> Config:
    return Config.model_validate(
        {
            "model": {"name": "gru", "hidden_size": 8},
            "task": {"horizon": 3, "context": 10, "supervision": "window"} | task,
            "training": {"steps": 120, "batch": 64, "learning_rate": 2e-2, "warmup": 10, "device": "cpu"},
        }
    )


def fitted(of: Config, data: Dataset, folder: Path) -> Learnt:
    return learn(Job(Trial(of, data, SPLIT), folder))


def after(data: Dataset, wild: bool, count: int = 60) -> Rows:
    """Origins of the test whose own day was wild, or calm."""
    rows = data.origins(SPLIT.test)
    own = (rows - data.first_row[rows] + data.panel.ticker_of_row[rows]) % 2 == (0 if wild else 1)
    return rows[own][:: max(len(rows[own]) // count, 1)]


def widths(forecaster: Forecaster, rows: Rows) -> np.ndarray:
    """Mean width of the close's band of 80 %, a number a step."""
    quantiles = forecaster(rows)
    width: np.ndarray = (quantiles[:, :, 3, 5] - quantiles[:, :, 3, 1]).mean(axis=0)
    return width


DECODERS: tuple[dict[str, Any], ...] = (
    {"decoder": "direct"},
    {"decoder": "seq2seq"},
    {"decoder": "seq2seq", "teacher_forcing": 0.5},
    {"decoder": "recursive"},
)


@pytest.mark.parametrize("task", DECODERS, ids=lambda task: "-".join(map(str, task.values())))
def test_n_to_m_knows_that_calm_days_follow_wild_ones(
    taking_turns: Dataset, tmp_path: Path, task: dict[str, Any]
) -> None:
    """After a wild day the next is calm, and the second one wild again: to know step 2 takes what step 1 will bring."""
    of = config(**task)
    learnt = fitted(of, taking_turns, tmp_path)
    forecaster = ensemble(learnt.members, taking_turns, Reach.of(of.task))
    wild, calm = (widths(forecaster, after(taking_turns, kind)) for kind in (True, False))
    assert calm[0] > 2.5 * wild[0], "the day after a calm day is wild"
    # Two days are a calm and a wild one, in whatever order: 2.55 % of volatility.
    assert 0.8 < calm[1] / wild[1] < 1.25
    truth = np.array([[WILD, GENTLE, WILD], [GENTLE, WILD, GENTLE]])
    expected = np.sqrt(np.cumsum(truth**2, axis=1))
    for found, true in zip((calm, wild), expected, strict=True):
        np.testing.assert_allclose(found / found[1], true / true[1], rtol=0.25)
    assert_coherent(forecaster(after(taking_turns, True)))


@pytest.mark.parametrize("task", DECODERS, ids=lambda task: "-".join(map(str, task.values())))
def test_what_is_learnt_of_it_lowers_the_loss(taking_turns: Dataset, tmp_path: Path, task: dict[str, Any]) -> None:
    of = config(**task)
    learnt = fitted(of, taking_turns, tmp_path)
    rows = after(taking_turns, True, 100)
    start = taking_turns.units(rows)[..., None, None] * np.asarray(learnt.base)
    found = {
        "network": ensemble(learnt.members, taking_turns, Reach.of(of.task)),
        "start": lambda _: start,
    }
    losses = {
        name: score(one, taking_turns, rows, SPLIT.test, of.task.levels).pinball.mean(axis=(0, 2))
        for name, one in found.items()
    }
    assert losses["network"][0] < 0.75 * losses["start"][0]
    assert losses["network"].mean() < 0.95 * losses["start"].mean()


def up_and_down(ticker: int) -> Bars:
    """A rising day and a falling one in turn, 3 % each, beside random moves of half that size."""
    plain = bars(f"T{ticker}", 1200, 50 + ticker)
    up = 0.03 * ((np.arange(1200) + ticker) % 2)
    before = np.concatenate([[0.0], up[:-1]])
    opens, closes = plain.open * np.exp(before), plain.close * np.exp(up)
    middle = np.exp((before + up) / 2)
    highs = np.maximum(plain.high * middle, np.maximum(opens, closes))
    lows = np.minimum(plain.low * middle, np.minimum(opens, closes))
    return replace(plain, open=opens, high=highs, low=lows, close=closes, adj_close=closes)


def test_one_to_n_grows_rising_and_falling_days_in_turn_from_a_single_candle(tmp_path: Path) -> None:
    """The candle itself rose or fell; each candle of a path follows from the one that was drawn before it."""
    whole = [up_and_down(ticker) for ticker in range(6)]
    of, data = config(head="quantile"), dataset(Panel.of(whole), STEPS)
    (network,) = fitted(of, data, tmp_path).members
    assert isinstance(network, Network)
    for day in (1001, 1002):
        one = Panel.of([whole[0].between(whole[0].dates[day - 1], whole[0].dates[day])])
        paths = grow_paths([network], dataset(one, (1,)), of.task.levels, 4, 300, seed=1)
        assert paths.shape == (300, 4, 4)
        assert_coherent(paths[..., None])
        moves = np.diff(paths[..., 3], axis=1, prepend=0.0).mean(axis=0)
        falls = np.arange(4) % 2 == (0 if day % 2 else 1)  # the price is high on odd days
        assert (np.abs(moves) > 0.008).all()
        assert np.array_equal(moves < 0, falls)


def test_paths_are_drawn_by_their_seed_alone(taking_turns: Dataset, tmp_path: Path) -> None:
    of = config()
    of = of.model_copy(update={"training": of.training.model_copy(update={"steps": 2})})
    members = [member for member in fitted(of, taking_turns, tmp_path).members if isinstance(member, Network)]
    one = dataset(Panel.of([bars("T0", 2)]), (1,))
    first, same, other = (grow_paths(members, one, of.task.levels, 3, 20, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_a_recursive_forecast_knows_nothing_later_and_nothing_of_its_companions(
    taking_turns: Dataset, tmp_path: Path
) -> None:
    of = config(decoder="recursive")
    of = of.model_copy(update={"training": of.training.model_copy(update={"steps": 5})})
    members = fitted(of, taking_turns, tmp_path).members
    rows = after(taking_turns, True)[:5]
    whole = ensemble(members, taking_turns, Reach.of(of.task))(rows)
    until = dataset(taking_turns.panel.until(taking_turns.panel.sessions[rows[0]]), STEPS)
    alone = ensemble(members, until, Reach.of(of.task))(rows[:1])
    np.testing.assert_allclose(alone[0], whole[0], rtol=1e-5)
    assert np.array_equal(ensemble(members, taking_turns, Reach.of(of.task))(rows), whole)
