"""What a peer's process does, whatever the library: train and be timed, forecast, save, and start cold.

A module `with_NAME.py` says how its library does the things of `Library`; `play` turns that into a command:

    with_NAME.py speed WORK OUTPUT --cells lstm gru     windows per CPU-second, peak memory
    with_NAME.py skill WORK OUTPUT --cells lstm         forecasts after so many steps, and the seconds; a model
    with_NAME.py cold FOLDER                            a forecast by the model that `skill` left
"""

from __future__ import annotations

import argparse
import copy
import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from work import FORMS, SCALINGS, SNAPSHOTS, Meter, Work, peak_megabytes, tell

LAST_CLOSES = "closes.npy"
"""Beside a saved model: the history that a cold start forecasts from, in the form that the model reads."""


class Setting(NamedTuple):
    """What a library is given: one of `work.FORMS`, one of `work.SCALINGS`."""

    form: str
    scaling: str


class Library(NamedTuple):
    """How a library does it.

    Args:
        data: work, setting → its tickers' values as the library wants them.
        build: data, setting, cell, Lightning's callback → what is to be trained.
        train: calls the library's own training.
        network: the module whose weights are trained.
        forecast: trained, [origin, CONTEXT] values, setting → [origin, LEVELS] of the value `HORIZON` sessions on.
        save: trained, folder.
        load: folder → trained.
        lightning: the module from which it takes Lightning, of the two that there are.
        setting: what served it best.
    """

    data: Callable[[Work, Setting], Any]
    build: Callable[[Any, Setting, str, Any], Any]
    train: Callable[[Any], None]
    network: Callable[[Any], Any]
    forecast: Callable[[Any, np.ndarray, Setting], np.ndarray]
    save: Callable[[Any, Path], None]
    load: Callable[[Path], Any]
    lightning: str
    setting: Setting


LIGHTNINGS = ("lightning.pytorch", "pytorch_lightning")


def play(library: Library) -> None:
    """Do what the command line says."""
    import torch

    for name in LIGHTNINGS:  # what Lightning has to say is not asked for
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    options = _options(library)
    setting = Setting(options.form, options.scaling)
    if options.mode == "cold":
        print(library.forecast(library.load(options.work), np.load(options.work / LAST_CLOSES), setting))
        return
    work = Work.load(options.work)
    data = library.data(work, setting)
    watches = []
    for cell in options.cells:
        watch = Watch(options.budget, keep=options.mode == "skill")
        trained = library.build(
            data, setting, cell, watch.callback(importlib.import_module(library.lightning).Callback)
        )
        library.train(trained)
        watches.append(watch)
    if options.mode == "speed":
        windows = {cell: one.meter.windows_per_second for cell, one in zip(options.cells, watches, strict=True)}
        tell(options.output, windows=windows, peak=peak_megabytes(), first_step=watches[0].meter.marks[1])
        return
    windows = work.windows(setting.form)
    found = []
    for _, _, weights in watch.kept:
        library.network(trained).load_state_dict(weights)
        found.append(work.moves(library.forecast(trained, windows, setting), setting.form))
    steps, seconds = ([one[place] for one in watch.kept] for place in (0, 1))
    np.savez(options.output, quantiles=np.stack(found), steps=steps, seconds=seconds)
    folder = options.output.parent / "model"
    folder.mkdir(exist_ok=True)
    library.save(trained, folder)  # some clear the folder
    np.save(folder / LAST_CLOSES, windows[-1:])


def _options(library: Library) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("speed", "skill", "cold"))
    parser.add_argument("work", type=Path)
    parser.add_argument("output", type=Path, nargs="?")
    parser.add_argument("--cells", nargs="+", default=["lstm"])
    parser.add_argument("--budget", type=float, default=5.0)
    parser.add_argument("--form", choices=FORMS, default=library.setting.form)
    parser.add_argument("--scaling", choices=SCALINGS, default=library.setting.scaling)
    return parser.parse_args()


class Watch:
    """Lightning's ear: counts steps, ends the training when its time is up, and keeps weights on the way."""

    def __init__(self, budget: float, *, keep: bool) -> None:
        self.meter, self.keep = Meter(budget), keep
        self.kept: list[tuple[int, float, dict[str, Any]]] = []

    def callback(self, base: type) -> Any:
        watch = self

        class Counting(base):  # type: ignore[misc]
            def on_train_start(self, trainer: Any, module: Any) -> None:  # noqa: ARG002
                watch.meter.restart()

            def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
                over = watch.meter.step()
                if watch.keep and (over or watch.meter.steps in SNAPSHOTS):
                    state = copy.deepcopy(module.state_dict())
                    watch.kept.append((watch.meter.steps, watch.meter.seconds, state))
                if over:
                    trainer.should_stop = True

        return Counting()
