"""forecast fetch"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    tickers: Annotated[list[str] | None, typer.Argument(metavar="TICKER", help="Symbols, as in BRK-B.")] = None,
    source: Annotated[str, typer.Option(help="yahoo, file or sample.")] = "yahoo",
    path: Annotated[Path | None, typer.Option(help="File or folder of --source file.")] = None,
    tickers_file: opt.TickersFile = None,
    start: opt.Date = None,
    end: opt.Date = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Requests at once.")] = 4,
    full: Annotated[bool, typer.Option("--full", help="Whole histories, not just what is new.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace even with fewer rows.")] = False,
    currency: Annotated[str | None, typer.Option(help="Currency of a file's prices; USD if absent.")] = None,
    calendar: Annotated[
        str | None, typer.Option(help="Calendar of a file: XNYS, 24/7, Sun-Thu and so on; XNYS if absent.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=NAME", help="A file's own column name, as in close=Price.")
    ] = None,
    date_format: Annotated[str | None, typer.Option(metavar="F", help="How a file writes dates: %d/%m/%Y.")] = None,
    resample: Annotated[str | None, typer.Option(metavar="day", help="Make daily candles of intraday ones.")] = None,
    data_dir: opt.DataDir = opt.DATA_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Bring daily candles into the store."""
    from forecaster.data.sources import SourceOptions
    from forecaster.show.fetch import fetch_progress, fetch_view
    from forecaster.show.output import present
    from forecaster.workflows.fetch import exit_code
    from forecaster.workflows.fetch import fetch as run

    columns = opt.pairs("--column", column)
    opt.only_for("file", source, column=column, date_format=date_format, resample=resample)
    names = [*(tickers or []), *opt.symbols(tickers_file)]
    with fetch_progress(len(names) or None, quiet) as screen:
        outcomes = run(
            names,
            source=source,
            data_dir=data_dir,
            options=SourceOptions(
                path, currency, calendar, workers, columns=columns, date_format=date_format, resample=resample
            ),
            start=opt.day(start),
            end=opt.day(end),
            full=full,
            force=force,
            report=screen.row,
            say=screen.say,
        )
    present(fetch_view(outcomes), format, output)
    raise typer.Exit(exit_code(outcomes))
