"""Options that several commands share, and how a command line's text becomes values."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from forecaster.errors import InputError

if TYPE_CHECKING:
    import numpy as np

Format = Literal["table", "json", "csv", "parquet"]


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date: expected YYYY-MM-DD.") from error


def place(output: Path | None) -> Path | None:
    """A file to write, once it is known that it can be: nobody waits for a result that has nowhere to go."""
    if output is not None:
        from forecaster.files import check_place

        check_place(output)
    return output


def _place(context: Any, output: Path | None) -> Path | None:
    # typer gives a context of the click inside it, which is no typer.Context
    if output is None and context.params.get("format") == "parquet":
        raise typer.BadParameter("--format parquet needs --output FILE: Parquet is not text.")
    return place(output)


DataDir = Annotated[Path, typer.Option(envvar="FORECASTER_DATA_DIR", help="Folder of the candle store.")]
RunsDir = Annotated[Path, typer.Option(envvar="FORECASTER_RUNS_DIR", help="Folder of the runs.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to give the result.")]
Output = Annotated[
    Path | None, typer.Option("--output", callback=_place, help="File for the result instead of the screen.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no notes.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say more; show a traceback where there is a bug.")]
TickersFile = Annotated[
    Path | None,
    typer.Option(
        help="Text file of symbols, one a line, or a ready list: dow30, sectors, indices, currencies.",
    ),
]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the config.")]
AsOf = Annotated[
    dt.date | None, typer.Option(parser=_date, metavar="DATE", help="Forecast as if this were today, YYYY-MM-DD.")
]
Date = Annotated[
    dt.date | None, typer.Option(parser=_date, metavar="DATE", help="First or last day to bring, YYYY-MM-DD.")
]

DATA_DIR = Path("data/store")
RUNS_DIR = Path("runs")


def day(date: dt.date | None) -> np.datetime64 | None:
    """A date as the data floor has it."""
    import numpy as np

    return None if date is None else np.datetime64(date, "D")


def pairs(option: str, given: list[str] | None) -> dict[str, str]:
    """`FIELD=NAME` as often as an option was given."""
    found = {}
    for text in given or []:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise InputError(f"{option} {text}: expected FIELD=NAME, as in {option} close=Price.")
        found[name.strip()] = value
    return found


def symbols(file: Path | None) -> list[str]:
    """The symbols of a text file, or of a ready list when no such file exists; what follows a # is a remark."""
    if file is None:
        return []
    from forecaster.data import lists

    if file.is_file():
        return list(lists.parse(file.read_text(encoding="utf-8-sig")))
    if file.name == str(file) and not file.suffix:
        return list(lists.read(str(file)))
    ready = ", ".join(lists.names())
    raise InputError(f"--tickers-file {file} is not a file: check the name, or take a ready list ({ready}).")
