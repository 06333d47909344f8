from __future__ import annotations

import pytest

from forecaster import errors
from forecaster.errors import ConfigError, UnknownNameError, at_most_five, did_you_mean


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ForecasterError, 1),
        (errors.InputError, 2),
        (errors.ConfigError, 2),
        (errors.DataError, 2),
        (errors.PartialError, 3),
        (errors.OutsideError, 4),
    ],
)
def test_each_error_has_the_exit_code_of_the_tree(error: type[errors.ForecasterError], code: int) -> None:
    assert error("x").exit_code == code


def test_every_error_of_the_module_stands_in_its_drawn_tree() -> None:
    for name, member in vars(errors).items():
        if isinstance(member, type) and issubclass(member, Exception):
            assert issubclass(member, errors.ForecasterError)
            assert name in (errors.__doc__ or "")


def test_an_unknown_name_leads_to_the_nearest() -> None:
    assert str(UnknownNameError("model", "gur", ["gru", "lstm"])) == "Unknown model 'gur'. Did you mean 'gru'?"


def test_the_nearest_name_is_found_in_any_case() -> None:
    assert "'AAPL'" in did_you_mean("aapl", ["AAPL", "MSFT"])


def test_a_name_like_no_other_is_answered_with_at_most_five_of_what_there_is() -> None:
    text = did_you_mean("zzzzzz", [f"name{number}" for number in range(9)])
    assert text == "There is name0, name1, name2, name3, name4 and 4 more. "
    assert did_you_mean("zzzzzz", []) == ""


def test_at_most_five_items_are_listed() -> None:
    assert at_most_five(range(5)) == "0, 1, 2, 3, 4"
    assert at_most_five(range(12)) == "0, 1, 2, 3, 4 and 7 more"


def test_a_config_error_shows_the_first_problem_and_counts_the_rest() -> None:
    error = ConfigError(["a.yaml:1: first", "a.yaml:2: second", "a.yaml:3: third"])
    assert str(error) == "a.yaml:1: first (2 more: see `forecast config check`)"
    assert ConfigError("only").problems == ("only",)
