"""Folds and trials in a real Ray on this machine; what needs no Ray is tested without it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from forecaster.errors import InputError, OutsideError
from forecaster.walkforward import cluster
from forecaster.workflows.backtest import backtest
from tests.studio import QUICK, REPOSITORY, environment, eventually
from tests.test_folds import GATE, GATED, plugin

pytest_plugins = ("tests.studio_fixtures",)

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install '.[ray]'")
TINY = (*QUICK, "training.steps=3", "training.batch=4")
SEEN = GATE.replace("        gate = Path", "        Path({!r}, str(os.getpid())).touch()\n        gate = Path")
"""A gate that tells which processes come to it."""


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"^--engine ray needs Ray, which is not installed: pip install 'stock-f"):
        backtest("gru", engine="ray", runs_dir=tmp_path)


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "127.0.0.1:port", "ray://127.0.0.1:{port}"])
def test_an_unreachable_cluster_is_told_at_once(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: True)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))  # and nobody listens
        address = address.format(port=one.getsockname()[1])
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(OutsideError, match=rf"^RAY_ADDRESS {address}: no Ray cluster can be reached: .*; start it"):
            backtest("gru", engine="ray", runs_dir=tmp_path)


def test_a_node_that_does_not_see_the_folder_is_told(tmp_path: Path) -> None:
    answer = cluster.do_task("forecaster.walkforward.fold", str(tmp_path / "elsewhere"), 0)
    assert answer is not None
    assert answer["code"] == 4
    assert "elsewhere is not there on Ray's node" in answer["error"]
    assert "name a --runs-dir that all nodes share." in answer["error"]


@needs_ray
def test_a_task_whose_worker_is_killed_is_begun_again_and_the_result_is_that_of_local(
    store: Path, tmp_path: Path
) -> None:
    gate, seen = tmp_path / "gated", tmp_path / "seen"
    plugin(gate, "baselines", "gate", SEEN.format(str(seen), str(gate / "shut")))
    seen.mkdir()
    (gate / "shut").touch()
    settings = [part for one in (*TINY, GATED) for part in ("--set", one)]
    command = [
        sys.executable,
        "-m",
        "forecaster",
        "backtest",
        "gru",
        *settings,
        "--refit-every",
        "90",
        "--workers",
        "2",
    ]
    command += ["--format", "json", "--data-dir", str(store)]
    env = environment() | {"PYTHONPATH": os.pathsep.join([str(gate), str(REPOSITORY)])}
    env.pop("RAY_ADDRESS", None)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, "--engine", "ray", "--runs-dir", str(tmp_path / "ray")], env=env, **pipes)  # type: ignore[call-overload]
    held: Callable[[], list[str]] = lambda: [path.name for path in seen.iterdir()]  # noqa: E731
    assert eventually(lambda: len(held()) == 2 or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    assert str(process.pid) not in held(), "the parent fits none"
    assert eventually(lambda: len(list(tmp_path.glob("ray/.backtest-*/fold-*/scores.safetensors"))) == 1)
    os.kill(int(held()[0]), signal.SIGKILL)
    assert eventually(lambda: len(held()) == 3 or process.poll() is not None), "a third process takes its task"
    (gate / "shut").unlink()
    out, err = process.communicate()
    assert process.returncode == 0, err
    local = subprocess.run([*command, "--runs-dir", str(tmp_path / "local")], env=env, capture_output=True, check=True)
    ours, theirs = json.loads(out), json.loads(local.stdout)
    assert ours.pop("test_period_looks")
    assert theirs.pop("test_period_looks")
    assert ours == theirs
    assert not list(tmp_path.glob("ray/.backtest-*"))
