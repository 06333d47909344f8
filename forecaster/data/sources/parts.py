"""Files that hold tables: plain, gzipped, or members of a zip archive; how much they unpack to is limited."""

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
"""No archive is unpacked to more than this."""

_SMALL, _MOST_RATIO = 64 << 20, 150
"""Above a small size, candles are hardly ever packed as tightly: text of prices packs to a third or a tenth."""


@dataclass(frozen=True)
class Part:
    """One table in a file.

    Args:
        path: the file.
        member: its name inside an archive; empty where the file itself is the table.
    """

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """File name, without folders."""
        return Path(self.member).name if self.member else self.path.name

    @property
    def stem(self) -> str:
        """The name without what tells the kind of file."""
        return self.name[: -len(next(ending for ending in TABLES if self.is_a(ending)))]

    def is_a(self, *endings: str) -> bool:
        """Whether the name ends so."""
        return self.name.lower().endswith(endings)

    def __str__(self) -> str:
        return f"{self.path}: {self.member}" if self.member else str(self.path)

    def open(self) -> io.BufferedReader:
        """Its bytes, unpacked.

        Raises:
            DataError: they are more than `MOST_BYTES`.
            OSError, EOFError, zlib.error, zipfile.BadZipFile: it is damaged.
        """
        if not self.member:
            return self._unzipped(self.path.open("rb"), self.path.stat().st_size)
        with zipfile.ZipFile(self.path) as archive:
            packed = archive.getinfo(self.member).file_size
            stream = cast("io.RawIOBase", archive.open(self.member))  # it keeps the file open for itself
            raw = stream if self.is_a(*CSV) else cast("io.RawIOBase", io.BytesIO(stream.read()))
            return self._unzipped(io.BufferedReader(raw), packed)

    def _unzipped(self, raw: io.BufferedReader, packed: int) -> io.BufferedReader:
        if self.is_a(".gz"):
            limit = min(MOST_BYTES, max(_SMALL, _MOST_RATIO * packed))
            return io.BufferedReader(_Limited(raw, str(self), limit))
        if self.is_a(*EXCEL):  # a zip archive too
            try:
                with zipfile.ZipFile(raw) as archive:
                    check_size(archive, str(self))
            except BaseException:
                raw.close()
                raise
            raw.seek(0)
        return raw


def is_table(path: Path) -> bool:
    """Whether a file is one of those that are read."""
    return path.name.lower().endswith(ENDINGS) and not path.name.startswith(".")


def parts_of(path: Path) -> list[Part]:
    """The tables of a file: itself, or those of its members that are tables.

    Raises:
        DataError: an archive that is damaged, encrypted, unpacks to too much, or holds no table.
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
            f"{path} cannot be read: {str(error).rstrip('.')}. Is it whole, and what its name says?"
        ) from error
    if locked:
        raise DataError(f"{path} is encrypted: unpack it and give the files.")
    if not members:
        raise DataError(f"{path} holds no {', '.join(TABLES)} file.")
    return [Part(path, member) for member in members]


def check_size(archive: zipfile.ZipFile, origin: str) -> None:
    """Look at what an archive would unpack to before it is unpacked; `zipfile` never gives more than is written there.

    Raises:
        DataError: it is more than `MOST_BYTES`, or packed as tightly as no candles are.
    """
    infos = archive.infolist()
    size, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if size > MOST_BYTES or (size > _SMALL and size > _MOST_RATIO * packed):
        raise DataError(
            f"{origin} unpacks from {packed:,} to {size:,} bytes, expected at most {MOST_BYTES:,} and at most "
            f"{_MOST_RATIO} for one: if it is what you expect, unpack it and give the files."
        )


def _members(archive: zipfile.ZipFile) -> Iterator[str]:
    """Without what macOS adds, and hidden files."""
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        path = Path(info.filename)
        hidden = path.name.startswith(".") or "__MACOSX" in path.parts
        if not info.is_dir() and not hidden and path.name.lower().endswith(TABLES):
            yield info.filename


class _Limited(io.RawIOBase):
    """A gzipped stream, unpacked; it ends with an error once it has given too much."""

    def __init__(self, packed: io.BufferedReader, origin: str, limit: int) -> None:
        self._packed, self._stream = packed, gzip.GzipFile(fileobj=packed)
        self._origin, self._limit, self._left = origin, limit, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"{self._origin} unpacks to more than {self._limit:,} bytes: unpack it and give the file.")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()
