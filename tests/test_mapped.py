"""Arrays in mapped files: equal to those in memory, and gone with their user."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from forecaster import mapped
from forecaster.data.store import Store
from forecaster.errors import OutsideError
from forecaster.mapped import Pool, empty, file_of, large_arrays_in


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every array is a large one, and every table has many blocks."""
    monkeypatch.setattr(mapped, "LARGE", 64)
    monkeypatch.setattr(mapped, "BLOCK", 500)


def is_map(array: np.ndarray) -> bool:
    owner: object = array
    while isinstance(owner, np.ndarray) and not isinstance(owner, np.memmap):
        owner = owner.base
    return isinstance(owner, np.memmap)


def test_only_large_arrays_inside_the_context_lie_in_a_file(tiny: None, tmp_path: Path) -> None:
    with large_arrays_in(tmp_path / "cache"):
        large, small = empty((4, 3), np.float64), empty(3, np.float64)
        large[...] = np.arange(12).reshape(4, 3)
    assert is_map(large)
    assert not is_map(small)
    assert not is_map(empty((4, 3), np.float64)), "outside everything is in memory"
    assert large.sum() == 66, "an array outlives the context"
    assert not list((tmp_path / "cache").iterdir()), "its file has no name: a killed process leaves nothing"


def test_an_unwritable_folder_is_replaced_by_the_systems_temporary_one(tiny: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with large_arrays_in(tmp_path / "file" / "cache"):
        assert is_map(empty(100, np.float64))


def test_a_full_disk_is_one_line_before_any_work_is_lost(tiny: None, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with large_arrays_in(tmp_path), pytest.raises(OutsideError, match="cannot be written"):
            empty(2**20, np.float64)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_pool_keeps_equal_arrays_and_moves_only_those_beyond_its_measure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mapped, "LARGE", 1000)
    given = [np.random.default_rng(n).integers(0, 99, 30 + n).astype(np.int32) for n in range(40)]
    with large_arrays_in(tmp_path):
        pool = Pool()
        kept = [pool.keep(one) for one in given]
    assert all(np.array_equal(one, other) for one, other in zip(kept, given, strict=True))
    assert [is_map(one) for one in kept] == [False] * 7 + [True] * 33


def test_the_file_of_a_map_is_told_only_for_the_whole_array(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(10.0))
    array = np.load(tmp_path / "a.npy", mmap_mode="c").view(np.ndarray)
    assert file_of(array) == tmp_path / "a.npy"
    assert file_of(array[1:]) is None
    assert file_of(np.arange(3)) is None


def test_a_panel_is_the_same_in_files(tiny: None, sample_store: Store, tmp_path: Path) -> None:
    from forecaster.data.panel import read_panel

    plain = read_panel(sample_store, sample_store.tickers())
    with large_arrays_in(tmp_path / "cache"):
        large = read_panel(sample_store, sample_store.tickers())
        part = large.until(np.datetime64("2010-06-30"))
    assert is_map(large.prices)
    assert large.fingerprint == plain.fingerprint
    assert part.fingerprint == plain.until(np.datetime64("2010-06-30")).fingerprint
    assert np.array_equal(plain.dates, np.unique(plain.sessions))
    assert np.array_equal(plain.dates[plain.date_of_row], plain.sessions)
    del large, part
    gc.collect()
