"""The shapes of the task, each by its shipped config, and paths from one candle scored by `forecaster.evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networks
import numpy as np

import forecaster
from forecaster.config.schema import LEVELS
from forecaster.data.coherence import coherent
from forecaster.modelfile import read_model

SHAPES = ("n_to_1", "n_to_n", "n_to_m", "n_to_m_recursive", "n_to_m_seq2seq", "attention", "tutorial")
GROWN = "one_to_n"
CONTEXTS = (1, 5, 20, 60, 250)
"""Candles that a path grows from."""

STEPS, PATHS, EVERY = 5, 300, 5
"""Days ahead, paths from each origin, and sessions between origins: growing from all of them would take long."""

SETTINGS = (
    "training.device=cpu",
    f"evaluation.baselines=[{', '.join((*networks.FORMULAS, 'last-close'))}]",
)


def trained(name: str, config: str, seed: int, folder: str) -> dict[str, Any]:
    """The figures of a shipped config as it is, beside all formulas."""
    return networks.trained(name, [*SETTINGS, f"training.seed={seed}"], folder, config)


def grown(run: str, context: int, folder: str) -> dict[str, Any]:
    """Figures of paths from the last `context` candles alone, at every fifth session of the test."""
    places = {"data_dir": f"{folder}/store", "runs_dir": f"{folder}/runs"}
    fitted_to = read_model(Path(folder) / "runs" / run / "model.safetensors").header.fitted_to
    origins = _origins(forecaster.load_panel(data_dir=places["data_dir"]), fitted_to)
    quantiles = []
    for ticker, day in origins:
        found = forecaster.grow(ticker, context=context, steps=STEPS, paths=PATHS, run=run, as_of=day, **places)
        moves = np.log(found.prices / found.last_close)
        quantiles.append(np.moveaxis(np.quantile(moves, LEVELS, axis=0), 0, -1))
    told = forecaster.evaluate(coherent(np.stack(quantiles)), origins, fitted_to=fitted_to, name="grown", **places)
    return networks.figures(told.scorecard) | {"origins": told.scorecard.origins}


def _origins(panel: Any, fitted_to: np.datetime64) -> list[tuple[str, np.datetime64]]:
    """Every fifth session after the weights, with enough candles before it and five after."""
    found = []
    for place, ticker in enumerate(panel.tickers):
        days = panel.sessions[panel.rows_of(place)]
        usable = np.arange(len(days)) > max(CONTEXTS)
        usable[-STEPS:] = False
        found += [(ticker, day) for day in days[usable & (days > fitted_to)][::EVERY]]
    return found
