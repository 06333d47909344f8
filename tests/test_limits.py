"""No config and no file can ask for more than there is: what cannot be is refused in one line, before it is tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.cli import run as command_line
from forecaster.config.document import override, parse
from forecaster.config.load import validate
from forecaster.errors import ConfigError, InputError
from forecaster.runs.config import load_config

Bounded = dict[str, str]

IMPOSSIBLE = [
    "model.hidden_size=1000000000",
    "model.num_layers=1000000000",
    "model.dropout=.nan",
    "model.weight=.inf",
    "training.batch=1000000000000",
    "training.steps=1000000000000000",
    "training.clip=.inf",
    "training.learning_rate=.inf",
    "training.weight_decay=.inf",
    "training.warmup=1000000000000000",
    "calibration.window=1000000000000000000",
    "calibration.every=1000000000000000000",
    "task.context=1000000000",
    "task.horizon=1000000000",
]


@pytest.mark.parametrize("setting", IMPOSSIBLE)
def test_a_size_without_bound_is_refused_up_front(setting: str) -> None:
    key = setting.partition("=")[0]
    with pytest.raises(ConfigError, match=f"--set {setting}: {key} is .*: expected "):
        load_config("gru", (setting,))


def test_a_network_whose_parts_are_possible_but_not_their_number_takes_no_memory() -> None:
    with pytest.raises(ConfigError, match=r"model has 1[0-9,]* weights, expected at most 500,000,000: make it smaller"):
        load_config("lstm", ("model.hidden_size=16384", "model.num_layers=8"))


def test_networks_that_one_file_cannot_hold_together_are_refused_up_front() -> None:
    large = "{name: lstm, hidden_size: 8192}"
    four, eight = (("model=null", f"members=[{', '.join([large] * count)}]") for count in (4, 8))
    assert len(load_config("lstm", four).members) == 4
    with pytest.raises(ConfigError, match=r"members has 2,1[0-9,]* weights together, expected at most 2,000,000,000"):
        load_config("lstm", eight)


HOSTILE_YAML: dict[str, tuple[str, str]] = {
    "a tag that is a lie": ("model: !!int x", "'x' is not a valid int"),
    "a float that is none": ("model: !!float x", "'x' is not a valid float"),
    "5,000 digits": (f"training: {{steps: {'9' * 5000}}}", "is not a valid int"),
    "a date that is none": ("data: {start: 2020-13-45}", "not a valid date"),
    "a class": ("model: !!python/object/apply:os.system [ls]", "is not supported"),
    "an alias": ("a: &a [1]\nb: *a", "the alias \\*a is not supported"),
    "a million brackets": ("[" * 200_000, "nested more than 32 levels deep"),
    "a deep section": ("".join(f"{' ' * level}a:\n" for level in range(400)), "nested more than 32 levels deep"),
    "a key of a megabyte": (f"{'k' * 1000}: 1", "unknown key 'kkk"),
}


@pytest.mark.parametrize("kind", HOSTILE_YAML)
def test_hostile_yaml_is_one_short_line(kind: str) -> None:
    text, complaint = HOSTILE_YAML[kind]
    with pytest.raises(ConfigError, match=complaint) as caught:
        validate(parse(text, "x.yaml"))
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [
        "a" * 100_000,
        ".".join("a" * 5000) + "=1",
        f"training.steps={'9' * 5000}",
        "members.²=1",
        f"members.{'9' * 5000}.name=gru",
        "training.steps=!!int x",
        "training=[" + "[" * 100_000,
        "model.name=" + "x" * 100_000,
    ],
)
def test_a_hostile_setting_is_one_short_line(setting: str) -> None:
    document = parse("model: {name: gru}\nmembers: [{name: gru}]", "x.yaml")
    with pytest.raises(ConfigError) as caught:
        validate(override(document, [setting]))
    assert len(str(caught.value)) < 600


def test_a_config_of_a_megabyte_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("a: 1\n" * 200_000)
    with pytest.raises(InputError, match="expected at most 262,144"):
        load_config(tmp_path / "big.yaml")


LACKS = [
    MemoryError(),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("can't start new thread"),
]


@pytest.mark.parametrize("error", LACKS, ids=str)
def test_a_lack_of_memory_or_threads_is_no_bug(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> Callable[..., int]:
        raise error

    monkeypatch.setattr("forecaster.cli.app.build", fail)
    assert command_line(["models"]) == 4
    assert capsys.readouterr().err.startswith("error: this needs more memory or threads than there are")


def test_an_order_of_imports_is_not_taken_for_a_lack_of_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> Callable[..., int]:
        raise ImportError("libgomp.so.1: cannot allocate memory in static TLS block")

    monkeypatch.setattr("forecaster.cli.app.build", fail)
    assert command_line(["models"]) == 1
    assert "libgomp.so.1: cannot allocate memory in static TLS block" in capsys.readouterr().err
