"""What a config is called and what it is for, read without parsing it: the shell's completion must not wait."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from forecaster.files import read_bytes
from forecaster.places import shipped

_LARGEST = 1 << 20

_ORIGIN = "Config: "
"""What the first line of a run's own config says before the name of the config that it was trained from."""


def shipped_configs() -> dict[str, Path]:
    """Configs shipped with the package: name → path."""
    return {path.stem: path for path in sorted(shipped("configs").glob("*.yaml"))}


def description(path: Path) -> str:
    """The first sentence of the comment at the top of a config; empty if there is none or the file is unreadable."""
    text = " ".join(_comment(path))
    return re.split(r"(?<=[.?!]) ", text, maxsplit=1)[0]


def config_name(path: Path) -> str:
    """What a config is called: its file's name, or for a run's `config.yaml` that of the config it was made from."""
    return (trained_from(path) if path.name == "config.yaml" else "") or path.stem


def trained_from(path: Path) -> str:
    """Name of the config that a run was trained from, by the first line of its own; empty if it does not say."""
    first = next(_comment(path), "")
    return first.removeprefix(_ORIGIN) if first.startswith(_ORIGIN) else ""


def origin_comment(name: str) -> str:
    """The first line of a run's own config."""
    return f"# {_ORIGIN}{' '.join(name.split())}\n"


def _comment(path: Path) -> Iterator[str]:
    """The lines of the comment at the top, without `#`."""
    try:
        for line in read_bytes(path, _LARGEST).decode("utf-8", "replace").splitlines():
            if not line.startswith("#"):
                return
            yield line.lstrip("#").strip()
    except OSError:
        return
