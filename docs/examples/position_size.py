"""A stop for the next session and the position that it allows, from forecasts and from fixed percentages.

`python docs/examples/position_size.py` trains `demo` and `har` on the sample in a temporary folder, and prints the
table of docs/position-size.md. Each evening of the two test years, which had no part in training, every stock is bought
at the close with a stop below it, and sold at the next close.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import forecaster

RISK = 0.01  # of the account, lost at the stop
LEVEL = 0.05  # share of sessions that should reach the stop
FIRST, LAST = (
    "2011-03-02",
    "2013-02-27",
)  # the test of demo and har; the last session is the outcome of the last evening
OPEN, LOW, CLOSE = 0, 2, 3
MONTH, FEWEST = 21, 60  # sessions


class Evenings(NamedTuple):
    """One value for each stock and evening.

    Args:
        stops: of each rule, the distance of the stop below the close; a fraction of it.
        next_day: open, high, low and close of the next session over the close, minus 1.
        wild: third of the stock's evenings by its mean range of the month before: 0 calm, 1, 2 wild.
        stock: number of the stock.
    """

    stops: dict[str, np.ndarray]
    next_day: np.ndarray  # [evening, 4]
    wild: np.ndarray
    stock: np.ndarray


def main() -> None:
    """Train, decide each evening, and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        store, runs = Path(folder) / "store", Path(folder) / "runs"
        forecaster.fetch(source="sample", data_dir=store)
        for config in ("har", "demo"):
            settings = {"data.tickers": ["AAPL", "FB", "GOOG", "IBM", "MSFT"]}
            forecaster.train(config, name=config, settings=settings, data_dir=store, runs_dir=runs)
        evenings = decide(store, runs)
    print("\n".join(table(evenings)))


def decide(store: Path, runs: Path) -> Evenings:
    """The stop of each rule on each evening; none of them reads anything later."""
    panel = forecaster.load_panel(data_dir=store)
    parts = []
    for number, ticker in enumerate(panel.tickers):
        candles = panel.ohlc[number][panel.observed[number]]
        dates = panel.dates[panel.observed[number]]
        said = {
            run: forecaster.outputs(ticker, run=run, start=FIRST, end=LAST, data_dir=store, runs_dir=runs)
            for run in ("har", "demo")
        }
        today = np.searchsorted(dates, said["demo"].dates)
        today = today[today >= FEWEST]
        stops = {"fixed 2%": np.full(len(today), 0.02), "fixed 3%": np.full(len(today), 0.03)}
        stops["each stock's own past"] = np.array([own_past(candles[: day + 1]) for day in today])
        for run, one in said.items():
            low = one.quantiles[-len(today) :, 0, LOW, one.levels.index(LEVEL)]
            stops[f"`{run}`"] = 1 - np.exp(low)
        moves = candles[today + 1] / candles[today, CLOSE, None] - 1
        ranges = np.log(candles[:, 1] / candles[:, LOW])
        recent = np.array([ranges[day + 1 - MONTH : day + 1].mean() for day in today])
        wild = np.searchsorted(np.quantile(recent, [1 / 3, 2 / 3]), recent)
        parts.append(Evenings(stops, moves, wild, np.full(len(today), number)))
    rules = parts[0].stops
    return Evenings(
        {rule: np.concatenate([part.stops[rule] for part in parts]) for rule in rules},
        *(np.concatenate(values) for values in list(zip(*parts, strict=True))[1:]),
    )


def own_past(candles: np.ndarray) -> float:
    """The distance that the lows of `LEVEL` of all sessions so far reached below the close before."""
    return float(-np.quantile(candles[1:, LOW] / candles[:-1, CLOSE] - 1, LEVEL))


def results(stops: np.ndarray, next_day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The account's return on each evening's position, and whether its stop was hit.

    A session that opens below the stop is sold at its open. Costs are not counted.
    """
    hit = next_day[:, LOW] <= -stops
    sold = np.where(hit, np.minimum(-stops, next_day[:, OPEN]), next_day[:, CLOSE])
    return RISK / stops * sold, hit


def table(evenings: Evenings) -> Iterator[str]:
    """The page's table, in Markdown."""
    columns = ("stop", "hit", "by stock", "calm third", "wild third", "position", "risk by stock", "risk calm, wild")
    yield f"| {' | '.join((*columns, 'lost when hit', 'worst'))} |"
    yield "|---" * (len(columns) + 2) + "|"
    calm, wild = evenings.wild == 0, evenings.wild == 2
    for rule, stops in evenings.stops.items():
        gain, hit = results(stops, evenings.next_day)
        stocks = [evenings.stock == number for number in np.unique(evenings.stock)]
        hits, risks = [hit[one].mean() for one in stocks], [gain[one].std() for one in stocks]
        cells = (
            rule,
            f"{hit.mean():.1%}",
            f"{min(hits):.1%} to {max(hits):.1%}",
            f"{hit[calm].mean():.1%}",
            f"{hit[wild].mean():.1%}",
            f"{(RISK / stops).mean():.0%}",
            f"{min(risks):.2%} to {max(risks):.2%}",
            f"{gain[calm].std():.2%}, {gain[wild].std():.2%}",
            f"{-gain[hit].mean():.2%}",
            f"{-gain.min():.1%}",
        )
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
