"""Is it worth training on? `python benchmarks/pretrained/finetune.py panel.parquet`

Draws one and five tickers, twelve times each, from a half of the stocks that the weights have not seen: `pretrained`
alone (weights fitted to the other half up to 2014), `finetune` from these weights, and `few`, both fitted to the drawn
tickers up to 2016. Skill beside the EWMA random walk in 2017 and 2018, or with --earlier two years before.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from halves import (
    STEPS,
    dataset_of,
    day,
    fetched,
    forecaster,
    formulas,
    halves,
    histories,
    learnt,
    losses,
    shipped_config,
    skill,
)

from forecaster.data.splits import Period
from forecaster.header import Init
from forecaster.modelfile import weights_of
from forecaster.runs.config import load_config
from forecaster.training.init import InitialWeights

DRAWS = 12
NEEDED = 250


def main() -> None:
    """Measure and print."""
    options = _options()
    learnt_to, known_to, end = (
        ("2012-12-31", "2014-12-31", "2016-12-31") if options.earlier else ("2014-12-31", "2016-12-31", "2018-12-31")
    )
    shipped, tuned, few = shipped_config(), load_config("finetune"), load_config("few", ["task.horizon=20"])
    with tempfile.TemporaryDirectory() as folder:
        store = fetched(options.panel, Path(folder))
        first, second = halves(store)
        start = learnt(shipped, histories(store, first, learnt_to, NEEDED, learnt_to), learnt_to)
        init = InitialWeights(
            tuple(weights_of(one) for one in start.members), start.base, Init("half", "", day(learnt_to))
        )
        drawn_from = histories(store, second, end, 6 * 252, known_to)
        print(f"| tickers | method | {' | '.join(STEPS)} |")
        print("|---|---|---|---|---|")
        for size in (1, 5):
            found: dict[str, list[list[float]]] = {}
            for draw in range(DRAWS):
                chosen = np.random.default_rng([draw, size]).choice(len(drawn_from), size, replace=False)
                bars = [drawn_from[place] for place in sorted(chosen)]
                known = [one.between(end=day(known_to)) for one in bars]
                own, alone = dataset_of(tuned, bars), dataset_of(few, bars)
                runs = {
                    "`pretrained`": forecaster(start.members, shipped, own),
                    "`finetune`": forecaster(learnt(tuned, known, known_to, init=init).members, tuned, own),
                    "`few`": forecaster(learnt(few, known, known_to).members, few, alone),
                }
                period, levels = Period(day(known_to), day(end)), shipped.task.levels
                others = formulas(["ewma-random-walk", "har"], own, known_to, levels)
                scores = losses({**runs, **others}, own, period, levels)
                for name in (*runs, "har"):
                    found.setdefault(name, []).append(skill(scores[name], scores["ewma-random-walk"]))
            for name, gains in found.items():
                print(f"| {size} | {name} | {_cells(np.array(gains))} |", flush=True)


def _cells(gains: np.ndarray) -> str:
    mean, error = gains.mean(axis=0), gains.std(axis=0, ddof=1) / len(gains) ** 0.5
    return " | ".join(f"{value:.2f} ± {of:.2f}" for value, of in zip(mean, error, strict=True))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panel", type=Path, help="a long table of daily candles of American stocks")
    parser.add_argument("--earlier", action="store_true", help="two years earlier, where choices were made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
