"""How far back can an RNN, a GRU and an LSTM use what they saw? `python benchmarks/memory/run.py` measures and reports.

Two questions to the project's own networks: whether they learn to recall a symbol shown 10 to 400 steps ago, and how
large the gradient of the output is with respect to the input k steps ago. Leaves results.json, memory.svg and, between
the two marks of README.md, the numbers. Takes about half an hour of one idle core.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from page import write_page
from recall import CELLS, MOST_STEPS, RATES, Cell, Recaller, gradient_reach, learn

FOLDER = Path(__file__).resolve().parent
DELAYS = (10, 25, 50, 100, 200, 400)
TRAINED_AT = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--delays", type=int, nargs="+", default=DELAYS)
    parser.add_argument("--render", action="store_true", help="only write picture and README from the recorded results")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of the results")
    options = parser.parse_args()
    if options.render:
        return write_page(options.output)
    torch.set_num_threads(1)
    begin = time.process_time()
    results = measure(options.seeds, tuple(options.delays))
    results["cpu_minutes"] = round((time.process_time() - begin) / 60, 1)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_page(options.output)


def measure(seeds: int, delays: tuple[int, ...]) -> dict[str, Any]:
    """Every cell at every delay, with every seed."""
    trained_at = min(delays, key=lambda delay: abs(delay - TRAINED_AT))
    found: dict[str, dict[str, list[dict[str, Any]]]] = {cell.label: {} for cell in CELLS}
    gradient: dict[str, dict[str, list[float]]] = {"start": {}, "trained": {}}
    for cell in CELLS:
        own = found[cell.label]
        for delay in delays:
            if delay > trained_at and any(run["steps"] is None for run in list(own.values())[-1]):
                break  # not every seed recalled at the delay before, and to find that out for longer ones takes hours
            runs = [learn(cell, delay, seed) for seed in range(seeds)]
            own[str(delay)] = [{"steps": run.steps, "rate": run.rate, "share": round(run.share, 3)} for run in runs]
            print(f"{cell.label:<20} {delay:>4} steps: {own[str(delay)]}", flush=True)
            if delay == trained_at:
                gradient["trained"][cell.label] = _middle([run.network for run in runs], delays[-1])
        gradient["start"][cell.label] = _middle(
            [_untrained(cell, trained_at, seed) for seed in range(seeds)], delays[-1]
        )
    return {
        "delays": delays, "seeds": seeds, "most_steps": MOST_STEPS,
        "rates": RATES, "trained_at": trained_at, "recalled": found, "gradient": gradient,
    }  # fmt: skip


def _untrained(cell: Cell, delay: int, seed: int) -> Recaller:
    torch.manual_seed(seed)
    return Recaller(cell, delay)


def _middle(networks: list[Recaller], steps: int) -> list[float]:
    """The median over seeds of each step's gradient; three digits say enough."""
    curves = zip(*(gradient_reach(network, steps) for network in networks), strict=True)
    return [float(f"{statistics.median(values):.3g}") for values in curves]


if __name__ == "__main__":
    main()
