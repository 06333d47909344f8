"""What forms of rolling calibration would have gained: `python benchmarks/calibration/run.py panel.parquet`.

For each split the recipe is trained without calibration, refitted with its validation years; then each form corrects
its quantiles in the two years that follow. Prints by how many percent the mean pinball loss of the four prices falls.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from forms import WINDOW, Errors, forms

from forecaster.data.sources import SourceOptions
from forecaster.data.splits import Period
from forecaster.evaluation import metrics
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.training.members import Job, evaluated_periods, learn
from forecaster.workflows.fetch import fetch

SPLITS = ("2005 2007 2009", "2010 2012 2014", "2012 2014 2016")
"""Last years of training, validation and test."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path)
    parser.add_argument("--splits", nargs="+", default=SPLITS, help="years, as in '2005 2007 2009'")
    parser.add_argument("--config", default="best")
    parser.add_argument("--set", nargs="*", default=(), dest="settings", metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fetch(source="file", options=SourceOptions(path=options.panel), data_dir=Path(folder) / "store")
        for split in options.splits:
            _measure(Path(folder), split, options.config, options.settings)


def _measure(folder: Path, years: str, name: str, settings: list[str]) -> None:
    ends = "{{train_end: {}-12-31, validation_end: {}-12-31, test_end: {}-12-31}}".format(*years.split())
    config = load_config(name, (*settings, f"data.split={ends}"))
    dataset, split = prepare(config, folder / "store", lambda _: None)
    place = folder / years.replace(" ", "-")
    place.mkdir()
    period, validation = evaluated_periods(config, split)
    members = learn(Job(config, dataset, place, lambda _: None, lambda *_: None), period, validation=validation).members
    dates = dataset.panel.dates
    before = np.searchsorted(dates, split.validation_end, "right") - WINDOW - max(dataset.steps) - 20
    rows = dataset.require_origins(Period(dates[max(before, 0)], split.test_end), config.task.context)
    units = dataset.units(rows)[..., None]
    present, date = np.unique(dataset.panel.sessions[rows], return_inverse=True)
    errors = Errors(
        date=date,
        quantiles=ensemble(members, dataset, Reach.of(config.task), config.weights)(rows) / units[..., None],
        outcomes=dataset.moves(rows) / units,
        steps=dataset.steps,
        levels=config.task.levels,
        first=int(np.searchsorted(present, split.validation_end, "right")),
    )
    counted = dataset.known(rows, split.test) & (date >= errors.first)[:, None]
    without = _losses(errors.quantiles, errors, counted, units)
    columns = " | ".join(f"h = {step}" for step in errors.steps)
    print(f"\n| tested {split.validation_end} to {split.test_end} | {columns} |\n|---|{'---|' * len(errors.steps)}")
    for form, corrected in forms(errors).items():
        gains = 100 * (1 - _losses(corrected, errors, counted, units) / without).mean(axis=1)
        print(f"| {form} | {' | '.join(f'{gain:+.2f}'.replace('-', '−') for gain in gains)} |", flush=True)


def _losses(quantiles: np.ndarray, errors: Errors, counted: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Mean pinball loss on log(price / last close), [step, price]."""
    losses = metrics.pinball(quantiles, np.nan_to_num(errors.outcomes), errors.levels) * units
    return np.stack([losses[counted[:, place], place].mean(axis=0) for place in range(len(errors.steps))])


if __name__ == "__main__":
    main()
