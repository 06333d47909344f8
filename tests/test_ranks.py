"""Training in several processes, started by the real torchrun: the figures of one, one line for each failure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from forecaster.config.schema import TaskConfig
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.evaluation.ledgerfile import NAME
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from forecaster.training.along import learn_along
from forecaster.training.files import read_curves
from forecaster.training.ranks import ALONE, Ranks
from forecaster.training.sampling import Sampler
from tests.studio import QUICK, dataset, environment, eventually, forecast, panel, settings

pytest_plugins = ("tests.studio_fixtures",)

SMALL = settings("task.supervision=window", "task.context=10", "training.batch=4")
TWO_MEMBERS = settings(
    "training.steps=60", "training.through=latest", "model=null", "members=[{name: har}, {name: rnn, hidden_size: 5}]"
)


def places(store: Path, runs: Path) -> list[str]:
    return ["--data-dir", str(store), "--runs-dir", str(runs)]


def torchrun(size: int, *arguments: str) -> list[str]:
    """The command of the docs."""
    started = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(size), "-m", "forecaster"]
    return [*started, *arguments]


def together(size: int, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(torchrun(size, *arguments), cwd=cwd, env=safe(), capture_output=True, text=True, check=False)


def safe() -> dict[str, str]:
    return environment() | {"PYTHONSAFEPATH": "1"}


def ours(err: str) -> list[str]:
    """The lines of standard error that are not torchrun's."""
    return [line for line in err.splitlines() if line.startswith(("error: ", "· ", "note: "))]


def assert_same_figures(folder: Path, other: Path) -> None:
    names = ["config.yaml", "curve.csv", "model.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    found, expected = (load_file(one / "model.safetensors") for one in (folder, other))
    assert found.keys() == expected.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-3, atol=1e-5, err_msg=name)
    found_curves, expected_curves = (read_curves(one / "curve.csv", 2) for one in (folder, other))
    assert found_curves is not None
    assert expected_curves is not None
    points, expected_points = ([point for curve in of for point in curve] for of in (found_curves, expected_curves))
    assert [point.step for point in points] == [point.step for point in expected_points]
    assert [point.loss for point in points] == pytest.approx([point.loss for point in expected_points], rel=1e-5)


def skills(answer: subprocess.CompletedProcess[str]) -> list[float]:
    """Of a training's JSON: the skill on each test period, beside each baseline."""
    found: list[float] = []

    def collect(value: Any) -> None:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(inner, dict | list):
                collect(inner)
            elif key == "skill_pinball":
                found.append(inner)

    collect(json.loads(answer.stdout))
    assert found
    return found


