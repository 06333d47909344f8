"""Forecast stocks, and learn how far the forecast can be trusted.

The public Python API; each name is loaded when it is first used, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecaster.workflows.backtest import backtest
    from forecaster.workflows.check import load_config
    from forecaster.workflows.export_run import export_run
    from forecaster.workflows.fetch import fetch
    from forecaster.workflows.frames import candles_frame, to_frame
    from forecaster.workflows.grow import grow
    from forecaster.workflows.outputs import outputs
    from forecaster.workflows.panel import load_panel
    from forecaster.workflows.predict import predict
    from forecaster.workflows.score import score
    from forecaster.workflows.train import resume, train

__all__ = [
    "backtest",
    "candles_frame",
    "export_run",
    "fetch",
    "grow",
    "load_config",
    "load_panel",
    "outputs",
    "predict",
    "resume",
    "score",
    "to_frame",
    "train",
]

_MODULES = {
    "candles_frame": "frames",
    "load_config": "check",
    "load_panel": "panel",
    "resume": "train",
    "to_frame": "frames",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'forecaster' has no attribute {name!r}")
    return getattr(importlib.import_module(f"forecaster.workflows.{_MODULES.get(name, name)}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
