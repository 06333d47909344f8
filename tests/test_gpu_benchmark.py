"""benchmarks/gpu at its smallest size: without a GPU it says so, measures the CPU, and what it trained predicts."""

from __future__ import annotations

import subprocess
import sys

from tests.studio import QUICK, REPOSITORY, environment


def test_it_measures_this_machine_whatever_it_has() -> None:
    quick = [part for setting in (*QUICK[:2], *QUICK[3:4], "task.horizon=2") for part in ("--set", setting)]
    words = ["--cells", "gru", "--seeds", "1", "--steps", "1", "--set", "training.steps=2", *quick]
    words = [sys.executable, str(REPOSITORY / "benchmarks" / "gpu" / "run.py"), *words]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (row,) = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| gru")]
    assert float(row[1].replace(",", "")) > 0  # ours and the bare loop run anywhere
    assert float(row[3].replace(",", "")) > 0
    gpu = "No GPU here" not in done.stdout
    assert (row[6] == "not available") != gpu  # CUDA graphs
    kind = "cuda" if gpu else "cpu"
    assert f"skill of gru trained on {kind}: " in done.stdout
    assert f"trained on {kind}, predicts on a CPU: yes" in done.stdout
