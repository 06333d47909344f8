"""A file that the system does not let be read is no damaged file: it is left alone, with exit code 4."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from forecaster import mapped
from forecaster.data.store import Store
from forecaster.errors import DataError, InputError, OutsideError
from forecaster.features import cache
from forecaster.files import atomic_write, read_bytes, read_text, write_text
from forecaster.walkforward.walk import load_scores, load_walk, save_scores, save_walk
from tests.marks import needs_linux
from tests.studio import bars, command, environment, forecast, handles, panel
from tests.test_folds import handed
from tests.tracing import needs_strace, traced

FEW = "Date,Open,High,Low,Close,Adj Close,Volume\n" + "".join(
    f"2024-01-{day:02},10,12,9,11,11,100\n" for day in (2, 3, 4, 5)
)
REFUSALS = ["EACCES", "EIO", "EMFILE", "ENOMEM", "ESTALE"]


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """The file of a long history, beside a CSV file of four days."""
    store = Store(tmp_path / "store")
    store.write(bars("KO", 500), source="file")
    (tmp_path / "KO.csv").write_text(FEW)
    return store.path("KO")


@needs_strace
@pytest.mark.parametrize("error", REFUSALS)
def test_a_history_that_cannot_be_opened_is_not_replaced(held: Path, tmp_path: Path, error: str) -> None:
    before = held.read_bytes()
    fetch = command("fetch", "--source", "file", "--path", "KO.csv", "--data-dir", "store")
    done = traced(fetch, tmp_path, "-P", str(held), "-P", "store/KO.parquet", "-e", f"inject=openat:error={error}")
    assert done.returncode == 4, done.stdout + done.stderr
    assert held.read_bytes() == before
    assert "damaged" not in done.stdout + done.stderr
    assert "cannot be read" in done.stdout + done.stderr


@needs_strace
def test_predict_does_not_advise_to_delete_it(held: Path, tmp_path: Path) -> None:
    ask = command("predict", "KO", "--offline", "--data-dir", "store")
    done = traced(ask, tmp_path, "-P", "store/KO.parquet", "-e", "inject=openat:error=EIO")
    assert done.returncode == 4, done.stderr
    assert done.stderr.splitlines()[-1].endswith("Input/output error; check the disk. Nothing was changed.")


@needs_linux
@pytest.mark.parametrize("megabytes", [600, 900, 1200, 1500])
def test_a_history_that_needs_more_memory_than_there_is_is_kept(held: Path, tmp_path: Path, megabytes: int) -> None:
    import resource

    before = held.read_bytes()
    limit = (megabytes << 20, megabytes << 20)
    done = subprocess.run(
        command("fetch", "--source", "file", "--path", "KO.csv", "--data-dir", "store"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
    )
    assert held.read_bytes() == before
    assert "this is a bug" not in done.stderr


def test_a_damaged_history_is_still_replaced(held: Path, tmp_path: Path) -> None:
    held.write_bytes(held.read_bytes()[:-200])
    with pytest.raises(DataError, match="is damaged"):
        Store(held.parent).read("KO")
    assert (
        forecast("fetch", "--source", "file", "--path", "KO.csv", "--data-dir", "store", cwd=tmp_path).returncode == 0
    )
    assert len(Store(held.parent).read("KO")) == 4


def test_a_link_in_a_strangers_folder_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "KO.parquet").symlink_to(precious)
    (tmp_path / "KO.csv").write_text(FEW)
    assert (
        forecast("fetch", "--source", "file", "--path", "KO.csv", "--data-dir", "store", cwd=tmp_path).returncode == 0
    )
    assert precious.read_text() == "mine"
    assert len(Store(tmp_path / "store").read("KO")) == 4


def test_a_link_that_the_user_names_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_text(tmp_path / "link", "new", named=True)
    assert (tmp_path / "target").read_text() == "new"
    write_text(tmp_path / "link", "newer")
    assert (tmp_path / "target").read_text() == "new"
    assert not (tmp_path / "link").is_symlink()


def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_bytes(tmp_path / "pipe")
    with pytest.raises(OutsideError, match="it is a pipe or a device"), atomic_write(tmp_path / "pipe") as part:
        part.write_text("x")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("what", ["files of the folds", "candles of the training"])
def test_files_of_the_folds_that_cannot_be_opened_are_not_to_be_deleted(tmp_path: Path, what: str) -> None:
    save_walk(handed(tmp_path))
    load_walk(tmp_path)  # imports what it needs
    with handles(0), pytest.raises(OutsideError, match=r"cannot be read: Too many open files; raise the limit"):
        load_walk(tmp_path, what)
    (tmp_path / "values.npy").unlink()
    with pytest.raises(InputError, match=f"^the {what} in .* are damaged: "):
        load_walk(tmp_path, what)


def test_scores_that_cannot_be_opened_are_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scores.safetensors"
    save_scores(path, {})
    monkeypatch.setattr(mapped, "LARGE", 1)
    assert load_scores(path) == {}
    with handles(0), pytest.raises(OutsideError, match="cannot be read: Too many open files"):
        load_scores(path)


def test_an_entry_of_the_feature_cache_that_cannot_be_opened_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "CACHED_FROM", 1)
    candles = panel(80, 60)
    with mapped.large_arrays_in(tmp_path):
        cache.features_of(candles, ("base",))
        before = cache.entries(tmp_path)
        with handles(1), pytest.raises(OutsideError, match="cannot be read: Too many"):  # the one is the lock's
            cache.features_of(candles, ("base",))
    assert [one.folder for one in cache.entries(tmp_path)] == [one.folder for one in before]


def test_a_refused_folder_or_pipe_leaves_no_handle_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = sorted(Path("/proc/self/fd").iterdir())
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OSError, match="not a regular file"):
            read_bytes(path)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="expected at most"):
        read_text(tmp_path / "a")


def test_a_store_file_that_vanishes_is_no_damage(held: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(held.parent)
    monkeypatch.setattr(Store, "_existing", lambda self, ticker: self.path(ticker))
    shutil.rmtree(held.parent)
    with pytest.raises(OutsideError, match="cannot be read: No such file"):
        store.read("KO")
