"""Several backtests in one folder: workers share the folds, a killed one's are taken over, and none breaks another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecaster.walkforward.claims import SILENT, claims
from forecaster.workflows.backtest import backtest
from tests.studio import QUICK, REPOSITORY, environment, eventually, hear_interrupts
from tests.test_folds import GATE, GATED, fitted, plugin

pytest_plugins = ("tests.studio_fixtures",)

TINY = (*QUICK, "training.steps=3", "training.batch=4")
CLAIM = "from pathlib import Path; from forecaster.walkforward.claims import claims\n"
HOLD = f"{CLAIM}import sys\nwith claims(Path(sys.argv[1])) as own:\n    print(own.take(0), flush=True)\n    input()"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Where the module of the gate is; its first fold passes, and the others are held while `shut` is there."""
    plugin(tmp_path / "gated", "baselines", "gate", GATE.format(str(tmp_path / "gated" / "shut")))
    return tmp_path / "gated"


def begun(store: Path, runs: Path, gate: Path, *more: str) -> subprocess.Popen[str]:
    """A backtest of three folds."""
    settings = [part for one in (*TINY, GATED) for part in ("--set", one)]
    command = ["backtest", "gru", *settings, "--refit-every", "90", "--format", "json", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "forecaster", *command, "--data-dir", str(store), "--runs-dir", str(runs)],
        env=environment() | {"PYTHONPATH": os.pathsep.join([str(gate), str(REPOSITORY)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )


def claimed(runs: Path, pid: int) -> list[str]:
    """The folds that a process holds."""
    found = runs.glob(".backtest-*/claim-*")
    return [path.name.split("-")[1] for path in found if f'"pid": {pid},' in path.read_text()]


def figures(out: str) -> dict[str, object]:
    """A result, without the number of looks."""
    return {key: value for key, value in json.loads(out).items() if key != "test_period_looks"}


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has claimed fold 0 of a folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "walk")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(), text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def test_a_fold_is_taken_once_and_again_when_its_owner_was_killed(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    with claims(tmp_path / "walk") as own:
        assert not own.take(0)
        assert (own.holder(0) or "").endswith(f":{holder.pid}")
        assert own.take(1)
        assert own.others()
        holder.send_signal(signal.SIGKILL)
        assert eventually(lambda: own.holder(0) is None), "though nobody has waited for the dead process yet"
        assert not own.others()
        assert own.take(0)
        assert not own.take(0), "it is this process's now"
    with claims(tmp_path / "walk") as own:
        assert own.take(1), "given back at the end"


def test_an_owner_on_another_machine_is_dead_once_it_is_silent(tmp_path: Path) -> None:
    with claims(tmp_path) as own:
        claim = tmp_path / "claim-0-0"
        claim.write_text('{"host": "elsewhere/pid:[1]", "pid": 7, "started": "1"}')
        assert own.holder(0) == "elsewhere:7"
        silent = claim.stat().st_mtime - SILENT - 1
        os.utime(claim, (silent, silent))
        assert own.holder(0) is None
        (tmp_path / "claim-1-0").write_text("")  # its writer is about to write, or died in between
        assert not own.take(1)
        assert own.take(0)
        os.utime(own.held[0], (silent, silent))
        own.renew()
        assert own.held[0].stat().st_mtime > silent + SILENT


def test_a_killed_workers_fold_is_taken_by_another_and_the_last_shows_the_result(
    store: Path, tmp_path: Path, gate: Path
) -> None:
    runs = tmp_path / "runs"
    (gate / "shut").touch()
    first = begun(store, runs, gate, "--worker")
    assert eventually(lambda: bool(list(runs.glob(".backtest-*/fold-0/scores.safetensors"))))
    assert eventually(lambda: claimed(runs, first.pid) == ["1"])
    second = begun(store, runs, gate, "--worker")
    assert eventually(lambda: claimed(runs, second.pid) == ["2"])
    first.kill()
    first.communicate()
    third = begun(store, runs, gate, "--worker")
    assert eventually(lambda: claimed(runs, third.pid) == ["1"]), "what the killed one held"
    (gate / "shut").unlink()
    ends = [process.communicate() for process in (second, third)]
    assert [second.returncode, third.returncode] == [0, 0], ends
    assert [fitted(err) for _, err in ends] == [["3"], ["2"]]
    results = [figures(out) for out, _ in ends if out]
    assert results, "the last one has it"
    for out, err in ends:
        assert out or "1 fold of 3 fitted here; still being fitted: fold" in " ".join(err.split())
    out, err = begun(store, runs, gate).communicate()
    assert fitted(err) == [], "the folds of the workers are kept for a backtest that comes later"
    assert [figures(out)] * len(results) == results
    assert not list(runs.glob(".backtest-*"))


def test_two_backtests_of_the_same_share_the_folds_and_both_have_the_result(
    store: Path, tmp_path: Path, gate: Path
) -> None:
    runs = tmp_path / "runs"
    (gate / "shut").touch()
    both = [begun(store, runs, gate, "--workers", workers) for workers in ("1", "2")]
    assert eventually(lambda: all(claimed(runs, process.pid) for process in both))
    (gate / "shut").unlink()
    ends = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert sorted(number for _, err in ends for number in fitted(err)) == ["1", "2", "3"], "none is fitted twice"
    first, second = (figures(out) for out, _ in ends)
    assert first == second
    assert not list(runs.glob(".backtest-*"))


def test_a_backtest_takes_over_the_fold_that_it_waited_for(store: Path, tmp_path: Path, gate: Path) -> None:
    runs = tmp_path / "runs"
    (gate / "shut").touch()
    first = begun(store, runs, gate, "--worker")
    assert eventually(lambda: claimed(runs, first.pid) == ["1"])
    second = begun(store, runs, gate, "--workers", "1")
    assert eventually(lambda: claimed(runs, second.pid) == ["2"])
    first.kill()
    first.communicate()
    (gate / "shut").unlink()
    out, err = second.communicate()
    assert second.returncode == 0, err
    assert fitted(err) == ["2", "3"]
    alone = backtest("gru", settings=TINY, refit_every=90, data_dir=store, runs_dir=tmp_path / "alone", workers=1)
    ours, theirs = (
        [row for row in found["models"] if (row["name"], row["baseline"]) == ("gru", "ewma-random-walk")]
        for found in (json.loads(out), alone.as_data())
    )
    assert ours
    assert ours == theirs
