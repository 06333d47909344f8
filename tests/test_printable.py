"""No text of a file or an argument reaches the terminal as an escape sequence, or a spreadsheet as a formula."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from forecaster.data.store import Store
from forecaster.printable import MOST, printable, quoted
from forecaster.show.columns import table
from forecaster.show.output import View, present
from forecaster.show.screen import console, fitted
from tests.conftest import Run, bars

HOSTILE = "\x1b]0;title\x07\x1b[31m\x9b2J\u202egnp.exe\u2066\r\x00[/]:smile:[bold]\udce9"

SAFE = st.text().map(lambda text: text + HOSTILE)


def harmless(text: str) -> bool:
    """Whether a terminal only writes it."""
    return all(letter in "\n" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co") for letter in text)


@given(SAFE)
def test_what_is_printed_is_harmless_and_says_the_same(text: str) -> None:
    shown = printable(text)
    assert harmless(shown)
    assert printable(shown) == shown
    assert "[/]:smile:[bold]" in shown


def test_plain_words_of_any_language_stay() -> None:
    for text in ("Börse Zürich", "収盤価", "سعر", "10 000", "naïve – 5 × 3", "🙂"):
        assert printable(text) == text


def test_a_value_of_any_length_is_quoted_on_one_short_line() -> None:
    assert quoted("AAPL\n") == "'AAPL\\n'"
    for value in ("x" * 10_000_000, HOSTILE * 1000, list(range(100_000)), 1.5):
        assert len(quoted(value)) <= 8 * MOST
        assert harmless(quoted(value))
        assert "\n" not in quoted(value)


@pytest.mark.parametrize("wrap", [str, Text, lambda text: table({text: [text]}, [text])])
def test_the_console_prints_no_escape_and_reads_no_markup(wrap: Callable[[str], object]) -> None:
    buffer = io.StringIO()
    console(buffer).print(wrap(HOSTILE))
    shown = buffer.getvalue()
    assert harmless(shown)
    assert "\\x1b[31m" in shown
    assert "[/]:smile:[bold]" in shown


def test_colours_still_reach_a_terminal() -> None:
    buffer = io.StringIO()
    console(buffer, force_terminal=True).print(Text("red", "red"))
    assert "\x1b[31m" in buffer.getvalue()


def test_an_error_line_is_harmless() -> None:
    assert harmless(fitted(f"error: {HOSTILE}", io.StringIO()))


def written(tmp_path: Path, format: str) -> str:
    row = {"ticker": f"A{HOSTILE}", "value": -1.5, "of": "-0.25", "note": '=HYPERLINK("http://x")', "more": "@SUM(A1)"}
    present(View([row], [row], lambda: ""), format, tmp_path / "out")
    return (tmp_path / "out").read_text(encoding="utf-8")


def test_csv_holds_no_formula_and_numbers_stay(tmp_path: Path) -> None:
    text = written(tmp_path, "csv")
    (row,) = csv.DictReader(io.StringIO(text))
    assert harmless(text)
    assert (row["value"], row["of"]) == ("-1.5", "-0.25")
    assert (row["note"], row["more"]) == ('\'=HYPERLINK("http://x")', "'@SUM(A1)")


def test_json_is_harmless_and_reads_back_as_the_same(tmp_path: Path) -> None:
    text = written(tmp_path, "json")
    assert harmless(text)
    assert json.loads(text)[0]["ticker"] == f"A{HOSTILE}"


def test_a_hostile_currency_and_column_are_shown_escaped(forecast: Run, tmp_path: Path) -> None:
    Store(tmp_path / "store").write(bars(currency=HOSTILE.replace("\udce9", "")), source="file\x1b[31m")
    (tmp_path / "KO.csv").write_text("Date,Open,High,Low,\x9b[/]C-l-o\u202e\n2020-01-02,1,1,1,1\n", encoding="utf-8")
    for words in (
        ("data", "list"),
        ("data", "show", "AAPL"),
        ("data", "list", "--format", "csv"),
        ("fetch", "KO", "--source", "file", "--path", tmp_path / "KO.csv"),
        ("predict", "AAPL", "--run", "a\x1b[31m[/]"),
        ("train", "gru", "--set", "model.name=\x1b[31m[/]\u202e"),
    ):
        done = forecast(*words, "--data-dir", tmp_path / "store")
        shown = done.stdout + done.stderr
        assert harmless(shown), words
        assert "this is a bug" not in shown
        assert "\\x" in shown, words


def test_one_ticker_in_square_brackets_does_not_end_the_fetch_of_the_others(forecast: Run, tmp_path: Path) -> None:
    rows = "".join(f"2020-01-{day:02},{name},1,1,1,1\n" for name in ("[B]", "KO") for day in (2, 3, 6))
    (tmp_path / "all.csv").write_text(f"Date,Ticker,Open,High,Low,Close\n{rows}")
    done = forecast("fetch", "--source", "file", "--path", tmp_path / "all.csv", "--data-dir", tmp_path / "store")
    assert done.returncode == 3, done.stderr
    assert Store(tmp_path / "store").tickers() == ("KO",)
    assert "'[B]' is not a ticker symbol" in done.stdout
