"""What a run is called, which config it is of, and how one takes the place of another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.config.about import origin_comment
from forecaster.config.load import to_yaml
from forecaster.errors import InputError
from forecaster.runs.config import load_config
from forecaster.runs.folder import new_folder
from forecaster.runs.replacement import begin, settle, staged
from forecaster.workflows.runs import list_runs
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, settings

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Answer]


@pytest.fixture
def train(say: Ask, store: Path, tmp_path: Path) -> Ask:
    quick = settings("training.steps=2", "model.hidden_size=2")
    return lambda config, *more: say(
        "train", config, *quick, "--data-dir", store, "--runs-dir", tmp_path / "runs", "--quiet", *more
    )


def test_a_run_is_named_after_its_config_and_listed_with_it(train: Ask, say: Ask, tmp_path: Path) -> None:
    mine = tmp_path / "my own (2).yaml"
    mine.write_text(to_yaml(load_config("gru")))
    assert train("n_to_1").code == train(mine).code == train("gru", "--name", "first").code == 0
    records = {one.name: one for one in list_runs(tmp_path / "runs").records}
    assert {name.rpartition("-20")[0]: one.config for name, one in records.items() if name != "first"} == {
        "n_to_1": "n_to_1",
        "my-own-2": "my own (2)",
    }
    assert records["first"].config == "gru"
    assert train(tmp_path / "runs" / "first" / "config.yaml").code == 0
    assert [one.config for one in list_runs(tmp_path / "runs").records].count("gru") == 2
    table = say("runs", "list", "--runs-dir", tmp_path / "runs")
    assert table.out.splitlines()[0].split()[:3] == ["run", "config", "made"]
    assert "my own (2)" in table.out


def test_an_unfinished_run_and_one_of_an_older_version_are_listed_too(trained: TrainedRun, tmp_path: Path) -> None:
    for name, first_line in {"begun": origin_comment("demo"), "older": ""}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(first_line + to_yaml(load_config("demo")))
    assert {one.name: one.config for one in list_runs(tmp_path).records} == {"begun": "demo", "older": None}


def test_force_overwrites_the_run_of_a_name(train: Ask, say: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    assert train("gru", "--name", "first", "--force").code == 0, "a name that is free is no error"
    before = (folder / "model.safetensors").read_bytes()
    refused = train("lstm", "--name", "first")
    assert refused.code == 2
    assert "run first exists in " in refused.err
    assert refused.err.endswith("choose another --name, or overwrite it with --force.\n")
    assert (folder / "model.safetensors").read_bytes() == before
    assert train("lstm", "--name", "first", "--force").code == 0
    shown = json.loads(say("runs", "show", "first", "--runs-dir", folder.parent, "--format", "json").out)
    assert shown["config"]["model"]["name"] == "lstm"
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "curve.csv", "model.safetensors"]
    assert [path.name for path in folder.parent.iterdir()] == ["first"]


def test_a_replacement_that_fails_leaves_the_old_run(train: Ask, tmp_path: Path) -> None:
    assert train("gru", "--name", "first").code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "runs" / "first").iterdir()}
    assert train("gru", "--name", "first", "--force", "--set", "training.learning_rate=1e30").code == 2
    assert {path.name: path.read_bytes() for path in (tmp_path / "runs" / "first").iterdir()} == before
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["first"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gru", "--force"), "--force overwrites the run of a --name, and none is given"),
        (("--resume", "first", "--force"), "omit --set, --name and --force"),
    ],
)
def test_force_without_a_name_is_refused(say: Ask, words: tuple[str, ...], said: str) -> None:
    answer = say("train", *words)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert said in answer.err


def test_only_a_run_is_overwritten(trained: TrainedRun, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to(trained.folder)
    for name in ("photos", "link"):
        with pytest.raises(InputError, match=f"{name} is a link or not a run, and is not overwritten"):
            new_folder(tmp_path, name, "gru", force=True)


def test_a_folder_made_by_another_in_the_meantime_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    with pytest.raises(InputError, match=r"run first exists in .*: another process has just created it"):
        begin(tmp_path / "first", False, "")


def test_a_replacement_given_up_makes_room_for_the_next(trained: TrainedRun, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "first")
    staged(folder).mkdir()
    (staged(folder) / "checkpoint-0.safetensors").touch()
    workplace = begin(folder, True, "")
    assert [path.name for path in workplace.iterdir()] == ["config.yaml"]
    shutil.copytree(trained.folder, workplace, dirs_exist_ok=True)
    shutil.rmtree(folder)  # deleted by its owner while its replacement was trained
    assert settle(workplace) == folder
    assert (folder / "model.safetensors").is_file()
