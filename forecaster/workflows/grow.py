"""Candle paths by autoregressive rollout from the last few candles of a ticker, or from a single one (1-to-N)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from forecaster.axes import Float, Shaped
from forecaster.config.schema import Config
from forecaster.data.calendars import next_sessions
from forecaster.data.dates import DateLike, to_day
from forecaster.data.panel import Panel
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError, at_most_five
from forecaster.runs.run import Run

if TYPE_CHECKING:
    from forecaster.models.network import Network


@dataclass(frozen=True, eq=False)
class Paths:
    """Sampled paths of future candles.

    Args:
        context: number of candles that were read.
        last_close: close of the origin as the source gives it; prices are on its scale.
        prices: coherent candles: open, high, low, close.
    """

    ticker: str
    run: str
    origin: np.datetime64
    context: int
    last_close: float
    currency: str
    dates: Shaped[np.ndarray, " step"]
    prices: Float[np.ndarray, "path step 4"]


def grow(
    ticker: str,
    *,
    context: int = 1,
    steps: int | None = None,
    paths: int = 100,
    seed: int = 0,
    run: str = "latest",
    as_of: DateLike | None = None,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
) -> Paths:
    """Grows candle paths from the last `context` candles of a ticker only (autoregressive rollout).

    The networks start from a zero hidden state and read these candles. Then the next candle is drawn from their
    quantiles of step 1 and fed back as the newest candle, and so on. A candle is expressed as moves from the previous
    close, so the close before the first candle is used too.

    Args:
        steps: sessions ahead, any number; the run's horizon if absent.
        as_of: grow from the last candle on or before this date.

    Raises:
        UnknownNameError: no such run or ticker.
        InputError: the run reads features that candles alone cannot give, did not learn step 1, or the history is too
            short.
    """
    from forecaster.features.compute import compute_features
    from forecaster.features.dataset import Dataset
    from forecaster.inference.rollout import grow_paths

    one, store = Run.find(runs_dir, run), open_store(data_dir)
    _require_growing(one.config, one.name)
    (name,) = normalise_all([ticker])
    reading = one.history(store, name, to_day(as_of, "as_of"))
    known = reading.bars
    if not 1 <= context < len(known):
        raise InputError(
            f"context is {context}, but {name} has {len(known)} candles, one of which gives the close before the "
            f"others: choose 1 to {max(len(known) - 1, 1)}, or fetch a longer history."
        )
    read = known.between(known.dates[-context - 1])
    panel = Panel.of([read])
    config, count = one.config, steps or one.config.task.steps[-1]
    dataset = Dataset(panel, compute_features(panel, config.features), config.task.steps)
    members = [cast("Network", member) for member in one.model.members()]
    moves = grow_paths(members, dataset, config.task.levels, count, paths, seed, config.weights)
    origin, close = read.dates[-1], float(read.close[-1])
    dates = next_sessions(reading.calendar, origin, count)
    return Paths(name, one.name, origin, context, close, read.currency, dates, close * np.exp(moves))


def _require_growing(config: Config, run: str) -> None:
    from forecaster.baselines import BASELINES
    from forecaster.features import growing_groups

    baselines = [network.name for network in config.networks if network.name in BASELINES]
    if baselines:
        raise InputError(
            f"run {run} has the member {at_most_five(baselines)}, not a network that can read its own candles: "
            "grow paths with a run of networks only, such as one_to_n."
        )
    foreign = [group for group in config.features if group not in growing_groups()]
    if foreign:
        raise InputError(
            f"run {run} reads {at_most_five(foreign)}, which a forecast candle does not have: grow paths with a run "
            f"whose features are among {', '.join(growing_groups())}, such as n_to_m_recursive."
        )
    if config.task.steps[0] != 1:
        raise InputError(f"run {run} did not learn step 1, from which paths grow: train with task.horizon 1 or more.")
    if any(network.parameters.get("bidirectional") for network in config.networks):
        raise InputError(
            f"run {run} reads backwards too and cannot be rolled out: train with model.bidirectional false."
        )
