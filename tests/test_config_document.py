from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.config.document import dump, override, parse
from forecaster.errors import ConfigError


def value(text: str) -> Any:
    return parse(f"key: {text}", "x.yaml").values["key"]


@pytest.mark.parametrize("text", ["ON", "NO", "on", "yes", "off", "Y", "n", "0700", "1_000", "1:30", "0x1F", "BRK-B"])
def test_what_yaml_1_1_would_turn_into_something_else_stays_text(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "number"), [("1e-3", 0.001), ("3e-3", 0.003), ("1.5", 1.5), ("-.5", -0.5), ("2.", 2.0), ("1E3", 1000.0)]
)
def test_numbers_with_an_exponent_or_a_point_are_floats(text: str, number: float) -> None:
    assert value(text) == number
    assert isinstance(value(text), float)


def test_integers_booleans_dates_and_gaps_are_what_they_look_like() -> None:
    assert value("17") == 17
    assert value("-3") == -3
    assert value("true") is True
    assert value("False") is False
    assert value("2020-01-31") == dt.date(2020, 1, 31)
    assert value("") is None
    assert math.isinf(value(".inf"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- a\n- b\n", "x.yaml:1: the file is a list, expected sections such as `data:` and `model:`."),
        ("", "x.yaml:1: the file is empty, expected sections"),
        ("just a word", "x.yaml:1: the file is only the value 'just a word', expected sections"),
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3: this is not valid YAML: the key 'a' is duplicated."),
        ("a:\n  b: 1\n  b: 2\n", "x.yaml:3: this is not valid YAML: the key 'b' is duplicated."),
        ("a: 1\n? [b]\n: c\n", "x.yaml:2: this is not valid YAML: the key in brackets is not plain text."),
        ("1: 2\n", "x.yaml:1: this is not valid YAML: the key '1' is not plain text."),
        ("a: [1, 2\nb: 3\n", "x.yaml:2: this is not valid YAML: the [ on line 1 is not closed, or lacks a comma"),
        ("a: 1\n\tb: 2\n", "x.yaml:2: this is not valid YAML: a tab where only spaces are allowed"),
        ("a: 2020-02-30\n", "x.yaml:1: this is not valid YAML: 2020-02-30 is not a valid date"),
        ("a: &x [*x]\n", "x.yaml:1: this is not valid YAML: the alias *x is not supported: write out the value."),
        ("a: !!python/object/apply:os.getcwd []\n", "x.yaml:1: this is not valid YAML: the tag tag:yaml"),
        ("a: \x00\n", "x.yaml:1: this is not valid YAML: it contains a control character"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: this is not valid YAML: a second document starts with ---: keep only one."),
        ("a: " + "[" * 20_000, "x.yaml:1: this is not valid YAML: nested more than 32 levels deep"),
    ],
)
def test_text_that_cannot_be_used_is_one_line_with_file_and_line(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "x.yaml")
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_document_knows_the_line_of_each_key() -> None:
    document = parse("data:\n  tickers:\n    - A\n    - B\nmodel: {name: gru}\n", "x.yaml")
    assert document.place(["data"]) == "x.yaml:1"
    assert document.place(["data", "tickers", 1]) == "x.yaml:4"
    assert document.place(["model", "name"]) == "x.yaml:5"
    assert document.place(["data", "no", "such"]) == "x.yaml:1"
    assert document.place(["nothing"]) == "x.yaml"


def test_settings_override_and_leave_the_document_alone() -> None:
    document = parse("a: {b: 1, c: 2}\n", "x.yaml")
    changed = override(document, ["a.b=5e-4", "a.d=[X, ON]", "new.deep=2020-01-01"])
    assert changed.values == {"a": {"b": 5e-4, "c": 2, "d": ["X", "ON"]}, "new": {"deep": dt.date(2020, 1, 1)}}
    assert changed.place(["a", "b"]) == "--set a.b=5e-4"
    assert changed.place(["a", "c"]) == "x.yaml:1"
    assert document.values == {"a": {"b": 1, "c": 2}}


def test_a_setting_reaches_into_a_list() -> None:
    document = parse("members:\n  - {name: gru, size: 1}\n  - {name: har}\n", "x.yaml")
    changed = override(document, ["members.0.size=8", "members.1={name: harx}"])
    assert changed.values == {"members": [{"name": "gru", "size": 8}, {"name": "harx"}]}
    assert changed.place(["members", 0, "size"]) == "--set members.0.size=8"
    assert changed.place(["members", 0, "name"]) == "x.yaml:2"
    assert document.values["members"][0]["size"] == 1


def test_the_last_of_two_settings_counts() -> None:
    assert override(parse("a: 1", "x"), ["a=2", "a=3"]).values == {"a": 3}


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("steps", "--set steps: expected KEY=VALUE, such as training.steps=200."),
        ("=5", "--set =5: expected KEY=VALUE"),
        ("a..b=5", "--set a..b=5: expected KEY=VALUE"),
        ("a.b=5", "--set a.b=5: 'a' is a value, expected a section."),
        ("l.2.b=5", "--set l.2.b=5: 'l' is a list: expected an item index, 0 to 1, not '2'."),
        ("l.b=5", "--set l.b=5: 'l' is a list: expected an item index, 0 to 1, not 'b'."),
        ("l.-1=5", "--set l.-1=5: 'l' is a list: expected"),
        ("o.1=5", "--set o.1=5: 'o' is a list: expected an item index, only 0, not '1'."),
        ("n.0=5", "--set n.0=5: 'n' is a list: expected an item index, none (it is empty), not '0'."),
        ("l.1.b=5", "--set l.1.b=5: 'l.1' is a value, expected a section."),
        ("c=[1", "--set c=[1: '[1' is not a YAML value."),
        ("c=2020-02-30", "--set c=2020-02-30: '2020-02-30' is not a YAML value."),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(setting: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        override(parse("a: 1\nl: [{b: 1}, 2]\no: [1]\nn: []\n", "x.yaml"), [setting])
    assert str(caught.value).startswith(complaint)


PLAIN = st.one_of(
    st.text(),
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.dates(min_value=dt.date(1000, 1, 1)),
    st.none(),
)


@given(st.dictionaries(st.text(min_size=1), st.one_of(PLAIN, st.lists(PLAIN)), min_size=1))
def test_what_is_dumped_reads_back_as_it_was(values: dict[str, Any]) -> None:
    assert parse(dump(values), "x.yaml").values == values


@pytest.mark.parametrize("text", ["ON", "1e3", "0700", "2020-01-01", "true", "1_000", "", "null", "~"])
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    assert parse(dump({"a": text}), "x.yaml").values == {"a": text}
