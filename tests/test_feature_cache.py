"""Features in the cache beside the store: the same bits, built once, safe against killed writers and full disks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster import mapped
from forecaster.data.panel import Panel, read_panel
from forecaster.data.store import Store
from forecaster.errors import OutsideError
from forecaster.features import cache
from forecaster.features.cache import clear, entries, features_of
from forecaster.features.compute import Features, compute_features
from forecaster.workflows.train import train
from tests.conftest import ROOT, Run

GROUPS = ("base", "vol", "market")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Every panel's features are large."""
    monkeypatch.setattr(cache, "CACHED_FROM", 1)
    with mapped.large_arrays_in(tmp_path / "cache"):
        yield tmp_path / "cache"


@pytest.fixture
def panel(sample_store: Store) -> Panel:
    return read_panel(sample_store, ["AAPL", "IBM", "MSFT"])


def same(one: Features, other: Features) -> bool:
    arrays = ("values", "scale", "ready")
    return one.names == other.names and all(np.array_equal(getattr(one, a), getattr(other, a)) for a in arrays)


def test_features_from_the_cache_are_those_from_memory(always: Path, panel: Panel) -> None:
    plain = compute_features(panel, GROUPS)
    assert same(features_of(panel, GROUPS), plain), "written"
    (entry,) = entries(always)
    assert mapped.file_of(features_of(panel, GROUPS).values) == entry.folder / "values.npy"
    assert same(features_of(panel, GROUPS), plain), "read again"


def test_a_small_panel_stays_in_memory(panel: Panel, tmp_path: Path) -> None:
    with mapped.large_arrays_in(tmp_path / "cache"):
        features_of(panel, GROUPS)
    assert not (tmp_path / "cache" / "features").exists()


def test_another_candle_or_another_group_is_another_entry(always: Path, panel: Panel) -> None:
    features_of(panel, GROUPS)
    prices = panel.prices.copy()
    prices[-1] *= 1.01
    changed = replace(panel, prices=prices)
    assert same(features_of(changed, GROUPS), compute_features(changed, GROUPS))
    assert same(features_of(panel, GROUPS[:2]), compute_features(panel, GROUPS[:2]))
    assert len(entries(always)) == 2, "the oldest of three entries is deleted"


def test_covariates_are_in_the_cache_and_other_candles_of_them_another_entry(
    always: Path, panel: Panel, sample_store: Store
) -> None:
    one = sample_store.read("GOOG")
    of = replace(panel, covariates=(one,))
    assert same(features_of(of, GROUPS), compute_features(of, GROUPS))
    for other in (panel, replace(panel, covariates=(one.between(end=one.dates[-2]),))):
        features_of(other, GROUPS)
    assert len({entry.folder for entry in entries(always)}) == 2, "the oldest of three is deleted"
    assert same(features_of(of, GROUPS), compute_features(of, GROUPS))


def test_what_a_killed_writer_left_is_neither_read_nor_kept(always: Path, panel: Panel) -> None:
    name = (always / "features").joinpath(cache._key(panel, GROUPS)).name
    for left in (f"{name}.killed.part", "0123.killed.part"):
        (always / "features" / left).mkdir(parents=True)
        (always / "features" / left / "values.npy").write_text("half")
    assert same(features_of(panel, GROUPS), compute_features(panel, GROUPS))
    assert [one.folder.name for one in entries(always)] == [name]


def test_a_full_disk_is_told_and_leaves_nothing(always: Path, panel: Panel) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        with pytest.raises(OutsideError, match="cannot be written"):
            features_of(panel, GROUPS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not entries(always)
    assert same(features_of(panel, GROUPS), compute_features(panel, GROUPS))


def test_a_cleared_cache_still_serves_who_reads_it(always: Path, panel: Panel) -> None:
    features = features_of(panel, GROUPS)
    clear(always)
    assert not entries(always)
    assert same(features, compute_features(panel, GROUPS))


_WRITER = """
import sys
from pathlib import Path
from forecaster import mapped
from forecaster.data.panel import read_panel
from forecaster.data.store import Store
from forecaster.features import cache
cache.CACHED_FROM = 1
store = Store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
with mapped.large_arrays_in(Path(sys.argv[2])):
    found = cache.features_of(read_panel(store, store.tickers()), ("base", "vol", "market"))
print(float(found.values.sum()), flush=True)
"""


def test_processes_that_write_at_once_share_one_entry_and_a_killed_one_does_no_harm(
    sample_store: Store, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _WRITER, str(sample_store.root), str(tmp_path / "cache")]
    own = os.environ | {"PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for one in writers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in writers:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    writers[0].send_signal(signal.SIGKILL)
    answers = [one.communicate()[0] for one in writers]
    assert answers[1] == answers[2]
    panel = read_panel(sample_store, sample_store.tickers())
    assert float(answers[1]) == float(compute_features(panel, GROUPS).values.sum())
    assert len([one for one in entries(tmp_path / "cache") if (one.folder / "about.json").is_file()]) == 1


def test_a_run_is_the_same_byte_for_byte_with_and_without_mapped_files(
    sample_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    few = ["training.steps=3", "data.start=2007-01-01", "data.tickers=[AAPL, IBM, MSFT]", "task.horizon=[1, 2]"]
    found = []
    for name in ("memory", "files"):
        if name == "files":
            monkeypatch.setattr(cache, "CACHED_FROM", 1)
            monkeypatch.setattr(mapped, "LARGE", 20_000)
            monkeypatch.setattr(mapped, "BLOCK", 1000)
        # One name for both: it stands in the ledger, and a second look at a test would show in the scorecard.
        runs = tmp_path / name
        train("best", settings=few, data_dir=sample_store.root, runs_dir=runs, name="run")
        found.append((runs / "run" / "model.safetensors").read_bytes())
    assert len(entries(mapped.cache_of(sample_store.root))) == 1
    assert found[0] == found[1]


def test_the_command_shows_and_clears_the_cache(forecast: Run, tmp_path: Path) -> None:
    entry = tmp_path / "store" / ".cache" / "features" / "0123"
    entry.mkdir(parents=True)
    (entry / "values.npy").write_bytes(bytes(3_000_000))
    shown = forecast("data", "cache", "--data-dir", "store", "--format", "json")
    assert shown.returncode == 0
    assert json.loads(shown.stdout) == {"folder": "store/.cache", "entries": 1, "bytes": 3_000_000, "cleared": False}
    assert "3 MB" in forecast("data", "cache", "--data-dir", "store", "--clear").stdout
    assert not entry.exists()
    assert json.loads(forecast("data", "cache", "--data-dir", "store", "--format", "json").stdout)["entries"] == 0
