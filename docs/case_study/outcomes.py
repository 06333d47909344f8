"""Forecasts of the test days beside what happened, and one forecast as a fan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import forecaster
from forecaster.data.store import Store
from forecaster.evaluation.evaluate import forecasters
from forecaster.runs.run import Run

GROUPS = 5
COIN = 1.96


def outcomes(run: str, folder: str) -> dict[str, Any]:
    """A run's forecasts for tomorrow on the test days beside the actual candles: their range, and their direction."""
    found = Run.find(Path(folder) / "runs", run)
    trial = found.trial(found.candles(Store(Path(folder) / "store")))
    rows = trial.test_rows
    quantiles = forecasters(found.model.members(), trial, rows)[trial.config.name](rows)[:, 0]
    actual, dates = trial.dataset.moves(rows)[:, 0], trial.panel.sessions[rows]
    medians = quantiles[..., trial.levels.index(0.5)]
    return _range(medians[:, 1] - medians[:, 2], actual[:, 1] - actual[:, 2]) | _direction(
        medians[:, 3], actual[:, 3], dates
    )


def _range(predicted: np.ndarray, actual: np.ndarray) -> dict[str, Any]:
    """Days in groups of equal size, from the calmest to the widest forecast; log of high over low."""
    groups = np.array_split(np.argsort(predicted, kind="stable"), GROUPS)
    return {
        "days": len(actual),
        "range_rank_correlation": float(np.corrcoef(_ranks(predicted), _ranks(actual))[0, 1]),
        "range_predicted": [float(predicted[group].mean()) for group in groups],
        "range_actual": [float(actual[group].mean()) for group in groups],
    }


def _direction(median: np.ndarray, actual: np.ndarray, dates: np.ndarray) -> dict[str, Any]:
    """How often the median close was on the right side; stocks of one day move together, so a day counts once."""
    if not median.any():  # a scale head's medians are the last close itself
        return {}
    sided = (median != 0) & (actual != 0)
    right = (np.sign(median) == np.sign(actual))[sided].astype(float)
    days, place = np.unique(dates[sided], return_inverse=True)
    daily = np.bincount(place, right) / np.bincount(place)
    return {
        "direction_rank_correlation": float(np.corrcoef(_ranks(median), _ranks(actual))[0, 1]),
        "right": float(right.mean()),
        "always_up": float((actual[sided] > 0).mean()),
        "coin": float(COIN * daily.std(ddof=1) / np.sqrt(len(days))),
    }


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")


def fan(run: str, ticker: str, folder: str) -> dict[str, Any]:
    """One forecast whose whole outcome is known, with the closes before and after its evening."""
    panel = forecaster.load_panel([ticker], data_dir=f"{folder}/store")
    settled = -1 - max(read_model(Path(folder) / "runs" / run / "model.safetensors").config.task.steps)
    origin = panel.sessions[settled]
    (one,) = forecaster.predict(
        [ticker], run=run, data_dir=f"{folder}/store", runs_dir=f"{folder}/runs", as_of=origin.item()
    )
    scale = one.last_close / panel.prices[settled, 3]
    return {
        "ticker": ticker,
        "origin": str(origin),
        "levels": list(one.levels),
        "close": one.prices[:, 3].tolist(),
        "before": (panel.prices[settled - 30 : settled + 1, 3] * scale).tolist(),
        "after": (panel.prices[settled + 1 :, 3] * scale).tolist(),
    }
