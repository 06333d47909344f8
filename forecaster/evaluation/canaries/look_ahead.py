"""Look-ahead: does any output of a day depend on later candles?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.evaluation.canaries import CANARIES, Check, RunUnderTest, check
from forecaster.evaluation.canaries.perturb import another_future, no_future, sample
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.inference.calibration import rolling_offsets
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach

_DAYS = 3
_LENGTH = 1300
"""Candles up to each day: more than any feature looks back, plus a year of errors for the calibration."""

_ORIGINS = 3
"""Origins up to each day, of each ticker."""


@dataclass(frozen=True, eq=False)
class _Outputs:
    """All outputs up to a day, by name."""

    parts: dict[str, np.ndarray]

    def differs(self, other: _Outputs) -> Iterator[str]:
        """Names of the outputs that are not the same, bit for bit."""
        return (name for name, part in self.parts.items() if not np.array_equal(part, other.parts[name]))


@CANARIES.register("look-ahead")
def look_ahead(run: RunUnderTest) -> Check:
    """Changes later candles, then deletes them: features, forecasts and calibration must stay the same, bit for bit."""
    dates = np.unique(run.dataset.panel.sessions[run.rows])
    # Not the last day: there may be no candle after it to alter.
    days = dates[np.linspace(0, len(dates) - 2, _DAYS).astype(int)]
    differing: set[str] = set()
    tried = 0
    for day in np.unique(days):
        bars = sample(run.bars, day, run.config.task.context, _LENGTH)
        if not bars:
            continue
        unchanged = _outputs(run, bars, day, lambda one, _: one)
        for alter in (another_future, no_future):
            differing |= set(unchanged.differs(_outputs(run, bars, day, alter)))
            tried += len(bars)
    return check(
        "look-ahead",
        not differing if tried else None,
        len(differing),
        measured=(
            f"{', '.join(sorted(differing))} changed with the candles of later days"
            if differing
            else f"all the same, bit for bit, in {tried} trials"
            if tried
            else "no ticker has candles around the test"
        ),
        expected="no output of a day changes with later candles",
        meaning=(
            "Nothing that the run computes for a day reads a later day.",
            "The run reads later days: its skill is not real, and its forecasts will not be as good.",
        ),
    )


def _outputs(
    run: RunUnderTest, bars: Sequence[Bars], day: np.datetime64, alter: Callable[[Bars, np.datetime64], Bars]
) -> _Outputs:
    config, levels = run.config, run.levels
    covariates = run.dataset.panel.covariates
    panel = Panel.of([alter(one, day) for one in bars], [alter(one, day) for one in covariates])
    dataset = Dataset(panel, compute_features(panel, config.features), run.dataset.steps)
    known = panel.sessions <= day
    rows = np.sort(np.concatenate([panel.last_rows(day) - back for back in range(_ORIGINS)]))
    rows = rows[rows - dataset.first_row[rows] >= config.task.context - 1]
    # As in an evaluation, the network's input continues beyond the origins, so a body that looks there is caught.
    forecaster = ensemble(run.members, dataset, Reach.of(config.task), config.weights)
    features = dataset.features
    parts = {"features": features.values[known], "scale": features.scale[known], "forecasts": forecaster(rows)}
    if config.calibration.rolling:
        settings, depth = config.calibration, config.task.context
        offsets = rolling_offsets(forecaster, dataset, settings, levels, day, day, depth)
        parts["calibration"] = offsets.apply(parts["forecasts"], dataset, rows)
    return _Outputs(parts)
