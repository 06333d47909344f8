"""What a GPU gives: `python benchmarks/gpu/run.py [--seeds 3] [--steps 50] [--cells gru …]`.

Steps a second of the training loop and of a bare torch loop of the same network, batch and loss (float32, bfloat16,
compiled, as a CUDA graph); peak memory; skill beside the CPU's within seeds; whether what was trained there predicts on
a CPU. Without a GPU it says so and measures the CPU. At most five minutes: cells that no longer fit are not measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from forecaster.config.schema import TrainingConfig
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.training.device import autocast, require_precision
from forecaster.training.fit import fit
from forecaster.training.loss import pinball
from forecaster.training.sampling import Sampler
from forecaster.trial import Trial
from forecaster.workflows.fetch import fetch
from forecaster.workflows.predict import predict
from forecaster.workflows.train import train

CELLS = ("rnn", "lstm", "gru", "attention")
LOOPS = ("ours", "ours, bfloat16", "bare", "bare, bfloat16", "bare, compiled", "bare, CUDA graph")
LIMIT = 240.0
"""Seconds after which no further cell begins."""

Loop = Callable[[], None]


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50, help="of one stretch that is timed")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args(words)
    begun = time.monotonic()
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    torch.set_num_threads(1)
    print(torch.cuda.get_device_name() if gpu else "No GPU here: the CPU is measured, one thread.")
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"  # of its own: trainings look at its test
        fetch([], source="sample", data_dir=store)
        print(f"\n| cell | {' | '.join(LOOPS)} | peak memory |\n|---|{'---|' * (len(LOOPS) + 1)}")
        for cell in options.cells:
            late = time.monotonic() - begun > LIMIT
            found = ["no time left"] * (len(LOOPS) + 1) if late else _row(cell, store, device, options)
            print(f"| {cell} | {' | '.join(found)} |", flush=True)
        print(f"\n{_skills(store, Path(folder) / 'runs', device, options)}")


def _row(cell: str, store: Path, device: torch.device, options: argparse.Namespace) -> list[str]:
    own = (f"model={{name: {cell}}}", f"training.steps={options.steps}", f"training.device={device.type}")
    trial = prepare(load_config("gru", (*own, *options.settings)), store)
    sampler = Sampler(trial.dataset, trial.config.task, trial.split.train, device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    found = [_rate(loop, trial, sampler, options.steps) for loop in LOOPS]
    peak = f"{torch.cuda.max_memory_allocated() / 2**20:,.0f} MiB" if device.type == "cuda" else "not available"
    return [*found, peak]


def _rate(loop: str, trial: Trial, sampler: Sampler, steps: int) -> str:
    """Steps a second, the first stretch left out; what a machine does not have is said, whatever says so."""
    try:
        run = _loop(loop, trial, sampler, steps)
        run()
        _wait(sampler.device)
        begun = time.perf_counter()
        run()
        _wait(sampler.device)
        return f"{steps / (time.perf_counter() - begun):,.1f}"
    except Exception as error:  # compilers and drivers raise what they like
        print(f"{loop}: {' '.join(str(error).split())[:200]}", file=sys.stderr)
        return "not available"


def _loop(loop: str, trial: Trial, sampler: Sampler, steps: int) -> Loop:
    precision = "bfloat16" if "bfloat16" in loop else "float32"
    require_precision(precision, sampler.device)
    network = _network(trial).to(sampler.device)
    if loop.startswith("ours"):
        training = trial.config.training.model_copy(update={"precision": precision})
        return lambda: _ours(network, trial, sampler, training)
    return _bare(network, trial, sampler, steps, precision, loop)


def _network(trial: Trial) -> Network:
    config = trial.config
    base = trial.dataset.base(trial.split.train, config.task.levels)
    return make_network(config.networks[0], config.task.head, len(trial.dataset.features.names), base, "direct", 0.0)


def _ours(network: Network, trial: Trial, sampler: Sampler, training: TrainingConfig) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place, levels = Path(folder) / "checkpoint", trial.levels
        fit(network, sampler, training, levels, validation=None, checkpoint=place, fingerprint="")


def _bare(network: Network, trial: Trial, sampler: Sampler, steps: int, precision: str, loop: str) -> Loop:
    batch = sampler.draw(trial.config.training.batch, torch.Generator().manual_seed(0))
    levels = torch.tensor(trial.levels, device=sampler.device)
    graph = loop.endswith("CUDA graph")
    if loop.endswith("compiled") and sampler.device.type == "cpu":
        raise RuntimeError("compiling the loop over candles takes minutes on a CPU, and is slower than without")
    optimiser = torch.optim.AdamW(network.parameters(), fused=True, capturable=graph)
    forward = torch.compile(network) if loop.endswith("compiled") else network

    def step() -> None:
        optimiser.zero_grad(set_to_none=not graph)
        with autocast(precision, sampler.device):
            quantiles = forward(batch.inputs, sampler.span)
        pinball(quantiles.float(), batch.targets, batch.mask, levels).backward()
        optimiser.step()

    once = _captured(step) if graph else step
    return lambda: [once() for _ in range(steps)] and None


def _captured(step: Loop) -> Loop:
    if not torch.cuda.is_available():
        raise RuntimeError("CUDA graphs need a GPU of NVIDIA")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _skills(store: Path, runs: Path, device: torch.device, options: argparse.Namespace) -> str:
    """Skill of a GRU over the reference by seeds, on this device and on the CPU, and a forecast by a CPU."""
    lines = []
    for kind in dict.fromkeys((device.type, "cpu")):
        skills = [_skill(store, runs, kind, seed, options) for seed in range(options.seeds)]
        spread = f" ± {statistics.stdev(skills):.2f}" if len(skills) > 1 else ""
        lines.append(f"skill of gru trained on {kind}: {statistics.mean(skills):+.2f}{spread} % ({len(skills)} seeds)")
    forecast = predict(["AAPL"], run=f"{device.type}-0", data_dir=store, runs_dir=runs, offline=True)  # numpy, on a CPU
    lines.append(f"trained on {device.type}, predicts on a CPU: {'yes' if forecast else 'no'}")
    return "\n".join(lines)


def _skill(store: Path, runs: Path, kind: str, seed: int, options: argparse.Namespace) -> float:
    own = (f"training.device={kind}", f"training.seed={seed}", *options.settings)
    card = train("gru", settings=own, data_dir=store, runs_dir=runs, name=f"{kind}-{seed}").scorecard
    rows = [row for row in card.rows if (row.name, row.baseline, row.step) == (card.model, card.reference, "all")]
    return 100 * statistics.mean(row.skill_pinball or 0.0 for row in rows)


if __name__ == "__main__":
    main()
