"""A store that was damaged by hand: what is wrong is found and named, and a repair brings just that again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecaster.data.sources import SourceOptions
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError
from forecaster.workflows.fetch import fetch
from forecaster.workflows.verify import Finding, verify
from tests.yahoo.kit import Kit
from tests.yahoo.server import YahooServer, status

Change = Callable[[pa.Table], pa.Table]


def _rewritten(path: Path, change: Change) -> None:
    """The file with other columns and the same header, as a hand that knows Parquet would leave it."""
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)


def _swapped(table: pa.Table) -> pa.Table:
    names = ["volume" if name == "close" else "close" if name == "volume" else name for name in table.column_names]
    return table.rename_columns(names).select(table.column_names)


def _doubled(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table.slice(0, 100), table.slice(99, 1), table.slice(101)])


def _one_value(table: pa.Table) -> pa.Table:
    close = table["adj_close"].to_numpy().copy()
    close[50] *= 1.001
    return table.set_column(table.column_names.index("adj_close"), "adj_close", pa.array(close))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


def _headless(path: Path) -> None:
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a cut file": (_cut, "Parquet magic bytes not found in footer"),
    "a swapped column": (lambda path: _rewritten(path, _swapped), "does not enclose open and close"),
    "a doubled date": (lambda path: _rewritten(path, _doubled), "is duplicated or out of order"),
    "a row too few": (lambda path: _rewritten(path, lambda table: table.slice(1)), "its header says 3270"),
    "one changed value": (lambda path: _rewritten(path, _one_value), "its values do not match their checksum."),
    "a lost header": (_headless, "it was not written by forecaster"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_by_hand_is_found_named_and_repaired(damage: str, kit: Kit, server: YahooServer) -> None:
    kit.fetch("AAPL", "IBM", "MSFT")
    spoil, problem = DAMAGE[damage]
    spoil(kit.store.path("IBM"))
    whole = {name: content for name, content in kit.bytes().items() if name != "IBM.parquet"}
    server.log.clear()

    (found,) = verify(kit.store.root)
    assert (found.ticker, found.kind, found.file) == ("IBM", "damaged", str(kit.store.path("IBM")))
    assert problem in found.problem
    assert found.remedy == "forecast data verify --repair, or: forecast fetch IBM --full."
    assert server.log == []

    (mended,) = verify(kit.store.root, repair=True)
    assert mended.mended
    assert (server.requests("IBM"), server.requests()) == (1, 1)
    assert kit.matches(server.listings["IBM"])
    assert {name: content for name, content in kit.bytes().items() if name != "IBM.parquet"} == whole
    assert verify(kit.store.root) == []


def test_a_whole_store_has_no_findings(kit: Kit) -> None:
    kit.fetch("AAPL", "IBM")
    assert verify(kit.store.root) == []


def test_a_file_of_another_ticker_is_damage(kit: Kit) -> None:
    kit.fetch("AAPL", "IBM")
    kit.store.path("IBM").write_bytes(kit.store.path("AAPL").read_bytes())
    (found,) = verify(kit.store.root)
    assert found.problem == "it holds 'AAPL'."


def test_a_repair_that_fails_leaves_the_file_and_says_why(kit: Kit, server: YahooServer) -> None:
    kit.fetch("AAPL", "IBM")
    _cut(kit.store.path("IBM"))
    before = kit.bytes()
    server.fail("IBM", status(500))
    (found,) = verify(kit.store.root, repair=True)
    assert not found.mended
    assert "Yahoo had a server error (HTTP 500), 4 times." in found.outcome
    assert kit.bytes() == before


def test_oddities_are_found_by_kind(kit: Kit, server: YahooServer) -> None:
    jump, gap, late = (server.listings[name] for name in ("AAPL", "IBM", "GOOG"))
    columns = {name: getattr(jump, name)[70] / 100 for name in ("open", "high", "low", "close", "adj_close")}
    keep = np.r_[0:300, 330 : len(gap.dates)]
    server.put(
        jump.changed(70, **columns),
        gap.taken(keep),
        late.until("2013-02-10"),
    )
    kit.fetch("AAPL", "IBM", "GOOG", "MSFT")
    kinds = {finding.ticker: finding.kind for finding in verify(kit.store.root)}
    assert kinds == {"AAPL": "jump", "IBM": "gap", "GOOG": "stale"}
    server.put(jump, gap, late)  # the source has mended itself
    findings = verify(kit.store.root, repair=True)
    assert all(finding.mended for finding in findings)
    assert verify(kit.store.root) == []


def test_what_the_source_itself_says_stays_a_finding(kit: Kit, server: YahooServer) -> None:
    gap = server.listings["IBM"]
    server.put(gap.taken(np.r_[0:300, 330 : len(gap.dates)]))
    kit.fetch("IBM")
    (found,) = verify(kit.store.root, repair=True)
    assert not found.mended
    assert found.outcome == "unchanged: 3240 rows from yahoo"


def test_a_frozen_tail_is_found(kit: Kit, server: YahooServer) -> None:
    good = server.listings["AAPL"]
    tail = slice(-12, None)
    price = good.close[-13]
    server.put(good.changed(tail, open=price, high=price, low=price, close=price, volume=0.0))
    kit.fetch("AAPL")
    (found,) = verify(kit.store.root)
    assert (found.kind, found.problem) == (
        "frozen",
        "the price has not moved since 2013-02-13: 12 candles at 467.9, without volume.",
    )


def test_each_ticker_is_brought_from_the_source_it_came_from(kit: Kit, server: YahooServer, tmp_path: Path) -> None:
    kit.fetch("AAPL")
    fetch(["IBM"], source="sample", data_dir=kit.store.root)
    own = tmp_path / "own.csv"
    own.write_text("Date,Open,High,Low,Close\n2013-03-01,1,2,1,2\n2013-02-28,1,2,1,2\n")
    fetch(["OWN"], source="file", data_dir=kit.store.root, options=SourceOptions(path=own))
    for name in ("AAPL", "IBM", "OWN"):
        _rewritten(kit.store.path(name), lambda table: table.slice(1))
    found = {finding.ticker: finding for finding in verify(kit.store.root, repair=True)}
    assert {name: finding.source for name, finding in found.items()} == {
        "AAPL": "yahoo", "IBM": "sample", "OWN": "file",
    }  # fmt: skip
    assert {name: finding.mended for name, finding in found.items()} == {"AAPL": True, "IBM": True, "OWN": False}
    assert found["OWN"].outcome == "--source file needs --path FILE_OR_DIR."
    assert found["OWN"].remedy == ("Fetch it from its file again: forecast fetch OWN --source file --path FILE --full.")
    assert server.requests("IBM") == 0


def test_a_name_that_the_store_does_not_have_is_answered(kit: Kit, tmp_path: Path) -> None:
    kit.fetch("AAPL")
    with pytest.raises(UnknownNameError, match="Did you mean 'AAPL'"):
        verify(kit.store.root, ["AAPLE"])
    with pytest.raises(InputError, match="holds no candles"):
        verify(tmp_path / "nowhere")


def _commands(*lines: list[str]) -> list[tuple[int, str]]:
    """Exit code and standard output of each command line, all in one process that is not this one."""
    code = """
import contextlib, io, json, sys
from forecaster.cli import run
for line in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = run(line)
    print(json.dumps([code, output.getvalue()]))
"""
    command = [sys.executable, "-c", code, json.dumps(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_the_command_gives_three_for_a_finding_and_nought_when_it_is_mended(tmp_path: Path) -> None:
    check = ["data", "verify", "--data-dir", str(tmp_path)]
    whole = _commands(["fetch", "--source", "sample", "--quiet", *check[2:]], check)
    assert [code for code, _ in whole] == [0, 0]
    _cut(Store(tmp_path).path("FB"))  # whose header is gone with it; the others came from the sample
    (found, text), mended, again = _commands([*check, "--format", "json"], [*check, "--repair"], check)
    assert found == 3
    (finding,) = json.loads(text)
    assert set(finding) == set(Finding.__dataclass_fields__)
    assert (finding["ticker"], finding["source"]) == ("FB", "sample")
    assert (mended[0], mended[1].splitlines()[-1]) == (0, "1 found, 1 fixed, 0 left")
    assert again[0] == 0
