"""Training learns what can be learnt, claims nothing of noise, and never sees what it must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from forecaster.config.schema import Config
from forecaster.data.coherence import coherent
from forecaster.data.panel import Panel
from forecaster.data.splits import Split
from forecaster.evaluation.rows import Row, find
from forecaster.evaluation.scorecard import make_scorecard
from forecaster.evaluation.scores import score
from forecaster.features.dataset import Dataset, Forecaster
from forecaster.inference.ensemble import Member, ensemble
from forecaster.inference.sweep import Reach
from forecaster.models.network import Network
from forecaster.training.members import Learnt, learn
from forecaster.training.networks import Job
from forecaster.trial import Trial
from tests.studio import bars, dataset, persistent_volatility

pytest_plugins = ("tests.studio_fixtures",)

SPLIT = Split(*(np.datetime64(date) for date in ("2013-06-28", "2014-01-31", "2014-12-31")))
STEPS = (1, 2)


def config(**training: object) -> Config:
    return Config.model_validate(
        {
            "model": {"name": "gru", "hidden_size": 8},
            "task": {"horizon": 2},
            "training": {"steps": 60, "batch": 32, "learning_rate": 5e-3, "warmup": 10, "device": "cpu"} | training,
        }
    )


def candles(shuffled: bool = False) -> Panel:
    """Six tickers whose volatility persists, or all their days dealt out at random."""
    paths = np.stack([persistent_volatility(1200, seed) for seed in range(6)])
    if shuffled:
        paths = np.random.default_rng(5).permutation(paths.ravel()).reshape(paths.shape)
    return Panel.of([bars(f"T{n}", 1200, 50 + n, volatility=path) for n, path in enumerate(paths)])


def trained(data: Dataset, of: Config, folder: Path) -> tuple[Network, np.ndarray]:
    learnt = fitted(data, of, folder)
    (network,) = learnt.members
    assert isinstance(network, Network)
    return network, learnt.base


def fitted(data: Dataset, of: Config, folder: Path) -> Learnt:
    return learn(Job(Trial(of, data, SPLIT), folder))


def forecaster(members: Sequence[Member], of: Config, data: Dataset) -> Forecaster:
    return ensemble(members, data, Reach.of(of.task))


def weights(network: Network) -> bytes:
    return b"".join(value.numpy().tobytes() for value in network.state_dict().values())


def against_a_constant(data: Dataset, folder: Path) -> tuple[Row, float]:
    """A trained network beside the quantiles of all training moves, and its gain over its own start."""
    of = config()
    network, base = trained(data, of, folder)
    rows, levels = data.origins(SPLIT.test), of.task.levels
    moves = data.moves(data.origins(SPLIT.train, 200))
    constant = np.nanquantile(moves, levels, axis=0).transpose(1, 2, 0)
    forecasters = {
        "gru": forecaster([network], of, data),
        "constant": lambda r: np.broadcast_to(constant, (len(r), *constant.shape)),
        "start": lambda r: coherent(base * data.units(r)[..., None, None]),
    }
    scores = {name: score(one, data, rows, SPLIT.test, levels) for name, one in forecasters.items()}
    learnt, start = (scores[name].pinball[scores[name].known].mean() for name in ("gru", "start"))
    card = make_scorecard(scores, data.panel.sessions[rows], 6, STEPS)
    return find(card.rows, "gru", "mean", "all", "constant"), 1 - learnt / start


def test_persistent_volatility_is_learnt(tmp_path: Path) -> None:
    row, gain = against_a_constant(dataset(candles(), STEPS), tmp_path)
    assert row.skill_pinball is not None
    assert row.skill_pinball > 0.05
    assert (row.p_value or 1.0) < 0.05
    assert gain > 0.005, "more than the pooled quantiles in units of the known volatility"


def test_of_shuffled_days_no_skill_is_claimed(tmp_path: Path) -> None:
    row, _ = against_a_constant(dataset(candles(shuffled=True), STEPS), tmp_path)
    assert (row.skill_pinball or 0.0) <= 0 or (row.p_value or 1.0) >= 0.05


@pytest.mark.parametrize("refit", [False, True])
def test_the_test_period_never_reaches_the_weights(tmp_path: Path, refit: bool) -> None:
    of, panel = config(steps=8, refit=refit), candles()
    later = panel.sessions > SPLIT.validation_end
    other = np.random.default_rng(0).permutation(panel.prices)
    changed = replace(panel, prices=np.where(later[:, None], other, panel.prices))
    results = [
        trained(dataset(one, STEPS), of, tmp_path / str(number))
        for number, one in enumerate((panel, changed, panel.until(SPLIT.validation_end)))
    ]
    assert len({weights(network) for network, _ in results}) == 1
    assert all(np.array_equal(results[0][1], base) for _, base in results)


def test_a_refit_learns_from_the_validation_years_and_without_it_they_only_judge(tmp_path: Path) -> None:
    panel = candles()
    judged = (panel.sessions > SPLIT.train_end) & (panel.sessions <= SPLIT.validation_end)
    changed = replace(panel, prices=np.where(judged[:, None], panel.prices[::-1], panel.prices))
    for refit, same in ((True, False), (False, True)):
        of = config(steps=8, refit=refit)
        results = [
            trained(dataset(one, STEPS), of, tmp_path / f"{refit}{number}")
            for number, one in enumerate((panel, changed))
        ]
        assert np.array_equal(results[0][1], results[1][1]) == same
        assert (weights(results[0][0]) == weights(results[1][0])) == same


def test_the_members_of_an_ensemble_start_from_different_seeds(tmp_path: Path) -> None:
    values = config(steps=2).model_dump(exclude_none=True)
    values["members"] = (values.pop("model"),) * 2
    of, data = Config.model_validate(values), dataset(candles().until(np.datetime64("2014-12-31")), STEPS)
    networks = fitted(data, of, tmp_path).members
    first, second = networks
    assert isinstance(first, Network)
    assert isinstance(second, Network)
    assert weights(first) != weights(second)
    rows = data.origins(SPLIT.test)[:50]
    alone = [forecaster([one], of, data)(rows) for one in networks]
    np.testing.assert_allclose(forecaster(networks, of, data)(rows), np.mean(alone, axis=0), atol=1e-12)
    assert torch.get_num_threads() == 1
