"""Make the case study: `make case-study` (`python docs/case_study`).

Measures on the sample that ships with the package, writes results.json, draws the pictures and fills the template:
no number of the text is typed by hand, and a claim that its numbers do not bear out stops the command.
`--render` takes the recorded results.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import claims
import document

FOLDER = Path(__file__).resolve().parent
SEEDS = 3
CELLS = ("rnn", "lstm", "gru")
VARIANTS = {
    "dnn": ("model={name: dnn}", SEEDS),
    **{name: (f"model={{name: {name}, hidden_size: 64}}", SEEDS) for name in CELLS},
    "one": ("task.horizon=1", SEEDS),
    "free": ("task.head=quantile", SEEDS),
}
"""What is trained: one setting beside those of all, and with how many seeds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--render", action="store_true", help="write text and pictures from the recorded results")
    parser.add_argument("--workers", type=int, default=2, help="processes that train at once")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.json")
    parser.add_argument("--output", type=Path, default=FOLDER.parent / "case-study.md")
    parser.add_argument("--pictures", type=Path, default=FOLDER.parent / "pictures" / "case-study")
    options = parser.parse_args()
    if not options.render:
        with tempfile.TemporaryDirectory() as folder:
            text = json.dumps(rounded(measure(folder, options.workers)), indent=1)
        options.results.write_text(f"{text}\n", encoding="utf-8")
    results = json.loads(options.results.read_text(encoding="utf-8"))
    claims.check(results)
    import pictures

    pictures.draw_all(results, options.pictures)
    options.output.write_text(document.text(results), encoding="utf-8")


def measure(folder: str, workers: int) -> dict[str, Any]:
    """All that the text says, from the sample; the store and the runs lie in a folder that is thrown away."""
    import candles
    import outcomes
    import usual

    import forecaster

    store = f"{folder}/store"
    forecaster.fetch(source="sample", data_dir=store)
    panel = forecaster.load_panel(data_dir=store)
    results = {"tensor": candles.tensor(panel, store), "waves": candles.waves(panel)}
    whole = [ticker for place, ticker in enumerate(panel.tickers) if panel.lengths[place] >= usual.SHORTEST]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        results["usual"] = _done({ticker: pool.submit(usual.usual, ticker, store) for ticker in whole})
        results["runs"] = _runs(pool, folder)
        ahead = {name: pool.submit(outcomes.outcomes, f"{name}-0", folder) for name in ("gru", "har", "free")}
        results["outcomes"] = _done(ahead)
    results["fan"] = outcomes.fan("gru-0", candles.EXAMPLE, folder)
    return results


def _runs(pool: ProcessPoolExecutor, folder: str) -> dict[str, list[dict[str, Any]]]:
    """The figures of every run, seed by seed; the recurrent networks' beside the DNN of the same seed too."""
    import networks

    learnt = _done(
        {
            f"{name}-{seed}": pool.submit(
                networks.trained, f"{name}-{seed}", [setting, f"training.seed={seed}"], folder
            )
            for name, (setting, seeds) in {**VARIANTS, **_formulas(networks.FORMULAS[1:])}.items()
            for seed in range(seeds)
        }
    )
    pairs = [(f"{name}-{seed}", f"dnn-{seed}") for name in CELLS for seed in range(SEEDS)]
    for run, dnn in pairs:
        learnt[run]["over"]["dnn"] = pool.submit(networks.beside, run, dnn, folder).result()
    runs: dict[str, list[dict[str, Any]]] = {}
    for run, figures in learnt.items():
        runs.setdefault(run.rpartition("-")[0], []).append(figures)
    return runs


def _formulas(names: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Least squares and means have no seed: once is enough."""
    return {name: (f"model={{name: {name}}}", 1) for name in names}


def _done(futures: dict[str, Future[Any]]) -> dict[str, Any]:
    found = {}
    for name, future in futures.items():
        found[name] = future.result()
        print(name, "done", flush=True)
    return found


def rounded(value: Any) -> Any:
    """Numbers with five digits: what a text shows, and no noise of the machine."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
