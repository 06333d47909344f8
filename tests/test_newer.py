"""Files that a newer version of this program wrote are said to be that, not damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from forecaster import release
from forecaster.data.store import Store
from forecaster.errors import DataError, InputError, NewerFileError
from forecaster.modelfile import read_model
from forecaster.workflows.runs import list_runs
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, bars

pytest_plugins = ("tests.studio_fixtures",)

NEWER = {"versions": {"forecaster": "9.0.0", "torch": "9"}}

Change = Callable[[dict[str, Any]], None]


def _with(**values: Any) -> Change:
    return lambda header: header.update(values)


def _config(**values: Any) -> Change:
    return lambda header: header["config"].update(values)


CHANGES: dict[str, Change] = {
    "format": _with(format=2),
    "header key": _with(calibrated=True),
    "config key": _config(tracking={"mlflow": True}),
    "model's parameter": lambda header: header["config"]["model"].update(width=3),
    "model": _config(model={"name": "mamba", "size": 3}),
    "feature group": _config(features=["base", "news"]),
    "baseline": _config(evaluation={"baselines": ["ewma-random-walk", "oracle"]}),
    "head": lambda header: header["config"]["task"].update(head="mixture"),
    "lacking key": lambda header: header.pop("fitted_to"),
}
"""What a newer version may write that this one does not understand."""


@pytest.fixture
def run(trained: TrainedRun, tmp_path: Path) -> Path:
    return shutil.copytree(trained.folder, tmp_path / "runs" / "small")


def rewrite(run: Path, *changes: Change) -> None:
    """The model file of a run with another header."""
    path = run / "model.safetensors"
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        header = json.loads(file.metadata()["forecaster"])
    for change in changes:
        change(header)
    save_file(tensors, path, {"forecaster": json.dumps(header)})


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_run_of_a_newer_version_is_told_by_its_version(
    run: Path, store: Path, say: Callable[..., Answer], change: Change
) -> None:
    rewrite(run, _with(**NEWER), change)
    answer = say("predict", "AAPL", "--data-dir", store, "--runs-dir", run.parent)
    said = f"model file {run}/model.safetensors was made by forecaster 9.0.0, this is {release.installed_version()}"
    assert (answer.code, answer.out, answer.err) == (2, "", f"error: {said}: update, or train again.\n")
    (record,) = list_runs(run.parent).records
    assert record.status == "newer"
    listed = say("runs", "list", "--runs-dir", run.parent)
    assert (listed.code, "newer" in listed.out, "damaged" in listed.out) == (3, True, False)


@pytest.mark.parametrize("change", ["header key", "config key", "head", "lacking key"])
def test_what_this_version_wrote_and_cannot_read_is_damaged(run: Path, change: str) -> None:
    rewrite(run, CHANGES[change])
    with pytest.raises(InputError, match="is damaged: ") as error:
        read_model(run / "model.safetensors")
    assert not isinstance(error.value, NewerFileError)


def test_a_higher_format_is_newer_whatever_version_it_names(run: Path) -> None:
    rewrite(run, _with(format=3, versions={}))
    with pytest.raises(NewerFileError, match="was made by a newer version of forecaster, this is"):
        read_model(run / "model.safetensors")


def test_a_newer_version_s_file_that_is_understood_is_used(run: Path) -> None:
    rewrite(run, _with(**NEWER))
    assert read_model(run / "model.safetensors").light()


@pytest.mark.parametrize("command", ["backtest", "doctor", "report"])
def test_whatever_takes_a_run_says_it(run: Path, store: Path, say: Callable[..., Answer], command: str) -> None:
    config = run / "config.yaml"
    config.write_text(config.read_text() + "tracking: {mlflow: true}\n")
    rewrite(run, _with(**NEWER), _config(tracking={"mlflow": True}))
    answer = say(command, "small", "--data-dir", store, "--runs-dir", run.parent, "--quiet")
    assert answer.code == 2
    assert "was made by forecaster 9.0.0" in answer.err


@pytest.mark.parametrize(
    ("version", "newer"),
    [("9.0.0", True), ("0.1.1", True), ("0.2.0.dev1", True), ("0.1", False), ("0.1.0", False), ("0.0.9", False),
     ("0.1.0rc1", False), ("", False), ("next", False), (None, False), (2, False)],
)  # fmt: skip
def test_releases_are_ordered_by_their_numbers(monkeypatch: pytest.MonkeyPatch, version: object, newer: bool) -> None:
    monkeypatch.setattr(release, "installed_version", lambda: "0.1.0")
    assert release.is_newer(version) == newer
    monkeypatch.setattr(release, "installed_version", lambda: "")
    assert not release.is_newer(version), "where this version is not known, no other is newer"


def test_candles_that_a_newer_version_stored_are_neither_damaged_nor_overwritten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(bars("AAA"), source="test")
    table = pq.read_table(store.path("AAA"))
    header = json.loads(table.schema.metadata[b"forecaster"]) | {"format": 2}
    del header["sum"]
    pq.write_table(table.replace_schema_metadata({b"forecaster": json.dumps(header)}), store.path("AAA"))
    before = store.path("AAA").read_bytes()
    for act in (
        lambda: store.read("AAA"),
        lambda: store.record("AAA"),
        lambda: store.write(bars("AAA", 300), source="test", force=True),
    ):
        with pytest.raises(
            NewerFileError, match=r"AAA.parquet was made by a newer version .*: update, or name another"
        ):
            act()
    assert not issubclass(NewerFileError, DataError)
    assert store.path("AAA").read_bytes() == before
