"""Tails beyond the outer levels: the fit, the quantile function, and what a file without them may be asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import genpareto

from forecaster.config.schema import LEVELS
from forecaster.data.splits import Period
from forecaster.inference.tails import exponential_tails, fit_tails, inverse
from forecaster.modelfile import TAILS, read_model
from forecaster.tensorfile import load_tensors, save_tensors
from forecaster.workflows.train import TrainedRun
from tests.studio import dataset, panel

pytest_plugins = ("tests.studio_fixtures",)

QUANTILES = np.array([-3.0, -2.0, -1.0, 0.0, 1.0, 2.5, 4.0])
TAIL = np.array([[0.0, 0.5], [0.2, 0.25]])


def test_the_quantile_function_is_the_forecasts_at_its_levels_and_a_line_between() -> None:
    found = inverse(QUANTILES, LEVELS, TAIL, np.array([0.05, 0.1, 0.175, 0.25, 0.5, 0.6, 0.95]))
    np.testing.assert_allclose(found, [-3, -2, -1.5, -1, 0, 0.4, 4], atol=1e-12)


def test_beyond_the_levels_it_is_the_generalised_pareto_quantile_by_hand() -> None:
    found = inverse(QUANTILES, LEVELS, TAIL, np.array([0.01, 0.99]))
    upper = 4 + 4 * (0.25 / 0.2) * ((0.05 / 0.01) ** 0.2 - 1)
    lower = -3 - 3 * 0.5 * np.log(5)
    np.testing.assert_allclose(found, [lower, upper], rtol=1e-12)


def test_it_is_scipys_distribution_and_ascends() -> None:
    shares = (np.arange(10_000) + 0.5) / 10_000
    found = inverse(QUANTILES, LEVELS, TAIL, shares)
    assert (np.diff(found) > 0).all()
    beyond = shares > 0.95
    expected = 4 + 4 * genpareto.ppf((shares[beyond] - 0.95) / 0.05, 0.2, scale=0.25)
    np.testing.assert_allclose(found[beyond], expected, rtol=1e-9)


def test_exponential_tails_go_through_the_outer_two_levels() -> None:
    tails = exponential_tails(QUANTILES, LEVELS)
    assert tails[..., 0].tolist() == [0, 0]
    # The tail through 10 % and 5 % falls by one quantile spacing a halving of the probability: at 2.5 % again by 1.
    np.testing.assert_allclose(inverse(QUANTILES, LEVELS, tails, np.array([0.025, 0.975])), [-4, 5.5], rtol=1e-9)


def test_prices_that_never_move_have_no_tail() -> None:
    still = np.zeros(7)
    shares = np.array([0.001, 0.5, 0.999])
    assert inverse(still, LEVELS, exponential_tails(still, LEVELS), shares).tolist() == [0, 0, 0]


def test_the_fit_finds_the_tail_that_was_planted() -> None:
    """Student's t with 4 degrees of freedom has shape 1/4 far out; beyond 95 % a fit sees somewhat less."""
    data = dataset(panel(6000, 6000, 6000), (1, 2))
    period = Period(None, np.datetime64("2100-01-01"))
    found = fit_tails(data, period, LEVELS)
    assert found is not None
    assert found.shape == (2, 4, 2, 2)
    rows = data.origins(period)
    moves = data.moved(rows, 1)[:, 3] / data.units(rows)[:, 0]
    base = data.base(period, LEVELS)[0, 3]
    for share in (0.01, 0.99):
        said = inverse(base, LEVELS, found[0, 3], np.array([share]))[0]
        assert (moves <= said).mean() == pytest.approx(share, abs=0.002)


def test_the_fit_reads_its_period_alone() -> None:
    long, period = panel(3000, 3000), Period(None, np.datetime64("2017-06-30"))
    found = [fit_tails(dataset(of), period, LEVELS) for of in (long, long.until(period.end))]
    assert found[0] is not None
    assert found[1] is not None
    np.testing.assert_array_equal(found[0], found[1])
    everything = fit_tails(dataset(long), Period(None, np.datetime64("2100-01-01")), LEVELS)
    assert everything is not None
    assert not np.array_equal(found[0], everything)


def test_too_few_excesses_and_point_forecasts_have_no_fit() -> None:
    data = dataset(panel(800))
    period = Period(None, np.datetime64("2100-01-01"))
    assert fit_tails(data, period, LEVELS) is None
    assert fit_tails(data, period, (0.5,)) is None


def test_a_trained_run_keeps_its_tails_in_its_model_file(trained: TrainedRun, tmp_path: Path) -> None:
    model = read_model(trained.folder / "model.safetensors")
    assert model.tails is not None
    assert model.tails.shape == (3, 4, 2, 2)
    assert (model.tails[..., 1] > 0).all()
    tensors, header = load_tensors(trained.folder / "model.safetensors")
    del tensors[TAILS]
    save_tensors(tmp_path / "old.safetensors", tensors, header)
    assert read_model(tmp_path / "old.safetensors").tails is None
