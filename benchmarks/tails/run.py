"""What the 1 % and 99 % levels held, by a fit of the tails and by exponential ones through the outer two levels.

python benchmarks/tails/run.py panel.parquet --fit-to 2014-12-31 --to 2016-12-31 [--folder cache]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "portfolios"))

from work import STEPS, judged, kept_in

from forecaster.data.coherence import CLOSE, HIGH, LOW
from forecaster.inference.tails import exponential_tails, inverse

SHARES = np.array([0.01, 0.05, 0.95, 0.99])
COLUMNS = ("days", "price", "5%", "95%", "1%, fit", "exponential", "99%, fit", "exponential")
NAMES = {CLOSE: "close", HIGH: "high", LOW: "low"}


def main() -> None:
    """Forecast, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, help="a long table of daily candles of American stocks")
    parser.add_argument("--fit-to", default="2014-12-31", help="last day of fitting; 2016-12-31: shipped weights")
    parser.add_argument("--to", default="2016-12-31", help="last day of judging")
    parser.add_argument("--folder", type=Path, help="keeps what is computed")
    given = parser.parse_args()
    with kept_in(given.folder) as folder:
        work = judged(given.panel, folder, given.fit_to, given.to)
    there = work.rows >= 0
    rows, logs = work.rows[there], work.dataset.logs
    print(f"{len(rows):,} forecasts, {work.dates[0]} to {work.dates[-1]}; share below, in per cent\n")
    print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|")
    for step in STEPS:
        for variable, name in NAMES.items():
            quantiles = work.quantiles[:, :, step - 1, variable][there].astype(float)
            came = logs[rows + step, variable] - logs[rows, CLOSE]
            fit = np.broadcast_to(work.tails[step - 1, variable], (len(rows), 2, 2))
            held = [
                100 * (came[:, None] <= inverse(quantiles, work.levels, tails, SHARES)).mean(axis=0)
                for tails in (fit, exponential_tails(quantiles, work.levels))
            ]
            (low, five, ninety, high), (low_too, _, _, high_too) = held
            cells = (five, ninety, low, low_too, high, high_too)
            print(f"| {step} | {name} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")


if __name__ == "__main__":
    main()
