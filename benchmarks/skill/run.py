"""The table of skill on any long table of candles: `python benchmarks/skill/run.py panel.parquet`.

The table has the columns that `forecast fetch --source file` reads (ticker, date, open, high, low, close, adj_close,
volume). It is fetched into a temporary store; every method is fitted on the same years and scored on the same origins
as the EWMA random walk. Networks are trained from several seeds: mean ± standard error.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from measure import Measured, measure

from forecaster.baselines import REFERENCE
from forecaster.data.panel import Panel
from forecaster.data.sources import SourceOptions
from forecaster.evaluation.scores import SHARES
from forecaster.evaluation.sentences import chance
from forecaster.workflows.data import load_panel
from forecaster.workflows.fetch import fetch

HORIZON = "task.horizon=[1, 2, 3, 4, 5, 20]"
EVERY = "features=[base, vol, volume, weekday, market, season, shape, earnings, calendar, range, shocks, market_week]"
GEOMETRY = "features=[base]"
ALONE = "evaluation.baselines=[]"
SINGLE = ("training.steps=200", "training.learning_rate=3e-3", HORIZON, ALONE)
"""One network: 200 steps, the best of them by validation; uncalibrated, and a baseline likewise."""

GARCH_TICKERS = 40

METHODS = {
    "constant": ("gru", (*SINGLE, GEOMETRY, "model={name: constant}")),
    "garch": ("gru", (*SINGLE, GEOMETRY, "model={name: garch}")),
    "ewma-gk": ("gru", (*SINGLE, GEOMETRY, "model={name: ewma-garman-klass}")),
    "har": ("gru", (*SINGLE, GEOMETRY, "model={name: har}")),
    "harx": ("gru", (*SINGLE, "features=[volume, market, season]", "model={name: harx}")),
    "harxx": ("gru", (*SINGLE, EVERY, "model={name: harx}")),
    "gbm": ("gru", (*SINGLE, EVERY, "model={name: gbm}")),
    "gru-geometry": ("gru", (*SINGLE, GEOMETRY)),
    "dnn": ("gru", (*SINGLE, EVERY, "model={name: dnn}", "training.learning_rate=2e-3")),
    "rnn": ("rnn", (*SINGLE, EVERY, "training.learning_rate=2e-3")),
    "gru": ("gru", (*SINGLE, EVERY)),
    "lstm": ("lstm", (*SINGLE, EVERY)),
    "lru": ("gru", (*SINGLE, EVERY, "model={name: lru}")),
    "shipped-gru": ("gru", ("evaluation.baselines=[]",)),
    "recipe": ("best", ("evaluation.baselines=[harx, gbm]",)),
}
CERTAIN = ("constant", "garch", "ewma-gk", "har", "harx", "harxx", "gbm")
"""Methods that know no seed."""

LABELS = {
    "constant": "constant quantiles",
    "garch": f"GARCH(1,1)-t ({GARCH_TICKERS} tickers)",
    "ewma-gk": "EWMA Garman–Klass",
    "har": "HAR",
    "harx": "HARX: least squares with volume, market, season",
    "harxx": "HARXX: least squares on every feature",
    "gbm": "gradient boosting (`gbm`) on every feature",
    "gru-geometry": "GRU on the geometry alone",
    "dnn": "DNN on the last candle",
    "rnn": "RNN",
    "gru": "GRU",
    "lstm": "LSTM",
    "lru": "LRU",
    "shipped-gru": "`gru` as shipped, steps 1 to 5",
    "recipe": "the recipe (`best`)",
    "few": "`few`, truly alone",
}


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        fetch(source="file", options=SourceOptions(path=options.panel), data_dir=store)
        panel, split = load_panel(data_dir=store), _split(options.split)
        print(f"{len(panel)} tickers, {len(panel.sessions):,} candles, {panel.dates[0]} to {panel.dates[-1]}\n")
        print(_head("method", "h = 20"), flush=True)
        recipes: list[Measured] = []
        for row in (row for row in options.rows if row in METHODS):
            name, settings = METHODS[row]
            if row == "garch":
                few = panel.tickers[:: max(1, len(panel) // GARCH_TICKERS)][:GARCH_TICKERS]
                settings = (*settings, _only(few))
            seeds = 1 if row in CERTAIN else options.seeds
            found = [measure(store, name, (*settings, split, f"training.seed={10 * n}")) for n in range(seeds)]
            _line(LABELS[row], found)
            recipes = found if row == "recipe" else recipes
        if recipes:
            _details(recipes)
        if "few" in options.rows:
            _few(store, split, panel, options.draws)


def _options() -> argparse.Namespace:
    rows = (*METHODS, "few")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, help="CSV or Parquet, or a folder of them")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network (3)")
    parser.add_argument("--rows", nargs="+", choices=rows, default=rows, metavar="ROW", help=", ".join(rows))
    parser.add_argument("--draws", type=int, default=12, help="draws of one and of five tickers for `few` (12)")
    parser.add_argument(
        "--split",
        nargs=3,
        type=dt.date.fromisoformat,
        metavar="DATE",
        help="last dates of training, validation and test (two years each for the last two)",
    )
    return parser.parse_args()


def _split(dates: Sequence[dt.date] | None) -> str:
    if dates is None:
        return "data.split={validation: 2y, test: 2y}"
    return "data.split={{train_end: {}, validation_end: {}, test_end: {}}}".format(*dates)


def _only(tickers: Sequence[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in tickers)
    return f"data.tickers=[{quoted}]"


def _line(label: str, found: Sequence[Measured]) -> None:
    columns = zip(*(one.skills() for one in found), strict=True)
    seconds = statistics.mean(one.cpu for one in found)
    print(f"| {label} | {' | '.join(map(_spread, columns))} | {_margins(found)} | {seconds:.0f} |", flush=True)


def _margins(found: Sequence[Measured]) -> str:
    """Over HAR and over the formula that decides the verdict, over all steps; p of the first seed."""
    over = [
        100 * row.skill_pinball
        for one in found
        for row in one.card.rows
        if (row.name, row.baseline, row.variable, row.step) == (one.name, "har", "mean", "all") and row.skill_pinball
    ]
    hardest = found[0].card.verdict.hardest
    margins = [100 * (one.card.verdict.pinball_skill or 0) for one in found]
    p_value = f", {chance(hardest.p_value)}" if hardest and hardest.p_value is not None else ""
    return f"{_spread(over) if over else ''} | {_spread(margins)} ({hardest and hardest.baseline}{p_value})"


def _spread(values: Sequence[float]) -> str:
    error = f" ± {np.std(values, ddof=1) / len(values) ** 0.5:.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):.2f}{error}".replace("-", "−")


def _details(recipes: Sequence[Measured]) -> None:
    """The recipe at the first step against each baseline, its coverage, its coherence and its time."""
    name = recipes[0].name
    print(f"\nThe recipe at h = 1, mean of {len(recipes)} seeds; all sides fitted and calibrated alike.")
    print("| against | open | high | low | close |\n|---|---|---|---|---|")
    for other in (REFERENCE, "har", "harx", "gbm"):
        cards = [one.against(other) for one in recipes]
        cells = []
        for variable in ("open", "high", "low", "close"):
            rows = [
                row for card in cards for row in card.rows if (row.name, row.variable, row.step) == (name, variable, 1)
            ]
            gains, tests = [100 * (row.skill_pinball or 0) for row in rows], [row.dm_statistic or 0 for row in rows]
            cells.append(f"{_spread(gains)} %, t {np.mean(tests):.1f}".replace("-", "−"))
        print(f"| {'HARXX' if other == 'harx' else other} | {' | '.join(cells)} |")
    errors = []
    for band, share in enumerate(SHARES):
        held = [one.scores[name].inside[band][one.scores[name].known[:, 0], 0].mean() for one in recipes]
        errors.append(f"{100 * share:.0f} %: {np.mean(held) - share:+.4f}".replace("-", "−"))
    print(f"\nCoverage less what is promised, at h = 1: {', '.join(errors)}.")
    incoherent, crossed = (sum(one.broken[kind] for one in recipes) for kind in (0, 1))
    print(f"Incoherent candles: {incoherent}; crossed quantiles: {crossed}.")
    wall = [one.wall for one in recipes]
    print(f"Training: {np.mean(wall):.0f} s ({min(wall):.0f} to {max(wall):.0f}).")


def _head(first: str, last: str) -> str:
    """The header of a table of skill."""
    return (
        f"| {first} | h = 1 | h = 1–5 | {last} | over HAR | over the hardest | CPU s |\n|---|---|---|---|---|---|---|"
    )


def _few(store: Path, split: str, panel: Panel, draws: int) -> None:
    """Networks trained and tested on one ticker, and on five, that know of no other."""
    ends = panel.sessions[panel.offsets[1:] - 1]
    long = np.flatnonzero((panel.lengths > np.median(panel.lengths) / 2) & (ends == ends.max()))
    random = np.random.default_rng(0)
    print("\n" + _head(f"{LABELS['few']}: mean of {draws} draws", "last step"))
    for count in (1, 5):
        chosen = [
            [panel.tickers[place] for place in random.choice(long, min(count, len(long)), replace=False)]
            for _ in range(draws)
        ]
        found = [measure(store, "few", (_only(names), split, ALONE)) for names in chosen]
        _line(f"{count} ticker{'s' * (count > 1)}", found)


if __name__ == "__main__":
    main()
