"""A look at a test: a model, and the days and tickers that it was evaluated on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from forecaster.config.schema import Config


@dataclass(frozen=True)
class Look:
    """One model evaluated on one test.

    Args:
        model: hash of config and seed, see `model_of`.
        first: date of the first origin; `last` of the last one.
        by: the command and the run, for readers of the file.
    """

    model: str
    first: str
    last: str
    tickers: tuple[str, ...]
    by: str = ""

    def shares(self, other: Look) -> bool:
        """Whether two tests have a ticker and a date in common."""
        # ISO dates compare as text.
        apart = self.first > other.last or other.first > self.last
        return not apart and not set(self.tickers).isdisjoint(other.tickers)


def model_of(config: Config) -> str:
    """Hash of config and seed; the baselines it is compared with, its device and its search space do not count."""
    left_out: dict[str, Any] = {"evaluation": True, "tune": True, "training": {"device", "through"}}
    values = config.model_dump(mode="json", exclude=left_out)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
