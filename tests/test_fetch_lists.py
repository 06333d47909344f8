"""Ready lists and lists of the user's own."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from forecaster.cli import options
from forecaster.data import lists
from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError, UnknownNameError


@pytest.mark.parametrize("name", lists.names())
def test_a_ready_list_says_its_date_and_holds_each_symbol_once(name: str) -> None:
    text = files(lists).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    assert re.search(r"^# (Membership as of|Chosen) \d{4}-\d{2}-\d{2}", text, re.M)
    symbols = lists.read(name)
    assert normalise_all(symbols) == symbols
    assert len(symbols) >= 10


def test_the_dow_has_thirty_members() -> None:
    members = lists.read("dow30")
    assert len(members) == 30
    assert {"NVDA", "SHW"} < set(members)
    assert not {"INTC", "DOW"} & set(members)


def test_the_option_s_help_names_every_ready_list() -> None:
    text = get_args(options.TickersFile)[1].help
    assert all(name in text for name in lists.names())


def test_a_tickers_file_may_hold_remarks_commas_and_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_bytes("\ufeff# mine\nAAPL, MSFT  # two\n\n ^GSPC\r\n".encode())
    assert options.symbols(file) == ["AAPL", "MSFT", "^GSPC"]


def test_a_file_goes_before_a_ready_list_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(options.symbols(Path("dow30"))) == 30
    Path("dow30").write_text("AAPL\n")
    assert options.symbols(Path("dow30")) == ["AAPL"]


def test_a_wrong_name_leads_to_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown ready list 'dow3'\. Did you mean 'dow30'\?"):
        options.symbols(Path("dow3"))
    with pytest.raises(
        InputError, match=r"nowhere.txt is not a file: check the name, or use a ready list \(currencies"
    ):
        options.symbols(tmp_path / "nowhere.txt")
