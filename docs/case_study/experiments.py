"""One thing changed at a time, on the config `demo`: what to expect of five experiments of a minute each."""

from __future__ import annotations

from typing import Any

import networks
import shapes

CONFIG = "demo"
CHANGES = {
    "demo": "",
    "features": "features=[ohlc]",
    "size": "model.hidden_size=128",
    "head": "task.head=quantile",
    "calibration": "calibration.rolling=false",
    "steps": "training.steps=5",
}
"""Name → the setting that is changed; the first one is `demo` as it is."""


def trained(name: str, change: str, seed: int, folder: str) -> dict[str, Any]:
    """The figures of `demo` with one setting changed."""
    settings = [*shapes.SETTINGS, f"training.seed={seed}", *([change] if change else [])]
    return networks.trained(name, settings, folder, CONFIG)
