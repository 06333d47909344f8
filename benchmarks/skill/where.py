"""Where skill is lost: `python benchmarks/skill/where.py panel.parquet` measures, prints a table and draws where.svg.

`best`, HAR and least squares on every feature, fitted and judged in the windows of windows.py, all of which end before
the test years. Skill is the share by which the mean pinball loss is lower than the EWMA random walk's, at h = 1 unless
said.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup
from windows import MEANS, WINDOWS, fitted

from forecaster.baselines import REFERENCE, FittedBaseline
from forecaster.data.coherence import coherent
from forecaster.data.sources import SourceOptions
from forecaster.data.splits import Split
from forecaster.evaluation.scores import score
from forecaster.memory import tuned_allocator
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.show.plot import Axis, Box, Look, Plot, legend, picture
from forecaster.trial import Trial
from forecaster.workflows.fetch import fetch

BEST = MEANS["GRU + DNN + LRU + 1.5 GBM (`best`)"]
METHODS = {"best": "`best`", "harx": "HARXX", "har": "HAR"}
LOOKS = {
    "best": Look("accent", width=1.8, mark="circle"),
    "harx": Look("ink", width=1.2, mark="circle"),
    "har": Look("other", width=1.2, mark="circle"),
}
STORM = 0.8
"""Days of the highest fifth of the market's volatility in their window are storms, those of the lowest fifth calm."""

Skills = dict[str, dict[str, float]]
"""Method → group → percent."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Mean losses at every origin of all windows.

    Args:
        losses: by method, the walk's too, "origin step variable"; NaN where the outcome is unknown.
        decile: of the ticker's volatility in its window, 0 to 9.
        market: rank of the market's volatility that day in its window, 0 to 1.
    """

    losses: dict[str, np.ndarray]
    year: np.ndarray
    decile: np.ndarray
    market: np.ndarray
    steps: tuple[int, ...]

    def skills(self, chosen: np.ndarray, steps: slice = slice(0, 1), prices: slice = slice(None)) -> dict[str, float]:
        """Skill of each method at some origins: the mean over prices."""
        means = {
            name: np.nanmean(values[chosen][:, steps, prices], axis=0).mean(axis=0)
            for name, values in self.losses.items()
        }
        return {name: float(100 * np.mean(1 - means[name] / means[REFERENCE])) for name in METHODS}


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, help="CSV or Parquet, or a folder of them")
    parser.add_argument("--windows", nargs="+", choices=WINDOWS, default=list(WINDOWS))
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fetch(source="file", options=SourceOptions(path=options.panel), data_dir=folder)
        whole = prepare(load_config("best", options.settings), Path(folder))
        cells = _joined([_window(whole, *WINDOWS[name], options.settings) for name in options.windows])
    groups = dict(_groups(cells))
    for title, found in groups.items():
        print(f"\n| {title} | {' | '.join(METHODS.values())} |\n|---|{'---|' * len(METHODS)}")
        for group, skills in found.items():
            print(f"| {group} | {' | '.join(f'{skills[name]:+.2f}'.replace('-', '−') for name in METHODS)} |")
    drawn = picture(1100.0, 330.0, list(_picture(groups)))
    Path(__file__).with_name("where.svg").write_text(drawn, encoding="utf-8")


def _groups(cells: Cells) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    every = np.ones(len(cells.year), bool)
    yield "step", {str(step): cells.skills(every, slice(at, at + 1)) for at, step in enumerate(cells.steps)}
    yield "year", {str(year): cells.skills(cells.year == year) for year in np.unique(cells.year)}
    names = ("open", "high", "low", "close")
    yield "price", {name: cells.skills(every, prices=slice(at, at + 1)) for at, name in enumerate(names)}
    yield (
        "market",
        {
            "calm (lowest fifth)": cells.skills(cells.market < 1 - STORM),
            "between": cells.skills((cells.market >= 1 - STORM) & (cells.market < STORM)),
            "storm (highest fifth)": cells.skills(cells.market >= STORM),
        },
    )
    yield "decile of the ticker's volatility", {str(at + 1): cells.skills(cells.decile == at) for at in range(10)}


@tuned_allocator()
def _window(whole: Trial, first: str, last: str, settings: list[str]) -> Cells:
    begin, end = np.datetime64(first), np.datetime64(last)
    trial = whole.over(Split(begin, end, end))
    dataset, period, train = trial.dataset, trial.split.validation, trial.split.train
    rows = dataset.origins(period)

    def losses(forecast: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        found = score(forecast, dataset, rows, period, trial.levels)
        return np.where(found.known[..., None], found.pinball, np.nan).astype(np.float32)

    total = sum(weight * fitted(name, trial, settings)(rows).astype(np.float32) for name, weight in BEST.items())
    quantiles = coherent(np.asarray(total) / sum(BEST.values()))
    found = {"best": losses(lambda some: quantiles[np.searchsorted(rows, some)])}
    for name in ("harx", "har", REFERENCE):
        found[name] = losses(FittedBaseline.learnt(name, dataset, train, trial.levels).bind(dataset))
    days, scale = dataset.panel.date_of_row[rows], dataset.features.scale[rows]
    mean = np.bincount(days, np.log(scale)) / np.maximum(np.bincount(days), 1)
    years = dataset.panel.sessions[rows].astype("datetime64[Y]").astype(int) + 1970
    return Cells(found, years, (10 * _rank(scale)).astype(int), _rank(mean[days]), dataset.steps)


def _rank(values: np.ndarray) -> np.ndarray:
    """Share of the values below each one."""
    below: np.ndarray = np.searchsorted(np.sort(values), values) / len(values)
    return below


def _joined(parts: list[Cells]) -> Cells:
    losses = {name: np.concatenate([one.losses[name] for one in parts]) for name in parts[0].losses}
    year, decile, market = (
        np.concatenate([getattr(one, name) for one in parts]) for name in ("year", "decile", "market")
    )
    return Cells(losses, year, decile, market, parts[0].steps)


def _picture(groups: dict[str, dict[str, dict[str, float]]]) -> Iterator[Markup]:
    panels = (("step", "step"), ("year", "year"), ("decile of the ticker's volatility", "decile"))
    every = [skill for title, _ in panels for skills in groups[title].values() for skill in skills.values()]
    for column, (title, label) in enumerate(panels):
        found = groups[title]
        places = np.arange(len(found))
        axis = Axis.of([0, len(found) - 1], label, [(at, group) for at, group in enumerate(found)])
        plot = Plot(f"by {title}", axis, Axis.of([0.0, *every], "skill, %"), Box(366.0 * column, 0, 366, 290))
        yield from plot.frame()
        for name in METHODS:
            yield from plot.line(places, np.array([skills[name] for skills in found.values()]), LOOKS[name])
    yield from legend([(label.strip("`"), LOOKS[name]) for name, label in METHODS.items()], 40, 300, 1000)


if __name__ == "__main__":
    main()
