"""The same config, data and machine give the same bytes, elsewhere and later; `runs reproduce` shows it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, command, environment, settings

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Answer]


def test_a_run_is_reproduced_bit_for_bit(trained: TrainedRun, store: Path, runs_dir: Path, say: Ask) -> None:
    before = (trained.folder / "model.safetensors").read_bytes()
    answer = say("runs", "reproduce", "small", "--data-dir", store, "--runs-dir", runs_dir, "--format", "json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert (found["run"], found["same"], found["different"], found["reasons"]) == ("small", True, [], [])
    assert found["weights"] > 3
    assert (trained.folder / "model.safetensors").read_bytes() == before
    assert sorted(path.name for path in trained.folder.iterdir()) == ["config.yaml", "curve.csv", "model.safetensors"]


@pytest.mark.parametrize("change", ["a weight", "a version"])
def test_what_is_not_the_same_is_named_and_ends_with_3(
    change: str, trained: TrainedRun, store: Path, tmp_path: Path, say: Ask
) -> None:
    run = Path(shutil.copytree(trained.folder, tmp_path / "runs" / "small"))
    path = run / "model.safetensors"
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        header = json.loads(file.metadata()["forecaster"])
    changed = next(name for name in tensors if name.startswith("0/"))
    tensors[changed] = np.nextafter(tensors[changed], np.float32(9))
    header["versions"]["torch"] = "1.0"
    save_file(tensors, path, {"forecaster": json.dumps(header)})
    answer = say("runs", "reproduce", "small", "--data-dir", store, "--runs-dir", run.parent, "--quiet")
    assert answer.code == 3
    assert f"arrays differ ({changed})" in answer.err
    assert "It was trained with torch 1.0, this is" in answer.err


@pytest.mark.parametrize("folder", ["store", "nothing"])
def test_the_shipped_run_says_that_its_candles_are_elsewhere(
    folder: str, store: Path, tmp_path: Path, say: Ask
) -> None:
    data = store if folder == "store" else tmp_path / folder
    answer = say("runs", "reproduce", "pretrained", "--data-dir", data, "--runs-dir", tmp_path / "runs")
    assert answer.code == 2
    assert "the candles of its 204 tickers do not ship with it, and the store lacks" in answer.err
    assert "forecast runs reproduce mine" in answer.err


def test_another_folder_hash_seed_and_number_of_threads_give_the_same_bytes(store: Path, tmp_path: Path) -> None:
    quick = settings("training.steps=20", "task.supervision=window", "task.context=10", "model.hidden_size=4")
    running = []
    for seed in ("0", "4242"):
        folder = tmp_path / f"in {seed}"
        shutil.copytree(store, folder / "store")
        words = command("train", "gru", *quick, "--name", "x", "--data-dir", "store", "--runs-dir", "runs", "--quiet")
        env = environment() | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1" if seed == "0" else "2"}
        running.append(subprocess.Popen(words, cwd=folder, env=env, stdout=subprocess.DEVNULL))
    assert [process.wait() for process in running] == [0, 0]
    one, other = (tmp_path / f"in {seed}" / "runs" / "x" for seed in ("0", "4242"))
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name
