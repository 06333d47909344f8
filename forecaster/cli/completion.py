"""What the shell completes: tickers of the store, runs, configs and ready lists. Fast, and never an error.

Only file names are read: neither numpy nor a YAML parser is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Complete = Callable[[Any, str], list[str]]


def _never_raising(found: Callable[[Any], Iterable[str]], any_case: bool = False) -> Complete:
    """The completions that start with what is typed; none where they cannot be found.

    Args:
        any_case: names may be typed in lower case, and are completed so.
    """

    def complete(ctx: Any, incomplete: str) -> list[str]:
        try:
            lower = any_case and incomplete != incomplete.upper()
            names = (name.lower() if lower else name for name in found(ctx))
            return [name for name in names if name.startswith(incomplete) and " " not in name]  # it would be two words
        except Exception:  # a traceback would land in the middle of the user's command line
            return []

    return complete


def _folder(ctx: Any, name: str, variable: str) -> Path:
    """The folder that an option, or else a variable, names; the shell passes options that come before the word."""
    import os

    given = ctx.params.get(name)
    return Path(given or os.environ.get(variable) or {"data_dir": "data/store", "runs_dir": "runs"}[name])


def _tickers(ctx: Any) -> list[str]:
    from forecaster.data.symbols import symbol_of
    from forecaster.errors import InputError

    found = []
    for path in sorted(_folder(ctx, "data_dir", "FORECASTER_DATA_DIR").glob("*.parquet")):
        try:
            found.append(symbol_of(path.stem))
        except InputError:  # another program's file
            continue
    return found


def _runs(ctx: Any) -> list[str]:
    from forecaster.runs.folder import run_folders

    return [
        "latest",
        "pretrained",
        *(folder.name for folder in run_folders(_folder(ctx, "runs_dir", "FORECASTER_RUNS_DIR"))),
    ]


def _configs(ctx: Any) -> list[str]:
    from forecaster.config.about import shipped_configs

    return [*shipped_configs(), *sorted(path.name for path in Path().glob("*.yaml"))]


def _sources(ctx: Any) -> list[str]:
    return ["yahoo", "file", "sample"]


def _lists(ctx: Any) -> list[str]:
    from forecaster.data import lists

    return [*lists.names(), *sorted(path.name for path in Path().glob("*.txt"))]


tickers = _never_raising(_tickers, any_case=True)
runs = _never_raising(_runs)
configs = _never_raising(_configs)
configs_and_runs = _never_raising(lambda ctx: [*_configs(ctx), *_runs(ctx)])
sources = _never_raising(_sources)
lists = _never_raising(_lists)
