from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from forecaster.config.document import parse
from forecaster.config.load import find_config, read_document, to_yaml, validate, validate_section
from forecaster.errors import ConfigError, InputError, UnknownNameError

GOOD = """\
data:
  tickers: [ON, BRK-B, "1E3"]
  start: 2001-02-03
  split: {train_end: 2010-01-01, validation_end: 2011-01-01, test_end: 2012-01-01}
features: [base]
model: {name: gru, hidden_size: 8, dropout: 1e-3}
task: {horizon: [1, 2, 5], supervision: window}
training: {learning_rate: 1e-3}
"""


def complaints(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        validate(parse(text, "x.yaml"))
    assert all("\n" not in line for line in caught.value.problems)
    return caught.value.problems


def test_a_good_config_says_what_it_says() -> None:
    config = validate(parse(GOOD, "x.yaml"))
    assert config.data.tickers == ("ON", "BRK-B", "1E3")
    assert config.data.start == dt.date(2001, 2, 3)
    assert config.model.parameters == {"hidden_size": 8, "dropout": 0.001}
    assert config.task.steps == (1, 2, 5)


@pytest.mark.parametrize("text", [GOOD, "model: {name: gru}\n"])
def test_the_resolved_config_reads_back_to_the_same(text: str) -> None:
    config = validate(parse(text, "x.yaml"))
    assert validate(parse(to_yaml(config), "y.yaml")) == config


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ("training: {stepz: 5}", "x.yaml:2: unknown key 'training.stepz'. Did you mean 'steps'?"),
        (
            "training: {learning-rate: 1}",
            "x.yaml:2: unknown key 'training.learning-rate'. Did you mean 'learning_rate'?",
        ),
        ("trainin: {}", "x.yaml:2: unknown key 'trainin'. Did you mean 'training'?"),
        ("training: {steps: many}", "x.yaml:2: training.steps is 'many': expected an integer"),
        ("training: {steps: 0}", "x.yaml:2: training.steps is 0: expected greater than or equal to 1"),
        ("training: {steps: 1.5}", "x.yaml:2: training.steps is 1.5: expected an integer"),
        ("training: {steps: '5'}", "x.yaml:2: training.steps is '5': expected an integer"),
        ("training: {batch: true}", "x.yaml:2: training.batch is True: expected an integer"),
        ("training: {learning_rate: .nan}", "x.yaml:2: training.learning_rate is nan: expected a finite number"),
        ("training: 5", "x.yaml:2: training is 5: expected a section of keys"),
        ("members: [gru]", "x.yaml:2: members.0 is 'gru': expected a section of keys: write {name: gru}."),
        ("members: gru, lstm", "x.yaml:2: members is 'gru, lstm': expected a list: write [{name: gru}, {name: lstm}]."),
        ("features: base vol", "x.yaml:2: features is 'base vol': expected a list: write [base, vol]."),
        ("model:{name: gru}", "x.yaml:2: unknown key 'model:{name'. Write `model: {` with a colon and a space."),
        ("training:", "x.yaml:2: training is None: expected a section of keys"),
        ("task: {horizon: 0}", "x.yaml:2: task.horizon is 0: expected greater than or equal to 1"),
        (
            "task: {horizon: [2, 1]}",
            "x.yaml:2: task.horizon is [2, 1]: expected a number of sessions or a list of steps",
        ),
        ("task: {horizon: [1, x]}", "x.yaml:2: task.horizon.1 is 'x': expected an integer"),
        ("task:\n  horizon:\n    - 1\n    - x", "x.yaml:5: task.horizon.1 is 'x': expected an integer"),
        ("task: {head: sclae}", "x.yaml:2: task.head is 'sclae': expected 'scale', 'quantile' or 'point'"),
        ("data: {tickers: []}", "x.yaml:2: data.tickers is []: expected `all` or at least one symbol"),
        ("data: {tickers: [600519]}", "x.yaml:2: data.tickers.0 is 600519: expected a string"),
        ("data: {tickers: AAPL}", "x.yaml:2: data.tickers is 'AAPL': expected 'all' or a list"),
        ("data: {start: 2020-2-3}", "x.yaml:2: data.start is '2020-2-3': expected a date"),
        ("data: {start: 2020-01-02, end: 2019-01-01}", "x.yaml:2: data is a section with start, end: expected a start"),
        ("data: {split: {validation: 2y, test: 2w}}", "x.yaml:2: data.split.test is '2w': expected a span such as 2y"),
        ("data: {split: {validation: 2y}}", "x.yaml:2: data.split is a section with validation: expected `validation`"),
        ("features: base", "x.yaml:2: features is 'base': expected a list"),
        ("features: [base, base]", "x.yaml:2: features is ['base', 'base']: expected at least one feature group"),
    ],
)
def test_a_bad_setting_is_one_line_with_place_key_value_and_expectation(section: str, complaint: str) -> None:
    (line,) = complaints(f"model: {{name: gru}}\n{section}\n")
    assert line.startswith(complaint)


