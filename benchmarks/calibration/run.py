"""What forms of rolling calibration would have gained: `python benchmarks/calibration/run.py panel.parquet`.

For each split the recipe is trained once, without calibration, refitted with its validation years; then each form
corrects its quantiles in the two years that follow. Prints for each step by how many percent the mean pinball loss of
the four prices falls, and how many percent of the outcomes the 50, 80 and 90 % bands held.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from forms import LONG, Errors, forms

from forecaster.data.sources import SourceOptions
from forecaster.data.splits import Period
from forecaster.evaluation import metrics
from forecaster.evaluation.scores import SHARES
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.training.members import learn
from forecaster.training.networks import Job
from forecaster.workflows.fetch import fetch

SPLITS = ("2003 2005 2007", "2005 2007 2009", "2010 2012 2014", "2012 2014 2016")
"""Last years of training, validation and test."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What a run forecast, and of it what counts in the test.

    Args:
        counted: [origin, step].
        units: scale·√step, [origin, step, 1].
    """

    errors: Errors
    counted: np.ndarray
    units: np.ndarray

    def score(self, quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean pinball loss on log(price / last close), [step]; share of outcomes in each band, [step, band]."""
        errors, counted = self.errors, self.counted[self.errors.corrected]
        outcomes, units = np.nan_to_num(errors.outcomes[errors.corrected]), self.units[errors.corrected]
        losses, held = [], []
        for place, known in enumerate(counted.T):
            cut = (quantiles[known, place, None], outcomes[known, place, None], errors.levels)
            losses.append((metrics.pinball(*cut)[:, 0] * units[known, place]).mean(axis=0))
            held.append([np.mean(metrics.inside(*cut, share)) for share in SHARES])  # type: ignore[arg-type]
        return np.stack(losses), np.array(held)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path)
    parser.add_argument("--splits", nargs="+", default=SPLITS, help="years, as in '2005 2007 2009'")
    parser.add_argument("--config", default="best")
    parser.add_argument("--set", nargs="*", default=(), dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--keep", type=Path, help="folder of forecasts: read instead of training anew")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fetch(source="file", options=SourceOptions(path=options.panel), data_dir=Path(folder) / "store")
        for years in options.splits:
            measured = _kept(Path(folder), years, options) if options.keep else _try(Path(folder), years, options)
            print("\n".join(_table(measured, years)), flush=True)


def _kept(folder: Path, years: str, options: argparse.Namespace) -> Measured:
    path = options.keep / f"{options.config}-{years.replace(' ', '-')}.npz"
    if not path.is_file():
        measured = _try(folder, years, options)
        arrays = {field.name: np.asarray(getattr(measured.errors, field.name)) for field in fields(measured.errors)}
        options.keep.mkdir(parents=True, exist_ok=True)
        np.savez(path, counted=measured.counted, units=measured.units, **arrays)
    return _load(path)


def _try(folder: Path, years: str, options: argparse.Namespace) -> Measured:
    ends = "{{train_end: {}-12-31, validation_end: {}-12-31, test_end: {}-12-31}}".format(*years.split())
    config = load_config(options.config, (*options.settings, f"data.split={ends}"))
    trial = prepare(config, folder / "store")
    dataset, split = trial.dataset, trial.split
    place = folder / years.replace(" ", "-")
    place.mkdir()
    members = learn(Job(trial, place)).members
    dates = dataset.panel.dates
    before = np.searchsorted(dates, split.validation_end, "right") - LONG - max(dataset.steps) - 20
    rows = trial.origins(Period(dates[max(before, 0)], split.test_end))
    forecasts = ensemble(members, dataset, Reach.of(config.task), config.weights)(rows)
    by_date = np.argsort(dataset.panel.sessions[rows], kind="stable")
    rows = rows[by_date]
    units = dataset.units(rows)[..., None]
    present, date = np.unique(dataset.panel.sessions[rows], return_inverse=True)
    first = int(np.searchsorted(present, split.validation_end, "right"))
    errors = Errors(
        date=date,
        quantiles=(forecasts[by_date] / units[..., None]).astype(np.float32),
        outcomes=(dataset.moves(rows) / units).astype(np.float32),
        steps=dataset.steps,
        levels=config.task.levels,
        first=first,
    )
    return Measured(errors, dataset.known(rows, split.test) & (date >= first)[:, None], units)


def _load(path: Path) -> Measured:
    with np.load(path) as kept:
        arrays = dict(kept)
    counted, units = arrays.pop("counted"), arrays.pop("units")
    plain = {name: tuple(arrays.pop(name).tolist()) for name in ("steps", "levels")}
    return Measured(Errors(first=int(arrays.pop("first")), **plain, **arrays), counted, units)


def _table(measured: Measured, years: str) -> Iterator[str]:
    """Rows of a table: of each form and step the gain, then what the bands held."""
    _, begin, end = years.split()
    yield f"\n| tested {int(begin) + 1} to {end} | {' | '.join(f'h = {step}' for step in measured.errors.steps)} |"
    yield f"|---|{'---|' * len(measured.errors.steps)}"
    without = None
    for form, corrected in forms(measured.errors).items():
        losses, held = measured.score(corrected())
        without = losses if without is None else without
        gains = 100 * (1 - losses / without).mean(axis=1)
        cells = [
            f"{gain:+.2f}: {' '.join(f'{100 * share:.1f}' for share in of)}".replace("-", "−")
            for gain, of in zip(gains, held, strict=True)
        ]
        yield f"| {form} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
