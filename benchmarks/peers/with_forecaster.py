"""The work with this project, and what all processes share: the candles as arrays, and the cells to be judged.

with_forecaster.py prepare STORE FOLDER                 work.npz, cells.npz, and a store of the closes alone
with_forecaster.py speed FOLDER OUTPUT --cells lstm     as `peer.py` says
with_forecaster.py skill FOLDER OUTPUT --way closes     likewise, in one of `WAYS`
with_forecaster.py save FOLDER RUNS                     a run for the cold start, which is `forecast predict`
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from judge import Cells
from work import BATCH, CONTEXT, HIDDEN, HORIZON, LEARNING_RATE, LEVELS, Meter, Work, peak_megabytes, tell

from forecaster.baselines import FittedBaseline
from forecaster.config.schema import Config
from forecaster.data.coherence import CLOSE
from forecaster.data.splits import Split
from forecaster.data.store import Store
from forecaster.features.dataset import Dataset
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach
from forecaster.memory import tuned_allocator
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.trial import Trial

REFERENCE = "ewma-random-walk"
CANDLES, CLOSES = "candles", "closes"

EVERY = 10
"""Of the test period's sessions each tenth is an origin: forecasting from all would take longer than training."""

SPLIT = ("data.split={validation: 2y, test: 2y}", "training.refit=true", "training.device=cpu")
"""The last two years are the test; all that lies before is learnt from, and the steps are fixed."""

WINDOWS = (
    f"task={{horizon: {HORIZON}, context: {CONTEXT}, supervision: window, head: scale}}",
    f"training.batch={BATCH}",
    f"training.learning_rate={LEARNING_RATE}",
)


class Way(NamedTuple):
    """One way to do the work with us.

    Args:
        store: the candles, or their closes alone.
        settings: on top of the shipped config of the cell.
        steps: lengths of the trainings that are judged, each with a learning rate that ends at 0.
    """

    store: str
    settings: tuple[str, ...]
    steps: tuple[int, ...]


WAYS = {
    "closes": Way(CLOSES, ("features=[base, vol]", *WINDOWS), (1, 25, 50, 100, 200, 400)),
    "shipped": Way(CANDLES, (), (1, 12, 25, 50, 100, 200)),
}
"""The peers' work on the peers' data, and what `forecast train lstm` does: whole candles, a forecast at each."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("prepare", "speed", "skill", "save"))
    parser.add_argument("source", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--cells", nargs="+", default=["lstm"])
    parser.add_argument("--way", choices=WAYS, default="closes")
    parser.add_argument("--budget", type=float, default=5.0)
    options = parser.parse_args()
    if options.mode == "prepare":
        share(options.source, options.output)
    elif options.mode == "speed":
        speed(options.source, options.output, options.cells, options.budget)
    elif options.mode == "skill":
        skill(options.source, options.output, options.cells[0], options.way)
    else:
        save(options.source, options.output, options.cells[0])


def configured(cell: str, way: Way, extra: Sequence[str] = ()) -> Config:
    model = f"model={{name: {cell}, hidden_size: {HIDDEN}, num_layers: 1}}"
    alone = f"evaluation.baselines=[{REFERENCE}]"
    return load_config(cell, (model, *way.settings, *SPLIT, alone, *extra))


def share(store: Path, folder: Path) -> None:
    """Write down once what every process is to read."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(store, folder / CANDLES)  # a store that is there stays as it is
    trial = prepare(configured("lstm", WAYS["closes"]), store)
    dataset, split, panel = trial.dataset, trial.split, trial.panel
    origins = chosen_origins(dataset, split)
    Work(
        tickers=np.array(panel.tickers),
        offsets=panel.offsets,
        dates=panel.sessions,
        closes=panel.prices[:, 3],
        learnt=panel.last_rows(split.validation_end) + 1 - panel.offsets[:-1],
        origins=origins,
    ).save(folder / "work.npz")
    reference = FittedBaseline.learnt(REFERENCE, dataset, split.fitted, LEVELS).bind(dataset)
    Cells(
        outcomes=dataset.moves(origins)[:, HORIZON - 1, CLOSE],
        reference=reference(origins)[:, HORIZON - 1, CLOSE],
    ).save(folder / "cells.npz")
    kept = Store(folder / CLOSES)
    for ticker in panel.tickers:
        bars = Store(store).read(ticker)
        prices = dict.fromkeys(("open", "high", "low", "close"), bars.adj_close)
        nothing = {"dividend": np.zeros(len(bars)), "split": np.ones(len(bars)), "volume": np.zeros(len(bars))}
        kept.write(replace(bars, **prices, **nothing), source="benchmark")


def chosen_origins(dataset: Dataset, split: Split) -> np.ndarray:
    """Rows of each `EVERY`th session of the test whose outcome is known, deep enough for a window of either form."""
    rows = dataset.require_origins(split.test, CONTEXT + HORIZON)
    rows = rows[dataset.known(rows, split.test)[:, HORIZON - 1]]
    sessions = dataset.panel.sessions[rows]
    return rows[np.isin(sessions, np.unique(sessions)[::EVERY])]


def speed(folder: Path, output: Path, cells: Sequence[str], budget: float) -> None:
    way, meters = WAYS["closes"], {}
    for cell in cells:
        config = configured(cell, way, ("training.steps=100000",))
        if not meters:
            trial = prepare(config, folder / way.store)
        meters[cell] = Meter(budget, most=100_000)
        trained(replace(trial, config=config), meters[cell])
    windows = {cell: meter.windows_per_second for cell, meter in meters.items()}
    tell(output, windows=windows, peak=peak_megabytes(), first_step=meters[cells[0]].marks[1])


def skill(folder: Path, output: Path, cell: str, name: str) -> None:
    way, work = WAYS[name], Work.load(folder / "work.npz")
    found, seconds = [], []
    trial = prepare(configured(cell, way), folder / way.store)
    for steps in way.steps:
        config = configured(cell, way, (f"training.steps={steps}", f"training.warmup={min(50, steps // 4)}"))
        meter = Meter(float("inf"), most=steps)
        members = trained(replace(trial, config=config), meter)
        quantiles = ensemble(members, trial.dataset, Reach.of(config.task))(work.origins)
        found.append(quantiles[:, HORIZON - 1, CLOSE])
        seconds.append(meter.seconds)
    np.savez(output, quantiles=np.stack(found), steps=way.steps, seconds=seconds)


class _TimeUpError(Exception):
    """The time is up."""


def trained(trial: Trial, meter: Meter) -> Any:
    """Members fitted by the project's own trainer; those of a training cut short are None."""
    from forecaster.training.members import learn
    from forecaster.training.networks import Job

    def tick(step: int, *_: object) -> None:
        while meter.steps < step:
            if meter.step() and step < trial.config.training.steps:
                raise _TimeUpError

    with tuned_allocator(), tempfile.TemporaryDirectory() as checkpoints:
        job = Job(trial, Path(checkpoints), lambda _: meter.restart(), tick)
        try:
            return learn(job, trial.split.fitted).members
        except _TimeUpError:
            return None


def save(folder: Path, runs: Path, cell: str) -> None:
    """A run as `forecast train` leaves it; hardly trained, for a cold start does not care."""
    from forecaster.workflows.train import train

    few = ", ".join(f'"{ticker}"' for ticker in Store(folder / CANDLES).tickers()[:5])
    config = ("training.steps=20", f"data.tickers=[{few}]", *SPLIT)
    train(cell, settings=config, data_dir=folder / CANDLES, runs_dir=runs, name="cold")


if __name__ == "__main__":
    main()
