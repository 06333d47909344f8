"""The placebo of benchmarks/placebo in short: of shuffled days no skill is claimed, of a planted one it is."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from forecaster.data.bars import Bars

pytest_plugins = ("tests.studio_fixtures",)

SHORT = (
    *("training.steps=20", "training.warmup=5", "training.learning_rate=1e-2", "training.batch=8"),
    *("model.hidden_size=8", "training.device=cpu"),
)


@pytest.fixture(scope="module")
def placebo() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "placebo" / "run.py"
    spec = importlib.util.spec_from_file_location("placebo", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def histories(real_bars: dict[str, Bars]) -> Sequence[Bars]:
    return [real_bars[ticker].between(start=np.datetime64("2005-01-03")) for ticker in ("AAPL", "GOOG", "IBM", "MSFT")]


def test_a_shuffled_day_stays_whole_and_the_dates_stay(placebo: ModuleType, real_bars: dict[str, Bars]) -> None:
    bars = real_bars["IBM"]
    other = placebo.made(bars, np.random.default_rng(0), "shuffled")
    days = [np.log(one.adjusted()[1:]) - np.log(one.adjusted()[:-1, 3:]) for one in (bars, other)]
    units = [np.column_stack([moves, one.volume[1:]]) for moves, one in zip(days, (bars, other), strict=True)]
    assert np.array_equal(bars.dates, other.dates)
    assert not np.allclose(units[0], units[1])
    ordered = [one[np.lexsort(one.round(9).T)] for one in units]
    np.testing.assert_allclose(ordered[0], ordered[1], atol=1e-8)


def test_a_planted_volatility_persists_for_weeks_and_keeps_the_mean_square(placebo: ModuleType) -> None:
    logs = np.log(placebo.persistent(200_000, np.random.default_rng(0)))
    logs -= logs.mean()
    assert logs.std() == pytest.approx(placebo.SPREAD, rel=0.05)
    assert (logs[15:] * logs[:-15]).mean() / logs.var() == pytest.approx(0.5, abs=0.05)
    assert np.square(placebo.persistent(200_000, np.random.default_rng(1))).mean() == pytest.approx(1, rel=0.2)


def test_heavy_and_shifting_days_stay_candles(placebo: ModuleType, real_bars: dict[str, Bars]) -> None:
    for kind in ("heavy", "shift", "planted"):
        other = placebo.made(real_bars["IBM"], np.random.default_rng(0), kind)  # Bars checks what it holds
        assert np.isfinite(other.adjusted()).all()


@pytest.mark.parametrize("kind", ["untrained", "shuffled", "heavy", "shift"])
def test_where_nothing_is_learnt_or_nothing_can_be_known_no_skill_is_claimed(
    placebo: ModuleType, histories: Sequence[Bars], kind: str
) -> None:
    assert "skill" not in [placebo.measure(histories, seed, kind, SHORT).code for seed in range(2)]


def test_a_planted_volatility_is_called_skill(placebo: ModuleType, histories: Sequence[Bars]) -> None:
    codes = [placebo.measure(histories, seed, "planted", SHORT).code for seed in range(3)]
    assert codes.count("skill") >= 2
