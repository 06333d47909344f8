"""The work with neuralforecast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from peer import Library, Setting, play
from work import BATCH, CONTEXT, HIDDEN, HORIZON, LAYERS, LEARNING_RATE, LEVELS, SNAPSHOTS, Work, long_table

COLUMNS = ("unique_id", "ds", "y")

SERIES = 8
"""Tickers whose windows a batch is drawn from. All their windows are cut out first: with the library's 32, a step takes
1.6 times as long and teaches no more."""


def data(work: Work, setting: Setting) -> Any:
    return long_table(work.training(setting.form), COLUMNS)


def build(data: Any, setting: Setting, cell: str, callback: Any) -> Any:
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MQLoss
    from neuralforecast.models import GRU, LSTM, RNN

    model = {"lstm": LSTM, "gru": GRU, "rnn": RNN}[cell](
        h=HORIZON,
        input_size=CONTEXT,
        encoder_n_layers=LAYERS,
        encoder_hidden_size=HIDDEN,
        decoder_layers=1,
        loss=MQLoss(quantiles=list(LEVELS)),
        scaler_type="standard" if setting.scaling == "window" else "identity",
        learning_rate=LEARNING_RATE,
        max_steps=SNAPSHOTS[-1],
        batch_size=SERIES,
        windows_batch_size=BATCH,
        val_check_steps=SNAPSHOTS[-1],
        callbacks=[callback],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    return NeuralForecast(models=[model], freq=1), data


def train(trained: Any) -> None:
    forecaster, candles = trained
    forecaster.fit(candles)


def network(trained: Any) -> Any:
    return trained[0].models[0]


def forecast(trained: Any, windows: np.ndarray, setting: Setting) -> np.ndarray:  # noqa: ARG001
    found = trained[0].predict(long_table(windows, COLUMNS))
    last = found[found["ds"] == CONTEXT + HORIZON - 1].sort_values("unique_id")
    return last.iloc[:, -len(LEVELS) :].to_numpy()


def save(trained: Any, folder: Path) -> None:
    trained[0].save(str(folder), save_dataset=False, overwrite=True)


def load(folder: Path) -> Any:
    from neuralforecast import NeuralForecast

    return NeuralForecast.load(str(folder)), None


if __name__ == "__main__":
    play(Library(data, build, train, network, forecast, save, load, "pytorch_lightning", Setting("moves", "ticker")))
