"""benchmarks/m6 on made prices: the competition's score of knowing nothing, and that volatility is worth something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.studio import REPOSITORY, environment


def test_uniform_chances_score_what_the_competition_says_and_volatility_beats_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = np.arange(np.datetime64("2022-01-31"), np.datetime64("2023-02-18"))
    days = days[np.is_busday(days)]
    spread = np.linspace(0.002, 0.04, 100)
    prices = 100 * np.exp(np.cumsum(spread * rng.standard_normal((len(days), 100)), axis=0))
    rows = ["symbol,date,price"]
    for column in range(100):
        rows += [f"A{column},{day},{price:.6f}" for day, price in zip(days, prices[:, column], strict=True)]
    file = tmp_path / "assets.csv"
    file.write_text("\n".join(rows), encoding="utf-8")
    words = [sys.executable, str(REPOSITORY / "benchmarks" / "m6" / "run.py"), str(file)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    found = {cells[0]: float(cells[1]) for cells in lines}
    assert found["uniform"] == 0.16
    assert found["Ledoit–Wolf"] < 0.155
    assert abs(found["Ledoit–Wolf"] - found["independent"]) < 0.005, "nothing moves together here"
