"""Interpolated steps beside directly forecast ones: how far apart their quantiles lie, and what either held.

    python benchmarks/portfolios/between.py panel.parquet --fit-to 2014-12-31 --to 2016-12-31 [--folder cache]

The model forecasts the steps 1 to 20; the steps 6 to 19 are made again from 1 to 5 and 20, as for `best`.
"""

from __future__ import annotations

import numpy as np
from run import options
from work import Judged, judged, kept_in

from forecaster.config.schema import VARIABLES
from forecaster.data.coherence import CLOSE, coherent
from forecaster.evaluation.significance import by_date, diebold_mariano
from forecaster.inference.interpolation import interpolated

KNOWN = (1, 2, 3, 4, 5, 20)
SHOWN = (7, 10, 15)
COLUMNS = (
    *("step", "price", "distance", "80% band held, direct", "interpolated", "90% band held, direct", "interpolated"),
    *("pinball, direct, bp", "interpolated worse by", "p"),
)


def main() -> None:
    """Forecast, interpolate, score, print."""
    given = options()
    with kept_in(given.folder) as folder:
        work = judged(given.panel, folder, given.fit_to, given.to)
    date, ticker = np.nonzero(work.rows >= 0)
    print(f"{len(work.tickers)} tickers, {len(date):,} forecasts, {work.dates[0]} to {work.dates[-1]}\n")
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    direct = work.quantiles[date, ticker].astype(float)
    places = np.array(KNOWN) - 1
    made = coherent(interpolated(direct[:, places], work.levels, KNOWN, KNOWN[-1]))
    for step in SHOWN:
        for variable, name in enumerate(VARIABLES):
            own, other = direct[:, step - 1, variable], made[:, step - 1, variable]
            print(f"| {step} | {name} | {' | '.join(_cells(work, date, ticker, step, variable, own, other))} |")


def _cells(
    work: Judged, date: np.ndarray, ticker: np.ndarray, step: int, variable: int, own: np.ndarray, other: np.ndarray
) -> list[str]:
    """Distance of the quantiles, mean over levels and forecasts, as a share of the direct 80% band; coverage; loss."""
    rows, logs = work.rows[date, ticker], work.dataset.logs
    came, levels = logs[rows + step, variable] - logs[rows, CLOSE], np.array(work.levels)
    width = own[:, -2] - own[:, 1]
    cells = [f"{(np.abs(own - other).mean(axis=1) / width).mean():.2%}"]
    for low in (1, 0):
        cells += [f"{((came >= one[:, low]) & (came <= one[:, -1 - low])).mean():.1%}" for one in (own, other)]
    losses = [
        2 * np.maximum(levels * e, (levels - 1) * e).mean(axis=1) for e in (came[:, None] - o for o in (own, other))
    ]
    test = diebold_mariano(by_date(losses[1] - losses[0], work.dates[date], np.ones(len(date), bool)), step)
    gain = losses[1].mean() / losses[0].mean() - 1
    return [*cells, f"{1e4 * losses[0].mean():.2f}", f"{gain:+.2%}", f"{test.p_value:.2g}"]


if __name__ == "__main__":
    main()
