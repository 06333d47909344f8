"""Forms of dependence in joint paths, each beside all dates alike: the tables of the search before 2017.

    python benchmarks/portfolios/search.py panel.parquet --fit-to 2014-12-31 --to 2016-12-31 [--folder cache]

One window a call; with --har all years from 2003 to --to, and HAR's quantiles. Pinball loss of long portfolios, of
portfolios that are long and short, and the variogram score of groups; gains in per cent, p by Diebold–Mariano on means
by date.

Source: Engle & Kelly (2012), "Dynamic Equicorrelation"; Scheuerer & Hamill (2015), "Variogram-based proper scoring
rules", of order 0.5.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from run import SCORED
from window import PATHS, Window
from work import STEPS, fetched, judged, kept_in

from forecaster.evaluation.significance import diebold_mariano
from forecaster.inference.comovement import Gains

YEAR, CUT = 252.0, 4.0
BASE, HALF, THIRD, MOST = "all dates alike", 1 / 2, 1 / 3, 2 / 3

Form = Callable[[Window, np.datetime64, np.random.Generator], np.ndarray]
"""What the paths are ranked by at an origin: "path ticker step"."""
Scores = dict[str, np.ndarray]
"""Of each measure, "date step"."""


def dates(window: Window, origin: np.datetime64, rng: np.random.Generator, half_life: float) -> np.ndarray:
    """What followed past dates; one counts half as much as another a half-life later."""
    shares = np.cumsum(0.5 ** (np.arange(window.known(origin))[::-1] / half_life))
    places = (np.arange(PATHS) + rng.random()) / PATHS * shares[-1]
    drawn = np.minimum(np.searchsorted(shares, places), len(shares) - 1)
    return window.past[rng.permutation(drawn)]


def forgetting(half_life: float = np.inf) -> Form:
    """Newer dates count more."""
    return lambda window, origin, rng: dates(window, origin, rng, half_life)


def rescaled(means: Mapping[float, float], half_life: float = np.inf, *, each_step: bool = False) -> Form:
    """Past moves rescaled to (1 − Σw) · the mean of the dates taken + Σ w · running mean, given half-life → w.

    Args:
        each_step: the correlation that the moves have is that of each step's sample.
    """

    def form(window: Window, origin: np.datetime64, rng: np.random.Generator) -> np.ndarray:
        values = dates(window, origin, rng, half_life)
        cut, usual = np.clip(values, -CUT, CUT), window.correlation(origin, half_life)
        change = sum(weight * (window.correlation(origin, one) - usual) for one, weight in means.items())
        before = np.array([average(cut[:, :, n]) for n in range(len(STEPS))]) if each_step else [usual] * len(STEPS)
        for number, one in enumerate(before):
            gains = Gains.between(one, one + change, values.shape[1])
            shared = cut[:, :, number].mean(axis=1, keepdims=True)
            values[:, :, number] = gains.rescale(values[:, :, number], shared)
        return values

    return form


def average(moves: np.ndarray) -> float:
    """Average correlation of a sample "path ticker"."""
    tickers = moves.shape[1]
    total, squares = (moves.sum(axis=1) ** 2).mean(), (moves**2).sum(axis=1).mean()
    return float((total - squares) / (tickers - 1) / squares)


def equal(half_life: float, weight: float) -> Form:
    """Normal, with one correlation for all pairs."""

    def form(window: Window, origin: np.datetime64, rng: np.random.Generator) -> np.ndarray:
        usual, tickers = window.correlation(origin), window.past.shape[1]
        share = np.clip(usual + weight * (window.correlation(origin, half_life) - usual), 0.01, 0.95)
        common = rng.standard_normal((PATHS, 1, len(STEPS)))
        rest = rng.standard_normal((PATHS, tickers, len(STEPS)))
        return np.asarray(np.sqrt(share) * common + np.sqrt(1 - share) * rest, np.float32)

    return form


def running(half_life: float, shrunk: float) -> Form:
    """Normal, with the running correlation of a day's moves, shrunk towards equal ones; the same at all steps."""

    def form(window: Window, origin: np.datetime64, rng: np.random.Generator) -> np.ndarray:
        count = int(np.searchsorted(window.stretches.dates, origin))
        some = np.clip(window.past[max(count - int(6 * half_life), 0) : count, :, 0], -CUT, CUT).astype(float)
        weights = 0.5 ** (np.arange(len(some))[::-1] / half_life)
        product = (some * weights[:, None]).T @ some
        size = np.sqrt(np.diag(product))
        found, tickers = product / np.outer(size, size), len(product)
        mean = (found.sum() - tickers) / tickers / (tickers - 1)
        found = (1 - shrunk) * found + shrunk * (mean + (1 - mean) * np.eye(tickers))
        root = np.linalg.cholesky(found).T.astype(np.float32)
        noise = rng.standard_normal((len(STEPS), PATHS, tickers), np.float32)
        return np.moveaxis(noise @ root, 0, -1)

    return form


