"""A network run by numpy: body, readout with skip connection, head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import ModelConfig
from forecaster.light.bodies import BODIES
from forecaster.light.heads import HEADS

Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class LightNetwork:
    """The forward pass of `models.network.Network`, without torch.

    Args:
        weights: the network's parameters, under torch's names.
        base: pooled training quantiles of the standardised move.
    """

    body: Callable[[Float[np.ndarray, "batch time feature"]], Float[np.ndarray, "batch time state"]]
    head: Callable[[np.ndarray, np.ndarray], np.ndarray]
    weights: Weights
    base: Float[np.ndarray, "horizon variable quantile"]

    @property
    def horizon(self) -> int:
        """Number of trained steps."""
        return len(self.base)

    def first(self, steps: int) -> LightNetwork:
        """The same network, cut to its first `steps` steps."""
        # Output rows are ordered [step, variable, raw], so the first steps are the first rows.
        kept = {
            name: weight[: len(weight) * steps // self.horizon] if name.startswith(("readout.", "skip.")) else weight
            for name, weight in self.weights.items()
        }
        return replace(self, weights=kept, base=self.base[:steps])

    def run(
        self, inputs: Float[np.ndarray, "batch time feature"], last: int
    ) -> Float[np.ndarray, "batch last horizon variable quantile"]:
        """Forecasts made at each of the `last` candles."""
        states = self.body(inputs)[:, -last:]
        raw = states @ self.weights["readout.weight"].T + self.weights["readout.bias"]
        if "skip.weight" in self.weights:
            raw += inputs[:, -last:] @ self.weights["skip.weight"].T + self.weights["skip.bias"]
        # Axes: batch, last, horizon, variable, raw.
        return self.head(raw.reshape(*raw.shape[:2], *self.base.shape[:2], -1), self.base)


def light_network(
    model: ModelConfig,
    head: str,
    weights: Weights,
    base: Float[np.ndarray, "horizon variable quantile"],
    decoder: str = "direct",
) -> LightNetwork | None:
    """A network of a model file; None if only torch can run it."""
    if model.name not in BODIES or decoder != "direct":
        return None
    inner = {name.removeprefix("body."): value for name, value in weights.items() if name.startswith("body.")}
    return LightNetwork(BODIES[model.name](inner, model.parameters), HEADS[head], weights, base.astype(np.float32))
