"""Make the case study: `make case-study` (`python docs/case_study`).

Measures on the sample that ships with the package, writes results.json, draws the pictures and fills the template:
no number of the text is typed by hand, and a claim that its numbers do not bear out stops the command.
`--render` takes the recorded results; `--only shapes` measures one part again. Both languages are written of the same
numbers.
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
import languages

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

PARTS = ("candles", "networks", "shapes", "experiments")
"""What can be measured by itself; the others stay as they were recorded."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--render", action="store_true", help="write text and pictures from the recorded results")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="measure these, keep the other results")
    parser.add_argument("--workers", type=int, default=2, help="processes that train at once")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.json")
    parser.add_argument("--docs", type=Path, default=FOLDER.parent, help="where the pages and their pictures go")
    options = parser.parse_args()
    results = json.loads(options.results.read_text(encoding="utf-8")) if options.results.is_file() else {}
    if not options.render:
        with tempfile.TemporaryDirectory() as folder:
            results |= rounded(measure(folder, options.workers, options.only))
        options.results.write_text(f"{json.dumps(results, indent=1)}\n", encoding="utf-8")
    claims.check(results)
    write(results, options.docs)


def write(results: dict[str, Any], docs: Path) -> None:
    """Both pages with their pictures."""
    import pictures

    for language in languages.ALL:
        page = docs / language.page
        pictures.draw_all(results, docs / "pictures" / "case-study" / language.folder, language.say)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(document.text(results, language), encoding="utf-8")


def measure(folder: str, workers: int, parts: Sequence[str]) -> dict[str, Any]:
    """All that the text says, from the sample; the store and the runs lie in a folder that is thrown away."""
    import forecaster

    forecaster.fetch(source="sample", data_dir=f"{folder}/store")
    results: dict[str, Any] = {}
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        if "candles" in parts:
            results |= _candles(pool, f"{folder}/store")
        if "networks" in parts:
            results |= _networks(pool, folder)
        if "shapes" in parts:
            results["shapes"], results["grown"] = _shapes(pool, folder)
        if "experiments" in parts:
            results["experiments"] = _experiments(pool, folder)
    return results


def _candles(pool: ProcessPoolExecutor, store: str) -> dict[str, Any]:
    import candles
    import usual

    import forecaster

    panel = forecaster.load_panel(data_dir=store)
    whole = [ticker for place, ticker in enumerate(panel.tickers) if panel.lengths[place] >= usual.SHORTEST]
    forecasts = _done({ticker: pool.submit(usual.usual, ticker, store) for ticker in whole})
    return {"tensor": candles.tensor(panel, store), "waves": candles.waves(panel), "usual": forecasts}


def _networks(pool: ProcessPoolExecutor, folder: str) -> dict[str, Any]:
    import candles
    import outcomes

    runs = _runs(pool, folder)
    ahead = {name: pool.submit(outcomes.outcomes, f"{name}-0", folder) for name in ("gru", "har", "free")}
    fan = outcomes.fan("gru-0", candles.EXAMPLE, folder)
    return {"runs": runs, "outcomes": _done(ahead), "fan": fan}


def _runs(pool: ProcessPoolExecutor, folder: str) -> dict[str, list[dict[str, Any]]]:
    """The figures of every run, seed by seed; the recurrent networks' beside the DNN of the same seed too."""
    import networks

    learnt = _done(
        {
            f"{name}-{seed}": pool.submit(
                networks.trained,
                f"{name}-{seed}",
                [*networks.SETTINGS, setting, f"training.seed={seed}"],
                folder,
            )
            for name, (setting, seeds) in {**VARIANTS, **_formulas(networks.FORMULAS[1:])}.items()
            for seed in range(seeds)
        }
    )
    pairs = [(f"{name}-{seed}", f"dnn-{seed}") for name in CELLS for seed in range(SEEDS)]
    for run, dnn in pairs:
        learnt[run]["over"]["dnn"] = pool.submit(networks.beside, run, dnn, folder).result()
    return _by_name(learnt)


def _shapes(pool: ProcessPoolExecutor, folder: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every shape's figures, seed by seed; and those of paths grown from so many candles, as text."""
    import shapes

    learnt = _done(
        {
            f"{name}-{seed}": pool.submit(shapes.trained, f"{name}-{seed}", name, seed, folder)
            for name in (shapes.GROWN, *shapes.SHAPES)
            for seed in range(SEEDS)
        }
    )
    grown = _done(
        {
            f"{context}-{seed}": pool.submit(shapes.grown, f"{shapes.GROWN}-{seed}", context, folder)
            for context in shapes.CONTEXTS
            for seed in range(SEEDS)
        }
    )
    return _by_name(learnt), _by_name(grown)


def _experiments(pool: ProcessPoolExecutor, folder: str) -> dict[str, list[dict[str, Any]]]:
    import experiments

    changed = {
        f"{name}-{seed}": pool.submit(experiments.trained, f"{name}-{seed}", change, seed, folder)
        for name, change in experiments.CHANGES.items()
        for seed in range(SEEDS)
    }
    return _by_name(_done(changed))


def _by_name(learnt: dict[str, Any]) -> dict[str, list[Any]]:
    """`gru-0`, `gru-1` → the two of `gru`."""
    found: dict[str, list[Any]] = {}
    for run, one in learnt.items():
        found.setdefault(run.rpartition("-")[0], []).append(one)
    return found


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
