"""`forecast config init|check|list|schema`: a config that explains itself, its problems, those that ship."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.baselines import BASELINES
from forecaster.config.about import description, shipped_configs
from forecaster.errors import ConfigError
from forecaster.features import GROUPS
from forecaster.models import MODELS
from forecaster.models.build import parameters
from forecaster.runs.config import load_config
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Answer]


@pytest.mark.parametrize("name", shipped_configs())
def test_a_config_written_out_says_the_same_as_the_one_it_is_like(say: Ask, tmp_path: Path, name: str) -> None:
    file = tmp_path / "mine.yaml"
    answer = say("config", "init", file, "--like", name)
    assert (answer.code, answer.out) == (0, "")
    assert load_config(file) == load_config(name)
    text = file.read_text()
    assert text.startswith(f"# Train with: forecast train {file}")
    assert "# Optimiser steps." in text
    assert say("config", "check", file).code == 0


@pytest.mark.parametrize("name", MODELS.names())
def test_each_parameter_of_a_model_is_explained_above_it(say: Ask, tmp_path: Path, name: str) -> None:
    (tmp_path / "like.yaml").write_text(f"model: {{name: {name}}}")
    say("config", "init", tmp_path / "mine.yaml", "--like", tmp_path / "like.yaml")
    lines = (tmp_path / "mine.yaml").read_text().splitlines()
    own = lines[lines.index("model:") + 2 : lines.index("", lines.index("model:"))]
    keys = dict(zip(own[1::2], own[::2], strict=True))
    assert {line.split(":")[0].strip() for line in keys} == {"weight", *parameters(name).model_fields}
    assert all(line.startswith("  # ") and len(line) > 10 for line in keys.values())


def test_the_members_of_an_ensemble_are_explained_once(say: Ask, tmp_path: Path) -> None:
    say("config", "init", tmp_path / "mine.yaml", "--like", "best")
    text = (tmp_path / "mine.yaml").read_text()
    assert text.count("# Width of the state of one direction.") == 1
    assert "  - name: gbm\n    weight: 1.5\n" in text


def test_the_list_says_what_each_config_that_ships_is_for(say: Ask) -> None:
    found = {one["name"]: one for one in json.loads(say("config", "list", "--format", "json").out)}
    assert set(found) == set(shipped_configs())
    assert found["har"]["text"] == "HAR: three volatilities and least squares, no network."
    assert all(len(one["text"]) > 20 and one["text"].endswith(".") for one in found.values())
    assert all(Path(one["file"]).is_file() for one in found.values())
    table = say("config", "list")
    assert (table.code, table.err) == (0, "")
    assert "Train one: forecast train gru" in table.out


def test_a_config_is_described_by_the_first_sentence_of_its_comment(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("# Two lines of\n# one sentence, 1.5 long. Another.\nmodel: {name: gru}\n# later\n")
    assert description(file) == "Two lines of one sentence, 1.5 long."
    file.write_bytes(b"# caf\xe9")
    assert description(file) == "caf\ufffd"
    file.write_text("model: {name: gru}")
    assert description(file) == description(tmp_path / "none.yaml") == ""


def test_init_overwrites_only_by_force(say: Ask, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("precious")
    refused = say("config", "init", file)
    assert refused.code == 2
    assert "overwrite it with --force" in refused.err
    assert file.read_text() == "precious"
    assert say("config", "init", file, "--force", "--quiet") == Answer(0, "", "")
    assert load_config(file) == load_config("gru")


def test_check_finds_every_problem_with_its_line(say: Ask, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("model: {name: gru}\nfeatures: [bas]\ntask: {horizon: 0}\ntraining:\n  step: 3\n  seed: x\n")
    answer = say("config", "check", file, "--format", "json")
    assert answer.code == 3
    problems = json.loads(answer.out)["problems"]
    assert {problem.split(": ")[0].rpartition(":")[2] for problem in problems} == {"3", "5", "6"}
    assert any("Did you mean 'steps'?" in problem for problem in problems)
    file.write_text("model: {name: gur}\nfeatures: [bas]\nevaluation: {baselines: [last-clos]}\n")
    table = say("config", "check", file)
    assert table.code == 3
    for text in ("Did you mean 'gru'?", "Did you mean 'base'?", "Did you mean 'last-close'?"):
        assert text in " ".join(table.out.split())


def test_the_schema_knows_the_registered_names_and_every_keys_meaning(say: Ask, tmp_path: Path) -> None:
    answer = say("config", "schema")
    schema = json.loads(answer.out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {*MODELS.names(), *BASELINES.names()} == {
        one["properties"]["name"]["const"] for one in schema["$defs"]["ModelConfig"]["oneOf"]
    }
    assert set(GROUPS.names()) <= set(json.dumps(schema).replace('"', " ").replace(",", " ").split())
    for section in ("TaskConfig", "TrainingConfig", "DataConfig", "SplitConfig"):
        assert all(one.get("description") for one in schema["$defs"][section]["properties"].values()), section
    assert say("config", "schema", "--output", tmp_path / "schema.json").out == ""
    assert json.loads((tmp_path / "schema.json").read_text()) == schema


@pytest.mark.parametrize(
    ("config", "setting", "complaint"),
    [
        (
            "best",
            "calibration.steps=[7]",
            r"calibration\.steps has 7, which is not a step of task\.horizon",
        ),
        ("har", "task.decoder=recursive", r"task\.decoder is recursive, but har is not a network and has no decoder"),
    ],
)
def test_what_would_do_nothing_is_refused(config: str, setting: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_config(config, [setting])


@pytest.mark.parametrize(
    ("settings", "rolling", "steps"),
    [
        ([], True, (1, 2, 3, 4, 5, 20)),
        (["task.horizon=3"], True, (1, 2, 3)),
        (["task={horizon: [2, 9]}"], True, (2,)),
        (["task.horizon=[7, 9]"], False, None),
        (["task.horizon=3", "calibration.steps=[1]"], True, (1,)),
    ],
)
def test_a_horizon_that_a_setting_changes_takes_the_calibrated_steps_with_it(
    settings: list[str], rolling: bool, steps: tuple[int, ...] | None
) -> None:
    calibration = load_config("best", settings).calibration
    assert calibration.rolling == rolling
    assert steps is None or calibration.steps == steps


def test_calibrated_steps_that_a_setting_names_are_not_dropped_in_silence() -> None:
    with pytest.raises(ConfigError, match=r"calibration\.steps has 5, which is not a step of task\.horizon"):
        load_config("best", ["task.horizon=3", "calibration.steps=[1, 5]"])
