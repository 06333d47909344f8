"""What the network reads of each candle: groups of features, all of them known at the close of their day.

A group is a function from `Candles` to named columns; it registers under the name that the YAML uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from forecaster.features.candles import Candles
from forecaster.registry import Registry

Group = Callable[[Candles], Mapping[str, np.ndarray]]

GROUPS: Registry[Group] = Registry("feature group", __name__)
