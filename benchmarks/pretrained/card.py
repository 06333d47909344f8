"""Prints the shipped model's card: `python benchmarks/pretrained/card.py panel.parquet --currencies … --coins …`.

How the recipe does on tickers and years that it never saw: weights fitted to half of the tickers up to 2014, scored on
each ticker of the other half alone, beside simple formulas fitted to that ticker alone up to the day before the test.
Then what `predict` does on markets that it does not know: currencies and coins.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from halves import (
    STEPS,
    Losses,
    dataset_of,
    day,
    fetched,
    forecaster,
    formulas,
    halves,
    held,
    histories,
    learnt,
    losses,
    shipped_config,
    skill,
)

from forecaster.baselines import FORMULAS
from forecaster.config.schema import Config
from forecaster.data.bars import Bars
from forecaster.data.splits import Period
from forecaster.data.store import Store
from forecaster.inference.ensemble import Member
from forecaster.inference.foreign import own_dataset, own_quantiles

LEARNT_TO = "2014-12-31"
NEEDED = 250  # candles before a year, for a ticker to count
YEARS = {"2015": ("2014-12-31", "2015-12-31"), "2016": ("2015-12-31", "2016-12-31")}
TEST_YEARS = {"2017": ("2016-12-31", "2017-12-31"), "2018": ("2017-12-31", "2018-12-31")}
MARKETS = {"2016 and 2017": ("2015-12-31", "2017-12-31"), "2020 and 2021": ("2019-12-31", "2021-12-31")}


def main() -> None:
    """Measure and print."""
    options = _options()
    config = shipped_config()
    with tempfile.TemporaryDirectory() as folder:
        store = fetched(options.panel, Path(folder) / "stocks")
        first, second = halves(store)
        members = learnt(config, histories(store, first, LEARNT_TO, NEEDED, LEARNT_TO), LEARNT_TO).members
        years = YEARS | (TEST_YEARS if options.test else {})
        table = [row for year, span in years.items() for row in _of_year(store, second, span, members, config, year)]
        _print_years(table)
        _print_held(table)
        _print_kinds(table)
        for path, calendar, what in ((options.currencies, "24/5", "currencies"), (options.coins, "24/7", "coins")):
            if path:
                _print_market(fetched(path, Path(folder) / what, calendar), what, config)


Row = tuple[str, str, Bars, dict[str, Losses], dict[str, list[float]]]
"""Year, last day before it, candles, losses of the model and each formula, and what bands of the model and HAR held."""


def _of_year(
    store: Store, names: Sequence[str], span: tuple[str, str], members: Sequence[Member], config: Config, year: str
) -> Iterator[Row]:
    before, end = span
    period, levels = Period(day(before), day(end)), config.task.levels
    for bars in histories(store, names, end, NEEDED, before):
        dataset = dataset_of(config, [bars])
        if len(dataset.origins(period)) < 100:
            continue
        compared = {"pretrained": forecaster(members, config, dataset)} | formulas(FORMULAS, dataset, before, levels)
        bands = {name: held(compared[name], dataset, period, levels) for name in ("pretrained", "har")}
        yield year, before, bars, losses(compared, dataset, period, levels), bands


def _print_years(table: Sequence[Row]) -> None:
    years = list(dict.fromkeys(row[0] for row in table))
    print(f"\nBetter than each formula, fitted to the ticker itself, in per cent at {' / '.join(STEPS)}:\n")
    print(f"| year | tickers | {' | '.join(FORMULAS)} |")
    print("|---|---|" + "---|" * len(FORMULAS))
    for year in [*years, "all"]:
        chosen = [row[3] for row in table if year in (row[0], "all")]
        count = len(chosen) if year != "all" else ""
        print(f"| {year} | {count} | {' | '.join(_cell(chosen, one) for one in FORMULAS)} |")


def _print_held(table: Sequence[Row]) -> None:
    print(f"\n| year | the 80% band of `pretrained` held, {' / '.join(STEPS)} | HAR's | nine tickers of ten, h = 1 |")
    print("|---|---|---|---|")
    for year in dict.fromkeys(row[0] for row in table):
        found = {name: np.array([row[4][name] for row in table if row[0] == year]) for name in ("pretrained", "har")}
        cells = (" / ".join(f"{value:.1%}" for value in one.mean(axis=0)) for one in found.values())
        low, high = np.quantile(found["pretrained"][:, 0], (0.05, 0.95))
        print(f"| {year} | {' | '.join(cells)} | {low:.1%} to {high:.1%} |")


def _cell(found: Sequence[dict[str, Losses]], formula: str) -> str:
    gains = np.array([skill(one["pretrained"], one[formula]) for one in found])
    return " / ".join(f"{value:+.2f}" for value in gains.mean(axis=0))


def _print_kinds(table: Sequence[Row]) -> None:
    """By volatility in the year before, in thirds; and young tickers."""
    kinds: dict[str, list[dict[str, Losses]]] = defaultdict(list)
    moves = np.array([_volatility(bars, before) for _, before, bars, _, _ in table])
    bounds = np.quantile(moves, [1 / 3, 2 / 3])
    for (_, before, bars, found, _), move in zip(table, moves, strict=True):
        kinds[("quiet third", "middle third", "lively third")[int(np.searchsorted(bounds, move))]].append(found)
        if (bars.dates <= day(before)).sum() < 1260:
            kinds["listed for less than five years"].append(found)
    print(f"\n| kind of ticker | ticker-years | {' | '.join(FORMULAS)} |")
    print("|---|---|" + "---|" * len(FORMULAS))
    for kind in ("quiet third", "middle third", "lively third", "listed for less than five years"):
        if kinds[kind]:
            print(f"| {kind} | {len(kinds[kind])} | {' | '.join(_cell(kinds[kind], one) for one in FORMULAS)} |")


def _volatility(bars: Bars, before: str) -> float:
    known = bars.between(end=day(before))
    return float(np.diff(np.log(known.adj_close[-252:])).std())


def _print_market(store: Store, what: str, config: Config) -> None:
    """The formula of their own that answers there, beside HAR fitted up to the test."""
    levels = config.task.levels
    print(f"\n| {what}, better than HAR | tickers | fitted to the ticker itself | fitted to all of them |")
    print("|---|---|---|---|")
    for years, (before, end) in MARKETS.items():
        bars = histories(store, store.tickers(), end, NEEDED, before)
        if not bars:
            continue
        period, together = Period(day(before), day(end)), dataset_of(config, bars)
        pooled = formulas(["har"], together, before, levels)["har"]
        alone, pool = [], []
        for number, one in enumerate(bars):
            dataset = own_dataset(one, config.task.steps)
            rows = dataset.origins(period)
            own = dict(zip(rows.tolist(), own_quantiles(dataset, rows, levels), strict=True))
            start = together.panel.offsets[number]
            compared = {
                "own": lambda wanted, own=own: np.stack([own[row] for row in wanted.tolist()]),
                "pooled": lambda wanted, start=start, pooled=pooled: pooled(wanted + start),
            } | formulas(["har"], dataset, before, levels)
            found = losses(compared, dataset, period, levels)
            alone.append(skill(found["own"], found["har"]))
            pool.append(skill(found["own"], found["pooled"]))
        cells = (" / ".join(f"{value:+.2f}" for value in np.mean(one, axis=0)) for one in (alone, pool))
        print(f"| {years} | {len(bars)} | {' | '.join(cells)} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panel", type=Path, help="a long table of daily candles of American stocks")
    parser.add_argument("--currencies", type=Path, help="one of currency pairs")
    parser.add_argument("--coins", type=Path, help="one of coins")
    parser.add_argument("--test", action="store_true", help="2017 and 2018 too, on which nothing was decided")
    return parser.parse_args()


if __name__ == "__main__":
    main()
