"""Which members `best` has, and with what weights: `python benchmarks/skill/windows.py panel.parquet`.

Every member is fitted up to the end of a year and judged on the two years that follow, one seed, not calibrated; then
weighted means of several. All windows end before the test years. Skill as in run.py, at h = 1 / 1-5 / 20.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from forecaster.baselines import REFERENCE, FittedBaseline
from forecaster.data.coherence import coherent
from forecaster.data.sources import SourceOptions
from forecaster.data.splits import Split
from forecaster.evaluation.scores import Scores, score
from forecaster.features.dataset import Forecaster, Rows
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach
from forecaster.memory import tuned_allocator
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.training.members import learn
from forecaster.training.networks import Job
from forecaster.trial import Trial
from forecaster.workflows.fetch import fetch

WINDOWS = {
    "2006-07": ("2005-12-31", "2007-12-31"),
    "2008-09": ("2007-12-31", "2009-12-31"),
    "2013-14": ("2012-12-31", "2014-12-31"),
    "2015-16": ("2014-12-31", "2016-12-31"),
}
MEMBERS = ("gru", "dnn", "lru", "lstm", "harx", "gbm")
MEANS: dict[str, dict[str, float]] = {
    "GRU + DNN + LRU": {"gru": 1, "dnn": 1, "lru": 1},
    "GRU + DNN + GBM": {"gru": 1, "dnn": 1, "gbm": 1},
    "DNN + LRU + GBM": {"dnn": 1, "lru": 1, "gbm": 1},
    "LSTM + DNN + LRU + 1.5 GBM": {"lstm": 1, "dnn": 1, "lru": 1, "gbm": 1.5},
    "GRU + DNN + LRU + GBM": {"gru": 1, "dnn": 1, "lru": 1, "gbm": 1},
    "GRU + DNN + LRU + 1.5 GBM (`best`)": {"gru": 1, "dnn": 1, "lru": 1, "gbm": 1.5},
    "GRU + DNN + LRU + 2 GBM": {"gru": 1, "dnn": 1, "lru": 1, "gbm": 2},
}


def main() -> None:
    """Measure and print a row a member and a mean, a column a window."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, help="CSV or Parquet, or a folder of them")
    parser.add_argument("--windows", nargs="+", choices=WINDOWS, default=list(WINDOWS))
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        fetch(source="file", options=SourceOptions(path=options.panel), data_dir=store)
        whole = prepare(load_config("best", options.settings), store)
        found = [_window(whole, *WINDOWS[name], options.settings) for name in options.windows]
    print(f"| members | {' | '.join(options.windows)} |\n|---|{'---|' * len(options.windows)}")
    for label in found[0]:
        print(f"| {label} | {' | '.join(column[label] for column in found)} |")


@tuned_allocator()
def _window(whole: Trial, first: str, last: str, settings: list[str]) -> dict[str, str]:
    """Skills by member and mean, for origins after one date up to another."""
    begin, end = np.datetime64(first), np.datetime64(last)
    trial = whole.over(Split(begin, end, end))
    rows = trial.dataset.origins(trial.split.validation)
    reference = _scores(
        FittedBaseline.learnt(REFERENCE, trial.dataset, trial.split.train, trial.levels).bind(trial.dataset),
        trial,
        rows,
    )
    quantiles = {name: fitted(name, trial, settings)(rows).astype(np.float32) for name in MEMBERS}
    shown = {name: _skills(value, reference, trial, rows) for name, value in quantiles.items()}
    for label, weights in MEANS.items():
        total = sum(weight * quantiles[name] for name, weight in weights.items()) / sum(weights.values())
        shown[label] = _skills(coherent(np.asarray(total)), reference, trial, rows)
    return shown


def fitted(name: str, trial: Trial, settings: list[str]) -> Forecaster:
    own = ("training.device=auto", f"members=[{{name: {name}}}, {{name: constant}}]", *settings)
    changed = replace(trial, config=load_config("best", own))
    with tempfile.TemporaryDirectory() as folder:
        members = learn(Job(changed, Path(folder)), trial.split.train).members
    return ensemble(members[:1], trial.dataset, Reach.of(changed.config.task))


def _scores(forecast: Forecaster, trial: Trial, rows: Rows) -> Scores:
    return score(forecast, trial.dataset, rows, trial.split.validation, trial.levels)


def _skills(quantiles: np.ndarray, reference: Scores, trial: Trial, rows: Rows) -> str:
    own = _scores(lambda some: quantiles[np.searchsorted(rows, some)], trial, rows)
    near = [place for place, step in enumerate(trial.dataset.steps) if step <= 5]
    shares = [1 - _mean(own, places) / _mean(reference, places) for places in ([0], near, [-1])]
    return " / ".join(f"{100 * share.mean():.2f}".replace("-", "−") for share in shares)


def _mean(scores: Scores, places: list[int]) -> np.ndarray:
    return np.mean([scores.pinball[scores.known[:, place], place].mean(axis=0) for place in places], axis=0)


if __name__ == "__main__":
    main()
