"""Size of the tests for "better than": how often a true null is rejected at a nominal 5 %.

`python benchmarks/significance/run.py [--trials 20000]`

A loss difference of h-step forecasts is simulated as a moving sum of h shocks (neighbouring forecasts share h − 1
sessions), once with normal shocks and once with shocks whose variance comes in waves (GARCH), and its mean is 0. Each
column is a test of that mean: equal-weighted cosines as in `forecaster.evaluation.significance`, and for comparison
Newey–West with Bartlett weights, max(10, 1.25 h) lags and the factor of Harvey, Leybourne and Newbold.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
from scipy.special import stdtr

from forecaster.evaluation.significance import diebold_mariano

DATES, STEPS, LEVEL = (251, 501, 1081), (1, 5, 20), 0.05
PERSISTENCE, REACTION = 0.9, 0.08
"""Of the GARCH(1,1) shocks' variance, of mean 1."""

WARM_UP = 200


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--trials", type=int, default=20_000)
    trials = options.parse_args().trials
    print("| dates | h | shocks | cosines, t | Bartlett, t |\n|---|---|---|---|---|")
    for dates in DATES:
        for steps in STEPS:
            for name, shocks in (("normal", normal), ("in waves", in_waves)):
                cosine, bartlett = sizes(dates, steps, shocks, trials, np.random.default_rng(0))
                print(f"| {dates:,} | {steps} | {name} | {cosine:.1%} | {bartlett:.1%} |", flush=True)
    print(f"\nThe standard error of a figure near 5 % is {math.sqrt(0.05 * 0.95 / trials):.2%} ({trials:,} trials).")


Shocks = Callable[[np.random.Generator, int, int], np.ndarray]
"""Generator, series and dates → shocks of mean 0."""


def normal(rng: np.random.Generator, series: int, dates: int) -> np.ndarray:
    return rng.standard_normal((series, dates))


def in_waves(rng: np.random.Generator, series: int, dates: int) -> np.ndarray:
    """GARCH(1,1) shocks: calm and wild days come in stretches, as loss differences do."""
    shocks = rng.standard_normal((series, dates + WARM_UP))
    variance = np.ones(series)
    for date in range(shocks.shape[1]):
        shocks[:, date] *= np.sqrt(variance)
        variance = (1 - PERSISTENCE - REACTION) + PERSISTENCE * variance + REACTION * shocks[:, date] ** 2
    return shocks[:, WARM_UP:]


def overlapping(shocks: np.ndarray, steps: int) -> np.ndarray:
    """Sums over h neighbouring shocks: a moving average whose terms overlap as h-step forecasts do."""
    sums = np.cumsum(np.pad(shocks, ((0, 0), (1, 0))), axis=1)
    return sums[:, steps:] - sums[:, :-steps]


def sizes(dates: int, steps: int, shocks: Shocks, trials: int, rng: np.random.Generator) -> tuple[float, float]:
    """Share of true nulls that each test rejects."""
    rejected = np.zeros(2)
    for start in range(0, trials, 1000):
        series = overlapping(shocks(rng, min(1000, trials - start), dates + steps - 1), steps)
        rejected[0] += sum(diebold_mariano(one, steps).p_value < LEVEL for one in series)
        rejected[1] += sum(bartlett_p(one, steps) < LEVEL for one in series)
    return float(rejected[0] / trials), float(rejected[1] / trials)


def bartlett_p(differences: np.ndarray, steps: int) -> float:
    """The test that the tool used before: Newey & West (1987) with the correction of Harvey et al. (1997)."""
    count, lags = len(differences), max(10, math.ceil(1.25 * steps))
    centred = differences - differences.mean()
    variance = centred @ centred
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag])
    factor = (count + 1 - 2 * steps + steps * (steps - 1) / count) / count
    statistic = differences.mean() / math.sqrt(variance / count**2) * math.sqrt(factor)
    return 2 * float(stdtr(count - 1, -abs(statistic)))


if __name__ == "__main__":
    main()
