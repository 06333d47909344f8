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
    "repair": Case(("data", "verify", "--repair", "--data-dir", "store", "--quiet"), broken="FB"),
}  # fmt: skip


def make_base(base: Path) -> None:
    """A store of the sample, one of whose files is to be updated; a finished run; and files to fetch."""
    fetch(source="sample", data_dir=base / "store")
    quick = (*QUICK, *STEPS[1:], "training.steps=20")
    train("gru", settings=quick, data_dir=base / "store", runs_dir=base / "runs", name="old")
    (base / "in").mkdir()
    store = Store(base / "store")
    for name in ("KO", "PEP"):
        one = store.read("IBM")
        rows = zip(one.dates, one.open, one.high, one.low, one.close, one.adj_close, strict=True)
        text = "".join(f"{','.join(map(str, row))}\n" for row in rows)
        (base / "in" / f"{name}.csv").write_text(f"date,open,high,low,close,adj_close\n{text}")