FORMS: dict[str, Form] = {
    BASE: forgetting(),
    "forgetting, half a year": forgetting(YEAR / 2),
    **{f"forgetting, {n} year{'s' if n > 1 else ''}": forgetting(n * YEAR) for n in (1, 2, 4)},
    "half-life 11, w ½": rescaled({11: HALF}),
    "half-life 22, w ½": rescaled({22: HALF}),
    "half-life 22, w ⅔": rescaled({22: MOST}),
    "half-life 66, w ⅔": rescaled({66: MOST}),
    "the same, each step by its own correlation": rescaled({66: MOST}, each_step=True),
    "half-life 66, w 1": rescaled({66: 1}),
    "half-life 125, w ⅔": rescaled({125: MOST}),
    "mean of 11, 66, all dates": rescaled({11: THIRD, 66: THIRD}),
    "mean of 11, 125, all dates": rescaled({11: THIRD, 125: THIRD}),
    "mean of 5, 66, all dates": rescaled({5: THIRD, 66: THIRD}),
    "mean of 5, 66, 2 years, and forgetting": rescaled({5: THIRD, 66: THIRD}, 2 * YEAR),
    "mean of 5, 66, 4 years, and forgetting": rescaled({5: THIRD, 66: THIRD}, 4 * YEAR),
    "equal correlation of half-life 66, w ⅔": equal(66, MOST),
    "running correlation, half shrunk": running(66, HALF),
}


def scored(window: Window, form: Form) -> Scores:
    """Scores of one form on all days; the same random numbers for each form."""
    long, (groups, balanced) = window.portfolios(), window.groups()
    empty = np.empty((len(window.origins), len(STEPS)))
    found = {name: empty.copy() for name in ("pinball", "held", "variogram", "long and short")}
    for date, origin in enumerate(window.origins):
        rng = np.random.default_rng(date)
        drawn = form(window, origin, rng)
        drawn = drawn + np.float32(1e-4) * rng.standard_normal(drawn.shape, np.float32)  # ties at random
        for number, moves in enumerate(window.paths(date, drawn)):
            came = window.outcomes[date, :, number]
            found["pinball"][date, number], found["held"][date, number] = pinball(long, moves, np.expm1(came))
            found["long and short"][date, number], _ = pinball(balanced, moves, np.expm1(came))
            found["variogram"][date, number] = variogram(np.log1p(moves[groups]), came[groups])
    return found


def pinball(weights: np.ndarray, moves: np.ndarray, came: np.ndarray) -> tuple[float, float]:
    """Pinball loss of portfolios in basis points, 2 × the mean over levels, and the share inside the 80% band."""
    levels = np.array(SCORED)
    quantiles = np.quantile(weights @ moves, SCORED, axis=-1, method="hazen").T
    profits = (weights @ came)[:, None]
    error = profits - quantiles
    inside = (error[:, SCORED.index(0.1)] >= 0) & (error[:, SCORED.index(0.9)] <= 0)
    return 2e4 * float(np.maximum(levels * error, (levels - 1) * error).mean()), float(inside.mean())


def variogram(paths: np.ndarray, came: np.ndarray) -> float:
    """Mean over groups, of paths "group ticker path" in log moves, of what came "group ticker"."""
    one, other = np.triu_indices(paths.shape[1], 1)
    expected = np.sqrt(np.abs(paths[:, one] - paths[:, other])).mean(axis=-1)
    return 200 * float(((expected - np.sqrt(np.abs(came[:, one] - came[:, other]))) ** 2).sum(axis=1).mean())


def row(form: Scores, base: Scores, every: int) -> str:
    """The cells of one form: pinball loss, band, then gain (p) of all three, at 1, 5 and 20 days."""
    cells = [" / ".join(f"{one:.2f}" for one in form["pinball"].mean(axis=0))]
    cells.append(" / ".join(f"{100 * one:.1f}" for one in form["held"].mean(axis=0)))
    for name in ("pinball", "variogram", "long and short"):
        gain = 100 * (1 - form[name].mean(axis=0) / base[name].mean(axis=0))
        apart = (form[name] - base[name]).T
        lags = [-(-step // every) for step in STEPS]
        chances = [diebold_mariano(one, lag).p_value for one, lag in zip(apart, lags, strict=True)]
        both = zip(gain, chances, strict=True)
        cells.append("" if form is base else ", ".join(f"{one:+.1f} ({chance:.2g})" for one, chance in both))
    return " | ".join(cells)


def main() -> None:
    """Forecast, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, help="a long table of daily candles of American stocks")
    parser.add_argument("--fit-to", default="2014-12-31", help="last day of fitting")
    parser.add_argument("--to", default="2016-12-31", help="last day of judging")
    parser.add_argument("--forms", nargs="+", default=list(FORMS), choices=list(FORMS), metavar="FORM")
    parser.add_argument("--folder", type=Path, help="keeps what is computed")
    parser.add_argument("--har", action="store_true", help="HAR's quantiles, fitted each year from 2003 on")
    given = parser.parse_args()
    with kept_in(given.folder) as folder:
        if given.har:
            window = Window.of_har(fetched(given.panel, folder / "store"), 2003, given.to)
        else:
            window = Window.of(judged(given.panel, folder, given.fit_to, given.to))
    print(f"{window.moves.shape[1]} tickers, {len(window.origins)} days from {window.origins[0]}\n", flush=True)
    print("| form | pinball, bp | 80% band held | gain, pinball (p) | variogram (p) | long and short (p) |")
    print("|---" * 6 + "|", flush=True)
    base = scored(window, FORMS[BASE])
    print(f"| {BASE} | {row(base, base, window.every)} |", flush=True)
    for name in given.forms:
        if name != BASE:
            print(f"| {name} | {row(scored(window, FORMS[name]), base, window.every)} |", flush=True)


if __name__ == "__main__":
    main()
