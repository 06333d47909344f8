"""Odds of prices beside HAR on the same paths and the driftless random walk: Brier scores and reliability.

    python benchmarks/odds/run.py panel.parquet --fit-to 2014-12-31 --to 2016-12-31 [--folder cache]

Prices lie half, one, one and a half and two deviations away, up and down, in units of the walk's own volatility.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "portfolios"))

from work import Judged, judged, kept_in, quarters

from forecaster.baselines import FittedBaseline
from forecaster.data.coherence import CLOSE, HIGH, LOW
from forecaster.data.splits import Period
from forecaster.evaluation.pathodds import rank_correlation
from forecaster.evaluation.significance import diebold_mariano
from forecaster.inference.coupling import draw_dates, ranks
from forecaster.inference.tails import exponential_tails, inverse
from forecaster.inference.volatility import expected_range
from forecaster.positions.formula import close_beyond, touch
from forecaster.positions.rivals import ewma_deviation

WITHIN = (1, 5, 20)
AWAY = (0.5, 1.0, 1.5, 2.0)
EVERY = 5
PATHS = 1_000
VARIABLES = (HIGH, LOW, CLOSE)
COLUMNS = (
    *("within", "price at", "happened", "Brier, paths", "HAR", "formula"),
    *("better than HAR", "p", "than the formula", "p"),
)
BINS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)

Said = dict[tuple[str, int, str], list[np.ndarray]]
"""(event, sessions, method) → probabilities "ticker price side" by date; the method `came` has outcomes."""


def main() -> None:
    """Forecast, score, print."""
    options = _options()
    with kept_in(options.folder) as folder:
        work = judged(options.panel, folder, options.fit_to, options.to)
        extent = f"{work.dates[0]} to {work.dates[-1]}"
        print(f"{len(work.tickers)} tickers, every {EVERY}th of {len(work.dates)} days, {extent}")
        said = _say(work, np.datetime64(options.fit_to))
        for event in ("touch", "close"):
            _print_scores(said, event)
        for within in WITHIN[1:]:
            _print_reliability(said, within)
        _print_ranks(work, np.datetime64(options.fit_to))


def _say(work: Judged, fit_end: np.datetime64) -> Said:
    har = FittedBaseline.learnt("har", work.dataset, Period(None, fit_end), work.levels).bind(work.dataset)
    walk = _deviations(work)
    said: Said = defaultdict(list)
    for block, stretches in quarters(work):
        drawn = draw_dates(PATHS, len(stretches.dates), block.start)
        rng = np.random.default_rng(block.start)
        dates = range(block.start + (-block.start) % EVERY, block.stop, EVERY)
        rows = work.rows[list(dates)]
        other = np.full((*rows.shape, 20, 4, len(work.levels)), np.nan)
        other[rows >= 0] = har(rows[rows >= 0])
        found = {date: defaultdict(lambda: np.full((len(work.tickers), len(AWAY), 2), np.nan)) for date in dates}
        for ticker in range(len(work.tickers)):
            place = ranks(stretches.values(ticker, VARIABLES), drawn, rng)
            for number, date in enumerate(dates):
                if work.rows[date, ticker] < 0:
                    continue
                for method, quantiles in (("paths", work.quantiles[date, ticker]), ("har", other[number, ticker])):
                    moves = _moves(work, quantiles[:, list(VARIABLES)].astype(float), place, method)
                    _fill(found[date], method, moves, walk[work.rows[date, ticker]], ticker)
                _fill_formula(found[date], ticker)
                _fill(found[date], "came", _came(work, date, ticker), walk[work.rows[date, ticker]], ticker)
        for date in dates:
            for key, values in found[date].items():
                said[key].append(values)
    return said


def _moves(work: Judged, quantiles: np.ndarray, place: np.ndarray, method: str) -> np.ndarray:
    """Highs, lows and closes of coherent paths, "path step 3"; HAR's beyond its levels are exponential."""
    shares = (np.arange(PATHS) + 0.5) / PATHS
    tails = work.tails[:, list(VARIABLES)] if method == "paths" else exponential_tails(quantiles, work.levels)
    sorted_moves = inverse(quantiles, work.levels, tails, shares)
    moves = np.take_along_axis(np.moveaxis(sorted_moves, -1, 0), place, axis=0)
    moves[..., 0] = np.maximum(moves[..., 0], moves[..., 2])
    moves[..., 1] = np.minimum(moves[..., 1], moves[..., 2])
    return moves


def _came(work: Judged, date: int, ticker: int) -> np.ndarray:
    row, logs = work.rows[date, ticker], work.dataset.logs
    return (logs[row + 1 : row + 1 + WITHIN[-1]] - logs[row, CLOSE])[None, :, list(VARIABLES)]


