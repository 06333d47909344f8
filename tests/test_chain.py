"""The journal's hash chain: what is changed, removed or inserted later is found; journals without one are read."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import InputError
from forecaster.evaluation.entries import Entry, levels_of, to_sql
from forecaster.evaluation.entryreader import entries_of_rows
from forecaster.evaluation.journal import JOURNAL, append, read, verify
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

GOLDEN = Path(__file__).parent / "golden"
LEVELS = (0.1, 0.5, 0.9)


def entry(ticker: str = "AAPL", step: int = 1, **changes: object) -> Entry:
    quantiles = np.linspace(-0.02, 0.02, 3) + np.zeros((4, 1))
    values: dict[str, object] = {
        "run": "small",
        "model": "abc-evaluated",
        "ticker": ticker,
        "origin": "2020-01-02",
        "step": step,
        "as_of": False,
        "date": "2020-01-03",
        "made": "2020-01-02T22:00:00+00:00",
        "fitted_to": "2019-01-02",
        "levels": LEVELS,
        "quantiles": quantiles,
    }
    return Entry(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    for ticker in ("AAPL", "IBM", "MSFT"):
        append(tmp_path / JOURNAL, [entry(ticker, step) for step in (1, 2)])
    append(tmp_path / JOURNAL, [entry("IBM"), entry("KO", as_of=True)])
    return tmp_path / JOURNAL


def tamper(journal: Path, *statements: str) -> None:
    """Someone who knows SQLite: the triggers are no obstacle to him."""
    with closing(sqlite3.connect(journal)) as base, base:
        for trigger in ("never_changed", "never_deleted"):
            base.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            base.execute(statement)


def test_an_untouched_journal_is_as_it_was_made(journal: Path) -> None:
    state = verify(journal)
    assert (state.rows, state.before, state.broken) == (7, 0, None)
    append(journal, [entry("IBM")])
    assert verify(journal).head == state.head, "a repeated forecast is not stored again"
    append(journal, [entry("X")])
    assert verify(journal).head != state.head


TAMPERED = {
    "a price": "UPDATE forecasts SET quantiles = zeroblob(48) WHERE number = 3",
    "a date": "UPDATE forecasts SET made = '2019-12-31T00:00:00+00:00' WHERE number = 3",
    "its hash": "UPDATE forecasts SET hash = zeroblob(32) WHERE number = 3",
    "another ticker": "UPDATE forecasts SET ticker = 'X' WHERE number = 3",
    "removed": "DELETE FROM forecasts WHERE number = 3",
    "in another order": "UPDATE forecasts SET number = 100 WHERE number = 3",
    "the first": "DELETE FROM forecasts WHERE number <= 2",
}


@pytest.mark.parametrize("kind", TAMPERED)
def test_what_is_changed_later_is_found(kind: str, journal: Path) -> None:
    tamper(journal, TAMPERED[kind])
    broken = verify(journal).broken
    assert broken is not None
    assert broken.startswith("forecast 1 " if kind == "the first" else "forecast 3 ")


def test_what_is_inserted_without_a_number_is_found(journal: Path) -> None:
    row = [to_sql(value) for value in vars(entry("EVIL")).values()]
    with closing(sqlite3.connect(journal)) as base, base:
        base.execute(f"INSERT INTO forecasts VALUES ({', '.join('?' * 11)}, NULL, NULL)", row)
    assert verify(journal).broken is not None


def test_what_is_cut_off_at_the_end_changes_the_head(journal: Path) -> None:
    head = verify(journal).head
    tamper(journal, "DELETE FROM forecasts WHERE number = 7")
    assert verify(journal).broken is None
    assert verify(journal).head != head


def test_a_journal_of_version_1_is_read_and_goes_on_with_a_chain(tmp_path: Path) -> None:
    path = Path(shutil.copy(GOLDEN / "journal-1.sqlite", tmp_path / JOURNAL))
    before = path.read_bytes()
    assert [(one.ticker, one.step, one.date) for one in read(path)] == [
        ("AAPL", 1, "2020-01-03"),
        ("AAPL", 2, "2020-01-03"),
        ("IBM", 1, "2020-01-03"),
    ]
    np.testing.assert_allclose(read(path)[0].quantiles, entry().quantiles, atol=1e-8)
    with pytest.raises(InputError, match=r"has no hash chain yet: the next `forecast predict` begins one"):
        verify(path)
    assert path.read_bytes() == before
    append(path, [entry("KO"), entry("IBM")])
    state = verify(path)
    assert (state.rows, state.before, state.broken) == (1, 3, None)
    tamper(path, "UPDATE forecasts SET date = '2020-01-06' WHERE ticker = 'AAPL'")
    assert verify(path).broken is not None, "the rows from before the chain are covered too"


def test_the_command_says_it_and_ends_with_3_if_it_is_broken(journal: Path, say: Callable[..., Answer]) -> None:
    good = say("score", "--verify", "--runs-dir", journal.parent, "--format", "json")
    assert good.code == 0
    assert json.loads(good.out) == {"rows": 7, "before": 0, "head": verify(journal).head, "broken": None}
    assert "Keep the head elsewhere" in good.err
    tamper(journal, TAMPERED["a date"])
    bad = say("score", "--verify", "--runs-dir", journal.parent)
    assert bad.code == 3
    assert "error: the journal is not as it was written: forecast 3 (IBM from 2020-01-02, step 1" in bad.err


BAD_ROWS: list[dict[str, object]] = [
    {"run": b"\xff"},
    {"ticker": 5},
    {"origin": "yesterday"},
    {"origin": "2020-01-02\x1b[31m"},
    {"date": "99999-01-01"},
    {"made": "now"},
    {"fitted_to": ""},
    {"step": "1"},
    {"step": -1},
    {"step": 10**15},
    {"step": 1.5},
    {"as_of": 7},
    {"levels": "0.1 x 0.9"},
    {"levels": "0.9 0.5 0.1"},
    {"levels": "0.1 0.9"},
    {"levels": ""},
    {"levels": 3},
    {"quantiles": b""},
    {"quantiles": b"123"},
    {"quantiles": "text"},
    {"quantiles": np.full((4, 3), np.nan)},
    {"quantiles": np.full((4, 3), np.inf)},
    {"quantiles": np.zeros((4, 7))},
]


@pytest.mark.parametrize("change", BAD_ROWS, ids=str)
def test_a_row_that_is_no_entry_is_left_out_and_counted(change: dict[str, object]) -> None:
    good = [to_sql(value) for value in vars(entry()).values()]
    bad = [to_sql(value) for value in (vars(entry("BAD")) | change).values()]
    found = entries_of_rows([good, bad, good])
    assert ([one.ticker for one in found], found.damaged) == (["AAPL", "AAPL"], 1)
    np.testing.assert_allclose(found[1].quantiles, entry().quantiles, atol=1e-8)


def test_levels_must_hold_the_median() -> None:
    assert levels_of("0.5") == (0.5,)
    with pytest.raises(ValueError, match="are no quantile levels"):
        levels_of("0.4 0.6")
