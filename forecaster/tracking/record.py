"""What is recorded of a finished run, whoever keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecaster.config.schema import Config
from forecaster.evaluation.scorecard import Scorecard
from forecaster.training.files import Curves


@dataclass(frozen=True, eq=False)
class Record:
    """A finished run.

    Args:
        folder: of the run; its name is the run's.
        files: what a server gets a copy of, the model file among them.
    """

    folder: Path
    files: tuple[Path, ...]
    config: Config
    curves: Curves
    scorecard: Scorecard

    def curve(self) -> Iterator[tuple[str, float, int]]:
        """Points of the training curves: name, value and step; of several members, the name ends with the member's."""
        several = len(self.config.networks) > 1
        for number, (network, points) in enumerate(zip(self.config.networks, self.curves, strict=True)):
            own = f"/{number}-{network.name}" if several else ""
            for point in points:
                found = {"train/loss": point.loss, "validation/loss": point.validation, "validation/skill": point.skill}
                yield from ((name + own, value, point.step) for name, value in found.items() if value is not None)

    def test(self) -> dict[str, float]:
        """Figures of the test, each the mean over the steps of one price: losses, coverage, skill over each formula."""
        found: dict[str, float | None] = {}
        for row in self.scorecard.rows:
            if row.name == self.scorecard.model and row.step == "all":
                found[f"test/skill/{row.baseline}/{row.variable}"] = row.skill_pinball
                found[f"test/pinball/{row.variable}"] = row.pinball
                found[f"test/coverage90/{row.variable}"] = row.coverage90
        return {name: value for name, value in found.items() if value is not None}

    def settings(self) -> dict[str, str]:
        """The resolved config as `training.steps` → `200`; lists as JSON."""
        return dict(_flat(self.config.model_dump(mode="json", exclude_none=True)))


def _flat(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value if isinstance(value, str) else json.dumps(value)