@pytest.mark.parametrize(
    "more", [TWO_MEMBERS, settings("training.steps=20", "training.init=small")], ids=["members", "init"]
)
def test_two_processes_give_the_figures_of_one(
    store: Path, runs_dir: Path, trained: object, more: list[str], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "small").symlink_to(runs_dir / "small")
    line = ["train", "gru", *(more if "training.init=small" in more else [*SMALL, *more])]
    line += ["--format", "json", *places(store, runs)]
    alone = forecast(*line, "--name", "alone", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    (store / NAME).unlink()
    both = together(2, *line, "--name", "both", cwd=tmp_path)
    assert both.returncode == 0, both.stderr
    assert_same_figures(runs / "both", runs / "alone")
    assert skills(both) == pytest.approx(skills(alone), abs=1e-4)
    assert len((store / NAME).read_text().splitlines()) == 1, "one look, by rank 0"
    assert ours(both.stderr)[0] == "· reading candles"
    assert len(ours(both.stderr)) == len(ours(alone.stderr)), "the other process is silent"


@pytest.fixture(scope="module")
def whole(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training in one process that is never interrupted."""
    runs = tmp_path_factory.mktemp("whole") / "runs"
    done = forecast("train", "gru", *LONG, "--name", "whole", *places(store, runs), cwd=runs.parent)
    assert done.returncode == 0, done.stderr
    return runs / "whole"


LONG = [*SMALL, *settings("training.steps=150")]


def processes(of: int) -> dict[str, int]:
    """The process of each rank."""
    children = Path(f"/proc/{of}/task/{of}/children").read_text().split()
    ranks = {}
    for child in children:
        variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        ranks.update({one[5:].decode(): int(child) for one in variables if one.startswith(b"RANK=")})
    return ranks


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the ranks in /proc")
@pytest.mark.parametrize(("victim", "then"), [("1", 1), ("0", 2)])
def test_a_killed_process_ends_all_with_one_line_and_any_number_goes_on(
    store: Path, whole: Path, tmp_path: Path, victim: str, then: int
) -> None:
    runs = tmp_path / "runs"
    training = subprocess.Popen(
        torchrun(2, "train", "gru", *LONG, "--name", "stopped", "--quiet", *places(store, runs)),
        cwd=tmp_path,
        env=safe(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert eventually(lambda: bool(list(runs.glob("stopped/checkpoint*"))) or training.poll() is not None)
    os.kill(processes(training.pid)[victim], signal.SIGKILL)
    out, err = training.communicate()
    assert training.returncode == 1
    assert out == ""
    (line,) = ours(err)
    assert line.startswith("error: a process of this training ended, and the others with it: continue with ")
    assert line.endswith("-m forecaster train --resume stopped (any K).")
    assert "(SIGKILL)" in err.partition("Root Cause")[2], "torchrun's report names the one that was killed"
    again = ["train", "--resume", "stopped", *places(store, runs)]
    resumed = forecast(*again, cwd=tmp_path) if then == 1 else together(then, *again, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_figures(runs / "stopped", whole)


@pytest.mark.parametrize(
    ("size", "arguments", "expected"),
    [
        (2, ["predict", "AAPL"], "error: forecast predict runs in one process: start it without torchrun"),
        (
            3,
            ["train", "gru"],
            "error: training.batch is 64, which 3 processes cannot share evenly: choose a multiple of 3",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused_in_one_line(
    store: Path, tmp_path: Path, size: int, arguments: list[str], expected: str
) -> None:
    done = together(size, *arguments, *places(store, tmp_path / "runs"), cwd=tmp_path)
    assert done.returncode == 1, "torchrun's own exit code"
    (line,) = ours(done.stderr)
    assert line.startswith(expected)
    assert "exitcode  : 2" in done.stderr.partition("Root Cause")[2]
    assert not (tmp_path / "runs").exists()


def test_help_is_shown_once(tmp_path: Path) -> None:
    done = together(2, "train", "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: forecast train") == 1


def test_one_process_under_torchrun_gives_the_bytes_of_none(store: Path, whole: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    done = together(1, "train", "gru", *LONG, "--name", "whole", *places(store, runs), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("model.safetensors", "curve.csv", "config.yaml"):
        assert (runs / "whole" / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.parametrize("supervision", ["window", "dense"])
def test_the_shares_of_all_processes_are_the_rows_of_the_batch(supervision: str) -> None:
    task = TaskConfig(horizon=2, context=20, supervision=supervision)  # type: ignore[arg-type]
    data, period = dataset(panel(300, 250), task.steps), Period(None, np.datetime64("2010-11-30"))

    def drawn(ranks: Ranks) -> tuple[torch.Tensor, ...]:
        sampler = Sampler(data, task, period, torch.device("cpu"), ranks.share)
        batch = sampler.draw(12, torch.Generator().manual_seed(5))
        return batch.inputs, batch.targets, batch.mask

    whole, shares = drawn(ALONE), [drawn(Ranks(rank, 3)) for rank in range(3)]
    for part, every in enumerate(whole):
        joined = torch.empty_like(every)
        for rank, share in enumerate(shares):
            joined[rank::3] = share[part]
        assert torch.equal(joined, every)


def test_a_process_that_reads_other_candles_refuses_to_learn_along(store: Path) -> None:
    trial = prepare(load_config("gru", QUICK), store)
    with pytest.raises(InputError, match=r"rank 1 reads other candles than rank 0: copy the data folder"):
        learn_along(trial, {"fingerprint": f"not {trial.panel.fingerprint}"}, Ranks(1, 2))


def test_a_batch_must_be_a_multiple_of_the_processes() -> None:
    ALONE.require_batch(7)
    Ranks(0, 2).require_batch(64)
    with pytest.raises(InputError, match=r"training\.batch is 7, .*--set training\.batch=8\."):
        Ranks(0, 2).require_batch(7)


def test_processes_that_would_have_to_share_a_device_are_refused() -> None:
    mps, cuda = torch.device("mps"), torch.device("cuda")
    assert ALONE.device(mps) == mps
    with pytest.raises(InputError, match=r"training\.device mps trains in one process"):
        Ranks(0, 2).device(mps)
    fewer = torch.cuda.device_count()
    with pytest.raises(InputError, match=rf"with {fewer} here, fewer than processes"):
        Ranks(fewer, fewer + 1, fewer).device(cuda) if fewer else Ranks(0, 2).device(cuda)
