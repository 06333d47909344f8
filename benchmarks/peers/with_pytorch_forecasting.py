"""The work with pytorch-forecasting, whose recurrent network takes no quantile loss: DeepAR, with an LSTM or a GRU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from peer import LAST_CLOSES, Library, Setting, play
from work import BATCH, CONTEXT, HIDDEN, HORIZON, LAYERS, LEARNING_RATE, LEVELS, SNAPSHOTS, Work, long_table

COLUMNS = ("series", "time", "value")

PATHS = 100
"""Sample paths of a forecast (the library's default)."""

MODEL, DATASET = "model.ckpt", "dataset.pt"


class Trained:
    """The model, its candles, and the trainer's callbacks."""

    def __init__(self, model: Any, dataset: Any, callback: Any) -> None:
        self.model, self.dataset, self.callback = model, dataset, callback


def data(work: Work, setting: Setting) -> Any:
    from pytorch_forecasting import EncoderNormalizer, TimeSeriesDataSet
    from pytorch_forecasting.data.encoders import TorchNormalizer

    return TimeSeriesDataSet(
        long_table(work.training(setting.form), COLUMNS),
        time_idx="time",
        target="value",
        group_ids=["series"],
        max_encoder_length=CONTEXT,
        min_encoder_length=CONTEXT,
        max_prediction_length=HORIZON,
        min_prediction_length=HORIZON,
        time_varying_unknown_reals=["value"],
        target_normalizer=EncoderNormalizer() if setting.scaling == "window" else TorchNormalizer("identity"),
    )


def build(data: Any, setting: Setting, cell: str, callback: Any) -> Trained:  # noqa: ARG001
    from pytorch_forecasting import DeepAR
    from pytorch_forecasting.metrics import NormalDistributionLoss
    from torch import nn

    model = DeepAR.from_dataset(
        data,
        cell_type=cell.upper(),
        hidden_size=HIDDEN,
        rnn_layers=LAYERS,
        dropout=0.0,
        loss=NormalDistributionLoss(),
        logging_metrics=nn.ModuleList([]),
        optimizer="adam",
        learning_rate=LEARNING_RATE,
        log_interval=-1,
    )
    return Trained(model, data, callback)


def train(trained: Trained) -> None:
    import lightning.pytorch as pl

    trainer = pl.Trainer(
        max_steps=SNAPSHOTS[-1],
        accelerator="cpu",
        callbacks=[trained.callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(trained.model, trained.dataset.to_dataloader(train=True, batch_size=BATCH, num_workers=0))


def network(trained: Trained) -> Any:
    return trained.model


def forecast(trained: Trained, windows: np.ndarray, setting: Setting) -> np.ndarray:
    from pytorch_forecasting import TimeSeriesDataSet

    asked = TimeSeriesDataSet.from_dataset(trained.dataset, padded(windows), predict=True, stop_randomization=True)
    found = trained.model.predict(
        asked.to_dataloader(train=False, batch_size=1024, num_workers=0),
        mode="samples",
        mode_kwargs={"n_samples": PATHS},
        trainer_kwargs={"accelerator": "cpu", "logger": False, "enable_progress_bar": False},
    ).numpy()
    ends = found.sum(axis=1) if setting.form == "returns" else found[:, -1]
    return np.quantile(ends, LEVELS, axis=-1).T


def padded(windows: np.ndarray) -> Any:
    """Windows as a table with room for what is to be forecast."""
    return long_table(np.concatenate([windows, np.zeros((len(windows), HORIZON), np.float32)], axis=1), COLUMNS)


def save(trained: Trained, folder: Path) -> None:
    import torch

    trained.model.trainer.save_checkpoint(folder / MODEL)
    torch.save(trained.dataset.get_parameters(), folder / DATASET)


def load(folder: Path) -> Trained:
    import torch
    from pytorch_forecasting import DeepAR, TimeSeriesDataSet

    # The library keeps a data set's parameters only so; the file was written by this benchmark a moment ago.
    parameters = torch.load(folder / DATASET, weights_only=False)
    asked = padded(np.load(folder / LAST_CLOSES))
    dataset = TimeSeriesDataSet.from_parameters(parameters, asked, predict=True)
    return Trained(DeepAR.load_from_checkpoint(folder / MODEL, weights_only=False), dataset, None)


if __name__ == "__main__":
    play(Library(data, build, train, network, forecast, save, load, "lightning.pytorch", Setting("returns", "ticker")))
