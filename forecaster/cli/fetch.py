"""forecast fetch"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import app, examples


@app.command(
    epilog=examples(
        "forecast fetch --source sample",
        "forecast fetch AAPL --source file --path prices.csv",
        "forecast fetch AAPL MSFT BRK-B --start 2015-01-01",
    )
)
def fetch(
    tickers: Annotated[
        list[str] | None,
        typer.Argument(metavar="TICKER", help="Symbols, as in BRK-B.", autocompletion=complete.tickers),
    ] = None,
    source: Annotated[str, typer.Option(help="yahoo, file or sample.", autocompletion=complete.sources)] = "yahoo",
    path: Annotated[Path | None, typer.Option(help="File or folder, for --source file.")] = None,
    tickers_file: opt.TickersFile = None,
    start: opt.Date = None,
    end: opt.Date = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=16, help="Parallel requests, 4 if absent; for --source yahoo.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Fetch whole histories, not just new candles.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a history even with a shorter one.")] = False,
    currency: Annotated[
        str | None, typer.Option(help="Currency of the prices, USD if absent; for --source file.")
    ] = None,
    calendar: Annotated[
        str | None, typer.Option(help="Calendar of the dates: XNYS (if absent), 24/7, Sun-Thu …; for --source file.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=NAME", help="A file's own column name, as in close=Price.")
    ] = None,
    date_format: Annotated[str | None, typer.Option(metavar="F", help="Date format of a file, as in %d/%m/%Y.")] = None,
    resample: Annotated[str | None, typer.Option(metavar="day", help="Make daily candles from intraday ones.")] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Fetch daily candles into the store."""
    from forecaster.data.sources import SourceOptions, check_options
    from forecaster.show.fetch import fetch_progress, fetch_view, next_step, rows_needed
    from forecaster.show.output import note, present
    from forecaster.workflows.fetch import exit_code
    from forecaster.workflows.fetch import fetch as run

    options: dict[str, Any] = {
        "path": path,
        "currency": currency,
        "calendar": calendar,
        "workers": workers,
        "columns": opt.pairs("--column", column) or None,
        "date_format": date_format,
        "resample": resample,
    }
    given = {name: value for name, value in options.items() if value is not None}
    check_options(source, given)
    names = [*(tickers or []), *opt.symbols(tickers_file)]
    with fetch_progress(len(names) or None, quiet, rows_needed(output)) as screen:
        outcomes = run(
            names,
            source=source,
            data_dir=data_dir,
            options=SourceOptions(**given),
            start=opt.day(start),
            end=opt.day(end),
            full=full,
            force=force,
            report=screen.row,
            say=screen.say,
        )
    present(fetch_view(outcomes), format, output)
    if step := next_step(outcomes, opt.unusual(data_dir, opt.DATA_DIR, "FORECASTER_DATA_DIR")):
        note(step, quiet)
    raise typer.Exit(exit_code(outcomes))
