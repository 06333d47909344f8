"""Table files: plain, gzipped, or members of a zip archive, with a limit on the unpacked size."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from forecaster.errors import DataError

CSV = (".csv", ".txt", ".tsv", ".csv.gz", ".txt.gz", ".tsv.gz")
PARQUET = (".parquet", ".pq")
FEATHER = (".feather",)
EXCEL = (".xlsx", ".xlsm")
TABLES = (*CSV, *PARQUET, *FEATHER, *EXCEL)
ENDINGS = (*TABLES, ".zip")

MOST_BYTES = 2 << 30
"""Maximum unpacked size."""

_SMALL, _MOST_RATIO = 64 << 20, 150
"""Maximum compression ratio above `_SMALL` bytes: text of prices compresses 3 to 10 times."""

_SMALL_BOOK = 8 << 20
"""The same of a workbook, whose cells take more time and memory than those of a text."""


@dataclass(frozen=True)
class Part:
    """One table in a file.

    Args:
        path: the file.
        member: name inside an archive; empty if the file itself is the table.
    """

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """File name, without folders."""
        return Path(self.member).name if self.member else self.path.name

    @property
    def stem(self) -> str:
        """File name without its extension."""
        return self.name[: -len(next(ending for ending in TABLES if self.is_a(ending)))]

    def is_a(self, *endings: str) -> bool:
        """Whether the name has one of these extensions."""
        return self.name.lower().endswith(endings)

    def __str__(self) -> str:
        return f"{self.path}: {self.member}" if self.member else str(self.path)

    def size(self) -> int:
        """Bytes of the file, or of the member when unpacked.

        Raises:
            DataError: they are more than `MOST_BYTES`.
            OSError, zipfile.BadZipFile: it is damaged.
        """
        if self.member:
            with zipfile.ZipFile(self.path) as archive:
                size = archive.getinfo(self.member).file_size
        else:
            size = self.path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{self} has {size:,} bytes, expected at most {MOST_BYTES:,}: split it.")
        return size

    def open(self) -> io.BufferedReader:
        """Open the unpacked bytes.

        Raises:
            DataError: they are more than `MOST_BYTES`.
            OSError, EOFError, zlib.error, zipfile.BadZipFile: it is damaged.
        """
        size = self.size()
        if not self.member:
            return self._unpack(self.path.open("rb"), size)
        with zipfile.ZipFile(self.path) as archive:
            stream = cast("io.RawIOBase", archive.open(self.member))  # keeps the archive open on its own
            raw = stream if self.is_a(*CSV) else cast("io.RawIOBase", io.BytesIO(stream.read()))
            return self._unpack(io.BufferedReader(raw), size)

    def _unpack(self, raw: io.BufferedReader, packed: int) -> io.BufferedReader:
        if self.is_a(".gz"):
            return io.BufferedReader(_LimitedGzip(raw, str(self), limit_of(packed)))
        if self.is_a(*EXCEL):  # a zip archive too
            try:
                with zipfile.ZipFile(raw) as archive:
                    check_size(archive, str(self), _SMALL_BOOK)
            except BaseException:
                raw.close()
                raise
            raw.seek(0)
        return raw


def limit_of(packed: int) -> int:
    """Bytes that so many packed ones may unpack to."""
    return min(MOST_BYTES, max(_SMALL, _MOST_RATIO * packed))


def is_table(path: Path) -> bool:
    """Whether the file has a supported extension."""
    return path.name.lower().endswith(ENDINGS) and not path.name.startswith(".")


def parts_of(path: Path) -> list[Part]:
    """The tables of a file: itself, or the tables in an archive.

    Raises:
        DataError: the archive is damaged, encrypted, too large, or contains no table.
    """
    if not path.name.lower().endswith(".zip"):
        return [Part(path)]
    try:
        with zipfile.ZipFile(path) as archive:
            check_size(archive, str(path))
            members = list(_members(archive))
            locked = any(info.flag_bits & 1 for info in archive.infolist())
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read: {str(error).rstrip('.')}. Is it complete and in the right format?"
        ) from error
    if locked:
        raise DataError(f"{path} is encrypted: unpack it and use the files.")
    if not members:
        raise DataError(f"{path} contains no {', '.join(TABLES)} file.")
    return [Part(path, member) for member in members]


def check_size(archive: zipfile.ZipFile, origin: str, small: int = _SMALL) -> None:
    """Check an archive's declared size before unpacking; `zipfile` never returns more than declared (zip bombs).

    Raises:
        DataError: it is more than `MOST_BYTES`, or the compression ratio is implausible for candles.
    """
    infos = archive.infolist()
    size, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if size > MOST_BYTES or (size > small and size > _MOST_RATIO * packed):
        raise DataError(
            f"{origin} unpacks from {packed:,} to {size:,} bytes, expected at most {MOST_BYTES:,} and a ratio of "
            f"at most {_MOST_RATIO}: if this is intended, unpack it and use the files."
        )


def _members(archive: zipfile.ZipFile) -> Iterator[str]:
    """Names of the tables, without hidden files and macOS metadata."""
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        path = Path(info.filename)
        hidden = path.name.startswith(".") or "__MACOSX" in path.parts
        if not info.is_dir() and not hidden and path.name.lower().endswith(TABLES):
            yield info.filename


class _LimitedGzip(io.RawIOBase):
    """Unpacks a gzip stream; raises once the output exceeds the limit."""

    def __init__(self, packed: io.BufferedReader, origin: str, limit: int) -> None:
        self._packed, self._stream = packed, gzip.GzipFile(fileobj=packed)
        self._origin, self._limit, self._left = origin, limit, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        # The size that a gzip file declares is modulo 4 GiB and may be wrong, so the output is counted.
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"{self._origin} unpacks to more than {self._limit:,} bytes: unpack it and use the file.")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()
