"""Files and words from outside: what is a pipe, too large or damaged is one line, or is computed again."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import feather

from forecaster import mapped
from forecaster.cli import options
from forecaster.data.panel import Panel
from forecaster.data.sources.frames import read_part
from forecaster.data.sources.parts import Part
from forecaster.data.sources.table import Hints
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, ForecasterError, InputError, OutsideError
from forecaster.evaluation.ledgerfile import content_of
from forecaster.features import cache
from forecaster.features.cache import entries, features_of
from forecaster.positions.holdings import parse_pairs
from forecaster.positions.holdingsfile import read_holdings
from forecaster.runs.config import load_config
from forecaster.tensorfile import load_tensors
from forecaster.tuning.findings import finished
from forecaster.tuning.journal import JOURNAL, distributions, heal, opened
from forecaster.walkforward.claims import Claims
from forecaster.walkforward.processes import Engine, fit_folds, in_processes
from forecaster.walkforward.walk import load_walk, save_walk
from forecaster.workflows.delete_runs import find_runs
from tests.studio import panel
from tests.test_folds import handed
from tests.test_tuning import search_in

PRICES = ("open", "high", "low", "close")


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "holdings": ("h.csv", read_holdings),
    "tickers-file": ("t.txt", options.symbols),
    "ledger": ("test-looks.jsonl", content_of),
    "files of the folds": ("shared.json", lambda path: load_walk(path.parent)),
    "claim": ("claim-0-0", lambda path: Claims(path.parent).holder(0)),
    "array": ("values.npy", mapped.read_array),
    "journal of a search": (JOURNAL, lambda path: heal(path, "any")),
    "config of a run": ("run/config.yaml", lambda path: find_runs(["run"], path.parents[1])),
    "table": ("KO.parquet", lambda path: read_part(Part(path), Hints())),
    "text table": ("KO.csv", lambda path: read_part(Part(path), Hints())),
    "workbook": ("KO.xlsx", lambda path: read_part(Part(path), Hints())),
    "Feather": ("KO.feather", lambda path: read_part(Part(path), Hints())),
}


@pytest.mark.parametrize("kind", [kind for kind in READERS if not kind.endswith(("able", "book", "ther"))])
@pytest.mark.timeout(60)
def test_a_pipe_in_the_place_of_a_file_blocks_no_reader(kind: str, tmp_path: Path) -> None:
    name, read = READERS[kind]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    _ends_in_one_line(read, tmp_path / name)


@pytest.mark.parametrize("kind", READERS)
def test_ten_gigabytes_are_refused_by_their_size(kind: str, tmp_path: Path) -> None:
    name, read = READERS[kind]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    with (tmp_path / name).open("wb") as file:
        file.truncate(10 << 30)  # a hole, which takes no space on the disk
    _ends_in_one_line(read, tmp_path / name)


def test_a_model_file_of_ten_gigabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    count = 10 << 30
    header = json.dumps({"weights": {"dtype": "U8", "shape": [count], "data_offsets": [0, count]}}).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + count)
    with pytest.raises(InputError, match=r"is too large: it has .* expected at most 8,589,934,592"):
        load_tensors(path)


def _ends_in_one_line(read: Callable[[Path], object], path: Path) -> None:
    try:
        found = str(read(path))
    except (InputError, OutsideError, ValueError, OSError) as error:  # those of caches go to their callers
        found = str(error)
    assert "\n" not in found
    assert len(found) < 600


def test_damaged_files_of_the_folds_are_said_to_be_that_by_the_process_that_reads_them(tmp_path: Path) -> None:
    walk = handed(tmp_path)
    save_walk(walk)
    shared = json.loads((tmp_path / "shared.json").read_text())
    (tmp_path / "shared.json").write_text(json.dumps(shared | {"tickers": 3}))
    with pytest.raises(InputError, match=r"are damaged: 3 is not a list\. Delete the folder and run the same"):
        fit_folds(walk, [0], Engine(in_processes, lambda: 1), lambda *_: None, is_saved=True)


@pytest.mark.parametrize(
    ("key", "value"), [("features", ["a"]), ("folds", [{}]), ("folds", []), ("currencies", [None]), ("covariates", "x")]
)
def test_a_value_of_another_type_is_no_file_of_a_fold(tmp_path: Path, key: str, value: object) -> None:
    save_walk(handed(tmp_path))
    shared = json.loads((tmp_path / "shared.json").read_text())
    (tmp_path / "shared.json").write_text(json.dumps(shared | {key: value}))
    with pytest.raises(InputError, match="are damaged"):
        load_walk(tmp_path)


def test_an_empty_array_is_no_file_of_a_fold(tmp_path: Path) -> None:
    save_walk(handed(tmp_path))
    (tmp_path / "values.npy").write_bytes(b"")
    with pytest.raises(InputError, match="are damaged: No data left in file"):
        load_walk(tmp_path)


@pytest.mark.parametrize("damage", ["text", "names", "array", "pipe"])
def test_a_damaged_entry_of_the_feature_cache_is_computed_again(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "CACHED_FROM", 1)
    candles: Panel = panel(80, 60)
    with mapped.large_arrays_in(tmp_path):
        plain = np.array(features_of(candles, ("base",)).values)
        (entry,) = entries(tmp_path)
        about, values = entry.folder / "about.json", entry.folder / "values.npy"
        if damage == "array":
            np.save(values, np.zeros((3, 2), np.float32))
        elif damage == "pipe":
            about.unlink()
            os.mkfifo(about)
        else:
            about.write_text("{" if damage == "text" else '{"names": ["a", "b"]}')
        assert np.array_equal(features_of(candles, ("base",)).values, plain)
        assert len(json.loads(about.read_text())["names"]) == plain.shape[1]


@pytest.mark.parametrize("header", [b"{'descr': (", b"{", b"\xff", b"3"])
def test_an_array_whose_header_is_no_literal_is_damaged(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n")
    with pytest.raises(ValueError, match=r"\S"):
        mapped.read_array(path)


CLAIMS = ("[]", "3", "{", '{"host": 3}', '{"host": "x", "pid": "y", "started": null}', '{"pid": 1e99}', "\ud800", "")


@pytest.mark.parametrize("text", CLAIMS)
def test_a_damaged_claim_is_that_of_nobody_known(text: str, tmp_path: Path) -> None:
    (tmp_path / "claim-0-0").write_text(text, errors="surrogatepass")
    (tmp_path / "claim-0-junk").write_text("not one of ours")
    assert Claims(tmp_path).holder(0) == "unknown:"


@pytest.mark.parametrize(
    ("at", "change"),
    [
        (0, {"directions": 7}),
        (1, {"op_code": 99}),
        (-1, {"values": ["\x1b[31m"]}),
        (-1, {"state": "x"}),
    ],
)
def test_a_journal_of_a_search_that_is_json_but_no_journal_is_one_line(
    at: int, change: dict[str, object], tmp_path: Path
) -> None:
    search = search_in(tmp_path / ".tune-one")
    with opened(search) as study:
        study.tell(study.ask(distributions(search)), 0.5)
    path = search.folder / JOURNAL
    lines = path.read_text().splitlines()
    lines[at] = json.dumps(json.loads(lines[at]) | change)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="is damaged") as caught, opened(search) as study:
        finished(search, study)
    assert str(caught.value).isprintable()


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_part(Part(path), Hints())
    assert len(str(caught.value)) < 600
    return str(caught.value)


def written(path: Path, table: pa.Table, compression: str | None = None) -> Path:
    with (
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_file(file, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer,
    ):
        writer.write_table(table)
    return path


def test_a_feather_file_that_unpacks_to_too_much_is_refused_before_it_is(tmp_path: Path) -> None:
    zeros = pa.table({name: np.zeros(3_000_000) for name in ("date", *PRICES)})
    assert "unpacks to more than 67," in refused(written(tmp_path / "A.feather", zeros, "zstd"))
    nulls = pa.table({name: pa.nulls(2_000_000_000) for name in ("date", *PRICES)})
    path = written(tmp_path / "B.feather", nulls)
    assert path.stat().st_size < 2000
    assert "unpacks to more than 67," in refused(path)


def test_what_a_feather_file_declares_is_believed_only_as_it_is_read(tmp_path: Path) -> None:
    """Its footer, which others read first, may name other messages than those that were measured."""
    frame = pd.DataFrame({"date": ["2020-01-02"]} | {name: [1.0] for name in PRICES})
    path = tmp_path / "A.feather"
    feather.write_feather(frame, path, compression="lz4")
    content = path.read_bytes()
    path.write_bytes(content[:-50])  # without the footer
    assert len(read_part(Part(path), Hints()).stamps.wall) == 1


def test_words_that_lie_at_one_place_count_each_time(tmp_path: Path) -> None:
    word = pa.array(["x" * 9500], pa.string_view())
    views = pa.Array.from_buffers(
        pa.string_view(), 20_000, [None, pa.py_buffer(word.buffers()[1].to_pybytes() * 20_000), word.buffers()[2]]
    )
    made = pa.table({"date": views} | {name: np.ones(20_000) for name in PRICES})
    assert "unpacks to more than 145," in refused(written(tmp_path / "A.feather", made))


def test_one_word_in_every_row_counts_in_every_row(tmp_path: Path) -> None:
    made = pa.table({"date": ["x" * 9500] * 10_000} | {name: np.ones(10_000) for name in PRICES})
    pq.write_table(made, tmp_path / "A.parquet", compression="zstd")
    assert (tmp_path / "A.parquet").stat().st_size < 50_000
    assert "unpacks to more than 67," in refused(tmp_path / "A.parquet")


def test_a_column_that_is_none_of_candles_is_named(tmp_path: Path) -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([1 << 10], pa.int32()), pa.array([1.0]))
    assert "the column 'open' holds 'run_end_encoded" in refused(
        written(tmp_path / "A.feather", pa.table({"open": runs}))
    )
    pq.write_table(pa.table({"open": [[1.0]]}), tmp_path / "A.parquet")
    assert "the column 'open' holds 'list<" in refused(tmp_path / "A.parquet")


def test_a_parquet_of_nulls_counts_as_what_it_becomes(tmp_path: Path) -> None:
    pq.write_table(pa.table({name: pa.nulls(3_000_000) for name in ("date", *PRICES)}), tmp_path / "A.parquet")
    assert "unpacks to more than 67," in refused(tmp_path / "A.parquet")


@pytest.mark.parametrize("cut", [b"<sheetData", b"</sheetData>", b"<row"])
def test_a_workbook_whose_xml_is_damaged_is_one_line(cut: bytes, tmp_path: Path) -> None:
    assert "cannot be read" in refused(workbook(tmp_path / "A.xlsx", lambda sheet: sheet.partition(cut)[0]))
    assert "cannot be read" in refused(workbook(tmp_path / "B.xlsx", lambda sheet: sheet.replace(cut, b"\xff<")))


CORNER = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
WIDE = '<row><c r="XFD9"><v>1</v></c></row>' * 600


@pytest.mark.parametrize("cells", [CORNER, WIDE], ids=["corner", "wide"])
def test_a_workbook_of_few_cells_far_apart_is_refused_before_it_is_filled(cells: str, tmp_path: Path) -> None:
    path = workbook(tmp_path / "A.xlsx", lambda sheet: sheet.replace(b"</sheetData>", f"{cells}</sheetData>".encode()))
    assert "a sheet spans" in refused(path)


def workbook(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """A workbook with one candle, its sheet changed."""
    frame = pd.DataFrame({"date": ["2020-01-02"]} | {name: [1.0] for name in PRICES})
    book = io.BytesIO()
    frame.to_excel(book, index=False)
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if "worksheets" in name else old.read(name))
    return path


def error_of(read: Callable[[], object]) -> ForecasterError | None:
    """The one line that reading ends in; None if it works. Any other error is a bug."""
    try:
        read()
    except ForecasterError as error:
        return error
    return None


@given(st.text(max_size=60))
@example("../../x")
@example("C:\\x")
@example("A" * 10_000)
@example("\x1b[31m")
def test_any_text_as_a_symbol_is_plain_or_refused(text: str) -> None:
    if (error := error_of(lambda: normalise_all([text]))) is not None:
        assert len(str(error)) < 400
        return
    (found,) = normalise_all([text])
    assert found.isprintable()
    assert not set(found) & set('/\\:*?"<>|')
    assert found.strip(".")


@given(st.lists(st.text(max_size=30) | st.from_regex(r"[A-Z=]{1,6}=-?[0-9.e]{1,8}", fullmatch=True), max_size=3))
@example(["A" * 5000])
@example(["AAPL=nan"])
@example(["AAPL=1e999"])
def test_any_words_as_holdings_are_numbers_or_refused(words: list[str]) -> None:
    if (error := error_of(lambda: parse_pairs(words))) is not None:
        assert error.exit_code == 2
        assert len(str(error)) < 400
        return
    assert all(np.isfinite(amount) for amount in parse_pairs(words).amounts.values())


@given(
    st.sampled_from(["training.steps", "model.hidden_size", "task.horizon", "data.start", "features", "x"]),
    st.text(max_size=30) | st.integers().map(str) | st.floats().map(str) | st.binary(max_size=8).map(str),
)
def test_any_setting_is_one_line_or_a_config(key: str, value: str) -> None:
    error = error_of(lambda: load_config("gru", (f"{key}={value}",)))
    assert error is None or (error.exit_code == 2 and len(str(error)) < 600)
