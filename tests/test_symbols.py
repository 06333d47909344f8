from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.data.store import Store
from forecaster.data.symbols import file_stem, normalise, normalise_all, symbol_of
from forecaster.errors import InputError

SYMBOLS = st.from_regex(r"[A-Z0-9^$][A-Z0-9.^=_&+$~-]{0,31}", fullmatch=True).filter(
    lambda symbol: ".." not in symbol and not symbol.endswith(".")
)
RESERVED = ["CON", "PRN", "AUX", "NUL", "COM1", "LPT9", "CONIN$", "CONOUT$"]


@given(SYMBOLS)
def test_a_symbol_comes_back_from_its_file_name(symbol: str) -> None:
    assert symbol_of(file_stem(symbol)) == symbol


@given(SYMBOLS, SYMBOLS)
def test_two_symbols_never_share_a_file_even_where_case_does_not_count(one: str, other: str) -> None:
    assert (file_stem(one).casefold() == file_stem(other).casefold()) == (one == other)


@given(SYMBOLS)
def test_a_file_name_is_portable(symbol: str) -> None:
    stem = file_stem(symbol)
    assert stem.isascii()
    assert not set(stem) & set('/\\:*?"<>|$^& ')
    assert stem.split(".")[0] not in RESERVED
    assert len(f".{stem}.parquet.12345678.part") < 255


@given(st.text())
def test_any_text_is_a_symbol_or_refused_and_never_leaves_the_folder(text: str) -> None:
    root = Path("/store")
    try:
        path = Store(root).path(text)
    except InputError as error:
        complaint, path = str(error), root / "x"
    else:
        complaint = "is not a ticker symbol"
    assert "is not a ticker symbol" in complaint
    assert "\n" not in complaint
    assert path.parent == path.resolve().parent == root
    assert not path.name.startswith(".")


@given(st.text())
def test_a_stem_that_this_store_did_not_write_is_refused(stem: str) -> None:
    try:
        symbol = symbol_of(stem)
    except InputError:
        return
    assert file_stem(symbol) == stem


@pytest.mark.parametrize("symbol", [*RESERVED, "CON.L", "NUL.DE"])
def test_names_that_windows_reserves_are_escaped(symbol: str) -> None:
    assert file_stem(symbol).startswith("%")
    assert symbol_of(file_stem(symbol)) == symbol


@pytest.mark.parametrize(
    ("symbol", "stem"),
    [("^GSPC", "%5EGSPC"), ("BRK-B", "BRK-B"), ("EURUSD=X", "EURUSD%3DX"), ("CON", "%43ON"), ("0700.HK", "0700.HK")],
)
def test_file_names_stay_as_they_are(symbol: str, stem: str) -> None:
    assert file_stem(symbol) == stem


@pytest.mark.parametrize(
    "text", ["", " ", "A B", "../A", "A/B", "..", "A..B", "A.", ".A", "-A", "A?", "a" * 33, "Ä", "A\nB"]
)
def test_what_is_no_symbol_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a ticker symbol: expected letters, .* as in BRK-B"):
        normalise(text)


@pytest.mark.parametrize(("text", "words"), [("aapl,MSFT", "AAPL MSFT"), ("AAPL,", "AAPL"), ("A; B ,C", "A B C")])
def test_tickers_with_commas_between_are_answered_with_how_it_is_done(text: str, words: str) -> None:
    with pytest.raises(InputError, match=f"is not a ticker symbol: separate tickers with spaces, as in {words}"):
        normalise(text)


def test_symbols_are_upper_case_and_each_once() -> None:
    assert normalise_all([" aapl", "MSFT", "AAPL "]) == ("AAPL", "MSFT")
