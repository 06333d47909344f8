"""The work with darts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from peer import Library, Setting, play
from work import BATCH, CONTEXT, HIDDEN, HORIZON, LAYERS, LEARNING_RATE, LEVELS, Work

MODEL = "model.pt"
QUIET = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}


def data(work: Work, setting: Setting) -> Any:
    return many(work.training(setting.form))


def build(data: Any, setting: Setting, cell: str, callback: Any) -> Any:
    from darts.models import BlockRNNModel
    from darts.utils.likelihood_models.torch import QuantileRegression

    model = BlockRNNModel(
        input_chunk_length=CONTEXT,
        output_chunk_length=HORIZON,
        model=cell.upper(),
        hidden_dim=HIDDEN,
        n_rnn_layers=LAYERS,
        likelihood=QuantileRegression(list(LEVELS)),
        use_reversible_instance_norm=setting.scaling == "window",
        batch_size=BATCH,
        optimizer_kwargs={"lr": LEARNING_RATE},
        pl_trainer_kwargs={**QUIET, "callbacks": [callback]},
    )
    return model, data


def train(trained: Any) -> None:
    model, candles = trained
    model.fit(candles)


def network(trained: Any) -> Any:
    return trained[0].model


def forecast(trained: Any, windows: np.ndarray, setting: Setting) -> np.ndarray:  # noqa: ARG001
    found = trained[0].predict(
        n=HORIZON, series=many(windows), predict_likelihood_parameters=True, batch_size=1024, show_warnings=False
    )
    return np.stack([one.values(copy=False)[-1] for one in found])


def many(series: Any) -> Any:
    """The library's series, float32 as its guide advises."""
    from darts import TimeSeries

    return [TimeSeries.from_values(one[:, None].astype(np.float32)) for one in series]


def save(trained: Any, folder: Path) -> None:
    trained[0].save(str(folder / MODEL), clean=True)


def load(folder: Path) -> Any:
    from darts.models import BlockRNNModel

    return BlockRNNModel.load(str(folder / MODEL), pl_trainer_kwargs=QUIET), None


if __name__ == "__main__":
    play(Library(data, build, train, network, forecast, save, load, "pytorch_lightning", Setting("moves", "ticker")))
