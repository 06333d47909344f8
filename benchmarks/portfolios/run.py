"""Portfolios with random weights: what their sums held beside the usual ways to forecast them.

    python benchmarks/portfolios/run.py panel.parquet --fit-to 2014-12-31 --to 2016-12-31 [--folder cache]

Prints a table for 1, 5 and 20 days: pinball loss, coverage, exceptions of the value at risk and their tests.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr
from work import STEPS, Judged, Ranker, actual, judged, kept_in, past_dates, quarters

from forecaster.data.coherence import CLOSE
from forecaster.evaluation.significance import diebold_mariano
from forecaster.inference.comovement import DailyCorrelation
from forecaster.inference.shrinkage import shrunk_correlation
from forecaster.inference.stretches import Stretches
from forecaster.inference.tails import exponential_tails, inverse
from forecaster.positions.exceptions import risk_test
from forecaster.positions.rivals import ewma_deviation, filtered, gaussian, historical

LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
SCORED = LEVELS[1:-1]
PORTFOLIOS, HELD = 200, 20
COLUMNS = (
    *("method", "pinball, bp", "ours better by", "p", "80% band held", "90% band held", "VaR 95 exceptions"),
    *("Kupiec passed", "Christoffersen passed (no exception)", "VaR 99 exceptions", "Kupiec passed at 99"),
    "ES 95, Acerbi–Székely",
)
OURS, ALIKE = "joint paths", "all dates alike"
KINDS = ("joint", ALIKE, "independent", "equal correlation", "gaussian copula")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one method said of all portfolios, and what came.

    Args:
        quantiles: of the profit per unit of value, "date portfolio level".
        shortfall: expected shortfall at 95 %, "date portfolio".
        profits: "date portfolio".
    """

    quantiles: np.ndarray
    shortfall: np.ndarray
    profits: np.ndarray

    def losses(self) -> np.ndarray:
        """Pinball loss, 2 × the mean over the seven levels, "date portfolio"."""
        levels = np.array(SCORED)
        error = self.profits[..., None] - self.quantiles[..., 1:-1]
        return 2 * np.maximum(levels * error, (levels - 1) * error).mean(axis=-1)


def main() -> None:
    """Forecast, score, print."""
    given = options()
    with kept_in(given.folder) as folder:
        work = judged(given.panel, folder, given.fit_to, given.to)
        held = _portfolios(work)
        print(f"{len(work.tickers)} tickers, {len(work.dates)} days, {work.dates[0]} to {work.dates[-1]}\n")
        outcomes = {step: dict(_rivals(work, held, step)) for step in STEPS}
        for kind in reversed(given.kinds):
            name = OURS if kind == "joint" else kind
            for step, one in zip(STEPS, _ours(work, held, kind, given.tails, given.paths), strict=True):
                outcomes[step] = {name: one} | outcomes[step]
        _print(outcomes)


def _portfolios(work: Judged) -> np.ndarray:
    """Weights "portfolio ticker": 20 of the tickers that have a forecast on every day, and three years before.

    So a stock that was delisted within the test is in no portfolio. All share these tickers: their tests are not
    independent of each other.
    """
    first = work.dates[0] - np.timedelta64(3 * 365, "D")
    old = np.array([one.dates[0] <= first for one in work.bars])
    usable = np.flatnonzero((work.rows >= 0).all(axis=0) & old)
    rng = np.random.default_rng(0)
    weights = np.zeros((PORTFOLIOS, len(work.tickers)))
    for one in weights:
        one[rng.choice(usable, HELD, replace=False)] = rng.dirichlet(np.ones(HELD))
    return weights


