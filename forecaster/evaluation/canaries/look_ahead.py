"""Does anything that is said on a day depend on what came after it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.evaluation.canaries import CANARIES, Check, Patient, found
from forecaster.evaluation.canaries.otherwise import another_future, few, no_future
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.inference.calibration import rolling_offsets
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach

_DAYS = 3
_LENGTH = 1300
"""Candles up to each day: more than any feature looks back, and a year of errors for the calibration beside."""

_ORIGINS = 3
"""Candles up to each day, of each ticker, that are forecast from."""


@dataclass(frozen=True, eq=False)
class _Said:
    """All that is said up to a day, by name."""

    parts: dict[str, np.ndarray]

    def differs(self, other: _Said) -> Iterator[str]:
        """Names of what is not the same, bit for bit."""
        return (name for name, part in self.parts.items() if not np.array_equal(part, other.parts[name]))


@CANARIES.register("look-ahead")
def look_ahead(patient: Patient) -> Check:
    """Later candles are changed, and in another copy deleted: features, forecasts and calibration must stay."""
    dates = np.unique(patient.dataset.panel.sessions[patient.rows])
    days = dates[np.linspace(0, len(dates) - 2, _DAYS).astype(int)]
    differing: set[str] = set()
    tried = 0
    for day in np.unique(days):
        bars = few(patient.bars, day, patient.config.task.context, _LENGTH)
        if not bars:
            continue
        as_it_was = _said(patient, bars, day, lambda one, _: one)
        for alter in (another_future, no_future):
            differing |= set(as_it_was.differs(_said(patient, bars, day, alter)))
            tried += len(bars)
    return found(
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
        expected="nothing said of a day changes with what came after it",
        meaning=(
            "What the run says of a day reads no later day.",
            "The run reads days that nobody knew yet: its skill is not real, and its forecasts will not be as good.",
        ),
    )


def _said(
    patient: Patient, bars: Sequence[Bars], day: np.datetime64, alter: Callable[[Bars, np.datetime64], Bars]
) -> _Said:
    config, levels = patient.config, patient.levels
    panel = Panel.of([alter(one, day) for one in bars])
    dataset = Dataset(panel, compute_features(panel, config.features), patient.dataset.steps)
    known = panel.sessions <= day
    rows = np.sort(np.concatenate([panel.last_rows(day) - back for back in range(_ORIGINS)]))
    rows = rows[rows - dataset.first_row[rows] >= config.task.context - 1]
    # As in an evaluation, the network's input goes on beyond the origins: a body that looks there is found out.
    forecaster = ensemble(patient.members, dataset, Reach.of(config.task), config.weights)
    features = dataset.features
    parts = {"features": features.values[known], "scale": features.scale[known], "forecasts": forecaster(rows)}
    if config.calibration.rolling:
        settings, depth = config.calibration, config.task.context
        offsets = rolling_offsets(forecaster, dataset, settings, levels, day, day, depth)
        parts["calibration"] = offsets.apply(parts["forecasts"], dataset, rows)
    return _Said(parts)
