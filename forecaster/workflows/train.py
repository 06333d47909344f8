"""Train what a YAML says, and hold it against the baselines on the test period."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from forecaster.config.load import to_yaml
from forecaster.config.schema import Config, DataConfig
from forecaster.data.panel import Panel, read_panel
from forecaster.data.splits import Split, make_split
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError
from forecaster.evaluation.ledger import Look, record_look
from forecaster.evaluation.scorecard import Scorecard
from forecaster.features.candles import READY_AGE
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, pooled_quantiles
from forecaster.files import write_text
from forecaster.workflows import runs
from forecaster.workflows.check import load_config

Say = Callable[[str], None]
"""Called with what happens now, in words."""

Tick = Callable[[int, int, float | None, float | None], None]
"""Called after every optimiser step with step, steps, and where measured the loss and the validation skill."""


@dataclass(frozen=True)
class TrainedRun:
    """A finished run.

    Args:
        looks: how often its test period has been looked at, this time included.
    """

    folder: Path
    scorecard: Scorecard
    looks: int


def train(
    config: str | Path,
    *,
    settings: Sequence[str] = (),
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    name: str | None = None,
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
) -> TrainedRun:
    """Train a run from a config file (or a shipped config's name) and leave a run folder with one model file.

    Args:
        settings: `KEY=VALUE` on top of the config.

    Raises:
        ConfigError, UnknownNameError, InputError, DataError: what was given cannot be used.
        OutsideError: the runs folder cannot be written.
    """
    checked = load_config(config, settings)
    folder = runs.free_place(Path(runs_dir), name, checked.name)
    dataset, split = prepare(checked, Path(data_dir), say)
    runs.make(folder)
    say(f"run {folder.name}; if interrupted it goes on with: forecast train --resume {folder.name}")
    try:
        write_text(folder / runs.CONFIG, to_yaml(checked))
        return _run(folder, checked, dataset, split, say, tick)
    except Exception:
        if not runs.checkpoint(folder, 0).is_file():  # nothing to resume: the name is free again
            shutil.rmtree(folder)
        raise


def resume(
    run: str,
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
) -> TrainedRun:
    """Go on with a run that was interrupted (`latest`: the newest such), to the same bytes as without the interruption.

    Raises:
        InputError: the run is finished, or its candles, its config or the libraries have changed since.
    """
    folder = runs.unfinished_run(Path(runs_dir), run)
    checked = load_config(folder / runs.CONFIG)
    dataset, split = prepare(checked, Path(data_dir), say)
    return _run(folder, checked, dataset, split, say, tick)


def prepare(config: Config, data_dir: Path, say: Say) -> tuple[Dataset, Split]:
    """Candles and features of a config, and its split, known to hold enough for every period.

    Raises:
        UnknownNameError, InputError, DataError: as `train`.
    """
    say("reading candles")
    panel = select_panel(config.data, data_dir)
    split = make_split(config.data.split, panel.dates[0], _newest(panel))
    say(f"computing features of {len(panel.sessions):,} candles of {len(panel)} tickers")
    dataset = Dataset(panel, compute_features(panel, config.features), config.task.steps)
    periods = (split.fitted, split.test) if config.training.refit else (split.train, split.validation, split.test)
    for period in periods:  # said now, not after hours of training
        dataset.require_origins(period, config.task.context)
    return dataset, split


def _newest(panel: Panel) -> np.datetime64:
    """The last date of the tickers that something can be learnt from: a stray row must not move the split."""
    last = panel.sessions[panel.offsets[1:] - 1]
    deep = panel.lengths > READY_AGE
    newest: np.datetime64 = (last[deep] if deep.any() else last).max()
    return newest


def select_panel(config: DataConfig, data_dir: Path) -> Panel:
    """The candles that a config names, from the store.

    Raises:
        UnknownNameError: the store does not have a ticker.
        InputError: no ticker is left, or one has no candle between the dates.
    """
    store = open_store(data_dir)
    excluded = normalise_all(config.exclude)
    wanted = store.tickers() if config.tickers == "all" else normalise_all(config.tickers)
    tickers = [ticker for ticker in wanted if ticker not in excluded]
    if not tickers:
        raise InputError("data.exclude leaves no ticker: shorten it.")
    start, end = (None if date is None else np.datetime64(date, "D") for date in (config.start, config.end))
    return read_panel(store, tickers, start, end)


def _run(folder: Path, config: Config, dataset: Dataset, split: Split, say: Say, tick: Tick) -> TrainedRun:
    from forecaster.workflows.learn import evaluate, fitted_period, learn, write_model

    say("pooling the quantiles of training")
    every_row = np.arange(len(dataset.panel.sessions))
    base = pooled_quantiles(dataset, fitted_period(config, split), dataset.units(every_row), config.task.levels)
    networks, curves = learn(config, dataset, split, base, folder, say, tick)
    points = [{"member": member} | asdict(point) for member, curve in enumerate(curves) for point in curve]
    write_text(folder / runs.CURVE, _csv(points))
    say("scoring the test period beside the baselines")
    scorecard = evaluate(networks, config, dataset, split)
    look = Look(folder.name, scorecard.first, scorecard.last, dataset.panel.tickers)
    looks = record_look(folder.parent, look, once=True)
    write_model(folder / runs.MODEL, networks, config, dataset, split, base, scorecard)
    for member in range(len(networks)):
        runs.checkpoint(folder, member).unlink(missing_ok=True)
    return TrainedRun(folder, scorecard, looks)


def _csv(rows: list[dict[str, object]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
