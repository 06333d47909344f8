"""Runs recorded in TensorBoard and on a real MLflow server; the run itself is the same with and without."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forecaster.config.load import to_yaml
from forecaster.config.tracking import TrackingConfig
from forecaster.evaluation.look import model_of
from forecaster.evaluation.rows import find
from forecaster.runs.config import load_config
from forecaster.training.files import read_curves
from forecaster.workflows.config import init_config
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, REPOSITORY, Answer, environment, eventually, settings

pytest_plugins = ("tests.studio_fixtures",)

SHORT = (*QUICK, "training.steps=60")
"""As `trained` of the fixtures has them."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=10) as found:
            return bool(found.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an `mlflow server` on this machine."""
    folder, address = tmp_path_factory.mktemp("mlflow"), f"http://127.0.0.1:{free_port()}"
    words = ["server", "--workers", "1", "--port", address.rpartition(":")[2], "--backend-store-uri"]
    words += [f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "files")]
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            cwd=folder,
            env=os.environ | settings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            assert eventually(lambda: process.poll() is not None or answers(address))
            assert process.poll() is None, (folder / "log").read_text()
            yield address
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its workers too
            process.wait()


def test_mlflow_gets_curve_scorecard_config_and_model_file(
    server: str, trained: TrainedRun, store: Path, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    run = train("gru", settings=(*SHORT, f"tracking.mlflow={server}"), data_dir=store, runs_dir=tmp_path, name="kept")
    assert run.notes == trained.notes
    client = MlflowClient(tracking_uri=server)
    experiment = client.get_experiment_by_name("forecaster")
    assert experiment is not None
    (found,) = client.search_runs([experiment.experiment_id])
    assert (found.info.run_name, found.info.status) == ("kept", "FINISHED")
    assert found.data.params["training.steps"] == "60"
    assert json.loads(found.data.params["data.tickers"]) == ["AAPL", "IBM", "MSFT"]
    assert found.data.tags["verdict"] == run.scorecard.verdict.code
    curves = read_curves(run.folder / "curve.csv", 1)
    assert curves is not None
    for name, of in (("train/loss", "loss"), ("validation/skill", "skill")):
        sent = {one.step: one.value for one in client.get_metric_history(found.info.run_id, name)}
        assert sent == {point.step: pytest.approx(getattr(point, of)) for point in curves[0]}
    card = run.scorecard
    row = find(card.rows, card.model, "close", "all", card.reference)
    assert found.data.metrics[f"test/skill/{card.reference}/close"] == pytest.approx(row.skill_pinball)
    (tmp_path / "got").mkdir()
    for name in ("model.safetensors", "curve.csv", "config.yaml", "scorecard.json"):
        client.download_artifacts(found.info.run_id, name, str(tmp_path / "got"))
    for name in ("model.safetensors", "curve.csv"):
        assert (tmp_path / "got" / name).read_bytes() == (run.folder / name).read_bytes()
    assert json.loads((tmp_path / "got" / "scorecard.json").read_text())["origins"] == run.scorecard.origins
    # The same model as without a tracker: the same bytes, and one look at the test, not two.
    assert (run.folder / "model.safetensors").read_bytes() == (trained.folder / "model.safetensors").read_bytes()


def test_tensorboard_shows_curve_scorecard_and_config(trained: TrainedRun, store: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tracked = (*SHORT, "tracking.tensorboard=true")
    run = train("gru", settings=tracked, data_dir=store, runs_dir=tmp_path, name="board")
    events = EventAccumulator(str(run.folder / "tensorboard")).Reload()
    curves = read_curves(run.folder / "curve.csv", 1)
    assert curves is not None
    seen = [(one.step, one.value) for one in events.Scalars("validation/loss")]
    assert seen == [(point.step, pytest.approx(point.validation)) for point in curves[0]]
    assert f"test/skill/{run.scorecard.reference}/close" in events.Tags()["scalars"]
    texts = {tag.partition("/")[0] for tag in events.Tags()["tensors"]}
    assert texts == {"verdict", "config", "scorecard", "files"}
    assert (run.folder / "model.safetensors").read_bytes() == (trained.folder / "model.safetensors").read_bytes()
    # Another run of that name, without a tracker, leaves no events of the old one.
    again = train("gru", settings=SHORT, data_dir=store, runs_dir=tmp_path, name="board", force=True)
    assert not (again.folder / "tensorboard").exists()
    assert again.scorecard.looks == 1  # the same model, however it is recorded


def test_the_model_is_the_same_wherever_it_is_recorded() -> None:
    plain, tracked = (load_config("gru", more) for more in ((), ("tracking={tensorboard: true, mlflow: 'http://x'}",)))
    assert tracked.tracking.tensorboard
    assert plain.model_dump_json() == tracked.model_dump_json()
    assert model_of(plain) == model_of(tracked)


def test_a_resumed_run_is_still_recorded(tmp_path: Path) -> None:
    tracked = load_config("gru", ("tracking.tensorboard=true",))
    (tmp_path / "config.yaml").write_text(to_yaml(tracked))  # what `train --resume` reads
    assert load_config(tmp_path / "config.yaml") == tracked
    assert "tracking" not in to_yaml(load_config("gru"))


def test_config_init_explains_each_key(tmp_path: Path) -> None:
    text = init_config(tmp_path / "mine.yaml").read_text()
    section = text.partition("\ntracking:")[2]
    assert {key for key in TrackingConfig.model_fields if f"{key}: " not in section} == set()
    assert "extra `mlflow`" in section
    assert "extra `tensorboard`" in section


def test_a_server_that_is_not_there_is_a_note(say: Callable[..., Answer], store: Path, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    places = ("--data-dir", store, "--runs-dir", tmp_path, "--name", "alone")
    before = dict(os.environ)
    answer = say("train", "gru", *settings("training.steps=2", f"tracking.mlflow={address}"), *places)
    assert answer.code == 0, answer.err
    shown = " ".join(answer.out.split())
    assert f"tracking.mlflow is {address}, but the run was not recorded there (API request to" in shown
    assert "The run itself is complete." in shown
    assert (tmp_path / "alone" / "model.safetensors").is_file()
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("setting", "library"), [("tensorboard=true", "tensorboard"), ("mlflow=http://localhost:5000", "mlflow")]
)
def test_a_missing_library_is_refused_before_anything_is_trained(
    store: Path, tmp_path: Path, setting: str, library: str
) -> None:
    # In a process whose finders do not see the library, as where it is not installed.
    hide = (
        "import sys, importlib.machinery as m\n"
        "found = m.PathFinder.find_spec\n"
        f"m.PathFinder.find_spec = lambda name, *a: None if name == {library!r} else found(name, *a)\n"
        "from forecaster.cli import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    words = ["train", "gru", "--set", f"tracking.{setting}", "--data-dir", str(store), "--runs-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", hide, *words], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert f"tracking.{library} is {setting.partition('=')[2]}, but {library} is not installed" in line
    assert f"pip install 'stock-forecaster[{library}]'" in line
    assert list(tmp_path.iterdir()) == []


def test_without_tracking_neither_library_is_loaded(store: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from forecaster.cli import run; code = run(sys.argv[1:])\n"
        "print(sorted({'mlflow', 'tensorboard'} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    words = ["train", "gru", *settings("training.steps=1"), "--data-dir", str(store), "--runs-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{mlflow: somewhere}", "tracking.mlflow is 'somewhere': expected the address of a server"),
        ("{mlflow: 'http://me:secret@host'}", "expected no password in it: set MLFLOW_TRACKING_USERNAME"),
        ("{mlflow: ''}", "tracking.mlflow is '': expected the address of a server"),
        ("{tensorboard: 3}", "tracking.tensorboard is 3: expected a boolean"),
        ("{tensorbord: true}", "unknown key 'tracking.tensorbord'. Did you mean 'tensorboard'?"),
        ("tensorboard", "tracking is 'tensorboard': expected a section of keys"),
    ],
)
def test_what_cannot_be_used_is_one_line(say: Callable[..., Answer], tmp_path: Path, value: str, expected: str) -> None:
    answer = say("train", "gru", "--set", f"tracking={value}", "--data-dir", tmp_path, "--runs-dir", tmp_path)
    assert answer.code == 2
    assert expected in " ".join(answer.err.split())


def test_the_page_names_every_key() -> None:
    page = (REPOSITORY / "docs" / "tracking.md").read_text(encoding="utf-8")
    assert {key for key in TrackingConfig.model_fields if f"`tracking.{key}`" not in page} == set()
