from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from forecaster.errors import InputError, OutsideError
from forecaster.files import atomic_write, check_place, existing_file, write_text
from forecaster.places import shipped

ROOT = Path(__file__).parents[1]

SLOW_WRITER = """
import sys, time
from pathlib import Path
from forecaster.files import check_place, atomic_write
with atomic_write(Path(sys.argv[1])) as part:
    part.write_text("half of the n")
    print("half", flush=True)
    time.sleep(3600)
"""


def test_a_written_file_is_whole_and_has_ordinary_permissions(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.txt"
    write_text(target, "grüße\n")
    assert target.read_text(encoding="utf-8") == "grüße\n"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask
    assert list(target.parent.iterdir()) == [target]


def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(target)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        assert target.read_text() == "old"
        writer.send_signal(signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL
    assert target.read_text() == "old"


def write_half(target: Path) -> None:
    with atomic_write(target) as part:
        part.write_text("half of the n")
        raise ZeroDivisionError


def test_a_writer_that_fails_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_half(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_where_a_folder_should_be_is_one_line_with_code_4(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError, match=r"file/a\.txt cannot be written: .*; check the folder") as caught:
        write_text(tmp_path / "file" / "a.txt", "x")
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_place_of_the_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OutsideError, match=r"a\.txt cannot be written"):
        write_text(tmp_path / "a.txt", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_place_is_checked_before_the_work_and_nothing_is_left_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for good in (tmp_path / "a.txt", tmp_path / "file", tmp_path / "new" / "deep" / "a.txt", Path(os.devnull)):
        check_place(good)
    with pytest.raises(InputError, match="folder is a folder: name a file in it"):
        check_place(tmp_path / "folder")
    for bad in (tmp_path / "file" / "a.txt", tmp_path / "file" / "new" / "a.txt", Path("/proc/none/a.txt")):
        with pytest.raises(OutsideError, match=r"a\.txt cannot be written: .*; check the folder"):
            check_place(bad)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_to_be_full() -> None:
    with pytest.raises(OutsideError, match=r"No space left on device; free some space"):
        write_text(Path("/dev/full"), "x" * 100_000, named=True)
    assert not Path("/dev/full").is_file()


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_text(Path(os.devnull), "x", named=True)
    assert not Path(os.devnull).is_file()


def test_what_a_killed_writer_left_is_removed_by_the_next_and_a_live_ones_is_not(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(target)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        write_text(target, "mine", named=True)
        assert len(list(tmp_path.iterdir())) == 2, "it is still being written"
        writer.send_signal(signal.SIGKILL)
    write_text(target, "newer", named=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path / "link.txt", "new", named=True)
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_reader_sees_old_or_new_while_another_process_writes(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("0" * 300_000)
    script = (
        "import sys; from itertools import count; from pathlib import Path; from forecaster.files import write_text\n"
        "for n in count():\n"
        "    write_text(Path(sys.argv[1]), str(n % 10) * 300_000)\n"
        "    if Path(sys.argv[1] + '-stop').exists(): break"
    )
    seen: set[str] = set()
    with subprocess.Popen(
        [sys.executable, "-c", script, str(target)], env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as writer:
        try:
            while len(seen) < 5 and writer.poll() is None:
                text = target.read_text()
                assert len(text) == 300_000
                assert len(set(text)) == 1
                seen.add(text[0])
        finally:
            (tmp_path / "a.txt-stop").touch()
    assert writer.returncode == 0
    assert len(seen) == 5


def test_what_ships_is_there() -> None:
    assert (shipped("sample") / "wiki-prices.parquet").is_file()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--tickers-file .*nix is not a file: check the name"):
        existing_file(tmp_path / "nix", "--tickers-file")
    (tmp_path / "nix").write_text("")
    assert existing_file(tmp_path / "nix", "x") == tmp_path / "nix"
