"""How often each test period has been looked at: a forecast chosen among many looks is no longer tested by it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from forecaster.files import outside_errors

_NAME = "test-looks.jsonl"


@dataclass(frozen=True)
class Look:
    """One evaluation on a test period: its dates (inclusive), the tickers, and the run that looked.

    Args:
        mark: of what was evaluated, so that another run of the same name is another look.
    """

    run: str
    first: str
    last: str
    tickers: tuple[str, ...]
    mark: str = ""


def record_look(runs_dir: Path, look: Look, once: bool = False) -> int:
    """Append a look to the ledger of a runs folder.

    Args:
        once: a look of this name is the same look: a resumed run does not look twice.

    Returns:
        How many looks there have been at this test, this one included: those that share a ticker and a date with it.
    """
    from filelock import FileLock

    with outside_errors(runs_dir):
        runs_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(runs_dir / f".{_NAME}.lock"):
            if once and look in read_looks(runs_dir):
                return sum(_overlap(look, earlier) for earlier in read_looks(runs_dir))
            start = "" if _ends_a_line(runs_dir / _NAME) else "\n"
            with (runs_dir / _NAME).open("a", encoding="utf-8") as file:
                file.write(f"{start}{json.dumps(asdict(look))}\n")
            return sum(_overlap(look, earlier) for earlier in read_looks(runs_dir))


def read_looks(runs_dir: Path) -> list[Look]:
    """All looks, oldest first; a line that was cut short by a crash is passed over."""
    path = runs_dir / _NAME
    if not path.is_file():
        return []
    looks = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(line)
            looks.append(Look(**values | {"tickers": tuple(values["tickers"])}))
        except (ValueError, TypeError, KeyError):
            continue
    return looks


def _ends_a_line(path: Path) -> bool:
    """False where a crash cut the last line short: what is appended must not become part of it."""
    return not path.is_file() or path.read_bytes()[-1:] in (b"", b"\n")


def _overlap(one: Look, other: Look) -> bool:
    return one.first <= other.last and other.first <= one.last and _share(one.tickers, other.tickers)


def _share(some: Sequence[str], others: Sequence[str]) -> bool:
    return not set(some).isdisjoint(others)
