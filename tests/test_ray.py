"""Folds and trials in a real Ray on this machine; what needs no Ray is tested without it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from forecaster.errors import InputError, OutsideError
from forecaster.walkforward import cluster
from forecaster.workflows.backtest import backtest
from forecaster.workflows.train import train
from tests.studio import QUICK, REPOSITORY, command, environment, eventually, hear_interrupts
from tests.test_folds import GATE, GATED, plugin

pytest_plugins = ("tests.studio_fixtures",)

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install '.[ray]'")
TINY = (*QUICK, "training.steps=3", "training.batch=4")
HELD = """
import os, time
from pathlib import Path
from torch import nn

STEPS = [0]


class Held(nn.Module):
    def __init__(self, input_size: int, *, width: int = 3) -> None:
        super().__init__()
        self.layer = nn.Linear(input_size, width)
        self.output_size, self.causal, self.skip = width, True, True

    def forward(self, inputs):
        if self.training and Path({shut!r}).exists():
            Path({seen!r}, str(os.getpid())).touch()
            STEPS[0] += 1
            while STEPS[0] > 52 and Path({shut!r}).exists():
                time.sleep(0.02)
        return self.layer(inputs)
"""
"""A network that tells which processes train it, and that each of them waits at its 53rd step while `shut` is there."""

CLUSTER = """
import os, sys
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""

YAML = """
data:
  tickers: [AAPL, IBM]
  split: {train_end: 2009-06-30, validation_end: 2010-06-30, test_end: 2011-06-30}
task: {horizon: 2, context: 20}
features: [base, vol]
training: {steps: 60, warmup: 1, batch: 4, learning_rate: 1e-2, device: cpu}
"""

SEEN = GATE.replace("        gate = Path", "        Path({!r}, str(os.getpid())).touch()\n        gate = Path")
"""A gate that tells which processes come to it."""


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    for work in (backtest, train):
        with pytest.raises(InputError, match=r"^--engine ray needs Ray, which is not installed: pip install 'stock-f"):
            work("gru", engine="ray", runs_dir=tmp_path)


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "127.0.0.1:port", "ray://127.0.0.1:{port}"])
def test_an_unreachable_cluster_is_told_at_once(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: True)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))  # and nobody listens
        address = address.format(port=one.getsockname()[1])
        monkeypatch.setenv("RAY_ADDRESS", address)
        for work in (backtest, train):
            with pytest.raises(
                OutsideError, match=rf"^RAY_ADDRESS {address}: no Ray cluster can be reached: .*; start"
            ):
                work("gru", engine="ray", runs_dir=tmp_path)


def test_a_cluster_that_is_gone_is_told_before_features_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))  # and nobody listens
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{one.getsockname()[1]}")
        with pytest.raises(OutsideError, match="no Ray cluster can be reached"), cluster.ray_engine(None):
            pytest.fail("here features are computed")


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
    line = command("backtest", "gru", *settings, "--refit-every", "90", "--workers", "2")
    line += ["--format", "json", "--data-dir", str(store)]
    env = environment() | {"PYTHONPATH": os.pathsep.join([str(gate), str(REPOSITORY)])}
    env.pop("RAY_ADDRESS", None)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*line, "--engine", "ray", "--runs-dir", str(tmp_path / "ray")], env=env, **pipes)  # type: ignore[call-overload]
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
    local = subprocess.run([*line, "--runs-dir", str(tmp_path / "local")], env=env, capture_output=True, check=True)
    ours, theirs = json.loads(out), json.loads(local.stdout)
    assert ours.pop("test_period_looks")
    assert theirs.pop("test_period_looks")
    assert ours == theirs
    assert not list(tmp_path.glob("ray/.backtest-*"))


class Cluster:
    """A Ray of two workers, and commands that use it."""

    def __init__(self, folder: Path, store: Path) -> None:
        self.folder, self.store, self.shut, self.seen = folder, store, folder / "shut", folder / "seen"
        plugin(folder / "held", "models", "held", HELD.format(shut=str(self.shut), seen=str(self.seen)))
        points = folder / "held" / "held-1.0.dist-info" / "entry_points.txt"
        points.write_text("[forecaster.models]\nheld = held:Held\n")
        self.env = environment() | {"PYTHONPATH": os.pathsep.join([str(folder / "held"), str(REPOSITORY)])}
        self.env |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}  # a Ray of today asks for one
        pipe = subprocess.PIPE
        own = {"env": self.env, "stdin": pipe, "stdout": pipe, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen([sys.executable, "-c", CLUSTER], **own)  # type: ignore[call-overload]
        self.address = self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.communicate()

    def hold(self) -> None:
        """From now on networks wait at their 53rd step, after their first checkpoint."""
        shutil.rmtree(self.seen, ignore_errors=True)
        self.seen.mkdir()
        self.shut.touch()

    def begin(self, place: Path, *words: str) -> subprocess.Popen[str]:
        """A command; what it says is in `place/said`."""
        place.mkdir(exist_ok=True)
        env = self.env | ({"RAY_ADDRESS": self.address} if "ray" in words else {})
        with (place / "said").open("w") as said, (place / "out").open("w") as out:
            places = ["--data-dir", str(self.store), "--runs-dir", str(place / "runs")]
            line, files = command(*words, *places, "--format", "json"), {"stdout": out, "stderr": said}
            return subprocess.Popen(line, env=env, cwd=place, text=True, preexec_fn=hear_interrupts, **files)

    def run(self, place: Path, *words: str) -> str:
        """What a command says until it has ended well."""
        assert self.begin(place, *words).wait() == 0, (place / "said").read_text()
        return " ".join((place / "said").read_text().split())

    def workers(self) -> list[int]:
        """The processes that were seen to train, and are alive."""
        return [int(one.name) for one in self.seen.iterdir() if Path(f"/proc/{one.name}").exists()]

    def lose_one(self, process: subprocess.Popen[str], place: Path, checkpoints: str) -> None:
        """Kills a worker once both have a checkpoint, and waits for the one that takes its task."""
        saved = lambda: len(list(place.glob(f"runs/{checkpoints}"))) >= 2  # noqa: E731
        assert eventually(lambda: saved() or process.poll() is not None)
        assert process.poll() is None, (place / "said").read_text()
        first, *_ = before = self.workers()
        assert len(before) == 2
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: bool(set(self.workers()) - set(before)) or process.poll() is not None)

    def interrupt(self, process: subprocess.Popen[str], place: Path) -> None:
        """Presses Ctrl-C; then no worker is at work, and all may pass."""
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130, (place / "said").read_text()
        assert "error: interrupted; what was finished is kept." in (place / "said").read_text()
        assert (place / "out").read_text() == ""
        assert eventually(lambda: not self.workers())
        self.shut.unlink()


