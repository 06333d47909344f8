"""Networks trained through the project's own door, and what their forecasts of the test period are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import forecaster
from forecaster.evaluation.rows import find
from forecaster.evaluation.scorecard import Scorecard
from forecaster.modelfile import read_model
from forecaster.workflows.evaluate import forecasters
from forecaster.workflows.prepare import prepare

CONFIG = "gru"
SETTINGS = (
    "features=[base, vol, volume, weekday, season, shape, calendar]",
    "training.steps=150",
    "training.learning_rate=2e-3",
)
"""What every network here has on top of it: the features that few tickers have, and fewer steps."""

GROUPS = 5
COIN = 1.96


def trained(label: str, settings: list[str], seed: int, folder: str) -> dict[str, Any]:
    """Train `gru` with these and other settings, and give the figures of its skill report."""
    settings = [*SETTINGS, *settings, f"training.seed={seed}", "training.device=cpu"]
    run = forecaster.train(
        CONFIG, settings=settings, data_dir=f"{folder}/store", runs_dir=f"{folder}/runs", name=f"{label}-{seed}"
    )
    weights = read_model(run.folder / "model.safetensors").members()[0].parameters()
    return {"parameters": sum(own.numel() for own in weights)} | _figures(run.scorecard)


def _figures(card: Scorecard) -> dict[str, Any]:
    name, reference = card.rows[0].name, card.reference
    overall, close = (find(card.rows, name, *where, reference) for where in (("mean", "all"), ("close", 1)))
    echo = find(card.rows, "last-close", "close", 1, reference)
    return {
        "steps": {str(step): find(card.rows, name, "mean", step, reference).skill_pinball for step in card.horizon},
        "skill": overall.skill_pinball,
        "p": overall.p_value,
        "held": overall.coverage80,
        "close_gain": 1 - close.mae / echo.mae,
        "sessions": card.sessions,
        "first": card.first,
        "last": card.last,
        "reference": reference,
    }


def outcomes(run: str, folder: str) -> dict[str, Any]:
    """A run's forecasts for tomorrow on the test days, held against what came: its range, and its direction."""
    model = read_model(Path(folder) / "runs" / run / "model.safetensors")
    config = model.config
    dataset, split = prepare(config, Path(folder) / "store", lambda _: None)
    rows = dataset.require_origins(split.test, config.task.context)
    quantiles = forecasters(model.members(), config, dataset, split, rows)[config.name](rows)[:, 0]
    came, dates = dataset.moves(rows)[:, 0], dataset.panel.sessions[rows]
    medians = quantiles[..., config.task.levels.index(0.5)]
    return _range(medians[:, 1] - medians[:, 2], came[:, 1] - came[:, 2]) | _direction(medians[:, 3], came[:, 3], dates)


def _range(foretold: np.ndarray, came: np.ndarray) -> dict[str, Any]:
    """Days in groups of equal size, from the calmest to the widest forecast; log of high over low."""
    groups = np.array_split(np.argsort(foretold, kind="stable"), GROUPS)
    return {
        "days": len(came),
        "range_rank_correlation": float(np.corrcoef(_ranks(foretold), _ranks(came))[0, 1]),
        "range_foretold": [float(foretold[group].mean()) for group in groups],
        "range_came": [float(came[group].mean()) for group in groups],
    }


def _direction(median: np.ndarray, came: np.ndarray, dates: np.ndarray) -> dict[str, Any]:
    """How often the median close was on the right side; stocks of one day move together, so a day counts once."""
    if not median.any():  # a scale head's medians are the last close itself
        return {}
    sided = (median != 0) & (came != 0)
    right = (np.sign(median) == np.sign(came))[sided].astype(float)
    days, place = np.unique(dates[sided], return_inverse=True)
    daily = np.bincount(place, right) / np.bincount(place)
    return {
        "direction_rank_correlation": float(np.corrcoef(_ranks(median), _ranks(came))[0, 1]),
        "right": float(right.mean()),
        "always_up": float((came[sided] > 0).mean()),
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
