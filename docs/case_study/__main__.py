"""Make the case study: `make case-study` (`python docs/case_study`).

Measures on the sample that ships with the package, writes results.json, draws the pictures and fills the template:
no number of the text is typed by hand, and a claim that its numbers do not bear out stops the command.
`--render` takes the recorded results.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import claims
import document

FOLDER = Path(__file__).resolve().parent
SEEDS, WORKERS = 3, 2
CELLS = ("rnn", "lstm", "gru", "dnn")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--render", action="store_true", help="write text and pictures from the recorded results")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.json")
    parser.add_argument("--output", type=Path, default=FOLDER.parent / "case-study.md")
    parser.add_argument("--pictures", type=Path, default=FOLDER.parent / "pictures" / "case-study")
    options = parser.parse_args()
    if not options.render:
        with tempfile.TemporaryDirectory() as folder:
            text = json.dumps(rounded(measure(folder)), indent=1)
        options.results.write_text(f"{text}\n", encoding="utf-8")
    results = json.loads(options.results.read_text(encoding="utf-8"))
    claims.check(results)
    import pictures

    pictures.draw_all(results, options.pictures)
    options.output.write_text(document.text(results), encoding="utf-8")


def measure(folder: str) -> dict[str, Any]:
    """All that the text tells, from the sample; the store and the runs lie in a folder that is thrown away."""
    import candles
    import networks
    import usual

    import forecaster
    from forecaster.models import MODELS

    forecaster.fetch(source="sample", data_dir=f"{folder}/store")
    panel = forecaster.load_panel(data_dir=f"{folder}/store")
    results = {"tensor": candles.tensor(panel), "waves": candles.waves(panel)}
    variants = {name: [f"model={{name: {name}, hidden_size: 64}}"] for name in CELLS if name in MODELS}
    if "dnn" in variants:
        variants["dnn"] = ["model={name: dnn}"]
    variants |= {"one": ["task.horizon=1"], "free": ["task.head=quantile"]}
    whole = [ticker for place, ticker in enumerate(panel.tickers) if panel.lengths[place] >= usual.SHORTEST]
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        stocks = {ticker: pool.submit(usual.usual, ticker, f"{folder}/store") for ticker in whole}
        runs = {
            name: [pool.submit(networks.trained, name, settings, seed, folder) for seed in range(SEEDS)]
            for name, settings in variants.items()
        }
        results["usual"] = {ticker: _said(f"usual {ticker}", one) for ticker, one in stocks.items()}
        results["runs"] = {
            name: [_said(f"{name} {seed}", one) for seed, one in enumerate(many)] for name, many in runs.items()
        }
        outcomes = {name: pool.submit(networks.outcomes, f"{name}-0", folder) for name in ("gru", "free")}
        results["outcomes"] = {name: _said(f"outcomes {name}", one) for name, one in outcomes.items()}
    results["fan"] = networks.fan("gru-0", candles.EXAMPLE, folder)
    return results


def _said(what: str, one: Future[Any]) -> Any:
    result = one.result()
    print(what, "done", flush=True)
    return result


def rounded(value: Any) -> Any:
    """Numbers with five digits: what a text shows, and no noise of the machine."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
