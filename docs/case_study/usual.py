"""The usual way: prices squeezed to 0–1, windows, an LSTM, mean squared error; and what its picture hides."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

import forecaster
from forecaster.data.panel import Panel

CONTEXT, HIDDEN, EPOCHS, BATCH, RATE, TRAINED = 60, 32, 40, 64, 5e-3, 0.8
LAGS, SHORTEST, SHOWN = 6, 1000, "MSFT"


class Usual(nn.Module):
    """An LSTM over a window of candles, and one number from its last state: tomorrow's close."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return self.out(self.lstm(windows)[0][:, -1])[:, 0]


def usual(ticker: str, data_dir: str) -> dict[str, Any]:
    """One stock: what a tutorial reports of its test days, and what it does not; prices as quoted on the last day."""
    torch.set_num_threads(1)
    panel = forecaster.load_panel([ticker], data_dir=data_dir)
    windows, targets = forecaster.windows(panel, context=CONTEXT, horizon=1).tensors()
    forecast, trained = _forecast(panel, windows, targets)
    quoted = panel.close[-1] / panel.prices[-1, 3]
    series = (forecast, windows[:, -1, 3].numpy(), targets[:, 0, 3].numpy())
    own, before, actual = (one[trained:] * quoted for one in series)
    moves, real = np.diff(own), np.diff(actual)
    alike = [float(np.corrcoef(moves[LAGS:], real[LAGS - lag : len(real) - lag])[0, 1]) for lag in range(LAGS)]
    right = np.sign(own - before) == np.sign(actual - before)
    return {
        "days": len(actual),
        "fit": float(1 - ((own - actual) ** 2).sum() / ((actual - actual.mean()) ** 2).sum()),
        "miss": float(np.abs(own - actual).mean()),
        "echo_miss": float(np.abs(before - actual).mean()),
        "times": float(np.abs(own - actual).mean() / np.abs(before - actual).mean()),
        "alike": alike,
        "lag": int(np.argmax(alike)),
        "right": float(right.mean()),
        "coin": float(1.96 * 0.5 / np.sqrt(len(right))),
        "curves": {"forecast": own.tolist(), "close": actual.tolist()} if ticker == SHOWN else {},
    }


def _forecast(panel: Panel, windows: torch.Tensor, targets: torch.Tensor) -> tuple[np.ndarray, int]:
    """Closes as the usual way predicts them after every window, and how many of these windows it learnt from."""
    low, high = float(panel.prices.min()), float(panel.prices.max())  # of all days: the test's are known in training
    trained = int(TRAINED * len(windows))
    scaled = (windows - low) / (high - low)
    network = _fit(scaled[:trained], (targets[:trained, 0, 3] - low) / (high - low))
    with torch.inference_mode():
        return network(scaled).numpy() * (high - low) + low, trained


def _fit(windows: torch.Tensor, closes: torch.Tensor) -> Usual:
    torch.manual_seed(0)
    network = Usual()
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(windows)).split(BATCH):
            loss = nn.functional.mse_loss(network(windows[rows]), closes[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network
