"""forecast data verify"""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli import completion as complete
from forecaster.cli import options as opt
from forecaster.cli.app import examples
from forecaster.cli.data_group import data


@data.command(epilog=examples("forecast data verify", "forecast data verify AAPL --repair"))
def verify(
    tickers: Annotated[
        list[str] | None,
        typer.Argument(metavar="TICKER", help="Symbols; all if none.", autocompletion=complete.tickers),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Fetch tickers with findings again from their source.")
    ] = False,
    data_dir: opt.DataDir = opt.DATA_DIR,
    format: opt.FormatOption = "table",
    output: opt.Output = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Find damaged files, and missing, stale or stray candles."""
    from forecaster.show.fetch import fetch_progress
    from forecaster.show.output import present
    from forecaster.show.verify import verify_view
    from forecaster.workflows.verify import verify as run

    with fetch_progress(None, quiet or not repair) as screen:
        findings = run(data_dir, tickers or (), repair=repair, report=screen.row, say=screen.say)
    present(verify_view(findings), format, output)
    raise typer.Exit(3 if any(not finding.mended for finding in findings) else 0)
