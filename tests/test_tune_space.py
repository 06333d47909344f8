"""What `forecast tune` may search: each choice and both ends of a range make a config, and every fault has its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.config.load import to_yaml
from forecaster.config.schema import Config
from forecaster.errors import ConfigError
from forecaster.evaluation.look import model_of
from forecaster.runs.config import load_config
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

CONFIG = """model: {name: gru, hidden_size: 16}
task: {horizon: 3}
training: {steps: 100}
tune:
  pruner: none
  space:
"""


def written(folder: Path, *space: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(CONFIG + "".join(f"    {line}\n" for line in space) if space else CONFIG + "    {}\n")
    return path


def problems(folder: Path, *space: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(written(folder, *space))
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_a_space_of_choices_and_ranges_comes_back_from_the_resolved_config(tmp_path: Path) -> None:
    space = ("model.hidden_size: [8, 16]", "training.learning_rate: {low: 1e-4, high: 1, log: true}")
    config = load_config(
        written(tmp_path, *space, "features: [[base], [base, vol]]", "training.init: [null, pretrained]")
    )
    (tmp_path / "again.yaml").write_text(to_yaml(config))
    assert load_config(tmp_path / "again.yaml") == config
    assert Config.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("training.learnin_rate: [1e-3, 3e-3]", "no key of this config: did you mean 'learning_rate'?"),
        ("modle.hidden_size: [1, 2]", "no key of this config: did you mean 'model'?"),
        ("members.0.hidden_size: [1, 2]", "no key of this config: members has no keys."),
        ("model.hidden_size: [8, -1]", "in tune.space, model.hidden_size is -1: expected greater than or equal to 1."),
        ("model.hidden_size: {low: 0.5, high: 9}", "in tune.space, model.hidden_size is 0.5: expected an integer."),
        ("model.dropout: {low: 0, high: 1}", "in tune.space, model.dropout is 1.0: expected less than 1."),
        ("features: [[base], [bas]]", "in tune.space, Unknown feature group 'bas'. Did you mean 'base'?"),
        ("model: [{name: gru}, {name: lstm, hiden_size: 3}]", "'model.hiden_size'. Did you mean 'hidden_size'?"),
        ("model.bidirectional: [true, false]", "model.bidirectional is true with task.supervision dense"),
        ("model.hidden_size: {low: 9, high: 8}", "low below high, but 9 is not below 8."),
        ("model.hidden_size: {low: 8, high: 8}", "low below high, but 8 is not below 8."),
        ("training.clip: {low: 0, high: 8, log: true}", "a low above 0 for a logarithmic range, not 0."),
        ("model.hidden_size: {low: 3, high: 8, logs: true}", "logs'. Did you mean 'log'?"),
        ("model.hidden_size: []", "has no choice: list at least two, or set the key itself."),
        ("model.hidden_size: [8]", "has one choice: list at least two, or set the key itself."),
        ("model.hidden_size: [8, 16, 8]", "has 8 twice: list each choice once."),
        ("model.hidden_size: 8", "tune.space.model.hidden_size is 8: expected a list or a section of keys."),
        ("data.split.test: [1y, 2y]", "tune.space.data.split.test cannot be searched: the candles and their split"),
        ("evaluation.baselines: [[har], []]", "cannot be searched: the test stays sealed; take it out."),
        ("task.horizon: [3, 5]", "cannot be searched: losses of other steps could not be compared"),
        ("training.refit: [true, false]", "cannot be searched: a trial never learns from its validation period"),
        ("tune.trials: [1, 2]", "cannot be searched: a search cannot search itself"),
        ("training: [1, 2]", "is a whole section: name one of its keys, such as training.learning_rate."),
        ("task.head: [scale, point]", "in tune.space, task.head: point has losses that cannot be compared"),
    ],
)  # fmt: skip
def test_a_fault_of_the_space_has_its_line_and_a_remedy(tmp_path: Path, line: str, expected: str) -> None:
    first = problems(tmp_path, line)[0]
    assert first.startswith("mine.yaml:7: ")
    assert expected in first


def test_an_empty_space_and_two_entries_for_one_key_are_refused(tmp_path: Path) -> None:
    (empty,) = problems(tmp_path)
    assert empty.startswith("mine.yaml:6: tune.space is an empty section: expected at least one key to search")
    (contradiction,) = problems(tmp_path, "model.hidden_size: [8, 16]", "model: [{name: gru}, {name: lstm}]")
    assert "mine.yaml:8: tune.space.model contradicts tune.space.model.hidden_size" in contradiction


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("tune.pruner=medain", "tune.pruner is 'medain': expected 'median', 'hyperband' or 'none'."),
        ("tune.trials=0", "tune.trials is 0: expected greater than or equal to 1."),
        ("tune.timeout=.inf", "tune.timeout is inf: expected a finite number."),
        ("tune.trails=3", "unknown key 'tune.trails'. Did you mean 'trials'?"),
    ],
)
def test_a_fault_of_the_section_is_named(tmp_path: Path, setting: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, "training.seed: [0, 1]"), setting)
    assert caught.value.problems[0].endswith(expected)


def test_config_check_lists_faults_of_the_space(tmp_path: Path, say: Callable[..., Answer]) -> None:
    answer = say("config", "check", written(tmp_path, "model.hidden_size: [-1, -2]"))
    assert (answer.code, answer.out.count("mine.yaml:7: in tune.space")) == (3, 2)


def test_a_search_does_not_make_another_model_of_a_config(tmp_path: Path) -> None:
    searched = load_config(written(tmp_path, "training.seed: [0, 1]"))
    assert model_of(searched) == model_of(searched.model_copy(update={"tune": None}))
