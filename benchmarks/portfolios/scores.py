"""Energy and variogram scores of joint paths beside other kinds of dependence on the same marginals.

    python benchmarks/portfolios/scores.py panel.parquet --fit-to 2014-12-31 --to 2016-12-31 [--folder cache]

Groups of ten tickers, every fifth day, closes after 1, 5 and 20 days; needs `scoringrules`.

Source: Gneiting & Raftery (2007), "Strictly proper scoring rules, prediction, and estimation", for the energy score;
Scheuerer & Hamill (2015), "Variogram-based proper scoring rules", of order 0.5.
"""

from __future__ import annotations

import numpy as np
import scoringrules
from run import daily_correlation, dependence, options
from work import STEPS, actual, judged, kept_in, quarters

from forecaster.data.coherence import CLOSE
from forecaster.evaluation.significance import diebold_mariano
from forecaster.inference.tails import inverse

GROUPS, SIZE, EVERY, PATHS = 30, 10, 5, 200
SCORES = {"energy": scoringrules.es_ensemble, "variogram": scoringrules.vs_ensemble}


def main() -> None:
    """Forecast, score, print."""
    given = options()
    with kept_in(given.folder) as folder:
        work = judged(given.panel, folder, given.fit_to, given.to)
        usable = np.flatnonzero((work.rows >= 0).all(axis=0))
        rng = np.random.default_rng(0)
        groups = np.stack([rng.choice(usable, SIZE, replace=False) for _ in range(GROUPS)])
        kinds = given.kinds
        outcome = {step: actual(work, step) for step in STEPS}
        chosen = [step - 1 for step in STEPS]
        shares = (np.arange(PATHS) + 0.5) / PATHS
        found: dict[tuple[str, str, int], list[float]] = {}
        together = daily_correlation(work)
        for block, stretches in quarters(work):
            rankers = {kind: dependence(stretches, kind, PATHS, together) for kind in kinds}
            for date in range(block.start + (-block.start) % EVERY, block.stop, EVERY):
                forecast = work.quantiles[date][:, chosen, CLOSE].astype(float)
                own = np.broadcast_to(work.tails[chosen, CLOSE], (*forecast.shape[:2], 2, 2))
                moves = 100 * inverse(forecast, work.levels, own, shares)
                for kind, ranker in rankers.items():
                    drawn = np.take_along_axis(moves, ranker(work.dates[date]), axis=-1)
                    for number, step in enumerate(STEPS):
                        members = np.moveaxis(drawn[groups, number], -1, 1)  # [group, path, ticker]
                        came = 100 * outcome[step][date][groups]
                        for name, score in SCORES.items():
                            value = float(np.mean(score(came, members, m_axis=-2, v_axis=-1)))
                            found.setdefault((name, kind, step), []).append(value)
    _print(found, kinds)


def _print(found: dict[tuple[str, str, int], list[float]], kinds: list[str]) -> None:
    steps = " | ".join(f"{step} day{'s' if step > 1 else ''} | {kinds[0]} better by | p" for step in STEPS)
    for name in SCORES:
        print(f"\n| {name} score | {steps} |\n|---|" + "---|" * (3 * len(STEPS)))
        for kind in kinds:
            cells = []
            for step in STEPS:
                own, other = (np.array(found[name, one, step]) for one in (kinds[0], kind))
                cells.append(f"{other.mean():.3f}")
                if kind == kinds[0]:
                    cells += ["", ""]
                    continue
                p_value = diebold_mariano(own - other, -(-step // EVERY)).p_value
                few = np.isnan(p_value)  # fewer than 30 days
                cells += [f"{1 - own.mean() / other.mean():+.2%}", "" if few else f"{p_value:.2g}"]
            print(f"| {kind} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
