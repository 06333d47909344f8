"""The commands that are tortured, and the folder that each begins in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forecaster.data.store import Store
from forecaster.runs.folder import CONFIG
from forecaster.workflows.fetch import fetch
from forecaster.workflows.train import train
from tests.studio import QUICK, settings
from tests.torture.harness import Case

PLACES = ("--data-dir", "store", "--runs-dir", "runs")
STEPS = ("training.steps=100", "task.supervision=window", "task.context=10", "training.batch=4", "model.hidden_size=4")
TRAIN = ("train", "gru", *settings(*STEPS), "--name", "new", "--quiet", *PLACES)


TUNE = ("tune", "space.yaml", "--quiet", "--output", "tuned.yaml", *PLACES, "--workers", "1")
SPACE = """
model: {name: gru, hidden_size: 4}
data: {tickers: [AAPL, IBM], split: {train_end: 2009-06-30, validation_end: 2010-06-30, test_end: 2011-06-30}}
task: {horizon: 2, supervision: window, context: 10}
training: {steps: 20, batch: 4, device: cpu}
tune: {space: {training.learning_rate: [0.001, 0.01], model.hidden_size: [4, 6]}, trials: 2, pruner: none}
"""


def _deleted(folder: Path) -> Sequence[str]:
    """The same again, or where the run is gone already, any command that looks at the runs."""
    if (folder / "runs" / "old").is_dir():
        return ("runs", "delete", "old", "--yes", "--quiet", "--runs-dir", "runs")
    return TRAIN


def _goes_on(folder: Path) -> Sequence[str]:
    """What a user does after a kill: resume if there is something to resume, else the same again."""
    begun, done = (folder / "runs" / "new" / name for name in (CONFIG, "model.safetensors"))
    if done.is_file():  # only the tidying is left
        return ("train", "gru", *settings(*STEPS), "--name", "other", "--quiet", *PLACES)
    return ("train", "--resume", "new", "--quiet", *PLACES) if begun.is_file() else TRAIN


CASES = {
    "fetch": Case(
        ("fetch", "--source", "file", "--path", "in", "--data-dir", "store", "--quiet"),
    ),
    "train": Case(TRAIN, _goes_on, ("runs/new/model.safetensors", "runs/new/curve.csv", "runs/new/config.yaml")),
    "replace": Case(
        ("train", "gru", *settings(*STEPS), "--name", "old", "--force", "--quiet", *PLACES),
        same=("runs/old/model.safetensors", "runs/old/config.yaml"),
    ),
    "predict": Case(("predict", "AAPL", "IBM", "--offline", "--run", "old", "--quiet", "--output", "out.csv",
                     "--format", "csv", *PLACES), same=("out.csv",)),
    "backtest": Case(
        ("backtest", "gru", *settings(*STEPS, "training.steps=10"), "--refit-every", "100", "--workers", "1",
         "--quiet", "--format", "json", "--output", "out.json", *PLACES),
        same=("out.json",),
    ),
    "folds": Case(
        ("backtest", "gru", *settings(*STEPS, "training.steps=20"), "--refit-every", "130", "--workers", "2",
         "--quiet", "--format", "json", "--output", "out.json", *PLACES),
        same=("out.json",), several=True,
    ),
    "tune": Case(TUNE, same=("tuned.yaml",)),
    "trials": Case((*TUNE[:-1], "2"), several=True),
    "risk": Case(("risk", "AAPL=100", "IBM=50", "--run", "old", "--backtest", "--paths", "1000", "--quiet",
                  "--output", "out.json", "--format", "json", "--plot", "out.html", *PLACES),
                 same=("out.json", "out.html")),
    "report": Case(("report", "old", "--quiet", *PLACES), same=("runs/old/report.html",)),
    "delete": Case(("runs", "delete", "old", "--yes", "--quiet", "--runs-dir", "runs"), _deleted, gone=("runs/old",)),
    "export": Case(("data", "export", "--to", "safetensors", "--output", "out.safetensors", "--data-dir", "store",
                    "--quiet"), same=("out.safetensors",)),
    "cache": Case(("data", "cache", "--clear", "--data-dir", "store", "--quiet"), gone=("store/.cache",)),
    "repair": Case(("data", "verify", "--repair", "--data-dir", "store", "--quiet"), broken="FB"),
}  # fmt: skip


def make_base(base: Path) -> None:
    """A store of the sample, one of whose files is to be updated; a finished run; and files to fetch."""
    fetch(source="sample", data_dir=base / "store")
    quick = (*QUICK, *STEPS[1:], "training.steps=20")
    train("gru", settings=quick, data_dir=base / "store", runs_dir=base / "runs", name="old")
    (base / "space.yaml").write_text(SPACE)
    (base / "in").mkdir()
    store = Store(base / "store")
    for name in ("KO", "PEP"):
        one = store.read("IBM")
        rows = zip(one.dates, one.open, one.high, one.low, one.close, one.adj_close, strict=True)
        text = "".join(f"{','.join(map(str, row))}\n" for row in rows)
        (base / "in" / f"{name}.csv").write_text(f"date,open,high,low,close,adj_close\n{text}")
