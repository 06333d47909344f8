"""The work with gluonts, whose torch models have one recurrent network: DeepAR, an LSTM."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from peer import Library, Setting, play
from work import BATCH, CONTEXT, HIDDEN, HORIZON, LAYERS, LEARNING_RATE, LEVELS, SNAPSHOTS, Work

AT_ONCE = 16
"""Windows drawn from a ticker's series when it comes by; mixed with others' in a buffer of `MIXED` batches."""

MIXED = 4


def data(work: Work, setting: Setting) -> Any:
    return many(work.training(setting.form))


def build(data: Any, setting: Setting, cell: str, callback: Any) -> Any:  # noqa: ARG001
    from gluonts.torch import DeepAREstimator
    from gluonts.transform import ExpectedNumInstanceSampler

    estimator = DeepAREstimator(
        freq="D",
        prediction_length=HORIZON,
        context_length=CONTEXT,
        num_layers=LAYERS,
        hidden_size=HIDDEN,
        dropout_rate=0.0,
        lr=LEARNING_RATE,
        scaling=setting.scaling == "window",
        lags_seq=[1],
        time_features=[],
        batch_size=BATCH,
        num_batches_per_epoch=SNAPSHOTS[-1],
        train_sampler=ExpectedNumInstanceSampler(num_instances=AT_ONCE, min_past=CONTEXT + 1, min_future=HORIZON),
        trainer_kwargs={
            "max_epochs": 1,
            "accelerator": "cpu",
            "logger": False,
            "default_root_dir": tempfile.mkdtemp(),  # for the one checkpoint that the library insists on
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "callbacks": [callback],
        },
    )
    return Trained(estimator, data)


class Trained:
    """The estimator and its candles; then what it made of them."""

    def __init__(self, estimator: Any, candles: Any) -> None:
        self.estimator, self.candles = estimator, candles
        self.predictor: Any = None


def train(trained: Trained) -> None:
    trained.predictor = trained.estimator.train(trained.candles, cache_data=True, shuffle_buffer_length=MIXED * BATCH)


def network(trained: Trained) -> Any:
    return trained.predictor.prediction_net


def forecast(trained: Trained, windows: np.ndarray, setting: Setting) -> np.ndarray:
    return np.stack([told(one.samples, setting) for one in trained.predictor.predict(many(windows))])


def told(samples: np.ndarray, setting: Setting) -> np.ndarray:
    """Quantiles of what the paths [path, HORIZON] say of the fifth session."""
    ends = samples.sum(axis=1) if setting.form == "returns" else samples[:, -1]
    return np.quantile(ends, LEVELS)


def many(series: Any) -> Any:
    """The library's entries."""
    import pandas as pd

    start = pd.Period("2000-01-03", freq="D")
    return [{"start": start, "target": np.asarray(one, np.float32)} for one in series]


def save(trained: Trained, folder: Path) -> None:
    trained.predictor.serialize(folder)


def load(folder: Path) -> Trained:
    from gluonts.torch.model.predictor import PyTorchPredictor

    trained = Trained(None, None)
    trained.predictor = PyTorchPredictor.deserialize(folder, device="cpu")
    return trained


if __name__ == "__main__":
    play(Library(data, build, train, network, forecast, save, load, "lightning.pytorch", Setting("returns", "window")))
