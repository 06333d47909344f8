"""The last candles of a history have the features that they have in the whole of it."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.data.panel import Panel
from forecaster.features import GROUPS, lookback
from forecaster.features.blocks import measure_market
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.features.tail import tail_dataset
from tests.studio import panel

VALID = np.array([2900, 1400, 100, 0])
OF = panel(3000, 1500, 300, 40)


def rows_from(of: Panel, valid: np.ndarray) -> np.ndarray:
    """Rows of the sessions from `valid` on, counted back from each ticker's end."""
    kept = OF.lengths - valid
    return np.concatenate([np.arange(end - count, end) for end, count in zip(of.offsets[1:], kept, strict=True)])


@pytest.mark.parametrize("group", GROUPS.names())
def test_features_scale_and_readiness_are_those_of_the_whole_history(group: str) -> None:
    whole, tail = compute_features(OF, [group]), tail_dataset(OF, [group], (1,), VALID, measure_market(OF))
    there, here = rows_from(OF, VALID), rows_from(tail.panel, VALID)
    assert np.array_equal(tail.panel.sessions[here], OF.sessions[there])
    assert np.any(whole.values[there].std(axis=0) > 0)
    np.testing.assert_allclose(tail.features.values[here], whole.values[there], atol=1e-5)
    np.testing.assert_allclose(tail.features.scale[here], whole.scale[there], rtol=1e-9)
    assert np.array_equal(tail.features.ready[here], whole.ready[there])


def test_only_what_the_groups_look_back_to_is_kept() -> None:
    assert tail_dataset(OF, ("base", "vol"), (1,), VALID).panel.lengths.tolist() == [100 + 23, 100 + 23, 200 + 23, 40]
    before = lookback("earnings")
    assert before is not None
    assert 5 <= before.sessions < 20
    sessions = OF.sessions[OF.rows_of(0)]
    since = int((sessions >= sessions[VALID[0]] - np.timedelta64(12 * 91, "D")).sum())
    assert since + before.sessions + 1 < len(sessions)
    kept = tail_dataset(OF, ("base", "earnings"), (1,), VALID).panel.lengths[0]
    assert kept == since + before.sessions + 1


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
    found, told = (of.history.start(of.panel.offsets[1:] - 1).append(moves) for of in (tail, whole))
    np.testing.assert_allclose(found[1], told[1], atol=1e-5)
    np.testing.assert_allclose(found[0].scale, told[0].scale, rtol=1e-9)