def _ours(work: Judged, held: np.ndarray, kind: str, tails: str, count: int) -> list[Outcome]:
    """Sums of paths whose dependence is of a kind."""
    quantiles = [np.full((len(work.dates), PORTFOLIOS, len(LEVELS)), np.nan) for _ in STEPS]
    shortfall = [np.full((len(work.dates), PORTFOLIOS), np.nan) for _ in STEPS]
    used = np.flatnonzero(held.any(axis=0))
    weights = held[:, used].astype(np.float32)
    shares = (np.arange(count) + 0.5) / count
    chosen = [step - 1 for step in STEPS]
    together = daily_correlation(work)
    for block, stretches in quarters(work):
        ranker = dependence(stretches, kind, count, together)
        for date in range(block.start, block.stop):
            place = ranker(work.dates[date])[used]
            forecast = work.quantiles[date, used][:, chosen, CLOSE].astype(float)
            own = (
                np.broadcast_to(work.tails[chosen, CLOSE], (*forecast.shape[:2], 2, 2))
                if tails == "fit"
                else exponential_tails(forecast, work.levels)
            )
            moves = inverse(forecast, work.levels, own, shares).astype(np.float32)
            drawn = np.expm1(np.take_along_axis(moves, place, axis=-1))
            for number in range(len(STEPS)):
                profit = np.sort(weights @ drawn[:, number], axis=-1)
                quantiles[number][date] = np.quantile(profit, LEVELS, axis=-1).T
                shortfall[number][date] = -profit[:, : count // 20].mean(axis=-1)
    return [
        Outcome(*parts, _profits(work, held, step)) for *parts, step in zip(quantiles, shortfall, STEPS, strict=True)
    ]


def daily_correlation(work: Judged) -> DailyCorrelation:
    """Of all days; each origin takes those known then."""
    return DailyCorrelation.of(Stretches.in_panel(work.dataset.panel, 1))


def dependence(stretches: Stretches, kind: str, count: int, together: DailyCorrelation) -> Ranker:
    """Ranks by a kind of dependence."""
    if kind == "joint":
        return past_dates(stretches, count, together)
    if kind == ALIKE or kind.startswith("last"):
        return past_dates(stretches, count, None, int(kind.removeprefix("last ")) if kind != ALIKE else None)
    rng = np.random.default_rng(0)
    tickers = len(stretches.dataset.panel)
    found = np.empty((tickers, len(STEPS), count), np.int64)
    for number, step in enumerate(STEPS):
        values = np.stack([stretches.values(n, (CLOSE,))[:, step - 1, 0] for n in range(tickers)], axis=1)
        scores = np.sign(values) * np.minimum(np.abs(values), 4)
        correlation = shrunk_correlation(scores.astype(float))
        mean = (correlation.sum() - tickers) / tickers / (tickers - 1)
        if kind == "independent":
            correlation = np.eye(tickers)
        elif kind == "equal correlation":
            correlation = np.full((tickers, tickers), mean) + (1 - mean) * np.eye(tickers)
        drawn = np.linalg.cholesky(correlation) @ rng.standard_normal((tickers, count))
        found[:, number] = np.argsort(np.argsort(drawn))
    return lambda _: found


def _profits(work: Judged, held: np.ndarray, step: int) -> np.ndarray:
    moves = actual(work, step)
    return np.expm1(np.nan_to_num(moves)) @ held.T


def _rivals(work: Judged, held: np.ndarray, step: int) -> Iterator[tuple[str, Outcome]]:
    """Gaussian EWMA covariance, historical simulation, filtered historical simulation."""
    panel = work.dataset.panel
    grid = np.full((len(panel.dates), len(panel)), np.nan)
    grid[panel.date_of_row, panel.ticker_of_row] = work.dataset.logs[:, CLOSE]
    returns = np.expm1(np.diff(grid, axis=0, prepend=np.nan))
    # Before a ticker was listed the others stand for it, at their own weights.
    there = ~np.isnan(returns)
    series = np.nan_to_num(returns) @ held.T / np.maximum(there @ held.T, 1e-9)
    first = int(np.searchsorted(panel.dates, work.dates[0]))
    series = series[first - 1500 :]
    place = np.searchsorted(panel.dates[first - 1500 :], work.dates)
    deviation = ewma_deviation(series)
    profits = _profits(work, held, step)
    levels = np.array(LEVELS)
    normal = np.stack([gaussian(deviation, row, step, levels).T for row in place])
    density = float(np.exp(-0.5 * 1.6448536**2) / np.sqrt(2 * np.pi) / ndtr(-1.6448536))
    yield "EWMA covariance, Gaussian", Outcome(normal, deviation[place] * np.sqrt(step) * density, profits)
    for name, sample in (
        ("historical simulation", lambda row: historical(series, row, step)),
        ("filtered historical simulation", lambda row: filtered(series, deviation, row, step)),
    ):
        found, shortfall = [], []
        for row in place:
            some = np.sort(sample(row), axis=0)
            found.append(np.quantile(some, LEVELS, axis=0).T)
            shortfall.append(-some[: max(len(some) // 20, 1)].mean(axis=0))
        yield name, Outcome(np.stack(found), np.stack(shortfall), profits)


def _print(outcomes: dict[int, dict[str, Outcome]]) -> None:
    for step, methods in outcomes.items():
        reference = next(iter(methods))  # the first kind that was asked for
        base = methods[reference].losses()
        print(f"\n{step} day{'s' if step > 1 else ''}\n")
        columns = [f"{reference} better by" if name == "ours better by" else name for name in COLUMNS]
        print(f"| {' | '.join(columns)} |")
        print("|---" * len(COLUMNS) + "|")
        for name, one in methods.items():
            losses = one.losses()
            better, chance = "", ""
            if name != reference:
                better = f"{1 - base.mean() / losses.mean():+.2%}"
                chance = f"{diebold_mariano((base - losses).mean(axis=1), step).p_value:.2g}"
            cells = [f"{1e4 * losses.mean():.2f}", better, chance, *_held(one), *_exceptions(one, step)]
            print(f"| {name} | " + " | ".join(cells) + " |")


def _held(one: Outcome) -> Iterator[str]:
    for low, high in ((0.1, 0.9), (0.05, 0.95)):
        lower, upper = (one.quantiles[..., LEVELS.index(level)] for level in (low, high))
        yield f"{((one.profits >= lower) & (one.profits <= upper)).mean():.1%}"


def _exceptions(one: Outcome, step: int) -> Sequence[str]:
    """On windows that do not overlap: every `step`-th day. Without an exception nothing can cluster: counted apart."""
    days = slice(None, None, step)
    tests = {
        level: [
            risk_test(one.profits[days, n], -one.quantiles[days, n, place], one.shortfall[days, n], level)
            for n in range(PORTFOLIOS)
        ]
        for level, place in ((95, 1), (99, 0))
    }
    rate = {level: np.mean([test.exceptions / test.days for test in found]) for level, found in tests.items()}
    passed = {level: np.mean([test.kupiec > 0.05 for test in found]) for level, found in tests.items()}
    clusters = [test.christoffersen for test in tests[95]]
    tested = [one for one in clusters if one is not None]
    untested = f" ({np.mean([one is None for one in clusters]):.1%})" if len(tested) < len(clusters) else ""
    alone = f"{np.mean(np.array(tested) > 0.05):.1%}" if tested else ""
    shortfall = np.mean([test.shortfall for test in tests[95]])
    return (
        f"{rate[95]:.1%}",
        f"{passed[95]:.1%}",
        f"{alone}{untested}".strip(),
        f"{rate[99]:.2%}",
        f"{passed[99]:.1%}",
        f"{shortfall:+.2f}",
    )


def kinds(text: str) -> list[str]:
    """Kinds of dependence, checked before anything is computed."""
    chosen = text.split(",")
    for one in chosen:
        if one not in KINDS and not (one.startswith("last ") and one.removeprefix("last ").isdigit()):
            raise argparse.ArgumentTypeError(f"{one!r} is none of {', '.join(KINDS)}, last N")
    return chosen


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, help="a long table of daily candles of American stocks")
    parser.add_argument("--fit-to", default="2014-12-31", help="last day of fitting; 2016-12-31: shipped weights")
    parser.add_argument("--to", default="2016-12-31", help="last day of judging")
    parser.add_argument(
        "--kinds",
        type=kinds,
        default="joint",
        help=f"with commas; {', '.join(KINDS)}, last N. The others are compared with the first",
    )
    parser.add_argument("--tails", default="fit", choices=("fit", "exponential"))
    parser.add_argument("--paths", type=int, default=4_000)
    parser.add_argument("--folder", type=Path, help="keeps what is computed")
    return parser.parse_args()


if __name__ == "__main__":
    main()
