"""Finds the run that a config's training starts from (`training.init`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forecaster.config.schema import Config
from forecaster.runs.run import Run
from forecaster.training.init import InitialWeights, check_init, initial_weights
from forecaster.trial import Trial


def initial_of(trial: Trial, runs_dir: Path, known: np.datetime64) -> InitialWeights | None:
    """The weights that a trial's config starts from; None for random ones.

    Args:
        runs_dir: where `training.init` is looked up, besides as a folder and as `pretrained`.
        known: last date that the weights may know of; see `initial_weights`.

    Raises:
        UnknownNameError: no such run.
        InputError: it is unfinished or damaged, or its members or features are others.
    """
    run = trial.config.training.init
    return None if run is None else initial_weights(run, Run.find(runs_dir, run).model, trial, known)


def check_initial(config: Config, runs_dir: Path) -> None:
    """Checks the run that a config starts from, before any candle is read.

    Raises:
        UnknownNameError, InputError: as in `initial_of`.
    """
    if (run := config.training.init) is not None:
        check_init(run, Run.find(runs_dir, run).model, config)
