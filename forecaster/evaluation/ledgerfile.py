"""The ledger's file: JSON lines; reads damaged files and the format before version 0.2."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from forecaster.evaluation.look import Look, model_of
from forecaster.files import atomic_write, read_bytes

NAME = "test-looks.jsonl"

FORMAT = 2
"""Version of a line, under the key `format`. Lines without one are of version 1, or of the time before 0.2, and then
name a run instead of a model."""

TAKEN_OVER = "taken_over"
"""Key of a line that records a merged ledger: the hash of its file."""

_PATIENCE = 60
"""Seconds to wait for another process that is writing."""


@dataclass(frozen=True)
class Parsed:
    """The lines of a ledger.

    Args:
        marks: hashes of merged ledgers.
        damaged: number of unreadable lines; `newer` of those that a newer version wrote.
    """

    looks: list[Look]
    marks: set[str]
    damaged: int
    newer: int

    def notes(self, path: Path, kept: str = "") -> tuple[str, ...]:
        """What a reader must know: what is not counted, and why."""
        found = []
        if self.damaged:
            found.append(f"{_lines(self.damaged)} of {path} cannot be read{kept}: looks are counted without them.")
        if self.newer:
            found.append(
                f"{_lines(self.newer)} of {path} {'were' if self.newer > 1 else 'was'} written by a newer version of "
                "forecaster: looks are counted without them; update to count them."
            )
        return tuple(found)


def _lines(number: int) -> str:
    return f"{number} line{'s' * (number > 1)}"


def line_of(look: Look) -> str:
    """A look as a line of JSON."""
    return json.dumps({"format": FORMAT} | asdict(look))


def mark_of(content: bytes) -> str:
    """The line that says that another ledger was merged."""
    return json.dumps({"format": FORMAT, TAKEN_OVER: hash_of(content)})


def hash_of(content: bytes) -> str:
    """What a merged ledger is known by."""
    return hashlib.sha256(content).hexdigest()


def append(folder: Path, lines: list[str]) -> None:
    """Appends lines; starts a new line if a crash has cut the last one short."""
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{NAME}.lock", timeout=_PATIENCE), _opened(folder / NAME) as file:
        file.seek(0, 2)
        if file.tell():
            file.seek(-1, 2)
            lines = lines if file.read() == b"\n" else ["", *lines]
        file.write("".join(f"{line}\n" for line in lines).encode())


def _opened(path: Path) -> BinaryIO:
    """The file, to append to it; a link, which may point anywhere, or a pipe, which would block, is refused."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666), "ab+")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return file


def load(folder: Path) -> tuple[Parsed, tuple[str, ...]]:
    """A store's ledger, and notes; a damaged file is set aside."""
    content, refused = read(folder / NAME)
    found = parse(content, folder)
    kept = ""
    if found.damaged:
        with contextlib.suppress(OSError):
            kept = f" (kept in {_set_aside(folder)})"
    return found, (*refused, *found.notes(folder / NAME, kept))


def _set_aside(folder: Path) -> Path:
    """Copies the damaged file to another name and keeps only the readable lines."""
    from filelock import FileLock

    with FileLock(folder / f".{NAME}.lock", timeout=_PATIENCE):
        content, number = content_of(folder / NAME), 1
        while (aside := folder / f"test-looks.damaged-{number}.jsonl").exists():
            number += 1
        with aside.open("xb") as kept:  # never through a link
            kept.write(content)
        whole = [line for line in content.splitlines() if _value(line) is not None]
        with atomic_write(folder / NAME) as part:
            part.write_bytes(b"".join(line + b"\n" for line in whole))
    return aside


def parse(content: bytes, folder: Path) -> Parsed:
    """The lines of a ledger.

    Args:
        folder: where the runs are that lines of format 1 name.
    """
    found = Parsed([], set(), 0, 0)
    damaged = newer = 0
    for line in filter(None, map(bytes.strip, content.splitlines())):
        value = _value(line)
        if value is None:
            damaged += 1
        elif _is_newer(value):
            newer += 1
        elif _is_mark(value):
            found.marks.add(value[TAKEN_OVER])
        else:
            found.looks.extend(_look(value, folder))
    return replace(found, damaged=damaged, newer=newer)


def _value(line: bytes) -> dict[str, Any] | None:
    """A line's values; None if it is not a line of a ledger."""
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(line)
        if isinstance(value, dict) and (_is_newer(value) or _is_mark(value) or _is_look(value)):
            return value
    return None


def _is_newer(value: dict[str, Any]) -> bool:
    """Whether a newer version wrote a line: this one cannot know what it says, and leaves it as it is."""
    form = value.get("format")
    return isinstance(form, int) and form > FORMAT


def _is_mark(value: dict[str, Any]) -> bool:
    return isinstance(value.get(TAKEN_OVER), str)


def _is_look(value: dict[str, Any]) -> bool:
    texts = (value.get("model", value.get("run")), value.get("first"), value.get("last"))
    tickers = value.get("tickers")
    return (
        TAKEN_OVER not in value
        and all(isinstance(text, str) for text in texts)
        and (isinstance(tickers, list) and all(isinstance(ticker, str) for ticker in tickers))
    )


def _look(value: dict[str, Any], folder: Path) -> Iterator[Look]:
    extent = (value["first"], value["last"], tuple(value["tickers"]))
    if "model" in value:
        yield Look(value["model"], *extent, by=str(value.get("by", "")))
        return
    verb, _, name = value["run"].rpartition(" ")
    if not verb.startswith("compare"):  # the compared runs have their own lines
        yield Look(_earlier_model(name, folder), *extent, by=value["run"])


def _earlier_model(run: str, folder: Path) -> str:
    """Before version 0.2 a look named its run: identify the model by the run's config or, if that is gone, its name."""
    from forecaster.config.load import read_document, validate
    from forecaster.errors import ForecasterError

    path = folder / run / "config.yaml"
    with contextlib.suppress(ForecasterError, OSError, ValueError):
        if Path(run).name == run and path.is_file():
            return model_of(validate(read_document(str(path))))
    return f"run {run}"


def read(path: Path) -> tuple[bytes, tuple[str, ...]]:
    """All bytes of a ledger, and a note if it cannot be read, for then no look of it is counted."""
    try:
        return content_of(path), ()
    except OSError as error:
        return b"", (f"{path} cannot be read ({error.strerror or error}): its looks are not counted.",)


def content_of(path: Path) -> bytes:
    """All bytes of a file; empty if there is none.

    Raises:
        OSError: it cannot be read.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return read_bytes(path)
    return b""
