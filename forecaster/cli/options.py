"""Options that several commands share, and the parsing of their values."""

from __future__ import annotations

import datetime as dt
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from forecaster.cli import completion as complete
from forecaster.errors import InputError, OutsideError, at_most_five

if TYPE_CHECKING:
    import numpy as np

Format = Literal["table", "json", "csv", "parquet"]


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date: expected YYYY-MM-DD.") from error


def place(output: Path | None) -> Path | None:
    """Checks that a file can be written before the work starts."""
    if output is not None:
        from forecaster.files import check_place

        check_place(output)
    return output


def _place(context: Any, output: Path | None) -> Path | None:
    # Any: typer passes the context of its vendored click, not a typer.Context
    if output is None and context.params.get("format") == "parquet":
        raise typer.BadParameter("--format parquet needs --output FILE: Parquet is not text.")
    return place(output)


def _folder(path: Path) -> Path:
    """Checks that a folder which exists can be listed; an empty list would read as if nothing were there."""
    if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
        raise OutsideError(f"{path} cannot be read: {os.strerror(errno.EACCES)}; check the folder and its permissions.")
    return path


RunOption = Annotated[
    str, typer.Option("--run", "-r", help="A run's folder or name, or latest.", autocompletion=complete.runs)
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's folder or name, or latest.", autocompletion=complete.runs)
]
DataDir = Annotated[
    Path,
    typer.Option(envvar="FORECASTER_DATA_DIR", help="Folder of the candle store.", readable=False, callback=_folder),
]
RunsDir = Annotated[
    Path, typer.Option(envvar="FORECASTER_RUNS_DIR", help="Folder of the runs.", readable=False, callback=_folder)
]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="Format of the result.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", callback=_place, help="File for the result instead of the screen.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Fetch nothing.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show details, and a traceback if there is a bug.")]
TickersFile = Annotated[
    Path | None,
    typer.Option(
        help="Text file of symbols, one per line, or a ready list: dow30, sectors, indices, currencies.",
        autocompletion=complete.lists,
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", "-s", metavar="KEY=VALUE", help="Override a key of the config.")
]
AsOf = Annotated[
    dt.date | None, typer.Option(parser=_date, metavar="DATE", help="Forecast as if this were today, YYYY-MM-DD.")
]
Date = Annotated[
    dt.date | None, typer.Option(parser=_date, metavar="DATE", help="First or last day to fetch, YYYY-MM-DD.")
]

DATA_DIR = Path("data/store")
RUNS_DIR = Path("runs")


def unusual(folder: Path, default: Path, variable: str) -> Path | None:
    """A folder that a later command finds only if it is named again; None if it is the default or the variable's."""
    return None if folder == default or str(folder) == os.environ.get(variable) else folder


def day(date: dt.date | None) -> np.datetime64 | None:
    """A date as numpy's datetime64."""
    import numpy as np

    return None if date is None else np.datetime64(date, "D")


def pairs(option: str, given: list[str] | None) -> dict[str, str]:
    """Parses each `FIELD=NAME` of a repeated option."""
    values = {}
    for text in given or []:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise InputError(f"{option} {text}: expected FIELD=NAME, as in {option} close=Price.")
        values[name.strip()] = value
    return values


def symbols(file: Path | None) -> list[str]:
    """The symbols of a text file or, if no such file exists, of a ready list; # starts a comment."""
    if file is None:
        return []
    from forecaster.data import lists
    from forecaster.files import is_file

    if is_file(file):
        return _symbols_in(file)
    if file.name == str(file) and not file.suffix:
        return list(lists.read(str(file)))
    ready = ", ".join(lists.names())
    raise InputError(f"--tickers-file {file} is not a file: check the name, or use a ready list ({ready}).")


def _symbols_in(file: Path) -> list[str]:
    from forecaster.data import lists
    from forecaster.files import read_text

    try:
        found = list(lists.parse(read_text(file)))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--tickers-file {file} cannot be read as UTF-8 text: {error}.") from error
    if not found:
        raise InputError(f"--tickers-file {file} names no ticker: write one symbol per line.")
    return found


def shard_of(tickers: list[str], shard: str | None) -> list[str]:
    """Every N-th ticker, beginning with the I-th, for --shard I/N; all without it.

    Raises:
        InputError: it is not I/N with 1 ≤ I ≤ N, or no ticker falls to it.
    """
    if shard is None:
        return tickers
    first, count = _shard(shard)
    part = tickers[first - 1 :: count]
    if not part:
        raise InputError(f"--shard {shard} holds no ticker: there are only {len(tickers)}, so N can be that at most.")
    return part


def shard_file(output: Path | None, shard: str | None) -> Path | None:
    """A shard's own file, so that one command line serves all of them: out.parquet → out-3-of-8.parquet."""
    if output is None or shard is None:
        return output
    first, count = _shard(shard)
    return output.with_name(f"{output.stem}-{first}-of-{count}{output.suffix}")


def _shard(text: str) -> tuple[int, int]:
    first, _, count = text.partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        raise InputError(f"--shard {text}: expected I/N with I from 1 to N, as in 3/8.")
    return int(first), int(count)


def chosen_tickers(
    tickers: list[str] | None, file: Path | None, all_of: Path | None, command: str = "predict"
) -> list[str]:
    """The tickers that a command names: as words and in a file, or all in a store.

    Args:
        all_of: the store whose tickers are all meant (--all); None without that option.
    """
    if all_of is None:
        named = [*(tickers or []), *symbols(file)]
        if not named:
            what = "a TICKER, --all or --tickers-file FILE"
            raise InputError(f"forecast {command} needs {what}: see `forecast {command} --help`.")
        return named
    if tickers or file:
        given = at_most_five(tickers) if tickers else f"--tickers-file {file}"
        raise InputError(f"--all means every ticker in the store: omit it, or omit {given}.")
    from forecaster.data.store import open_store

    return list(open_store(all_of).tickers())
