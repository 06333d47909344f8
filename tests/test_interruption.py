"""Real trainings, killed and interrupted: what was finished is kept, and goes on to the same bytes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.studio import command, environment, eventually, forecast, hear_interrupts, settings

pytest_plugins = ("tests.studio_fixtures",)


def arguments(store: Path, runs: Path, *more: str) -> list[str]:
    quick = settings("training.steps=100", "task.supervision=window", "task.context=10", "training.batch=4")
    return ["train", "gru", *quick, "--data-dir", str(store), "--runs-dir", str(runs), *more]


def start(store: Path, runs: Path, name: str, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments(store, runs, "--name", name, *more)),
        cwd=runs.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )


def wait_for_checkpoint(training: subprocess.Popen[str], folder: Path) -> None:
    assert eventually(lambda: bool(list(folder.glob("checkpoint*"))) or training.poll() is not None)
    assert training.poll() is None, training.communicate()


@pytest.fixture(scope="module")
def whole(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same training, never interrupted."""
    runs = tmp_path_factory.mktemp("whole") / "runs"
    done = forecast(*arguments(store, runs, "--name", "whole", "--quiet"), cwd=runs.parent)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return runs / "whole"


def stopped(store: Path, runs: Path, number: signal.Signals) -> tuple[int, str]:
    """Exit code and errors of a training that got a signal once its first checkpoint was there."""
    training = start(store, runs, "stopped")
    wait_for_checkpoint(training, runs / "stopped")
    training.send_signal(number)
    out, err = training.communicate()
    assert out == ""
    assert not (runs / "stopped" / "model.safetensors").exists()
    return training.returncode, err


def resume(store: Path, runs: Path, run: str = "stopped") -> subprocess.CompletedProcess[str]:
    return forecast("train", "--resume", run, "--format", "json", *places(store, runs), cwd=runs.parent)


def same(folder: Path, whole: Path) -> bool:
    names = ("model.safetensors", "curve.csv", "config.yaml")
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    return all((folder / name).read_bytes() == (whole / name).read_bytes() for name in names)


def test_a_training_killed_without_warning_goes_on_to_the_same_bytes(store: Path, whole: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    code, _ = stopped(store, runs, signal.SIGKILL)
    assert code == -signal.SIGKILL
    resumed = resume(store, runs)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["run"] == "stopped"
    assert same(runs / "stopped", whole)


def test_an_interrupted_training_says_so_and_goes_on_to_the_same_bytes(
    store: Path, whole: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    code, err = stopped(store, runs, signal.SIGINT)
    assert code == 130
    assert err.splitlines()[-1].startswith("error: interrupted")
    assert "Traceback" not in err
    unfinished = forecast("predict", "AAPL", "--run", "stopped", *places(store, runs), cwd=tmp_path)
    assert unfinished.returncode == 2
    assert "run stopped is not finished: continue it with forecast train --resume stopped" in unfinished.stderr
    assert resume(store, runs, "latest").returncode == 0
    assert same(runs / "stopped", whole)
    assert "holds no interrupted run" in resume(store, runs, "latest").stderr
    again = resume(store, runs)
    assert again.returncode == 2
    assert again.stderr == "error: run stopped is finished: there is nothing to resume.\n"


def test_a_replacement_that_is_killed_leaves_the_old_run_and_goes_on_to_the_same_bytes(
    store: Path, whole: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    old = shutil.copytree(whole, runs / "stopped")
    (old / "model.safetensors").write_bytes(b"the old one")
    (old / "report.html").write_text("of the old one")
    (old / "notes.txt").write_text("the user's own")
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    training = start(store, runs, "stopped", "--force")
    wait_for_checkpoint(training, runs / ".stopped.new")
    training.kill()
    training.communicate()
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before
    resumed = resume(store, runs, "latest")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["run"] == "stopped"
    assert (old / "notes.txt").read_text() == "the user's own"
    (old / "notes.txt").unlink()
    assert same(old, whole), "the old run's report is gone with it"
    assert [path.name for path in runs.iterdir()] == ["stopped"]


def places(store: Path, runs: Path) -> list[str]:
    return ["--data-dir", str(store), "--runs-dir", str(runs)]


def test_a_training_that_fails_before_its_first_checkpoint_leaves_its_name_free(store: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    wild = arguments(
        store, runs, "--name", "wild", "--set", "training.learning_rate=1e30", "--set", "training.clip=1e30"
    )
    done = forecast(*wild, cwd=tmp_path)
    assert done.returncode == 2
    assert "lower the rate" in done.stderr
    assert not (runs / "wild").exists()


def test_two_processes_do_not_train_the_same_run(store: Path, whole: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    training = start(store, runs, "stopped")
    wait_for_checkpoint(training, runs / "stopped")
    training.send_signal(signal.SIGSTOP)
    other = resume(store, runs)
    training.send_signal(signal.SIGCONT)
    training.communicate()
    assert other.returncode == 2
    who = f"process {training.pid}" if Path("/proc/locks").is_file() else "another process"
    assert other.stderr.splitlines()[-1].startswith(f"error: run stopped is being trained by {who}: wait")
    assert same(runs / "stopped", whole)


@pytest.mark.parametrize(
    "left", ["a folder without a config", "checkpoints and a part", "a replacement not yet put in"]
)
def test_what_a_killed_training_left_is_removed_by_the_next(
    left: str, store: Path, whole: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(whole, runs / "old")
    if left == "a folder without a config":
        (runs / ".new.making").mkdir()
    elif left == "checkpoints and a part":
        (runs / "old" / "checkpoint-0.safetensors").write_bytes(b"")
        (runs / "old" / ".model.safetensors.abc.part").write_bytes(b"half")
    else:
        shutil.copytree(whole, runs / ".old.new")
        (runs / ".old.new" / "curve.csv").unlink()
        (runs / "old" / "config.yaml").write_text("of the old one")
    done = forecast(*arguments(store, runs, "--name", "new"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in runs.iterdir()) == ["new", "old"]
    assert same(runs / "old", whole)
