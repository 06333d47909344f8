"""The correction of widths beyond step 1: what it counts, what it corrects, and how much of it."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.inference.width import Width

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
FORECAST = np.array([-1.2, -0.7, 0.0, 0.7, 1.2])


def width(*updates: int, step: int = 5, window: int = 50) -> Width:
    return Width(np.array(updates), step, window, LEVELS)


def errors_of(outcomes: np.ndarray) -> np.ndarray:
    """Of one forecast for all prices; outcomes are [origin] or [origin, price]."""
    spread = outcomes[:, None] if outcomes.ndim == 1 else outcomes
    return np.broadcast_to(spread, (len(outcomes), 4))[..., None] - FORECAST


def test_bands_move_to_where_the_outcomes_lay_as_far_as_the_evidence_goes() -> None:
    """50 dates, of which those of 5 steps do not overlap: 10 outcomes, and 10/(10 + 40) of the correction."""
    rng = np.random.default_rng(0)
    origin = np.repeat(np.arange(50), 400)
    outcomes = 1.5 * rng.standard_normal(len(origin))
    one = width(54)
    one.add(origin, origin + 5, errors_of(outcomes))
    wanted = np.quantile(outcomes, LEVELS) - FORECAST
    np.testing.assert_allclose(one.corrections()[0], np.tile((wanted - wanted[::-1]) / 2 * 0.2, (4, 1)), atol=2e-3)
    assert one.corrections()[0, 0, 0] < -0.1
    assert one.corrections()[0, 0, 4] > 0.1


@pytest.mark.parametrize("dates", [5, 10, 50])
def test_a_correction_shrinks_with_the_dates_it_rests_on_not_with_the_tickers(dates: int) -> None:
    outcomes = np.linspace(-4, 4, 100)
    found = []
    for count in (dates, 50):
        one = width(54)
        for origin in range(50 - count, 50):
            one.add(np.full(100, origin), np.full(100, origin + 5), errors_of(outcomes))
        found.append(one.corrections())
    share = (dates / 5) / (dates / 5 + 40) / (10 / (10 + 40))
    np.testing.assert_allclose(found[0], share * found[1], rtol=1e-6)


def test_a_market_that_only_rose_moves_no_band() -> None:
    rng = np.random.default_rng(1)
    origin = np.repeat(np.arange(50), 200)
    outcomes = np.quantile(rng.standard_normal(9999), rng.random(len(origin)))
    found = []
    for drift in (0.0, 0.4):
        one = width(54)
        one.add(origin, origin + 5, errors_of(outcomes + drift))
        found.append(one.corrections())
    np.testing.assert_allclose(*found, atol=2e-3)


def test_highs_and_lows_change_places_in_the_mirror() -> None:
    """Lows that fell further than forecast widen the highs' bands too, by half each."""
    origin, outcomes = np.repeat(np.arange(50), 101), np.tile(np.linspace(-2, 2, 101), 50)
    four = np.stack([outcomes, outcomes, outcomes - 1, outcomes], axis=-1)
    one, none = width(54), width(54)
    one.add(origin, origin + 5, errors_of(four))
    none.add(origin, origin + 5, errors_of(outcomes))
    change = (one.corrections() - none.corrections())[0]
    np.testing.assert_allclose(change[[0, 3]], 0, atol=1e-9)
    np.testing.assert_allclose(change[1], 0.1, atol=1e-6)
    np.testing.assert_allclose(change[2], -0.1, atol=1e-6)


def test_an_update_counts_the_window_of_outcomes_known_on_its_day() -> None:
    """Some outcomes came later than `step` dates after their origin, and one after more than a window."""
    rng = np.random.default_rng(2)
    origin = np.repeat(np.arange(130), 3)
    outcome = origin + 5 + rng.choice([0, 0, 0, 1, 4, 70], len(origin))
    errors = errors_of(2 * rng.standard_normal((len(origin), 4)))
    updates = (60, 70, 71, 101, 120)
    whole = width(*updates)
    for part in np.array_split(np.arange(len(origin)), 4):
        whole.add(origin[part], outcome[part], errors[part])
    for update, found in zip(updates, whole.corrections(), strict=True):
        known = (outcome <= update) & (origin > update - 5 - 50) & (origin <= update - 5)
        alone = width(update)
        alone.add(origin[known], outcome[known], errors[known])
        assert np.array_equal(found, alone.corrections()[0]), update
        fewer = width(update)
        fewer.add(origin[known][:-1], outcome[known][:-1], errors[known][:-1])
        assert not np.array_equal(found, fewer.corrections()[0])


def test_without_errors_nothing_is_corrected() -> None:
    assert not width(55, 65).corrections().any()
    late = width(55, 65)
    late.add(np.array([60]), np.array([65]), errors_of(np.array([9.0])))
    assert not late.corrections()[0].any()
    assert late.corrections()[1].any()


def test_errors_out_of_all_bounds_count_in_the_outermost_bins() -> None:
    """Half of them below −10, half above 10: a tenth lies a fifth of a bin of 0.05 within; a fifth of it is used."""
    one = width(54)
    origin = np.repeat(np.arange(50), 2)
    one.add(origin, origin + 5, errors_of(np.tile([-1e9, 1e9], 50)))
    found = one.corrections()[0]
    np.testing.assert_allclose(found[:, 0], -0.2 * (10 - 0.05 / 5), rtol=1e-9)
    np.testing.assert_allclose(found[:, 4], 0.2 * (10 - 0.05 / 5), rtol=1e-9)
    np.testing.assert_allclose(found[:, 2], 0, atol=1e-9)
