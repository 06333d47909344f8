"""Features of candles that follow a row equal those that the panel has once the candles are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.config.schema import VARIABLES
from forecaster.data.panel import Panel
from forecaster.features import growing_groups
from forecaster.features.append import PathSource
from forecaster.features.candles import SCALE_FLOOR
from forecaster.features.compute import compute_features
from tests.studio import bars, panel

LENGTHS = (300, 40, 130, 2)


@pytest.mark.parametrize("group", growing_groups())
def test_a_candle_that_is_appended_has_the_features_that_the_panel_has(group: str) -> None:
    of = panel(*LENGTHS)
    whole, source, logs = compute_features(of, (group,)), PathSource.of(of, (group,)), np.log(of.prices)
    rows = np.array([0, 1, 30, 200, 296, 300, 330, 400, 465])
    paths = source.start(rows)
    for step in range(1, 4):
        paths, features = paths.append(logs[rows + step] - logs[rows + step - 1, 3][:, None])
        np.testing.assert_allclose(features, whole.values[rows + step], atol=2e-5)
        np.testing.assert_allclose(paths.scale, whole.scale[rows + step], rtol=1e-9)


def test_paths_from_a_price_that_never_moved_have_the_least_scale() -> None:
    still = bars("STILL", 90)
    flat = {name: np.full(90, 7.0) for name in (*VARIABLES, "adj_close")}
    of = Panel.of([replace(still, **flat)])
    rows = np.array([60, 80])
    paths, _ = PathSource.of(of, ("vol",)).start(rows).append(np.zeros((2, 4)))
    assert paths.scale.tolist() == [SCALE_FLOOR, SCALE_FLOOR]
    assert compute_features(of, ("vol",)).scale[rows + 1].tolist() == paths.scale.tolist()
