"""Validation losses: their mean, as early stopping has it, and their course by date."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import REFERENCE, FittedBaseline
from forecaster.evaluation.scores import score
from forecaster.evaluation.significance import by_date
from forecaster.features.dataset import Forecaster
from forecaster.trial import Trial


def validation_losses(one: Forecaster, trial: Trial) -> tuple[float, Float[np.ndarray, " date"]]:
    """Mean over steps of pinball / √step on the validation period, and the same for each date, tickers averaged."""
    from forecaster.training.networks import mean_loss

    period, dataset = trial.split.validation, trial.dataset
    rows = trial.origins(period)
    scores, root = score(one, dataset, rows, period, trial.levels), np.sqrt(dataset.steps)
    known = scores.known
    steps = np.where(known, scores.pinball.mean(axis=-1, dtype=np.float64) / root, 0.0)
    origins = steps.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean_loss(scores, root), by_date(origins, trial.panel.sessions[rows], np.asarray(known.any(axis=1)))


def reference_loss(trial: Trial) -> float:
    """The same mean of the reference baseline, fitted on the training period."""
    reference = FittedBaseline.learnt(REFERENCE, trial.dataset, trial.split.train, trial.levels)
    return validation_losses(reference.bind(trial.dataset), trial)[0]