@pytest.fixture(scope="module")
def ray_cluster(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    one = Cluster(tmp_path_factory.mktemp("cluster"), store)
    yield one
    one.close()


@needs_ray
def test_a_training_on_a_cluster_outlives_a_worker_and_an_interrupt_and_is_that_of_local(
    ray_cluster: Cluster, tmp_path: Path
) -> None:
    config = tmp_path / "ensemble.yaml"
    config.write_text(YAML + "members: [{name: har}, {name: held}, {name: held}, {name: held}]\n")
    learn = ("train", str(config), "--name", "one")
    ray_cluster.hold()
    process = ray_cluster.begin(tmp_path / "ray", *learn, "--engine", "ray")
    ray_cluster.lose_one(process, tmp_path / "ray", "one/checkpoint-*.safetensors")
    said = tmp_path / "ray" / "said"
    assert eventually(lambda: "is trained to step 60" in said.read_text() or process.poll() is not None)
    ray_cluster.interrupt(process, tmp_path / "ray")
    assert not list(tmp_path.glob("ray/runs/one/*candles"))
    resumed = ray_cluster.run(tmp_path / "ray", "train", "--resume", "one", "--engine", "ray")
    assert "training 3 networks, 1 trained already, 2 at a time: 180 steps in all" in resumed
    assert resumed.count("is trained to step 60") == 2, "what is trained is not trained again"
    ray_cluster.run(tmp_path / "local", *learn)
    names = [sorted(path.name for path in (tmp_path / way / "runs" / "one").iterdir()) for way in ("ray", "local")]
    assert names[0] == names[1] == ["config.yaml", "curve.csv", "model.safetensors"]
    for name in names[0]:
        ray, local = ((tmp_path / way / "runs" / "one" / name).read_bytes() for way in ("ray", "local"))
        assert ray == local, name


@needs_ray
def test_a_search_on_a_cluster_outlives_a_worker_and_an_interrupt(ray_cluster: Cluster, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    space = "training.learning_rate: {low: 1e-4, high: 1e-1, log: true}"
    config.write_text(f"{YAML}model: {{name: held}}\ntune: {{trials: 4, pruner: none, space: {{{space}}}}}\n")
    ray_cluster.hold()
    search = ("tune", str(config), "--engine", "ray")
    process = ray_cluster.begin(tmp_path / "ray", *search)
    ray_cluster.lose_one(process, tmp_path / "ray", ".tune-*/trial-*/checkpoint-*.safetensors")
    said = tmp_path / "ray" / "said"
    assert eventually(lambda: "validation skill" in said.read_text() or process.poll() is not None)
    ray_cluster.interrupt(process, tmp_path / "ray")
    resumed = ray_cluster.run(tmp_path / "ray", *search)
    assert "4 trials, 1 are finished already, 2 at a time" in resumed
    assert "waiting for the lock" not in resumed
    found = json.loads((tmp_path / "ray" / "out").read_text())
    assert len(found["trials"]) == 4
    assert sum(one["own"] for one in found["trials"]) == 1, "the config as written is tried, whoever was killed"
    assert (tmp_path / "ray" / "tuned-mine.yaml").is_file()


@needs_ray
def test_a_backtest_on_a_cluster_ends_all_workers_on_an_interrupt(ray_cluster: Cluster, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(f"{YAML}model: {{name: held}}\n")
    ray_cluster.hold()
    process = ray_cluster.begin(tmp_path / "ray", "backtest", str(config), "--refit-every", "90", "--engine", "ray")
    saved = lambda: len(list(tmp_path.glob("ray/runs/.backtest-*/fold-*/checkpoint-*"))) == 2  # noqa: E731
    assert eventually(lambda: saved() or process.poll() is not None)
    ray_cluster.interrupt(process, tmp_path / "ray")
    assert saved()
    assert not list(tmp_path.glob("ray/runs/.backtest-*/claim-*")), "given back"
