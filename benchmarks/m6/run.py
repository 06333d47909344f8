"""The M6 competition's forecasting challenge, in hindsight: `python benchmarks/m6/run.py m6_assets.csv`.

100 assets, twelve periods of four weeks from 2022-03-04: with what probability does each asset's return fall into which
fifth of all? Scored by the competition's ranked probability score; 0.2 each gives 0.16.

Only closes exist, from five weeks before. So volatility is the EWMA of daily closes (decay 0.94), correlation is shrunk
(Ledoit–Wolf), as for tickers with short histories, and no asset is expected to do better than another.

Source: Makridakis et al. (2024), "The M6 forecasting competition: Bridging the gap between forecasting and investment
decisions", for the score.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.inference.shrinkage import shrunk_correlation
from forecaster.positions.rivals import ewma_deviation

FIRST, WEEKS, PERIODS = "2022-03-04", 4, 12
FIFTHS = 5
DRAWS = 20_000


def main() -> None:
    """Forecast each period from what was known at its start, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path, help="a CSV with symbol, date and price (adjusted close)")
    prices = _prices(parser.parse_args().assets)
    starts = pd.date_range(FIRST, periods=PERIODS + 1, freq=f"{7 * WEEKS}D")
    closes = [prices.loc[:day].iloc[-1].to_numpy() for day in starts]
    methods = ("uniform", "independent", "half-shrunk", "Ledoit–Wolf")
    scores = {name: np.empty(PERIODS) for name in methods}
    for period in range(PERIODS):
        came = _fifths(np.log(closes[period + 1] / closes[period])[None])[0]
        for name in methods:
            scores[name][period] = _score(_chances(name, prices.loc[: starts[period]]), came)
    print("| correlation | mean RPS | better than 0.16 | " + " | ".join(str(day.date()) for day in starts[:-1]) + " |")
    print("|---" * (PERIODS + 3) + "|")
    for name, found in scores.items():
        months = " | ".join(f"{one:.4f}" for one in found)
        print(f"| {name} | {found.mean():.5f} | {(found < 0.16).sum()} of {PERIODS} | {months} |")


def _prices(path: Path) -> pd.DataFrame:
    """Closes by date and asset; the last one where a market was closed, or an asset was delisted."""
    table = pd.read_csv(path, parse_dates=["date"])
    prices = table.pivot(index="date", columns="symbol", values="price")
    return prices[prices.notna().sum(axis=1) > len(prices.columns) / 2].ffill().bfill()


def _chances(name: str, known: pd.DataFrame) -> np.ndarray:
    """Probability of each fifth, [asset, fifth]."""
    if name == "uniform":
        return np.full((known.shape[1], FIFTHS), 1 / FIFTHS)
    returns = np.diff(np.log(known.to_numpy()), axis=0)
    deviation = ewma_deviation(returns)[-1]
    correlation = shrunk_correlation(returns)
    if name != "Ledoit–Wolf":
        sample = np.corrcoef(returns, rowvar=False)
        correlation = 0.5 * sample + 0.5 * np.eye(len(sample)) if name == "half-shrunk" else np.eye(len(sample))
    normal = np.random.default_rng(0).standard_normal((DRAWS, len(deviation)))
    fifths = _fifths(normal @ np.linalg.cholesky(correlation).T * deviation)
    return np.stack([(fifths == fifth).mean(axis=0) for fifth in range(FIFTHS)], axis=1)


def _fifths(returns: np.ndarray) -> np.ndarray:
    """Which fifth of all assets each return belongs to, 0 to 4."""
    ranks = np.argsort(np.argsort(returns, axis=1), axis=1)
    return ranks * FIFTHS // returns.shape[1]


def _score(chances: np.ndarray, came: np.ndarray) -> float:
    """Mean ranked probability score over the assets."""
    happened = came[:, None] <= np.arange(FIFTHS)
    return float(((chances.cumsum(axis=1) - happened) ** 2).mean())


if __name__ == "__main__":
    main()