def _fill(found: dict, method: str, moves: np.ndarray, deviation: float, ticker: int) -> None:
    for within in WITHIN:
        high, low = moves[:, :within, 0].max(axis=1), moves[:, :within, 1].min(axis=1)
        close = moves[:, within - 1, 2]
        for number, away in enumerate(AWAY):
            distance = away * deviation * np.sqrt(within)
            found["touch", within, method][ticker, number] = (high >= distance).mean(), (low <= -distance).mean()
            found["close", within, method][ticker, number] = (close >= distance).mean(), (close <= -distance).mean()


def _fill_formula(found: dict, ticker: int) -> None:
    away = np.array(AWAY)[:, None].repeat(2, axis=1)
    for within in WITHIN:
        found["touch", within, "formula"][ticker] = touch(away, np.ones_like(away))
        found["close", within, "formula"][ticker] = close_beyond(away, np.ones_like(away))


def _deviations(work: Judged) -> np.ndarray:
    """Daily deviation of the walk at each row of the panel: EWMA, decay 0.94."""
    panel, found = work.dataset.panel, np.full(len(work.dataset.panel.sessions), np.nan)
    for ticker in range(len(panel)):
        span = panel.rows_of(ticker)
        returns = np.diff(work.dataset.logs[span, CLOSE])
        found[span.start + 1 : span.stop] = ewma_deviation(returns)
    return found


def _print_scores(said: Said, event: str) -> None:
    print(f"\n{event}\n\n| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    for within in WITHIN:
        came = np.stack(said[event, within, "came"])
        losses = {name: (np.stack(said[event, within, name]) - came) ** 2 for name in ("paths", "har", "formula")}
        for number, away in [*enumerate(AWAY), (slice(None), "all")]:
            some = {name: one[:, :, number] for name, one in losses.items()}
            cells = [f"{within}", f"{away} σ√h" if away != "all" else "all", f"{np.nanmean(came[:, :, number]):.1%}"]
            cells += [f"{np.nanmean(one):.4f}" for one in some.values()]
            for other in ("har", "formula"):
                difference = some["paths"] - some[other]
                by_date = np.nanmean(difference.reshape(len(came), -1), axis=1)
                test = diebold_mariano(by_date, max(within // EVERY, 1))
                cells += [f"{1 - np.nanmean(some['paths']) / np.nanmean(some[other]):+.2%}", f"{test.p_value:.2g}"]
            print(f"| {' | '.join(cells)} |")


def _print_reliability(said: Said, within: int) -> None:
    came = np.stack(said["touch", within, "came"]).ravel()
    print(f"\nTouches within {within} days, by the chance that was given\n")
    print("| chance | paths: number | mean chance | happened | formula: number | mean chance | happened |")
    print("|---|---|---|---|---|---|---|")
    for low, high in pairwise(BINS):
        cells = [f"{low:.0%} to {high:.0%}"]
        for name in ("paths", "formula"):
            chance = np.stack(said["touch", within, name]).ravel()
            inside = (chance >= low) & (chance < high) & ~np.isnan(came)
            cells += [f"{inside.sum():,}"]
            cells += [f"{chance[inside].mean():.1%}", f"{came[inside].mean():.1%}"] if inside.any() else ["", ""]
        print(f"| {' | '.join(cells)} |")


def _print_ranks(work: Judged, fit_end: np.datetime64) -> None:
    """Rank correlation of forecast and actual ranges over the tickers of each day; and of the median close's return."""
    har = FittedBaseline.learnt("har", work.dataset, Period(None, fit_end), work.levels).bind(work.dataset)
    logs, median = work.dataset.logs, work.levels.index(0.5)
    print("\n| rank correlation, mean over days | forecast | HAR | p | return by the median |\n|---|---|---|---|---|")
    for step in WITHIN:
        found = []
        for date in range(0, len(work.dates), EVERY):
            there = np.flatnonzero(work.rows[date] >= 0)
            rows = work.rows[date, there]
            ours, theirs = work.quantiles[date, there, step - 1], har(rows)[:, step - 1]
            actual = logs[rows + step, HIGH] - logs[rows + step, LOW]
            came = logs[rows + step, CLOSE] - logs[rows, CLOSE]
            ranges = [expected_range(one.astype(float), work.levels) for one in (ours, theirs)]
            row = [rank_correlation(one, actual) for one in ranges]
            found.append([*row, rank_correlation(ours[:, CLOSE, median].astype(float), came)])
        own, other, returns = np.array(found).T
        test = diebold_mariano(other - own, max(step // EVERY, 1))
        cells = f"{own.mean():.3f} | {other.mean():.3f} | {test.p_value:.2g} | {returns.mean():+.3f}"
        print(f"| range of day {step} | {cells} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, help="a long table of daily candles of American stocks")
    parser.add_argument("--fit-to", default="2014-12-31", help="last day of fitting; 2016-12-31: shipped weights")
    parser.add_argument("--to", default="2016-12-31", help="last day of judging")
    parser.add_argument("--folder", type=Path, help="keeps what is computed")
    return parser.parse_args()


if __name__ == "__main__":
    main()
