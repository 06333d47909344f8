"""Features of candles that follow a row equal those that the panel has once the candles are there."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.features import growing_groups
from forecaster.features.append import PathSource
from forecaster.features.compute import compute_features
from tests.studio import panel

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
