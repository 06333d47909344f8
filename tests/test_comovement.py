"""What tickers have in common now: the rescaling by itself, the paths that follow it, and what it may not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.config.schema import LEVELS
from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.inference.comovement import HALF_LIFE, Conditioned, DailyCorrelation, Gains, draw_past
from forecaster.inference.coupling import coupled, draw_dates
from forecaster.inference.stretches import FEWEST, Stretches
from tests.studio import bars, futures, with_holes

STEPS = 3
CLOSES = (3,)


def market(recent: float, tickers: int = 4, rows: int = 900, last: int = 120) -> list[Bars]:
    """Tickers whose daily returns are correlated by 0.3, and in the last sessions by another number."""
    rng = np.random.default_rng(11)
    together = np.where(np.arange(rows) < rows - last, 0.3, recent)
    common = rng.standard_normal(rows)
    found = []
    for number in range(tickers):
        one = bars(f"T{number}", rows, seed=number)
        noise = np.sqrt(together) * common + np.sqrt(1 - together) * rng.standard_normal(rows)
        close = 100 * np.exp(np.cumsum(0.01 * noise))
        prices = {"open": close, "high": close * 1.002, "low": close / 1.002, "close": close, "adj_close": close}
        found.append(replace(one, **{name: price.copy() for name, price in prices.items()}))
    return found


def drawn_closes(of: list[Bars], count: int = 4_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Paths' closes "path ticker step", and the forecast's quantiles."""
    stretches = Stretches.of(of, STEPS)
    past, drawn = Conditioned.of(stretches, CLOSES), draw_past(stretches, count, seed)
    scale = 0.01 * np.sqrt(np.arange(1, STEPS + 1))[:, None, None]
    quantiles = scale * np.array([-1.6, -1.3, -0.7, 0.0, 0.6, 1.2, 1.7])
    moves = [
        coupled(past.values(n), drawn, quantiles, LEVELS, None, ticker=one.ticker, seed=seed)[..., 0]
        for n, one in enumerate(of)
    ]
    return np.stack(moves, axis=1), quantiles


def average_correlation(moves: np.ndarray) -> float:
    """Mean over the pairs, of the first step."""
    found = np.corrcoef(moves[:, :, 0], rowvar=False)
    return float((found.sum() - len(found)) / len(found) / (len(found) - 1))


@pytest.mark.parametrize(("past", "now"), [(0.4, 0.15), (0.2, 0.6), (0.3, -0.1)])
def test_rescaling_turns_one_average_correlation_into_another_and_keeps_the_mean_square(
    past: float, now: float
) -> None:
    tickers = 5
    root = np.linalg.cholesky(np.full((tickers, tickers), past) + (1 - past) * np.eye(tickers))
    values = np.random.default_rng(0).standard_normal((100_000, tickers)) @ root.T
    found = Gains.between(past, now, tickers).rescale(values, values.mean(axis=1, keepdims=True))
    assert (found**2).mean() == pytest.approx(1, abs=0.01)
    assert average_correlation(found[..., None]) == pytest.approx(now, abs=0.01)


def test_gains_of_the_example_and_of_no_change() -> None:
    found = Gains.between(0.6, 0.2, 2)
    assert (found.common, found.own) == pytest.approx((0.866, 1.414), abs=1e-3)
    assert Gains.between(0.3, 0.3, 7) == Gains()
    extreme = Gains.between(-5.0, 5.0, 3)
    assert np.isfinite([extreme.common, extreme.own]).all()


def test_paths_are_as_correlated_as_the_last_quarter_suggests() -> None:
    low, same, high = (average_correlation(drawn_closes(market(recent))[0]) for recent in (0.0, 0.3, 0.8))
    assert low < same - 0.08
    assert high > same + 0.08
    assert same == pytest.approx(0.3, abs=0.08)


def test_marginals_are_the_forecasts_whatever_the_correlation() -> None:
    for recent in (0.0, 0.8):
        moves, quantiles = drawn_closes(market(recent))
        share = (moves[..., None].astype(float) <= quantiles[:, 0] + 1e-7).mean(axis=0)
        assert np.abs(share - np.asarray(LEVELS)).max() <= 1 / len(moves) + 1e-9


def test_a_seed_draws_the_same_paths() -> None:
    of = market(0.6)
    first, again, other = (drawn_closes(of, 200, seed)[0] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_newer_dates_are_taken_more_often() -> None:
    counts = np.bincount(draw_dates(10_000, 3_000, 3, 1_000.0), minlength=3_000)
    assert counts[2_000:].sum() == pytest.approx(10_000 * 4 / 7, abs=2)
    assert counts[:1_000].sum() == pytest.approx(10_000 / 7, abs=2)
    past = 0.5 ** (np.arange(3_000)[::-1] / HALF_LIFE)
    assert np.abs(counts - 10_000 * past / past.sum()).max() < 1


def test_a_single_ticker_follows_all_dates_alike_and_as_they_were() -> None:
    stretches = Stretches.of(market(0.8)[:1], STEPS)
    past = Conditioned.of(stretches, CLOSES)
    assert past.gains == Gains()
    assert np.array_equal(past.values(0), stretches.values(0, CLOSES))
    assert np.array_equal(draw_past(stretches, 500, 2), draw_dates(500, len(stretches.dates), 2))


def test_tickers_that_hardly_share_days_are_left_as_they_were() -> None:
    old, new = bars("OLD", 300, start="2000-01-03"), bars("NEW", 300, start="2010-01-04")
    apart = Stretches.of([old, new], STEPS)
    assert Conditioned.of(apart, CLOSES).gains == Gains()
    assert np.array_equal(draw_past(apart, 500, 2), draw_dates(500, len(apart.dates), 2)), (
        "nor do newer dates count more"
    )
    whole = market(0.8, tickers=2, rows=60 + FEWEST + STEPS)
    shared = Stretches.of(whole, STEPS)
    assert Conditioned.of(shared, CLOSES).gains != Gains(), "the shortest history counts"
    assert not np.array_equal(draw_past(shared, 500, 2), draw_dates(500, len(shared.dates), 2))


def test_gains_know_nothing_after_the_origin() -> None:
    day = np.datetime64("2011-09-01")
    whole = with_holes()
    known = DailyCorrelation.of(Stretches.in_panel(whole.until(day), STEPS)).gains()
    for panel in futures(whole, day).values():
        assert DailyCorrelation.of(Stretches.in_panel(panel, STEPS)).gains(day) == known
        assert DailyCorrelation.of(Stretches.in_panel(panel.until(day), STEPS)).gains() == known
    before = np.datetime64("2011-08-01")
    assert DailyCorrelation.of(Stretches.in_panel(whole, STEPS)).gains(before) != known, "the test can tell"


def test_the_newest_candle_counts() -> None:
    """The last session's moves are known at the origin, though no whole stretch begins so late."""
    of = market(0.8)
    daily = DailyCorrelation.of(Stretches.of(of, STEPS))
    assert daily.known[-1] == of[0].dates[-1]
    assert daily.gains() == DailyCorrelation.of(Stretches.in_panel(Panel.of(of), 20)).gains()
