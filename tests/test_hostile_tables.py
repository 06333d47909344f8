"""Tables from a stranger: what they unpack to has a limit, their metadata runs nothing, and Ctrl-C is never lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecaster.data.sources.frames import read_part
from forecaster.data.sources.parts import Part
from forecaster.data.sources.table import Hints
from forecaster.errors import DataError
from forecaster.interrupts import interrupts_held
from tests.studio import environment

PRICES = ("open", "high", "low", "close")


def table(rows: int) -> dict[str, pa.Array]:
    dates = pa.array(np.arange(rows, dtype="int64").astype("datetime64[D]") + 7000)
    return {"date": dates} | {name: pa.array(np.ones(rows)) for name in PRICES}


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_part(Part(path), Hints())
    assert len(str(caught.value)) < 600
    return str(caught.value)


def test_a_file_of_kilobytes_that_unpacks_to_gigabytes_is_refused_early(tmp_path: Path) -> None:
    path, rows = tmp_path / "KO.parquet", 1_000_000
    part = pa.table({name: pa.array(np.ones(rows)) for name in ("date", *PRICES)})
    with pq.ParquetWriter(path, part.schema, compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(part)
    assert path.stat().st_size < 500_000
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom forecaster.data.sources.frames import read_part\n"
        "from forecaster.data.sources.parts import Part\nfrom forecaster.data.sources.table import Hints\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_part(Part(Path(sys.argv[1])), Hints())\nexcept Exception as error:\n    print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env=environment(), capture_output=True, text=True, check=True
    )
    complaint, grown = done.stdout.splitlines()
    assert "it unpacks to more than 67," in complaint
    assert int(grown) < 300, "megabytes"


def test_a_cell_of_megabytes_is_refused_and_not_printed(tmp_path: Path) -> None:
    columns = table(3) | {"ticker": pa.array(["A" * (40 << 20), "B", "C"])}
    pq.write_table(pa.table(columns), tmp_path / "KO.parquet")
    assert "a cell has more than 10,000 bytes" in refused(tmp_path / "KO.parquet")


def test_a_long_cell_of_a_csv_is_cut_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "KO.csv").write_text(f"date,open,high,low,close\n2020-01-02,{'x' * 5_000_000},1,1,1\n")
    read = read_part(Part(tmp_path / "KO.csv"), Hints())
    with pytest.raises(DataError, match="open in row 2 is 'xxx") as caught:
        read.rows("KO", np.arange(1), "USD", "XNYS", "America/New_York")
    assert len(str(caught.value)) < 500


def test_pandas_metadata_is_ignored(tmp_path: Path) -> None:
    made = pa.table(table(3))
    lie = {"column_indexes": [{"pandas_type": "object", "numpy_type": "object", "name": "(" * 5000}], "columns": 3}
    pq.write_table(made.replace_schema_metadata({"pandas": json.dumps(lie)}), tmp_path / "KO.parquet")
    assert len(read_part(Part(tmp_path / "KO.parquet"), Hints()).stamps.wall) == 3


@pytest.mark.parametrize("index", ["Date", None])
def test_an_index_of_dates_is_still_the_date(tmp_path: Path, index: str | None) -> None:
    days = pd.DatetimeIndex(["2020-01-02", "2020-01-03"], name=index)
    pd.DataFrame({name: [1.0, 1.0] for name in PRICES}, index=days).to_parquet(tmp_path / "KO.parquet")
    read = read_part(Part(tmp_path / "KO.parquet"), Hints())
    assert [str(day)[:10] for day in read.stamps.wall] == ["2020-01-02", "2020-01-03"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_raised_after_a_library_that_swallows_it(number: signal.Signals) -> None:
    reached = []
    before = signal.signal(number, signal.default_int_handler)  # a shell's background job ignores Ctrl-C

    def read() -> None:
        with interrupts_held():
            signal.raise_signal(number)  # to this thread: os.kill may reach another one later
            reached.append("the end")

    try:
        with pytest.raises(KeyboardInterrupt):
            read()
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert reached == ["the end"]
