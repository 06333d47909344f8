"""Forecast stocks, and measure how far the forecasts can be trusted.

The public Python API. Names are loaded lazily on first use, so importing this package is cheap.
"""

from __future__ import annotations

import importlib

from forecaster.display import connect

TYPE_CHECKING = False  # importing it would pick up a typing.py in the user's folder under `python -m forecaster`
if TYPE_CHECKING:
    from typing import Any

    from forecaster import errors
    from forecaster.display import Display
    from forecaster.runs.config import load_config
    from forecaster.workflows.backtest import backtest
    from forecaster.workflows.data import load_panel, store_frame
    from forecaster.workflows.doctor import doctor
    from forecaster.workflows.evaluate import evaluate
    from forecaster.workflows.export_run import export_run
    from forecaster.workflows.fetch import fetch
    from forecaster.workflows.frames import candles_frame, to_frame
    from forecaster.workflows.grow import grow
    from forecaster.workflows.odds import odds
    from forecaster.workflows.outputs import outputs
    from forecaster.workflows.predict import predict
    from forecaster.workflows.rank import rank
    from forecaster.workflows.report import report
    from forecaster.workflows.risk import risk
    from forecaster.workflows.samples import covariance, samples
    from forecaster.workflows.score import score
    from forecaster.workflows.train import resume, train
    from forecaster.workflows.tune import tune
    from forecaster.workflows.windows import windows

    __version__: str

__all__ = [
    "backtest",
    "candles_frame",
    "covariance",
    "doctor",
    "errors",
    "evaluate",
    "export_run",
    "fetch",
    "grow",
    "load_config",
    "load_panel",
    "odds",
    "outputs",
    "predict",
    "rank",
    "report",
    "resume",
    "risk",
    "samples",
    "score",
    "store_frame",
    "to_frame",
    "train",
    "tune",
    "windows",
]

_MODULES = {
    "candles_frame": "workflows.frames",
    "covariance": "workflows.samples",
    "load_config": "runs.config",
    "load_panel": "workflows.data",
    "resume": "workflows.train",
    "store_frame": "workflows.data",
    "to_frame": "workflows.frames",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from forecaster.release import installed_version

        return installed_version()
    if name == "errors":
        return importlib.import_module("forecaster.errors")
    if name not in __all__:
        raise AttributeError(f"module 'forecaster' has no attribute {name!r}")
    return getattr(importlib.import_module(f"forecaster.{_MODULES.get(name, f'workflows.{name}')}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _display() -> Display:
    from forecaster.show import notebook

    return notebook


connect(_display)