def test_a_missing_section_and_a_missing_name_are_told() -> None:
    (line,) = complaints("task: {horizon: 1}\n")
    assert line == "x.yaml: the config is a section with task: expected either `model:` or `members:`."
    assert complaints("model: {hidden_size: 3}\n") == ("x.yaml:1: 'model.name' is missing: add it.",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("model: gru\n", "x.yaml:1: model is 'gru': expected a section of keys: write {name: gru}."),
        ("model: {name gru}\n", "x.yaml:1: 'model.name' is missing: write `name: gru` with a colon and a space."),
    ],
)
def test_a_model_without_its_key_is_shown_how_it_is_written(text: str, complaint: str) -> None:
    assert complaints(text) == (complaint,)


def test_every_problem_is_found_at_once() -> None:
    found = complaints("model: {name: gru}\ntask: {horizon: 0}\ntraining:\n  steps: x\n  sed: 1\n")
    assert [line.split(": ")[0] for line in found] == ["x.yaml:2", "x.yaml:4", "x.yaml:5"]


def test_a_long_value_is_cut_in_the_message() -> None:
    (line,) = complaints(f"model: {{name: gru}}\ntask: {{head: {'x' * 500}}}\n")
    assert len(line) < 200


def test_a_setting_of_the_command_line_is_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("model: {name: gru}\n")
    with pytest.raises(ConfigError, match=r"^--set training.steps=x: training.steps is 'x': expected an integer"):
        validate(read_document(str(tmp_path / "a.yaml"), ["training.steps=x"]))


TWO = "members:\n  - {name: gru}\n  - {name: har}\n"
ONE = "model: {name: gru}\n"


@pytest.mark.parametrize(
    ("text", "settings", "complaint"),
    [
        (TWO, ["model.hidden_size=8"], r"has members \(0 gru, 1 har\): write --set members\.0\.hidden_size=8"),
        (
            TWO,
            ["model={name: gru}"],
            r"has members, but a run takes either `model:` or `members:`: add --set members=\[\]",
        ),
        (ONE, ["members.0.hidden_size=8"], r"has one model and no members: write --set model\.hidden_size=8"),
        (
            ONE,
            ["members=[{name: gru}]"],
            "has one model, but a run takes either `model:` or `members:`: add --set model=null",
        ),
    ],
)
def test_a_setting_of_model_leads_to_the_members_and_back(
    tmp_path: Path, text: str, settings: list[str], complaint: str
) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"^--set {re.escape(settings[0])}: \S+a\.yaml {complaint}"):
        read_document(str(tmp_path / "a.yaml"), settings)


@pytest.mark.parametrize(
    ("text", "settings", "names"),
    [
        (TWO, ["members.0.hidden_size=8"], ["gru", "har"]),
        (TWO, ["members=[]", "model.name=lstm"], ["lstm"]),
        (ONE, ["model=null", "members=[{name: har}, {name: lstm}]"], ["har", "lstm"]),
    ],
)
def test_what_the_remedies_say_works(tmp_path: Path, text: str, settings: list[str], names: list[str]) -> None:
    (tmp_path / "a.yaml").write_text(text)
    config = validate(read_document(str(tmp_path / "a.yaml"), settings))
    assert [network.name for network in config.networks] == names


def test_another_schema_is_checked_under_its_prefix() -> None:
    class Gru(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        hidden_size: int = 8

    document = parse("model:\n  name: gru\n  hidden_sze: 5\n", "x.yaml")
    with pytest.raises(ConfigError, match=r"^x.yaml:3: unknown key 'model.hidden_sze'. Did you mean 'hidden_size'\?$"):
        validate_section(Gru, {"hidden_sze": 5}, document, ("model",))


def test_an_unknown_config_is_answered_with_a_way_out() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown config 'no-such'.*A path to a YAML file also works"):
        find_config("no-such")


def test_a_file_that_does_not_exist_is_named_in_full_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=rf"config {tmp_path}/nope.yaml does not exist. Check the name, or use a ship"):
        find_config("nope.yaml")
    (tmp_path / "note.yaml").touch()
    with pytest.raises(InputError, match=rf"config {tmp_path}/nope.yaml does not exist. Did you mean 'note.yaml'?"):
        find_config("nope.yaml")
    with pytest.raises(InputError, match=rf"config {tmp_path} is a folder: name a YAML file in it"):
        find_config(".")


def test_a_config_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"a\.yaml cannot be read as UTF-8 text"):
        read_document(str(tmp_path / "a.yaml"))
