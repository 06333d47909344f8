"""The last candles of a history have the features that they have in the whole of it."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.data.panel import Panel
from forecaster.features import GROUPS, looks_back
from forecaster.features.blocks import measure_market
from forecaster.features.candles import Candles
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.features.tail import tail_dataset
from tests.studio import panel

VALID = np.array([2900, 1400, 100, 0])
OF = panel(3000, 1500, 300, 40)


def last_rows(of: Panel, kept: np.ndarray) -> np.ndarray:
    """The last rows of each ticker, so many of each."""
    return np.concatenate([np.arange(end - count, end) for end, count in zip(of.offsets[1:], kept, strict=True)])


@pytest.mark.parametrize("valid", [VALID, np.array([130, 150, 320, 480]), np.array([502, 374, 501, 489])], ids=str)
@pytest.mark.parametrize("group", GROUPS.names())
def test_features_scale_and_readiness_are_those_of_the_whole_history(
    panel_with_holes: Panel, group: str, valid: np.ndarray
) -> None:
    of = OF if valid is VALID else panel_with_holes
    whole, tail = compute_features(of, [group]), tail_dataset(of, [group], (1,), valid, measure_market(of))
    there, here = last_rows(of, of.lengths - valid), last_rows(tail.panel, of.lengths - valid)
    assert np.array_equal(tail.panel.sessions[here], of.sessions[there])
    assert np.any(whole.values[there].std(axis=0) > 0)
    np.testing.assert_allclose(tail.features.values[here], whole.values[there], atol=1e-5)
    np.testing.assert_allclose(tail.features.scale[here], whole.scale[there], rtol=1e-9)
    assert np.array_equal(tail.features.ready[here], whole.ready[there])


def test_the_market_is_measured_on_whole_histories_where_it_is_not_given() -> None:
    given, measured = (tail_dataset(OF, ["market"], (1,), VALID, market) for market in (measure_market(OF), None))
    assert np.array_equal(measured.features.values, given.features.values)


@pytest.mark.parametrize("beyond", [0, 1, 40, 10_000])
def test_beyond_the_end_of_a_ticker_its_last_candle_stays(beyond: int) -> None:
    valid = np.array([2900, 1500 + beyond, 100, 40 + beyond])
    tail = tail_dataset(OF, ("base", "earnings"), (1,), valid)
    whole = compute_features(OF, ("base", "earnings"))
    assert len(tail.features.values) == len(tail.features.ready) == len(tail.panel.sessions)
    np.testing.assert_allclose(
        tail.features.values[tail.panel.offsets[1:] - 1], whole.values[OF.offsets[1:] - 1], atol=1e-5
    )


def test_what_is_kept_is_what_candles_that_follow_look_back_to() -> None:
    assert tail_dataset(OF, ("base", "vol"), (1,), VALID).panel.lengths.tolist() == [100 + 23, 100 + 23, 200 + 23, 40]
    assert tail_dataset(OF, ("base", "earnings"), (1,), VALID).panel.lengths.tolist() == [102, 102, 202, 40]


def test_only_what_a_group_looks_back_to_is_computed() -> None:
    seen = []

    def patient(candles: Candles) -> dict[str, np.ndarray]:
        seen.append(len(candles.sessions))
        return {"close": candles.close}

    of, valid = panel(3000), np.array([2900])
    GROUPS.add("patient", looks_back(8, days=1092)(patient))
    try:
        tail = tail_dataset(of, ("base", "patient"), (1,), valid)
    finally:
        GROUPS._members.pop("patient")
    since = int((of.sessions >= of.sessions[2900] - np.timedelta64(1092, "D")).sum())
    assert 1 < since + 8 + 1 < 3000
    assert seen == [1, since + 8 + 1], "one candle, to see what is remembered; then all that it looks back to"
    assert len(tail.panel.sessions) == len(tail.features.values) == 102


def test_a_group_that_does_not_say_how_far_it_looks_back_is_given_everything() -> None:
    name = "of-somebody-else"
    GROUPS.add(name, lambda candles: {"since_ever": np.cumsum(np.nan_to_num(candles.returns), axis=0)})
    try:
        tail = tail_dataset(OF, ("base", name), (1,), VALID)
    finally:
        GROUPS._members.pop(name)
    assert tail.panel is OF


def test_candles_that_follow_a_tail_have_the_features_of_the_whole() -> None:
    groups = ("vol", "shape")
    tail = tail_dataset(OF, groups, (1,), VALID)
    whole = Dataset(OF, compute_features(OF, groups), (1,))
    moves = np.full((4, 4), 0.01) * [0.2, 1, -1, 0.5]
    found, told = (of.path_source.start(of.panel.offsets[1:] - 1).append(moves) for of in (tail, whole))
    np.testing.assert_allclose(found[1], told[1], atol=1e-5)
    np.testing.assert_allclose(found[0].scale, told[0].scale, rtol=1e-9)
